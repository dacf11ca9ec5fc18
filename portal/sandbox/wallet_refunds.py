"""The wallet company's refunds: a part or all of a payment goes back, once for each payment.

``POST /v2/refunds`` and ``GET /v2/refunds/{merchantRefundId}?paymentId=``: who asks has to say of
which payment, in just that one parameter.
"""

import asyncio
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.sandbox import magic
from portal.sandbox.interface import DroppedAnswer
from portal.sandbox.opa import (
    OpaError,
    SignatureCheck,
    money,
    opa_answer,
    read_amount,
    read_object,
    read_reference,
)
from portal.sandbox.wallet_journal import Row, WalletJournal

_HANG_S: Final = 60.0
_ENDS: Final = {"slow": "REFUNDED", "slow_failed": "FAILED"}


class WalletRefunds:
    """Takes refunds and says what became of them."""

    def __init__(self, journal: WalletJournal, signed: SignatureCheck) -> None:
        """Share the company's journal, and its nonces."""
        self._journal = journal
        self._signed = signed

    @property
    def routes(self) -> list[Route]:
        """The interface for merchants."""
        return [
            Route("/v2/refunds", self.take, methods=["POST"]),
            Route("/v2/refunds/{reference}", self.inquire, methods=["GET"]),
        ]

    async def take(self, request: Request) -> Response:
        """Give money back: 201; 400 for a second one of a payment, 404 for no payment."""
        refund = _read_refund(await self._signed.read(request))
        fault = magic.REFUNDS.get(refund["amount"])
        if fault == "never_received":
            await asyncio.sleep(_HANG_S)
            raise OpaError(504, "SERVICE_ERROR")
        if fault == "refused":
            raise OpaError(400, "UNACCEPTABLE_OP")
        code = self._journal.code(payment_id=refund["payment_id"])
        if code is None:
            raise OpaError(404, "RESOURCE_NOT_FOUND")
        if not 1 <= refund["amount"] <= code["amount"]:
            raise OpaError(400, "INVALID_PARAMS")
        refund["status"] = "CREATED" if fault in _ENDS else "REFUNDED"
        if not self._journal.take_refund(refund, code["id"]):
            raise OpaError(400, "UNACCEPTABLE_OP")
        if fault == "answer_lost":
            return DroppedAnswer()
        return opa_answer(201, "SUCCESS", told(refund | {"status": "CREATED"}))

    async def inquire(self, request: Request) -> Response:
        """The truth about one refund of the payment named; asking ends one that was taken on."""
        await self._signed.read(request)
        asked = request.query_params.multi_items()
        if [name for name, _ in asked] != ["paymentId"]:
            raise OpaError(400, "INVALID_PARAMS")
        refund = self._journal.refund(request.path_params["reference"])
        if refund is None or refund["payment_id"] != asked[0][1]:
            raise OpaError(404, "NO_SUCH_REFUND_ORDER")
        end = _ENDS.get(magic.REFUNDS.get(refund["amount"], ""))
        if end is not None and self._journal.end_refund(refund["reference"], end):
            refund["status"] = end
        return opa_answer(200, "SUCCESS", told(refund))


def told(refund: Row) -> dict[str, Any]:
    """A refund as the interface shows it."""
    return {
        "status": refund["status"],
        "merchantRefundId": refund["reference"],
        "paymentId": refund["payment_id"],
        "amount": money(refund["amount"]),
    }


def _read_refund(body: bytes) -> Row:
    values = read_object(body)
    if type(values.get("requestedAt")) is not int:
        raise OpaError(400, "MISSING_REQUEST_PARAMS")
    return {
        "reference": read_reference(values.get("merchantRefundId")),
        "payment_id": str(values.get("paymentId", "")),
        "amount": read_amount(values),
    }
