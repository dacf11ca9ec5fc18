"""A company of store numbers: GMO-PG's protocol type (host ``counter.sandbox.test``).

Two calls make a number, a third asks, a fourth withdraws; every answer comes with status 200, and
what went wrong stands in its lists of errors. Who pays at the till (portal.sandbox.number_till) is
told by notice. A shop's id is its merchant's code, so that notices find their way.

Source: forms and codes as recorded by t-k/gmo-payment-ruby (MIT); the numbers' lengths as in
GMO-PG's own sample of a receipt page (its EC-CUBE module, 2012).
"""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.sandbox import magic
from portal.sandbox.counter_journal import CounterJournal, Row, status_of
from portal.sandbox.interface import ApiError, DroppedAnswer

PROVIDER: Final = "sandbox_counter"
CHARSET: Final = "cp932"
_HANG_S: Final = 60.0
_DAY_S: Final = 86_400.0
_BODY_BYTES_MAX: Final = 16_384
_DAYS_MAX: Final = 59
_AMOUNT_MAX: Final = 299_999
_JAPAN: Final = ZoneInfo("Asia/Tokyo")
_PAY_TYPE: Final = "3"

_DIGITS: Final = {"00007": (13, 0), "10001": (11, 6), "10005": (11, 6), "10002": (12, 5),
                  "10008": (11, 0)}  # fmt: skip
"""Store → digits of its number and of the confirmation number, 0 where it asks for none."""

_NO_CONFIRMATION: Final = {"00007": "9" * 18}
"""What stands in ConfNo all the same where a store asks for none."""

_WRONG_PASS, _IN_USE, _NOT_THERE = "E01030002", "E01040010", "E01110002"
_UNFIT, _STATE, _BUSY, _BROKEN = "E01460008", "E11010001", "E92000001", "42C010000"

_FAULTS: Final = {"never_received": _BROKEN, "error": _BROKEN, "busy": _BUSY}
"""Published misbehaviour → what the company says, and does nothing."""

Form = Mapping[str, str]


class CounterCompany:
    """Registers orders, gives them to stores, says how they stand, withdraws them."""

    def __init__(self, journal: CounterJournal) -> None:
        """Share the journal with the till."""
        self._journal = journal

    @property
    def routes(self) -> list[Route]:
        """The interface for merchants."""
        return [
            Route(f"/payment/{act}.idPass", run, methods=["POST"])
            for act, run in (
                ("EntryTranCvs", self.register),
                ("ExecTranCvs", self.give_to_store),
                ("SearchTradeMulti", self.search),
                ("CvsCancel", self.withdraw),
            )
        ]

    async def register(self, request: Request) -> Response:
        """POST EntryTranCvs: an order that no store knows; an OrderID is taken once for all."""
        form = await _read(request)
        fault = _fault_of(request, form)
        amount = form.get("Amount", "")
        if fault is None and not (amount.isdecimal() and 1 <= int(amount) <= _AMOUNT_MAX):
            fault = _UNFIT
        if fault is not None:
            return _errors(fault)
        order: Row = {
            "reference": form.get("OrderID", ""),
            "account": form["ShopID"],
            "amount": int(amount),
            "access_id": secrets.token_hex(16),
            "access_pass": secrets.token_hex(16),
            "tran_id": f"{datetime.now(_JAPAN):%y%m%d%H%M}{secrets.randbelow(10**16):016d}",
        }
        if not self._journal.register(order):
            return _errors(_IN_USE)
        return _say({"AccessID": order["access_id"], "AccessPass": order["access_pass"]})

    async def give_to_store(self, request: Request) -> Response:
        """POST ExecTranCvs: the order can be paid at one store from now on, for some days.

        Published amounts misbehave here: see portal.sandbox.magic.AMOUNTS.
        """
        form = await _read(request)
        order, fault = self._own(request, form)
        if order is None:
            return _errors(fault)
        misbehaves = magic.AMOUNTS.get(order["amount"])
        if misbehaves == "never_received":
            await asyncio.sleep(_HANG_S)
        fault = _FAULTS.get(misbehaves or "") or _unfit(form)
        if fault is not None:
            return _errors(fault)
        number = _number(form["Convenience"], int(form["PaymentTermDay"]), form["CustomerName"])
        if not self._journal.give_to_store(order["reference"], number):
            return _errors(_STATE)
        if misbehaves == "answer_lost":
            return DroppedAnswer()
        made = self._journal.order(order["reference"]) or order
        numbers = {"ConfNo": _shown(made), "ReceiptNo": made["receipt_no"]}
        return _say(
            {"OrderID": made["reference"], "Convenience": made["store"], **numbers}
            | {"PaymentTerm": _moment(made["until"]), "TranDate": _moment(time.time())}
        )

    async def search(self, request: Request) -> Response:
        """POST SearchTradeMulti: how the order stands, and its numbers once more."""
        form = await _read(request)
        fault = _fault_of(request, form)
        order = self._journal.order(form.get("OrderID", ""))
        is_theirs = order is not None and order["account"] == form.get("ShopID")
        if fault is not None or order is None or not is_theirs:
            return _errors(fault or _NOT_THERE)
        return _say(
            {
                "Status": status_of(order),
                "OrderID": order["reference"],
                "AccessID": order["access_id"],
                "AccessPass": order["access_pass"],
                "Amount": str(order["amount"]),
                "Tax": "0",
                "TranID": order["tran_id"],
                "PayType": _PAY_TYPE,
                "CvsCode": order["store"],
                "CvsConfNo": _shown(order),
                "CvsReceiptNo": order["receipt_no"],
                "PaymentTerm": _moment(order["until"]) if order["until"] else "",
            }
        )

    async def withdraw(self, request: Request) -> Response:
        """POST CvsCancel: nobody can pay by the number any more; one that was paid stands."""
        order, fault = self._own(request, await _read(request))
        if order is None:
            return _errors(fault)
        if not self._journal.end(order["reference"], "CANCEL"):
            return _errors(_STATE)
        return _say({"OrderID": order["reference"], "Status": "CANCEL"})

    def _own(self, request: Request, form: Form) -> tuple[Row | None, str]:
        """The order that a call acts on: the shop's own, and with the key to this one."""
        fault = _fault_of(request, form)
        order = self._journal.order(form.get("OrderID", ""))
        if fault is not None or order is None or order["account"] != form.get("ShopID"):
            return None, fault or _NOT_THERE
        key = (form.get("AccessID", ""), form.get("AccessPass", ""))
        if key != (order["access_id"], order["access_pass"]):
            return None, _NOT_THERE
        return order, ""


