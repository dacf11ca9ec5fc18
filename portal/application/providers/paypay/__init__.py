"""PayPay: wallet payments by its Open Payment API, on PayPay's own page or in its app."""

from portal.application.providers.paypay.adapter import ADAPTER
from portal.application.providers.paypay.capabilities import CAPABILITIES
from portal.application.providers.paypay.notices import NOTICES

__all__ = ["ADAPTER", "CAPABILITIES", "NOTICES"]
