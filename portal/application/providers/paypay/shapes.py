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


class CodeReply(Reply, frozen=True, rename="camel"):
    """Answer of Create a QR Code."""

    data: Code | None = None
