"""The sandbox's wallet company: PayPay's adapter at another host, under rules of its own.

Application zone; pure. What the demo drives is the adapter that goes to PayPay in production.
"""

from typing import Final

from portal.application.providers.paypay.adapter import PayPay

ADAPTER: Final = PayPay()
