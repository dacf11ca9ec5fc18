"""The card company's payments by cards that it keeps, with the payer there.

``POST /v1/card-payments``: as a charge, with a ``return_url``. Where the card's bank asks its payer
the answer names the page for that, ``open``; the bank's page ends the payment and leads back.
"""

import asyncio
import secrets
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from portal.sandbox import magic
from portal.sandbox.card_charges import read_charge
from portal.sandbox.cards import CHALLENGE_PASSWORD, CardCompany
from portal.sandbox.interface import ApiError, DroppedAnswer, read_form, require_key
from portal.sandbox.journal import Journal, Row
from portal.sandbox.templates import render

PROVIDER: Final = "sandbox_card"
_HANG_S: Final = 60.0


class CardPayments:
    """Payments by kept cards, each reference once."""

    def __init__(self, journal: Journal, company: CardCompany, browser_origin: str) -> None:
        """Share the company's journal and notices; ``browser_origin``: where the bank's page is."""
        self._journal = journal
        self._company = company
        self._origin = browser_origin

    @property
    def routes(self) -> list[Route]:
        """The interface for merchants."""
        return [Route("/v1/card-payments", self.pay, methods=["POST"])]

    @property
    def browser_routes(self) -> list[Route]:
        """The bank's page."""
        return [
            Route("/card/{payment_id}/bank", self.ask, methods=["GET"]),
            Route("/card/{payment_id}/bank", self.answer, methods=["POST"]),
        ]

    async def pay(self, request: Request) -> Response:
        """201 paid, or open with the bank's page; 402 declined, 404 no such card, 409 known."""
        require_key(request, PROVIDER)
        form = await read_form(request)
        payment: Row = {**read_charge(form), "return_url": _read_return(form)}
        card = self._journal.cards.card(form.get("card", ""), form.get("customer", ""))
        if card is None:
            raise ApiError(404, "card_unknown")
        fault = magic.AMOUNTS.get(payment["amount"])
        if fault == "never_received":
            await asyncio.sleep(_HANG_S)
            raise ApiError(504, "timed_out")
        if fault == "error":
            raise ApiError(500, "internal")
        if fault == "busy":
            raise ApiError(429, "too_many_requests")
        if not self._journal.open_payment(payment):
            raise ApiError(409, "reference_exists")
        self._journal.cards.pay_by(payment["id"], card["id"])
        is_asked = self._journal.cards.is_asked(card["id"])
        status = "open" if is_asked else self._end(payment, card, authentication="Y")
        if fault == "answer_lost":
            return DroppedAnswer()
        said = {
            "id": payment["id"],
            "reference": payment["reference"],
            "amount": payment["amount"],
            "status": status,
            "decline_code": card["charged"] if status == "failed" else None,
            # An honest company repeats what it was told; the relay takes it out again.
            "card": card["id"],
        }
        if is_asked:
            said["url"] = f"{self._origin}/card/{payment['id']}/bank"
        return JSONResponse(said, status_code=402 if status == "failed" else 201)

    async def ask(self, request: Request) -> Response:
        """GET /card/{id}/bank: the bank asks for a password, or leads back what is over."""
        payment = self._journal.payment(payment_id=request.path_params["payment_id"])
        if payment is None:
            return HTMLResponse(render("card_gone.html"), status_code=404)
        if payment["status"] != "open":
            return RedirectResponse(payment["return_url"], status_code=303)
        page = render("card_challenge.html", payment=payment, number="", to="bank")
        return HTMLResponse(page)

    async def answer(self, request: Request) -> Response:
        """POST /card/{id}/bank: the right password pays, any other fails."""
        payment = self._journal.payment(payment_id=request.path_params["payment_id"])
        card = None if payment is None else self._journal.cards.paying(payment["id"])
        if payment is None or card is None:
            return HTMLResponse(render("card_gone.html"), status_code=404)
        if payment["status"] == "open":
            form = await read_form(request)
            is_known = form.get("password", "") == CHALLENGE_PASSWORD
            self._end(payment, card, authentication="Y" if is_known else "N")
        after = self._journal.payment(payment_id=payment["id"]) or payment
        self._company.tell(after, noisy=False)
        return RedirectResponse(payment["return_url"], status_code=303)

    def _end(self, payment: Row, card: Row, *, authentication: str) -> str:
        """End a payment as its card does; a bank that only wanted its payer there is content."""
        charged = "succeeded" if card["charged"] == "authentication_failed" else card["charged"]
        end = charged if authentication == "Y" else "authentication_failed"
        paid = end == "succeeded"
        values = {
            "status": "succeeded" if paid else "failed",
            "decline_code": None if paid else end,
            "approval_no": f"{secrets.randbelow(1_000_000):06d}" if paid else None,
            "card_hint": card["hint"],
            "authentication": authentication,
            "hidden_until": 0.0,
        }
        self._journal.end_payment(payment["id"], values)
        return str(values["status"])


def _read_return(form: dict[str, str]) -> str:
    address = form.get("return_url", "")
    if urlsplit(address).scheme not in {"http", "https"}:
        raise ApiError(422, "invalid_return_url")
    return address
