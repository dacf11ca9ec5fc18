"""Paying on a provider's own page, by card or by wallet: no number comes near us.

Application zone. The family of methods that send the payer away and believe nothing but an
inquiry afterwards.
"""

from typing import Protocol, runtime_checkable

from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    SessionAnswer,
    SessionWanted,
)
from portal.contract.payment import Finding


class ByRedirect(Protocol):
    """The payer leaves for the provider's page and comes back; the truth is an inquiry."""

    def open_session(self, endpoint: Endpoint, wanted: SessionWanted) -> Exchange[SessionAnswer]:
        """Open a payment under our reference, which must be unique at the provider for ever."""
        ...

    def inquire(
        self, endpoint: Endpoint, reference: str, provider_ref: str = ""
    ) -> Exchange[Finding]:
        """Ask what became of the payment under our reference; changes nothing there.

        ``provider_ref`` is what the provider called it in an earlier answer, '' while none came:
        some find their own name at once and ours only after a while. An adapter that is always
        sure of our reference ignores it.
        """
        ...


@runtime_checkable
class TakesBack(Protocol):
    """A company at which a page that was opened can be closed again, before anybody pays there."""

    def take_back(self, endpoint: Endpoint, provider_ref: str) -> Exchange[bool] | None:
        """Close the page that the company calls so; whether it said that it did.

        None where ``provider_ref`` names no page. What it says ends nothing: an inquiry does.
        """
        ...
