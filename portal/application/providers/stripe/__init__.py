"""Stripe: cards on its Checkout page, inquiries by PaymentIntent, refunds, signed notices."""

from portal.application.providers.stripe.adapter import ADAPTER
from portal.application.providers.stripe.capabilities import CAPABILITIES
from portal.application.providers.stripe.notices import NOTICES

__all__ = ["ADAPTER", "CAPABILITIES", "NOTICES"]
