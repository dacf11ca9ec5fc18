"""The card company's desk for disputes: a page on which a payer contests a payment, and its end.

Everything that happens here is told by a notice that says no more than that there is news; the
inquiry of the payment says what.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from portal.sandbox.cards import CardCompany
from portal.sandbox.interface import ApiError, read_form
from portal.sandbox.journal import Journal
from portal.sandbox.templates import render

_SHOWN: Final = 50
_ENDS: Final = {"win": True, "lose": False}


class CardDisputes:
    """Opens and decides disputes of payments by card."""

    def __init__(self, journal: Journal, cards: CardCompany) -> None:
        """Share the company's journal and its line."""
        self._journal = journal
        self._cards = cards

    @property
    def browser_routes(self) -> list[Route]:
        """The desk: as a page, and by the same forms for tests."""
        return [
            Route("/disputes", self.page, methods=["GET"]),
            Route("/disputes/{reference}", self.act, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """GET /disputes: the newest paid payments, each with its dispute if it has one."""
        del request
        paid = [row for row in reversed(self._journal.payments()) if row["status"] == "succeeded"]
        shown = [
            {**row, "dispute": self._journal.disputes.of(row["reference"])} for row in paid[:_SHOWN]
        ]
        return HTMLResponse(render("disputes.html", payments=shown))

    async def act(self, request: Request) -> Response:
        """POST /disputes/{reference}: contest, win or lose; 409 for what can't be done."""
        reference: str = request.path_params["reference"]
        payment = self._journal.payment(reference=reference)
        if payment is None:
            raise ApiError(404, "not_found")
        act = (await read_form(request)).get("act", "")
        if act in {"take_now", "take_when_lost"}:
            done = self._journal.disputes.open(reference, takes_now=act == "take_now")
        elif act in _ENDS:
            done = self._journal.disputes.decide(reference, won=_ENDS[act])
        else:
            raise ApiError(422, "invalid_act")
        dispute = self._journal.disputes.of(reference)
        if not done or dispute is None:
            raise ApiError(409, "dispute_state")
        self._cards.tell_of_dispute(payment, f"dispute_{dispute['status']}")
        return RedirectResponse("/disputes", status_code=303)
