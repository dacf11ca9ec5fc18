"""How GMO Payment Gateway, and who speaks its protocol, tells of refunds. Pure.

It keeps no reference of a refund: the amount that a refund found and the amount that it leaves tell
it. So a question is about the order, and its answer is held to the order that the refund was of.

Source: recordings of SearchTrade, AlterTran and ChangeTran, t-k/gmo-payment-ruby (MIT).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from portal.domain.refund_word.gmopg_body import REFUSALS, read_errors, read_pairs, weigh
from portal.domain.refund_word.word import Asked, RefundAnswer, RefundFinding, RefundKnown, Said

TAKEN: Final = frozenset({"CAPTURE", "SALES"})
"""Status of an order whose amount was taken, all or a part of it."""

TAKEN_BACK: Final = frozenset({"VOID", "RETURN", "RETURNX"})

_LAST_FIELD: Final = "ClientField3"
"""The record of a card payment has it behind the amount: without it the body was cut off."""

_AMOUNT: Final = re.compile(r"[0-9]{1,9}")
_ACCESS: Final = re.compile(r"[0-9a-zA-Z]{32}")
_TRAN_ID: Final = re.compile(r"[0-9]{1,32}")
_OWN_ACCESS: Final = "a-"
_FIELDS: Final = ("OrderID", "ShopID", "ShopPass")
_SEARCH: Final = "/payment/SearchTrade.idPass"


@dataclass(frozen=True, slots=True)
class Order:
    """One card payment, as far as refunds go by it. Units: yen."""

    status: str
    amount_minor: int
    access_id: str
    access_pass: str
    provider_ref: str


def read_order(pairs: Mapping[str, str], reference: str) -> Order | None:
    """The order of exactly this reference, in yen; None for anything else, a cut body too."""
    if read_errors(pairs) or pairs.get("OrderID") != reference:
        return None
    amount, tax = pairs.get("Amount", ""), pairs.get("Tax", "") or "0"
    access = (pairs.get("AccessID", ""), pairs.get("AccessPass", ""))
    if (
        _LAST_FIELD not in pairs
        or not _AMOUNT.fullmatch(amount)
        or not _AMOUNT.fullmatch(tax)
        or not all(map(_ACCESS.fullmatch, access))
        or pairs.get("Currency", "JPN") != "JPN"
    ):
        return None
    return Order(
        status=pairs.get("Status", ""),
        amount_minor=int(amount) + int(tax),
        access_id=access[0],
        access_pass=access[1],
        provider_ref=prefixed(pairs.get("TranID", "")),
    )


def prefixed(tran_id: str) -> str:
    """The company's id of a step with a letter before its digits, which else could be a card's."""
    return f"p-{tran_id}" if _TRAN_ID.fullmatch(tran_id) else ""


class GmoPgRefunds:
    """See :class:`portal.domain.refund_word.word.RefundReader`."""

    def __init__(self, provider: str) -> None:
        """``provider`` names the registration, and with it the credential."""
        self._pass = f"{{{{credential:{provider}}}}}"

    def name_payment(self, asked: Asked) -> str:
        """An order is altered by the id of its access, which goes with this order alone.

        It is kept with a letter of ours: 32 digits could hold a card's number.
        """
        access = dict(parse_qsl(asked.body)).get("AccessID", "")
        return f"{_OWN_ACCESS}{access}" if _ACCESS.fullmatch(access) else ""

    def is_question(self, asked: Asked, known: RefundKnown) -> bool:
        """The order is searched for by our reference of the payment, and by nothing else."""
        fields = parse_qsl(asked.body, keep_blank_values=True)
        said = dict(fields)
        is_right = (asked.method, asked.path) == ("POST", _SEARCH)
        is_whole = sorted(name for name, _ in fields) == list(_FIELDS)
        return is_right and is_whole and said["OrderID"] == known.payment and self._is_pass(said)

    def _is_pass(self, said: Mapping[str, str]) -> bool:
        return said["ShopPass"] == self._pass

    def read_answer(self, said: Said, known: RefundKnown) -> RefundAnswer:
        """A list of errors, or the order that was altered."""
        pairs = read_pairs(said)
        if pairs is None:
            return RefundAnswer("unknown", code="answer_unreadable")
        codes = read_errors(pairs)
        if codes:
            meaning = weigh(codes)
            refusal = REFUSALS.get(meaning)
            if refusal is not None and meaning != "not_there":
                return RefundAnswer("refused", code=refusal)
            return RefundAnswer("unknown", code="provider_unclear")
        ref = prefixed(pairs.get("TranID", ""))
        if not _is_named(pairs.get("AccessID", ""), known) or not ref:
            return RefundAnswer("unknown", code="answer_unreadable")
        return RefundAnswer("succeeded", provider_ref=ref)

    def read_finding(self, said: Said, known: RefundKnown) -> RefundFinding:
        """Whether the order's amount is what this refund leaves behind, or what it found."""
        pairs = read_pairs(said)
        order = None if pairs is None else read_order(pairs, known.payment)
        if order is None or not _is_named(order.access_id, known):
            return RefundFinding("unclear", code="answer_unreadable")
        after = known.remaining_minor
        before = after + known.amount_minor
        done = RefundFinding("succeeded", known.amount_minor, order.provider_ref)
        if order.status in TAKEN_BACK and after < 0:
            # Others left no room for this one: all of it went by them, as we believe, or who knows.
            return RefundFinding("not_found" if before == 0 else "unclear")
        if order.status in TAKEN_BACK:
            # The record keeps the amount that went back.
            return done if after == 0 and order.amount_minor == before else RefundFinding("unclear")
        if order.status not in TAKEN:
            return RefundFinding("unclear")
        if after > 0 and order.amount_minor == after:
            return done
        return RefundFinding("not_found" if order.amount_minor == before else "unclear")


def _is_named(access_id: str, known: RefundKnown) -> bool:
    """Whether it is the order that the refund was sent for, where we know which that was."""
    name = known.payment_name
    return not name.startswith(_OWN_ACCESS) or name == f"{_OWN_ACCESS}{access_id}"
