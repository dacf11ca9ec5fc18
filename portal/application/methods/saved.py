"""Charging what a payer enrolled, without the payer there (merchant-initiated).

Application zone. The instrument's own texts never come here: the relay puts them in.
"""

from typing import Protocol

from portal.application.providers.exchange import (
    ChargeWanted,
    Endpoint,
    Exchange,
    SessionAnswer,
)


class ChargesSaved(Protocol):
    """A charge under our reference; its truth is the inquiry of the provider's payments."""

    def charge(self, endpoint: Endpoint, wanted: ChargeWanted) -> Exchange[SessionAnswer]:
        """Charge once; an unclear outcome is ``unknown`` and asked, never charged again."""
        ...
