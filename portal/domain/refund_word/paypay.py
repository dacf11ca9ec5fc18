"""How PayPay speaks of refunds, and what any of its answers says first. Pure.

PayPay says what happened by ``resultInfo.code``, whatever the status: an answer in which that can't
be read proves nothing, a refusal included. Source: PayPay Open Payment API, "Web Payment": Refund a
payment, Fetch refund details, Response code list.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeVar
from urllib.parse import quote

import msgspec

from portal.domain.refund_word.word import (
    Asked,
    RefundAnswer,
    RefundFinding,
    RefundKnown,
    Said,
    read_json,
)

PAYMENT_ID: Final = "p-"
"""PayPay's ids may be digits alone, and the vault refuses what could be a card's number."""

DONE: Final = frozenset({200, 201, 202})
_REFUSALS: Final = frozenset({400, 401, 403, 404, 422})
_TOO_MANY: Final = 429
SUCCESS: Final = frozenset({"SUCCESS", "REQUEST_ACCEPTED"})
_EXISTS: Final = "DUPLICATE_DYNAMIC_QR_REQUEST"
_NO_REFUND: Final = "NO_SUCH_REFUND_ORDER"
_HEADERS: Final = frozenset({"accept"})
"""A header of PayPay's own could ask about another merchant's refunds."""

_State = Literal["succeeded", "pending", "failed", "unclear"]
_STATES: Final[dict[str, _State]] = {
    "CREATED": "pending",
    "REFUNDED": "succeeded",
    "CANCELED": "failed",
    "FAILED": "failed",
}
_ID: Final = re.compile(r"[!-~]{1,64}")


class Money(msgspec.Struct, frozen=True):
    """An amount in yen."""

    amount: int
    currency: Literal["JPY"]


class ResultInfo(msgspec.Struct, frozen=True):
    """What came of a request, in PayPay's own word."""

    code: str


class Reply(msgspec.Struct, frozen=True, rename="camel"):
    """Any answer, a refusal included."""

    result_info: ResultInfo


class Refund(msgspec.Struct, frozen=True, rename="camel"):
    """How a refund stands."""

    status: str
    merchant_refund_id: str
    amount: Money
    payment_id: str | None = None


class RefundReply(Reply, frozen=True, rename="camel"):
    """Answer of Refund a payment and of Fetch refund details."""

    data: Refund | None = None


class _OfPayment(msgspec.Struct, frozen=True, rename="camel"):
    payment_id: str


R = TypeVar("R", bound=Reply)


@dataclass(frozen=True, slots=True)
class Failure:
    """Nothing was done (``refused``), or nobody can say."""

    outcome: Literal["refused", "unknown"]
    code: str


class PayPayRefunds:
    """See :class:`portal.domain.refund_word.word.RefundReader`."""

    def name_payment(self, asked: Asked) -> str:
        """PayPay is told its own id of the payment."""
        said = read_json(asked.body, _OfPayment)
        return "" if said is None else own_id(PAYMENT_ID, said.payment_id)

    def is_question(self, asked: Asked, known: RefundKnown) -> bool:
        """A refund is asked for by our reference among those of its payment."""
        payment = quote(known.payment_name.removeprefix(PAYMENT_ID), safe="")
        path = f"/v2/refunds/{quote(known.reference, safe='')}?paymentId={payment}"
        is_right = (asked.method, asked.path) == ("GET", path) and asked.headers <= _HEADERS
        return is_right and known.payment_name.startswith(PAYMENT_ID)

    def read_answer(self, said: Said, known: RefundKnown) -> RefundAnswer:
        """A refusal, or the refund that was made or taken on."""
        failure = read_failure(said)
        if failure is not None:
            return RefundAnswer(failure.outcome, code=failure.code)
        refund = read_data(said, RefundReply)
        if not isinstance(refund, Refund) or not _is_the_refund(refund, known):
            return RefundAnswer("unknown", code="answer_unreadable")
        return RefundAnswer("succeeded" if refund.status == "REFUNDED" else "accepted")

    def read_finding(self, said: Said, known: RefundKnown) -> RefundFinding:
        """The refund, or PayPay's own word that there is none."""
        if read_code(said) == _NO_REFUND:
            return RefundFinding("not_found")
        refund = read_data(said, RefundReply)
        if not isinstance(refund, Refund) or not _is_the_refund(refund, known):
            return RefundFinding("unclear", code="answer_unreadable")
        state: _State = _STATES.get(refund.status, "unclear")
        code = "provider_refused" if state == "failed" else ""
        return RefundFinding(state, refund.amount.amount, code=code)


def _is_the_refund(refund: Refund, known: RefundKnown) -> bool:
    same_payment = (
        refund.payment_id is None or own_id(PAYMENT_ID, refund.payment_id) == known.payment_name
    )
    return (
        refund.merchant_refund_id == known.reference
        and refund.amount == Money(amount=known.amount_minor, currency="JPY")
        and same_payment
    )


def read_failure(said: Said) -> Failure | None:
    """What an act that PayPay did not do comes to; None where it did it.

    A refusal leaves nothing behind only where PayPay itself says so: a page of somebody in between,
    a 5xx of any kind and its own "the transaction failed" are asked about.
    """
    code = read_code(said)
    is_refused = said.status in _REFUSALS and code not in SUCCESS
    rules = (
        (said.status == _TOO_MANY, Failure("refused", "provider_busy")),
        (code is None, Failure("unknown", "answer_unreadable")),
        (code == _EXISTS, Failure("unknown", "reference_exists")),
        (is_refused, Failure("refused", "provider_refused")),
        (
            said.status not in DONE or code not in SUCCESS,
            Failure("unknown", "answer_unreadable"),
        ),
    )
    return next((failure for failed, failure in rules if failed), None)


def read_code(said: Said) -> str | None:
    """PayPay's own word for what came of it."""
    reply = read_json(said.body, Reply)
    return None if reply is None else reply.result_info.code


def read_data(said: Said, shape: type[R]) -> object:
    """The data of a successful answer, or None."""
    reply = read_json(said.body, shape) if said.status in DONE else None
    succeeded = reply is not None and reply.result_info.code in SUCCESS
    return getattr(reply, "data", None) if succeeded else None


def own_id(prefix: str, theirs: str | None) -> str:
    """An id of PayPay's as we keep it; "" for none, or for one that can't be stored."""
    return f"{prefix}{theirs}" if theirs and _ID.fullmatch(theirs) else ""
