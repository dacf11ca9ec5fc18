"""How GMO Payment Gateway tells of payments at a store's counter. Pure.

Source: SearchTradeMulti: recordings of t-k/gmo-payment-ruby (MIT).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl

from portal.domain.konbini import Store
from portal.domain.payment import Found
from portal.domain.payment_word.gmopg_trade import read_moment
from portal.domain.payment_word.word import (
    UNREADABLE,
    PaymentFinding,
    PaymentKnown,
    PayNumbers,
)
from portal.domain.refund_word.gmopg import prefixed
from portal.domain.refund_word.gmopg_body import read_errors, read_pairs, weigh
from portal.domain.refund_word.word import Asked, Said

PAY_TYPE: Final = "3"
_SEARCH: Final = "/payment/SearchTradeMulti.idPass"
_SEARCHED: Final = ("OrderID", "PayType", "ShopID", "ShopPass")

CODES: Final[Mapping[Store, str]] = {
    "seven_eleven": "00007",
    "lawson": "10001",
    "family_mart": "10002",
    "ministop": "10005",
    "seicomart": "10008",
}
"""What the company calls the stores. Those that begin with 1 are the stores' newer systems."""

_ONE_NUMBER: Final[frozenset[Store]] = frozenset({"seven_eleven"})
"""Stores that ask for one number; what stands in the other's place is the company's filler.

Source: a notice about 00007 that a merchant showed in public has 18 nines in CvsConfNo, and the
company's own sample of a receipt page shows the slip number alone there."""

_STORES: Final[Mapping[str, Store]] = {code: store for store, code in CODES.items()}
_NUMBER: Final = re.compile(r"[0-9A-Za-z-]{1,32}")
_AMOUNT: Final = re.compile(r"[0-9]{1,9}")

COUNTER_FOUND: Final[dict[str, Found]] = {
    # Registered, and given to no store: there is nothing that anybody could pay by.
    "UNPROCESSED": "not_found",
    "REQSUCCESS": "requires_action",
    "PAYSUCCESS": "succeeded",
    "PAYFAIL": "failed",
    "EXPIRED": "failed",
    "CANCEL": "failed",
}
"""Status of an order that is paid at a counter."""


class GmoPgCounterPayments:
    """See :class:`portal.domain.payment_word.word.PaymentReader`."""

    def __init__(self, provider: str) -> None:
        """``provider`` names the registration, and with it the credential."""
        self._pass = f"{{{{credential:{provider}}}}}"

    def read(
        self, asked: Asked, said: Said, known: PaymentKnown, at: datetime
    ) -> PaymentFinding | None:
        """The order is searched for by our reference among those that are paid at a counter."""
        del at
        fields = parse_qsl(asked.body, keep_blank_values=True)
        told = dict(fields)
        is_right = (asked.method, asked.path) == ("POST", _SEARCH) and not asked.headers
        is_whole = sorted(name for name, _ in fields) == list(_SEARCHED)
        if not is_right or not is_whole or told["ShopPass"] != self._pass:
            return None
        if (told["OrderID"], told["PayType"]) != (known.reference, PAY_TYPE):
            return None
        return read_payment(said, known.reference)


def find_order(pairs: Mapping[str, str] | None, reference: str) -> Mapping[str, str] | None:
    """The order of an inquiry, whole and paid at a counter. A recorded one names no OrderID."""
    if pairs is None or read_errors(pairs) or pairs.get("OrderID", reference) != reference:
        return None
    whole = {"Status", "CvsCode", "CvsConfNo", "CvsReceiptNo", "PaymentTerm"} <= pairs.keys()
    return pairs if whole and pairs.get("PayType") == PAY_TYPE else None


def read_payment(said: Said, reference: str) -> PaymentFinding:
    """How the order stands, with its number as long as it can be paid by it."""
    pairs = read_pairs(said)
    order = find_order(pairs, reference)
    if order is None:
        is_absent = pairs is not None and weigh(read_errors(pairs)) == "not_there"
        return PaymentFinding(state="not_found") if is_absent else UNREADABLE
    state = COUNTER_FOUND.get(order["Status"])
    amount, tax = order.get("Amount", ""), order.get("Tax", "") or "0"
    if state is None or not (_AMOUNT.fullmatch(amount) and _AMOUNT.fullmatch(tax)):
        return UNREADABLE
    if state == "requires_action":
        numbers = read_numbers(order["CvsCode"], order, "Cvs")
        return PaymentFinding(state=state, numbers=numbers) if numbers else UNREADABLE
    if state != "succeeded":
        code = "expired" if order["Status"] in {"EXPIRED", "CANCEL"} else "declined"
        return PaymentFinding(state=state, decline_code=code if state == "failed" else "")
    return PaymentFinding(
        state=state,
        amount_minor=int(amount) + int(tax),
        provider_ref=prefixed(order.get("TranID", "")),
    )


def read_numbers(code: str, pairs: Mapping[str, str], prefix: str) -> PayNumbers | None:
    """What is shown at the counter; None where it is not all there."""
    store = _STORES.get(code)
    receipt = pairs.get(f"{prefix}ReceiptNo", "").strip()
    confirmation = pairs.get(f"{prefix}ConfNo", "").strip()
    pay_by = read_moment(pairs.get("PaymentTerm", ""))
    if store is None or pay_by is None or not _NUMBER.fullmatch(receipt):
        return None
    if store in _ONE_NUMBER:
        confirmation = ""
    if confirmation and not _NUMBER.fullmatch(confirmation):
        return None
    return PayNumbers(store, receipt, confirmation, pay_by.astimezone(UTC))
