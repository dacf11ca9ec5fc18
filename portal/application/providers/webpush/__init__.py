"""Browsers' push services (Web Push, RFC 8030): payers who asked their browser to remind them."""

from portal.application.providers.webpush.adapter import ADAPTER, NOTICES
from portal.application.providers.webpush.capabilities import CAPABILITIES

__all__ = ["ADAPTER", "CAPABILITIES", "NOTICES"]
