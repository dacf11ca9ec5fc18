"""The card company's refunds: a part or all of a payment goes back, each under a reference once.

``POST /v1/refunds`` and ``GET /v1/refunds/{reference}``. More than was paid never goes back.
"""

import asyncio
import re
import secrets
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portal.sandbox import magic
from portal.sandbox.interface import ApiError, DroppedAnswer, read_json, require_key
from portal.sandbox.journal import Journal, Row

PROVIDER: Final = "sandbox_card"
_REFERENCE: Final = re.compile(r"[A-Za-z0-9-]{1,27}")
_HANG_S: Final = 60.0
_ENDS: Final = {"slow": "succeeded", "slow_failed": "failed"}


class CardRefunds:
    """Takes refunds and says what became of them."""

    def __init__(self, journal: Journal) -> None:
        """Share the company's journal."""
        self._journal = journal

    @property
    def routes(self) -> list[Route]:
        """The interface for merchants."""
        return [
            Route("/v1/refunds", self.take, methods=["POST"]),
            Route("/v1/refunds/{reference}", self.inquire, methods=["GET"]),
        ]

    async def take(self, request: Request) -> Response:
        """Give money back: 201, 409 when the reference exists, 422 beyond what was paid."""
        require_key(request, PROVIDER)
        refund = _read_refund(await read_json(request))
        fault = magic.REFUNDS.get(refund["amount"])
        if fault == "never_received":
            await asyncio.sleep(_HANG_S)
            raise ApiError(504, "timed_out")
        if fault == "refused":
            raise ApiError(422, "refund_refused")
        refund["status"] = "pending" if fault in _ENDS else "succeeded"
        match self._journal.take_refund(refund):
            case "exists":
                raise ApiError(409, "reference_exists")
            case "exceeds":
                raise ApiError(422, "exceeds_payment")
            case _:
                pass
        if fault == "answer_lost":
            return DroppedAnswer()
        return JSONResponse(_told(refund), status_code=201)

    async def inquire(self, request: Request) -> Response:
        """The truth about one refund; asking ends one that was taken on."""
        require_key(request, PROVIDER)
        reference: str = request.path_params["reference"]
        refund = self._journal.refund(reference)
        if refund is None:
            raise ApiError(404, "not_found")
        end = _ENDS.get(magic.REFUNDS.get(refund["amount"], ""))
        if end is not None and self._journal.end_refund(reference, end):
            refund["status"] = end
        return JSONResponse(_told(refund))


def _told(refund: Row) -> Row:
    return {
        name: refund[name]
        for name in ("id", "reference", "payment", "status", "amount", "currency")
    }


def _read_refund(values: dict[str, Any]) -> Row:
    reference, amount = values.get("reference"), values.get("amount")
    if not isinstance(reference, str) or not _REFERENCE.fullmatch(reference):
        raise ApiError(422, "invalid_reference")
    if type(amount) is not int or amount < 1 or values.get("currency") != "JPY":
        raise ApiError(422, "invalid_amount")
    return {
        "id": f"cr_{secrets.token_hex(12)}",
        "reference": reference,
        "payment": str(values.get("payment", "")),
        "amount": amount,
        "currency": "JPY",
    }
