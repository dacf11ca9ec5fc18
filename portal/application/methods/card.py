"""Paying by card on the provider's own page: no card number comes near us.

Application zone. A provider that can do it has the two acts of :class:`CardByRedirect`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from portal.application.providers import sandbox_card
from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    SessionAnswer,
    SessionWanted,
)
from portal.contract.payment import Finding


class CardByRedirect(Protocol):
    """The payer leaves for the provider's page and comes back; the truth is an inquiry."""

    def open_session(self, endpoint: Endpoint, wanted: SessionWanted) -> Exchange[SessionAnswer]:
        """Open a payment under our reference, which must be unique at the provider for ever."""
        ...

    def inquire(self, endpoint: Endpoint, reference: str) -> Exchange[Finding]:
        """Ask what became of the payment under our reference; changes nothing there."""
        ...


CARD: Final[Mapping[str, CardByRedirect]] = MappingProxyType({"sandbox_card": sandbox_card.ADAPTER})
"""Provider → its adapter for cards."""
