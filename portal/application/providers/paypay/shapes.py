"""PayPay's answers as types: only what is read of them. Application zone; no behaviour here.

Source: PayPay Open Payment API, response samples of each operation.
"""

import msgspec

from portal.domain.refund_word.paypay import Money, Reply


class Code(msgspec.Struct, frozen=True, rename="camel"):
    """A code that was made: the payer goes to ``url``, or with the app to ``deeplink``.

    A ``deeplink`` that is no text makes no code unreadable: there is the page.
    """

    code_id: str
    url: str
    merchant_payment_id: str
    amount: Money
    deeplink: object = None


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


class CodeReply(Reply, frozen=True, rename="camel"):
    """Answer of Create a QR Code."""

    data: Code | None = None


class PaymentReply(Reply, frozen=True, rename="camel"):
    """Answer of Get payment details."""

    data: Payment | None = None
