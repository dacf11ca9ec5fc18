"""How PayPay speaks of payments. Pure.

Source: PayPay Open Payment API, "Web Payment": Get payment details, Response code list.
"""

from datetime import datetime
from typing import Final
from urllib.parse import quote

import msgspec

from portal.domain.payment import Found
from portal.domain.payment_word.word import UNREADABLE, PaymentFinding, PaymentKnown
from portal.domain.refund_word.paypay import (
    PAYMENT_ID,
    Money,
    Reply,
    own_id,
    read_code,
    read_data,
)
from portal.domain.refund_word.word import Asked, Said

_HEADERS: Final = frozenset({"accept"})
"""A header of PayPay's own could ask about another merchant's payments."""

_NO_PAYMENT: Final = "DYNAMIC_QR_PAYMENT_NOT_FOUND"

_FOUND: Final[dict[str, Found]] = {
    "CREATED": "requires_action",
    "AUTHORIZED": "pending",
    "COMPLETED": "succeeded",
    "REFUNDED": "succeeded",
    "EXPIRED": "failed",
    "CANCELED": "failed",
    "FAILED": "failed",
}
"""Money that was given back was taken first; how much of it is left is :func:`_kept`'s to say."""

_DECLINES: Final = {
    "EXPIRED": "expired",
    "CANCELED": "wallet_canceled",
    "FAILED": "wallet_declined",
}


class _GivenBack(msgspec.Struct, frozen=True):
    """One refund as a payment tells of it."""

    status: str
    amount: Money


class _GivenBackList(msgspec.Struct, frozen=True):
    """Every refund of a payment."""

    data: tuple[_GivenBack, ...] | None = None


class _Payment(msgspec.Struct, frozen=True, rename="camel"):
    """How a code's payment stands; it has no ``payment_id`` before the payer has acted."""

    status: str
    merchant_payment_id: str
    amount: Money
    payment_id: str | None = None
    refunds: _GivenBackList | None = None


class _PaymentReply(Reply, frozen=True, rename="camel"):
    """Answer of Get payment details."""

    data: _Payment | None = None


class PayPayPayments:
    """See :class:`portal.domain.payment_word.word.PaymentReader`."""

    def read(
        self, asked: Asked, said: Said, known: PaymentKnown, at: datetime
    ) -> PaymentFinding | None:
        """A payment is asked for by our reference, which PayPay always finds."""
        del at
        is_right = (asked.method, asked.path) == ("GET", path_of(known.reference))
        if not is_right or not asked.headers <= _HEADERS or asked.body:
            return None
        return read_payment(said, known.reference)


def path_of(reference: str) -> str:
    """Where PayPay tells of the payment under our reference."""
    return f"/v2/codes/payments/{quote(reference, safe='')}"


def read_payment(said: Said, reference: str) -> PaymentFinding:
    """The payment, or PayPay's own word that there is none."""
    if read_code(said) == _NO_PAYMENT:
        return PaymentFinding(state="not_found")
    payment = read_data(said, _PaymentReply)
    if not isinstance(payment, _Payment) or payment.merchant_payment_id != reference:
        return UNREADABLE
    kept = _kept(payment)
    if kept is None:
        return UNREADABLE
    return PaymentFinding(
        state=_FOUND.get(payment.status, "unclear"),
        amount_minor=kept,
        provider_ref=own_id(PAYMENT_ID, payment.payment_id),
        decline_code=_DECLINES.get(payment.status, ""),
    )


def _kept(payment: _Payment) -> int | None:
    """What the merchant still has of a payment; None where its refunds don't say.

    Less than was asked for is another amount than ours: a person looks, nothing is booked.
    """
    told = (payment.refunds.data if payment.refunds is not None else None) or ()
    given = sum(one.amount.amount for one in told if one.status == "REFUNDED")
    if payment.status == "REFUNDED" and given == 0:
        return None
    return payment.amount.amount - given if 0 <= given <= payment.amount.amount else None
