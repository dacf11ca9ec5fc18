"""Lines to banks: who hands a file over by one, and asks about it afterwards.

Application zone. A bank without a line here is served by hand, as an owner downloads the file.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from portal.application.providers import sandbox_bank
from portal.application.providers.exchange import Endpoint, Exchange, ResultFetched
from portal.domain.errors import InvariantBroken
from portal.domain.handover import LineKind, LineOutcome
from portal.domain.ids import DeliveryId


class DebitLine(Protocol):
    """A file is handed over once; whatever is unclear afterwards is asked, never sent again."""

    def hand_over(
        self, endpoint: Endpoint, handover_id: DeliveryId, kind: LineKind = "debit"
    ) -> Exchange[tuple[LineOutcome, str]]:
        """The file behind ``handover_id``, which the relay puts in; the outcome and a code."""
        ...

    def ask(
        self, endpoint: Endpoint, reference: str, kind: LineKind = "debit"
    ) -> Exchange[tuple[LineOutcome, str]]:
        """Ask what became of the file under our reference; changes nothing there."""
        ...

    def fetch(
        self, endpoint: Endpoint, reference: str, fetch_id: DeliveryId
    ) -> Exchange[ResultFetched]:
        """Have the relay put the answer to a file into the vault under ``fetch_id``."""
        ...


LINES: Final[Mapping[str, DebitLine]] = MappingProxyType({"sandbox_bank": sandbox_bank.LINE})
"""Provider → its line."""


def find_line(provider: str) -> DebitLine:
    """The line to this bank. Raises: InvariantBroken ``provider_unconfigured``."""
    line = LINES.get(provider)
    if line is None:
        raise InvariantBroken("provider_unconfigured", context=f"no line to {provider}")
    return line
