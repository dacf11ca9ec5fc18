"""A card company: an interface for merchants (host ``card.sandbox.test``) and its own payment page.

A payment is opened with the merchant's reference, which is unique for ever; the payer types the
card on the company's page; only an inquiry tells the truth, notices merely hurry.
"""

import asyncio
import re
import secrets
import time
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from portal.sandbox import magic
from portal.sandbox.dispute_journal import told
from portal.sandbox.interface import ApiError, DroppedAnswer, read_form, read_json, require_key
from portal.sandbox.journal import Journal, Row
from portal.sandbox.notices import NoticeSender
from portal.sandbox.templates import render

PROVIDER: Final = "sandbox_card"
_REFERENCE: Final = re.compile(r"[A-Za-z0-9-]{1,27}")
_AMOUNT_MAX: Final = 9_999_999
_HANG_S: Final = 60.0
_OPEN_S: Final = 1800.0
CHALLENGE_PASSWORD: Final = "1234"  # noqa: S105 - published on the page itself
"""What the bank's page takes."""


class CardCompany:
    """Opens payments, shows the page, ends them by the card's script, answers inquiries."""

    def __init__(self, journal: Journal, notices: NoticeSender, browser_origin: str) -> None:
        """Share the journal and the line; ``browser_origin`` is where the page lives."""
        self._journal = journal
        self._notices = notices
        self._origin = browser_origin

    @property
    def routes(self) -> list[Route]:
        """The interface for merchants."""
        return [
            Route("/v1/sessions", self.open, methods=["POST"]),
            Route("/v1/payments/{reference}", self.inquire, methods=["GET"]),
        ]

    @property
    def browser_routes(self) -> list[Route]:
        """The pages for payers."""
        return [
            Route("/card/{payment_id}", self.page, methods=["GET"]),
            Route("/card/{payment_id}", self.pay, methods=["POST"]),
            Route("/card/{payment_id}/challenge", self.challenge, methods=["POST"]),
        ]

    async def open(self, request: Request) -> Response:
        """POST /v1/sessions: 201 with the page's address, 409 when the reference exists."""
        require_key(request, PROVIDER)
        payment = _read_session(await read_json(request))
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
        if payment["customer"]:
            self._journal.cards.ask_to_keep(payment["id"], payment["customer"])
        if fault == "answer_lost":
            return DroppedAnswer()
        return JSONResponse(
            {
                "id": payment["id"],
                "reference": payment["reference"],
                "status": "open",
                "url": f"{self._origin}/card/{payment['id']}",
            },
            status_code=201,
        )

    async def inquire(self, request: Request) -> Response:
        """GET /v1/payments/{reference}: the truth, or 504 while a slow card hides it."""
        require_key(request, PROVIDER)
        payment = self._journal.payment(reference=request.path_params["reference"])
        if payment is None:
            raise ApiError(404, "not_found")
        if payment["hidden_until"] > time.time():
            raise ApiError(504, "timed_out")
        status = payment["status"]
        if status == "open" and payment["at"] + _OPEN_S < time.time():
            status = "expired"
        kept = self._journal.cards.of_payment(payment["id"]) or {}
        return JSONResponse(
            {
                "id": payment["id"],
                "reference": payment["reference"],
                "status": status,
                "amount": payment["amount"],
                "currency": payment["currency"],
                "decline_code": payment["decline_code"],
                "approval_no": payment["approval_no"],
                "card_hint": payment["card_hint"],
                "authentication": payment["authentication"],
                "card": kept.get("id"),
                "customer": kept.get("customer"),
                "brand": kept.get("brand"),
                "dispute": told(self._journal.disputes.of(payment["reference"])),
            }
        )

    async def page(self, request: Request) -> Response:
        """GET /card/{id}: the form, or a word that this payment is over."""
        payment = self._journal.payment(payment_id=request.path_params["payment_id"])
        if payment is None:
            return HTMLResponse(render("card_gone.html"), status_code=404)
        if payment["status"] != "open":
            return _back(payment)
        return HTMLResponse(render("card.html", payment=payment, error=None, cards=magic.CARDS))

    async def pay(self, request: Request) -> Response:
        """POST /card/{id}: ask for the password, or end the payment by the card's script."""
        payment = self._journal.payment(payment_id=request.path_params["payment_id"])
        if payment is None:
            return HTMLResponse(render("card_gone.html"), status_code=404)
        if payment["status"] != "open":
            return _back(payment)
        form = await read_form(request)
        number = re.sub(r"\D", "", form.get("number", ""))
        script = magic.CARDS.get(number)
        if script is None:
            error = "Only the test cards listed below work here. / 下のテストカードだけが使えます。"
            page = render("card.html", payment=payment, error=error, cards=magic.CARDS)
            return HTMLResponse(page, status_code=422)
        if script.challenge:
            page = render("card_challenge.html", payment=payment, number=number, to="challenge")
            return HTMLResponse(page)
        return self._end(payment, number, script, authentication=script.authentication)

    async def challenge(self, request: Request) -> Response:
        """POST /card/{id}/challenge: the issuer's password page."""
        payment = self._journal.payment(payment_id=request.path_params["payment_id"])
        form = await read_form(request)
        number = form.get("number", "")
        script = magic.CARDS.get(number)
        if payment is None or script is None:
            return HTMLResponse(render("card_gone.html"), status_code=404)
        if payment["status"] != "open":
            return _back(payment)
        if form.get("password", "") != CHALLENGE_PASSWORD:
            failed = magic.CardScript("authentication_failed")
            return self._end(payment, number, failed, authentication="N")
        return self._end(payment, number, script, authentication="Y")

    def _end(
        self, payment: Row, number: str, script: magic.CardScript, *, authentication: str
    ) -> Response:
        paid = script.end == "succeeded"
        ended = self._journal.end_payment(
            payment["id"],
            {
                "status": "succeeded" if paid else "failed",
                "decline_code": None if paid else script.end,
                "approval_no": f"{secrets.randbelow(1_000_000):06d}" if paid else None,
                "card_hint": number[-4:],
                "authentication": authentication,
                "hidden_until": time.time() + script.hidden_s if script.hidden_s else 0.0,
            },
        )
        if ended and paid:
            self._journal.cards.keep(
                payment["id"], "Sandbox", number[-4:], script.charged, is_asked=script.challenge
            )
        after = self._journal.payment(payment_id=payment["id"]) or payment
        if script.hidden_s:
            return HTMLResponse(render("card_timeout.html"), status_code=504)
        if ended:
            self.tell(after, noisy=script.noisy)
        return _back(after)

    def tell_of_dispute(self, payment: Row, status: str) -> None:
        """Send the notice about a dispute; it says no more than that there is news."""
        self.tell({**payment, "status": status}, noisy=False)

    def tell(self, payment: Row, *, noisy: bool) -> None:
        """Send the notice about a payment that has ended; ``noisy``: as CardScript has it."""
        event: dict[str, Any] = {
            "id": f"ev_{secrets.token_hex(8)}",
            "payment": payment["id"],
            "reference": payment["reference"],
            "status": payment["status"],
            "at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
        for _ in range(3 if noisy else 1):
            self._notices.send(PROVIDER, payment["account"], event)
        if noisy:
            outdated = {**event, "id": f"ev_{secrets.token_hex(8)}", "status": "processing"}
            self._notices.send(PROVIDER, payment["account"], outdated)


def _back(payment: Row) -> Response:
    return RedirectResponse(payment["return_url"], status_code=303)


def _read_session(values: dict[str, Any]) -> Row:
    reference, amount = values.get("reference"), values.get("amount")
    if not isinstance(reference, str) or not _REFERENCE.fullmatch(reference):
        raise ApiError(422, "invalid_reference")
    if type(amount) is not int or not 1 <= amount <= _AMOUNT_MAX or values.get("currency") != "JPY":
        raise ApiError(422, "invalid_amount")
    return_url = str(values.get("return_url", ""))
    if urlsplit(return_url).scheme not in {"http", "https"}:
        raise ApiError(422, "invalid_return_url")
    return {
        "id": f"cs_{secrets.token_hex(12)}",
        "reference": reference,
        "account": str(values.get("notice_account", "")),
        "amount": amount,
        "currency": "JPY",
        "description": str(values.get("description", ""))[:200],
        "return_url": return_url,
        "customer": str(values.get("customer", ""))[:64],
    }
