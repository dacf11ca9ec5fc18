"""Banks at whose page a payer gives a mandate: who opens it, and asks afterwards what became of it.

Application zone. No account comes near us: the relay puts the bank's word into the vault.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from portal.application.providers import sandbox_bank
from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    MandateWanted,
    SessionAnswer,
)
from portal.domain.errors import InvariantBroken
from portal.domain.ids import DeliveryId
from portal.domain.mandate_word import Asked


class MandatePage(Protocol):
    """The payer leaves for the bank's page and comes back; the truth is an inquiry."""

    def open_mandate(self, endpoint: Endpoint, wanted: MandateWanted) -> Exchange[SessionAnswer]:
        """Open the page for one mandate; ``redirect_url`` is where the payer goes."""
        ...

    def ask_mandate(
        self, endpoint: Endpoint, reference: str, word_id: DeliveryId
    ) -> Exchange[Asked]:
        """Ask what became of it; the relay puts the word into the vault under ``word_id``."""
        ...


PAGES: Final[Mapping[str, MandatePage]] = MappingProxyType({"sandbox_bank": sandbox_bank.MANDATES})
"""Provider → its page; the vault offers those of portal.domain.methods.TAKES_MANDATES."""


def find_page(provider: str) -> MandatePage:
    """The page of this bank. Raises: InvariantBroken ``provider_unconfigured``."""
    page = PAGES.get(provider)
    if page is None:
        raise InvariantBroken("provider_unconfigured", context=f"no mandates by {provider}")
    return page