def notice_of(order: Row) -> dict[str, str]:
    """What the company tells of an order, as the form that it posts."""
    return {
        "ShopID": order["account"],
        "OrderID": order["reference"],
        "Status": status_of(order),
        "Amount": str(order["amount"]),
        "Tax": "0",
        "TranID": order["tran_id"],
        "PayType": _PAY_TYPE,
        "CvsCode": order["store"],
        "CvsConfNo": _shown(order),
        "CvsReceiptNo": order["receipt_no"],
        "FinishDate": _moment(time.time()),
    }


async def _read(request: Request) -> Form:
    """The form, in Windows-31J and no other charset. Raises ApiError 413, 400."""
    body = await request.body()
    if len(body) > _BODY_BYTES_MAX:
        raise ApiError(413, "too_large")
    try:
        text = body.decode("ascii")
        return dict(parse_qsl(text, keep_blank_values=True, encoding=CHARSET, errors="strict"))
    except ValueError as error:
        raise ApiError(400, "not_a_form") from error


def _fault_of(request: Request, form: Form) -> str | None:
    """Why a call is not heard at all: the shop's password is not the one that was given out."""
    known: str | None = request.app.state.keys.get(PROVIDER)
    presented = hashlib.sha256(form.get("ShopPass", "").encode()).hexdigest()
    if not form.get("ShopID") or not form.get("ShopPass"):
        return _WRONG_PASS
    is_good = known is None or hmac.compare_digest(presented, known)
    return None if is_good else _WRONG_PASS


def _unfit(form: Form) -> str | None:
    """Why no store would take the order: it needs a store, a time, and who pays."""
    days = form.get("PaymentTermDay", "")
    is_fit = days.isdecimal() and 1 <= int(days) <= _DAYS_MAX
    is_named = all(form.get(name, "").strip() for name in ("CustomerName", "CustomerKana"))
    return None if is_fit and is_named and form.get("Convenience") in _DIGITS else _UNFIT


def _number(store: str, days: int, payer: str) -> Row:
    receipt, confirmation = _DIGITS[store]
    return {
        "store": store,
        "receipt_no": _digits(receipt),
        "confirmation_no": _digits(confirmation),
        "payer": payer,
        "until": _end_of_day(days),
    }


def _digits(length: int) -> str:
    """That many digits, the first of which is no 0; none for a length of 0."""
    if not length:
        return ""
    return str(10 ** (length - 1) + secrets.randbelow(9 * 10 ** (length - 1)))


def _end_of_day(days: int) -> float:
    """The last second of the day in Japan that is so many days away."""
    day = datetime.fromtimestamp(time.time() + days * _DAY_S, _JAPAN)
    return day.replace(hour=23, minute=59, second=59, microsecond=0).timestamp()


def _shown(order: Row) -> str:
    return str(order["confirmation_no"]) or _NO_CONFIRMATION.get(order["store"], "")


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, _JAPAN):%Y%m%d%H%M%S}"


def _say(pairs: Mapping[str, str]) -> Response:
    body = "&".join(f"{name}={text}" for name, text in pairs.items()).encode(CHARSET)
    return Response(body, media_type="text/plain;charset=Windows-31J")


def _errors(code: str) -> Response:
    """A list of one error, in the two parallel lists."""
    return _say({"ErrCode": code[:3], "ErrInfo": code})
