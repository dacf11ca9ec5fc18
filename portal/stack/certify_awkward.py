"""The acts of a payment's life that end otherwise: no answer, a decline, what 3-D Secure came to.

Stack only. Each is a payment of its own that takes no money: one whose opening nobody heard the
answer of, one whose payer is declined.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from portal.application.methods.redirect import ByRedirect
from portal.application.providers.exchange import Endpoint, Exchange, SessionWanted
from portal.contract.payment import Finding
from portal.domain.authentication import is_accepted
from portal.stack.certify_report import Report

T = TypeVar("T")

_NOBODY_PAID: Final = frozenset({"requires_action", "not_found", "unclear"})
_NOT_TAKEN: Final = frozenset({"failed", "requires_action"})
"""Some companies let the payer try another card on the same page: then it still waits."""


class Converse(Protocol):
    """One exchange with the company, told as it happens."""

    async def __call__(self, act: str, exchange: Exchange[T]) -> T:
        """What the company's last answer read as."""
        ...


@dataclass(frozen=True, slots=True)
class Awkward:
    """What these acts need of a run. ``wanted`` makes a payment of a fresh reference."""

    adapter: ByRedirect
    endpoint: Endpoint
    wanted: Callable[[], SessionWanted]
    converse: Converse
    report: Report
    pay: Callable[[str], Awaitable[None]]

    async def run(self) -> None:
        """All of them; the life of a payment that is paid is somebody else's."""
        await self._lose_an_answer()
        await self._be_declined()

    async def _lose_an_answer(self) -> None:
        """Open a payment, hear nothing of it, and ask by our reference alone."""
        act, wanted = "open, no answer", self.wanted()
        await self.converse(act, self.adapter.open_session(self.endpoint, wanted))
        self.report.say("  read   nothing: as after a time-out")
        act = "inquire by reference"
        exchange = self.adapter.inquire(self.endpoint, wanted.reference, "")
        found = await self.converse(act, exchange)
        self.report.read(act, found, fits=found.state in _NOBODY_PAID)

    async def _be_declined(self) -> None:
        act, wanted = "open to be declined", self.wanted()
        opened = await self.converse(act, self.adapter.open_session(self.endpoint, wanted))
        accepted = opened.outcome == "accepted"
        self.report.read(act, opened, fits=accepted)
        if not accepted:
            return
        self.report.say("  do     be declined there: see the company's list of numbers for trials")
        await self.pay(opened.redirect_url)
        act = "inquire after decline"
        exchange = self.adapter.inquire(self.endpoint, wanted.reference, opened.provider_ref)
        found = await self.converse(act, exchange)
        self.report.read(act, found, fits=found.state in _NOT_TAKEN)


def look_at_authentication(report: Report, found: Finding) -> None:
    """Whether a paid card payment tells that its payer's bank stood for it."""
    act = "3-D Secure"
    report.begin(act)
    fits = bool(found.authentication) and is_accepted("attempted", found.authentication)
    report.read(act, found.authentication or "no result", fits=fits)
