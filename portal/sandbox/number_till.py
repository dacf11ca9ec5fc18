"""A store's terminal and register for numbers: a person types what their page shows, and pays.

The company of store numbers (portal.sandbox.counters) is told by the store, and tells the portal by
notice. What no register takes is refused with its reason: a number that nobody made, one of another
store, one that was paid, withdrawn or has run out.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from portal.sandbox.counter_journal import CounterJournal, Row, status_of
from portal.sandbox.counters import PROVIDER, notice_of
from portal.sandbox.interface import read_form
from portal.sandbox.notices import NoticeSender
from portal.sandbox.templates import render

STORES: Final = {
    "00007": "セブン-イレブン",
    "10001": "ローソン",
    "10002": "ファミリーマート",
    "10005": "ミニストップ",
    "10008": "セイコーマート",
}
_REFUSALS: Final = {
    "PAYSUCCESS": "number_paid",
    "CANCEL": "number_withdrawn",
    "EXPIRED": "last_day_over",
}
_SHOWN: Final = 50


class NumberTill:
    """Takes numbers, lets them run out before their day, and has the company tell of it."""

    def __init__(self, journal: CounterJournal, notices: NoticeSender) -> None:
        """Share the company's journal and the line for notices."""
        self._journal = journal
        self._notices = notices

    @property
    def browser_routes(self) -> list[Route]:
        """The terminal."""
        return [
            Route("/till/number", self.page, methods=["GET"]),
            Route("/till/number", self.take, methods=["POST"]),
            Route("/till/number/{reference}/expire", self.expire, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """GET /till/number: the terminal, and what was paid there."""
        del request
        return self._terminal()

    async def take(self, request: Request) -> Response:
        """POST /till/number: pay by a number, once, or hear why not."""
        form = await read_form(request)
        receipt, confirmation = (_typed(form.get(name, "")) for name in ("receipt", "confirmation"))
        order = self._journal.find(form.get("store", ""), receipt)
        if order is None or order["confirmation_no"] != confirmation:
            return self._terminal(refused="number_unknown")
        if not self._journal.end(order["reference"], "PAYSUCCESS"):
            now = self._journal.order(order["reference"]) or order
            return self._terminal(refused=_REFUSALS.get(status_of(now), "number_unknown"))
        self._tell(order["reference"])
        return RedirectResponse("/till/number", status_code=303)

    async def expire(self, request: Request) -> Response:
        """POST /till/number/{reference}/expire: the number's last day is over."""
        reference: str = request.path_params["reference"]
        if self._journal.end(reference, "EXPIRED"):
            self._tell(reference)
        return RedirectResponse("/till/number", status_code=303)

    def _terminal(self, refused: str = "") -> Response:
        orders: list[Row] = [
            {**order, "status": status_of(order)}
            for order in reversed(self._journal.all())
            if order["receipt_no"]
        ]
        page = render("number_till.html", orders=orders[:_SHOWN], stores=STORES, refused=refused)
        return HTMLResponse(page, status_code=422 if refused else 200)

    def _tell(self, reference: str) -> None:
        order = self._journal.order(reference)
        if order is not None:
            self._notices.send_form(PROVIDER, order["account"], notice_of(order))


def _typed(text: str) -> str:
    """The digits of what somebody typed, with or without spaces and hyphens."""
    return "".join(letter for letter in text if letter.isascii() and letter.isdigit())
