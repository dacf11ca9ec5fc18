"""What the sandbox's wallet company says in its notices: PayPay's form. Application zone."""

from typing import Final

from portal.application.providers.paypay.notices import PayPayNotices

NOTICES: Final = PayPayNotices()
