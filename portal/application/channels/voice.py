"""Calls: asked for by one request each; then the company asks us, prompt by prompt, what to say.

Application zone. A provider that can do it has an adapter of :class:`PutsThrough` and, for what it
asks while a call goes on, one of :class:`HoldsCalls`.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from portal.application.providers import sandbox_tel, twilio
from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    MessageAnswer,
    MessageWanted,
)
from portal.contract.call import CallTurn
from portal.domain.call import CallStatus


class PutsThrough(Protocol):
    """Calls a telephone number."""

    def compose(self, endpoint: Endpoint, wanted: MessageWanted) -> Exchange[MessageAnswer]:
        """The request for one call and how its answer reads."""
        ...


class Heard(Protocol):
    """What one callback of a company says of a call."""

    @property
    def call_ref(self) -> str:
        """The company's own name of the call."""
        ...

    @property
    def keys(self) -> str:
        """What was pressed at the prompt; empty for nothing."""
        ...

    @property
    def is_machine(self) -> bool:
        """Whether a machine picked up."""
        ...

    @property
    def status(self) -> CallStatus:
        """How the call stands."""
        ...


class HoldsCalls(Protocol):
    """A company that asks what to say while a call goes on, and signs what it asks."""

    media_type: str

    def is_genuine_at(
        self, address: str, raw: bytes, headers: Mapping[str, str], keys: Iterable[str]
    ) -> bool:
        """Whether one of ``keys`` signed these bytes for it. Header names in lower case."""
        ...

    def read(self, raw: bytes) -> Heard:
        """What it says; raises InvalidInput ``notice_malformed``."""
        ...

    def write(self, turn: CallTurn, action: str) -> str:
        """The words in the company's own form; ``action`` is where the keys go."""
        ...

    def write_wait(self, address: str) -> str:
        """That it should ask there again in a moment."""
        ...


VOICE: Final[Mapping[str, PutsThrough]] = MappingProxyType(
    {"sandbox_tel": sandbox_tel.VOICE, "twilio": twilio.VOICE}
)
"""Provider → its adapter for calls."""

CALLS: Final[Mapping[str, HoldsCalls]] = MappingProxyType(
    {"sandbox_tel": sandbox_tel.CALLS, "twilio": twilio.CALLS}
)
"""Provider → who speaks with it while a call goes on."""
