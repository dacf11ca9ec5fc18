"""A wallet company: PayPay's interface for merchants (host ``wallet.sandbox.test``) and an app.

A code is made under the merchant's reference, which is unique for ever; the payer approves on the
company's page; only an inquiry tells the truth, notices merely hurry and are not signed.
"""

import asyncio
import secrets
import time
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from portal.sandbox import magic
from portal.sandbox.interface import DroppedAnswer, read_form
from portal.sandbox.notices import NoticeSender
from portal.sandbox.opa import (
    OpaError,
    SignatureCheck,
    money,
    opa_answer,
    read_amount,
    read_object,
    read_reference,
)
from portal.sandbox.templates import render
from portal.sandbox.wallet_journal import Row, WalletJournal
from portal.sandbox.wallet_refunds import WalletRefunds, told

PROVIDER: Final = "sandbox_wallet"
_HANG_S: Final = 60.0
_OPEN_S: Final = 300.0
_PAID: Final = frozenset({"COMPLETED", "REFUNDED"})
_GONE: Final = frozenset({"EXPIRED", "DELETED"})
_TOLD: Final = frozenset({"COMPLETED", "FAILED"})


class WalletCompany:
    """Makes codes, shows the app's page, ends payments by the button pressed, gives money back."""

    def __init__(self, journal: WalletJournal, notices: NoticeSender, browser_origin: str) -> None:
        """Share the line for notices; ``browser_origin`` is where the page lives."""
        self._journal = journal
        self._notices = notices
        self._origin = browser_origin
        self._signed = SignatureCheck(PROVIDER)
        self._refunds = WalletRefunds(journal, self._signed)

    @property
    def routes(self) -> list[Route]:
        """The interface for merchants."""
        return [
            Route("/v2/codes", self.make_code, methods=["POST"]),
            Route("/v2/codes/payments/{reference}", self.inquire, methods=["GET"]),
            Route("/v2/codes/{code_id}", self.delete_code, methods=["DELETE"]),
            Route("/v2/payments/{reference}", self.cancel, methods=["DELETE"]),
            *self._refunds.routes,
        ]

    @property
    def browser_routes(self) -> list[Route]:
        """The app's page for payers."""
        return [
            Route("/wallet/{code_id}", self.page, methods=["GET"]),
            Route("/wallet/{code_id}", self.act, methods=["POST"]),
        ]

    async def make_code(self, request: Request) -> Response:
        """POST /v2/codes: 201 with the page's address; a reference that exists is refused."""
        code = _read_code(await self._signed.read(request))
        fault = magic.AMOUNTS.get(code["amount"])
        if fault == "never_received":
            await asyncio.sleep(_HANG_S)
            raise OpaError(504, "SERVICE_ERROR")
        if fault == "error":
            raise OpaError(500, "INTERNAL_SERVER_ERROR")
        if fault == "busy":
            raise OpaError(429, "RATE_LIMIT")
        if not self._journal.add_code(code):
            raise OpaError(400, "DUPLICATE_DYNAMIC_QR_REQUEST")
        if fault == "answer_lost":
            return DroppedAnswer()
        data = {
            "codeId": code["id"],
            "url": f"{self._origin}/wallet/{code['id']}",
            "deeplink": f"sandbox-wallet://pay/{code['id']}",
            "expiryDate": int(time.time() + _OPEN_S),
            "merchantPaymentId": code["reference"],
            "amount": money(code["amount"]),
            "codeType": "ORDER_QR",
            "redirectUrl": code["redirect_url"],
            "redirectType": "WEB_LINK",
        }
        return opa_answer(201, "SUCCESS", data)

    async def inquire(self, request: Request) -> Response:
        """GET /v2/codes/payments/{id}: the truth, or 500 while a slow payment hides it.

        A code that ran out or was deleted without a payment is not known any more.
        """
        await self._signed.read(request)
        code = self._journal.code(reference=request.path_params["reference"])
        if code is None:
            raise OpaError(400, "DYNAMIC_QR_PAYMENT_NOT_FOUND")
        if code["hidden_until"] > time.time():
            raise OpaError(500, "INTERNAL_SERVER_ERROR")
        status = _status_of(code)
        if status in _GONE:
            raise OpaError(400, "DYNAMIC_QR_PAYMENT_NOT_FOUND")
        data: dict[str, Any] = {
            "status": status,
            "merchantPaymentId": code["reference"],
            "amount": money(code["amount"]),
        }
        if status in _PAID:
            refunds = self._journal.refunds_of(code["payment_id"])
            given = {"data": [told(refund) for refund in refunds]} if refunds else None
            data |= {
                "paymentId": code["payment_id"],
                "acceptedAt": int(code["at"]),
                "refunds": given,
            }
        return opa_answer(200, "SUCCESS", data)

    async def delete_code(self, request: Request) -> Response:
        """DELETE /v2/codes/{codeId}: nobody can pay by it any more."""
        await self._signed.read(request)
        code = self._journal.code(code_id=request.path_params["code_id"])
        if code is None:
            raise OpaError(404, "DYNAMIC_QR_NOT_FOUND")
        if code["status"] in _PAID:
            raise OpaError(400, "DYNAMIC_QR_ALREADY_PAID")
        self._journal.move(code["id"], "CREATED", "DELETED")
        return opa_answer(200, "SUCCESS", None)

    async def cancel(self, request: Request) -> Response:
        """DELETE /v2/payments/{id}: the payment is taken back as a whole."""
        await self._signed.read(request)
        code = self._journal.code(reference=request.path_params["reference"])
        if code is None or not self._journal.move(code["id"], "COMPLETED", "FAILED"):
            raise OpaError(400, "ORDER_NOT_REVERSIBLE")
        return opa_answer(202, "REQUEST_ACCEPTED", None)

    async def page(self, request: Request) -> Response:
        """GET /wallet/{codeId}: approve or not, or a word that this code is over."""
        code = self._journal.code(code_id=request.path_params["code_id"])
        if code is None:
            return HTMLResponse(render("wallet_gone.html"), status_code=404)
        if _status_of(code) != "CREATED":
            return _back(code)
        page = render("wallet.html", code=code, buttons=magic.WALLET_BUTTONS, amounts=magic.AMOUNTS)
        return HTMLResponse(page)

    async def act(self, request: Request) -> Response:
        """POST /wallet/{codeId}: the payment ends as the button says, once."""
        code = self._journal.code(code_id=request.path_params["code_id"])
        script = magic.WALLET_BUTTONS.get((await read_form(request)).get("act", ""))
        if code is None or script is None:
            return HTMLResponse(render("wallet_gone.html"), status_code=404)
        if _status_of(code) != "CREATED":
            return _back(code)
        hidden_until = time.time() + script.hidden_s if script.hidden_s else 0.0
        ended = self._journal.move(code["id"], "CREATED", script.end, hidden_until)
        if script.hidden_s:
            return HTMLResponse(render("wallet_timeout.html"), status_code=504)
        if ended and script.end in _TOLD:
            self._tell(code, script)
        return _back(code)

    def _tell(self, code: Row, script: magic.WalletScript) -> None:
        told = datetime.now(UTC).isoformat(timespec="seconds")
        notice = {
            "notification_type": "Transaction",
            "merchant_id": "sandbox",
            "store_id": code["account"],
            "order_id": code["payment_id"],
            "merchant_order_id": code["reference"],
            "order_amount": str(code["amount"]),
            "paid_at": told if script.end == "COMPLETED" else None,
            "state": script.end,
        }
        for _ in range(3 if script.noisy else 1):
            self._notices.send_alone(PROVIDER, code["account"], notice)
        if script.noisy:
            outdated = {**notice, "paid_at": None, "state": "AUTHORIZED"}
            self._notices.send_alone(PROVIDER, code["account"], outdated)


def _status_of(code: Row) -> str:
    """A code that nobody used in its time has expired by itself."""
    if code["status"] == "CREATED" and code["at"] + _OPEN_S < time.time():
        return "EXPIRED"
    return str(code["status"])


def _back(code: Row) -> Response:
    return RedirectResponse(code["redirect_url"], status_code=303)


def _read_code(body: bytes) -> Row:
    values = read_object(body)
    if values.get("codeType") != "ORDER_QR" or type(values.get("requestedAt")) is not int:
        raise OpaError(400, "MISSING_REQUEST_PARAMS")
    redirect_url = str(values.get("redirectUrl", ""))
    is_page = urlsplit(redirect_url).scheme in {"http", "https"}
    if not is_page or values.get("redirectType") != "WEB_LINK":
        raise OpaError(400, "INVALID_REQUEST_PARAMS")
    return {
        "id": f"04-{secrets.token_urlsafe(12)}",
        "payment_id": f"{secrets.randbelow(10**20):020d}",
        "reference": read_reference(values.get("merchantPaymentId")),
        "account": str(values.get("storeId", "")),
        "amount": read_amount(values),
        "description": str(values.get("orderDescription", ""))[:255],
        "redirect_url": redirect_url,
    }
