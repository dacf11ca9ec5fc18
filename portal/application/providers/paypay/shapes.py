"""PayPay's answers as types: only what is read of them. Application zone; no behaviour here.

Source: PayPay Open Payment API, response samples of each operation.
"""

from typing import Literal

import msgspec


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


class Code(msgspec.Struct, frozen=True, rename="camel"):
    """A code that was made: the payer goes to ``url``."""

    code_id: str
    url: str
    merchant_payment_id: str
    amount: Money


class GivenBack(msgspec.Struct, frozen=True):
    """One refund as a payment tells of it."""

    status: str
    amount: Money


class GivenBackList(msgspec.Struct, frozen=True):
    """Every refund of a payment."""

    data: tuple[GivenBack, ...] | None = None


class Payment(msgspec.Struct, frozen=True, rename="camel"):
    """How a code's payment stands; it has no ``payment_id`` before the payer has acted."""

    status: str
    merchant_payment_id: str
    amount: Money
    payment_id: str | None = None
    refunds: GivenBackList | None = None


class Refund(msgspec.Struct, frozen=True, rename="camel"):
    """How a refund stands."""

    status: str
    merchant_refund_id: str
    amount: Money
    payment_id: str | None = None


class CodeReply(Reply, frozen=True, rename="camel"):
    """Answer of Create a QR Code."""

    data: Code | None = None


class PaymentReply(Reply, frozen=True, rename="camel"):
    """Answer of Get payment details."""

    data: Payment | None = None


class RefundReply(Reply, frozen=True, rename="camel"):
    """Answer of Refund a payment and of Fetch refund details."""

    data: Refund | None = None
