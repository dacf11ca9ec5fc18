"""The card company's charges of cards that it keeps: nobody is there, and no page is shown.

``POST /v1/charges``: a form with the reference, the amount, and the company's own names for card
and customer. The truth afterwards is the inquiry about the reference, as with any payment.
"""

import asyncio
import re
import secrets
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portal.sandbox import magic
from portal.sandbox.interface import ApiError, DroppedAnswer, read_form, require_key
from portal.sandbox.journal import Journal, Row

PROVIDER: Final = "sandbox_card"
_REFERENCE: Final = re.compile(r"[A-Za-z0-9-]{1,27}")
_AMOUNT: Final = re.compile(r"[1-9][0-9]{0,6}")
_HANG_S: Final = 60.0


class CardCharges:
    """Charges kept cards, each reference once."""

    def __init__(self, journal: Journal) -> None:
        """Share the company's journal."""
        self._journal = journal

    @property
    def routes(self) -> list[Route]:
        """The interface for merchants."""
        return [Route("/v1/charges", self.charge, methods=["POST"])]

    async def charge(self, request: Request) -> Response:
        """201 paid, 402 declined, 404 no such card, 409 when the reference exists."""
        require_key(request, PROVIDER)
        form = await read_form(request)
        payment = read_charge(form)
        card = self._journal.cards.card(form.get("card", ""), form.get("customer", ""))
        if card is None:
            raise ApiError(404, "card_unknown")
        fault = magic.AMOUNTS.get(payment["amount"])
        if fault == "never_received":
            await asyncio.sleep(_HANG_S)
            raise ApiError(504, "timed_out")
        if fault == "error":
            raise ApiError(500, "internal")
        is_first = fault == "busy_once" and self._journal.first_time(payment["reference"])
        if fault == "busy" or is_first:
            raise ApiError(429, "too_many_requests")
        if not self._journal.open_payment(payment):
            raise ApiError(409, "reference_exists")
        paid = card["charged"] == "succeeded"
        end = {
            "status": "succeeded" if paid else "failed",
            "decline_code": None if paid else card["charged"],
            "approval_no": f"{secrets.randbelow(1_000_000):06d}" if paid else None,
            "card_hint": card["hint"],
            "authentication": "",
            "hidden_until": 0.0,
        }
        self._journal.end_payment(payment["id"], end)
        if fault == "answer_lost":
            return DroppedAnswer()
        said = {
            "id": payment["id"],
            "reference": payment["reference"],
            "amount": payment["amount"],
            "status": end["status"],
            "decline_code": end["decline_code"],
            # An honest company repeats what it was told; the relay takes it out again.
            "card": card["id"],
        }
        return JSONResponse(said, status_code=201 if paid else 402)


def read_charge(form: dict[str, str]) -> Row:
    """A payment as a form asks for it. Raises: ApiError 422."""
    reference, amount = form.get("reference", ""), form.get("amount", "")
    if not _REFERENCE.fullmatch(reference):
        raise ApiError(422, "invalid_reference")
    if not _AMOUNT.fullmatch(amount) or form.get("currency") != "JPY":
        raise ApiError(422, "invalid_amount")
    return {
        "id": f"cs_{secrets.token_hex(12)}",
        "reference": reference,
        "account": form.get("notice_account", ""),
        "amount": int(amount),
        "currency": "JPY",
        "description": form.get("description", "")[:200],
        "return_url": "",
    }
