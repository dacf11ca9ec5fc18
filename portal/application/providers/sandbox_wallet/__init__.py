"""The sandbox's wallet company. It speaks PayPay's interface, so PayPay's adapter speaks to it."""

from portal.application.providers.sandbox_wallet.adapter import ADAPTER
from portal.application.providers.sandbox_wallet.capabilities import CAPABILITIES
from portal.application.providers.sandbox_wallet.notices import NOTICES

__all__ = ["ADAPTER", "CAPABILITIES", "NOTICES"]
