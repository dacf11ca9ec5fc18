"""The sandbox's SMS company: one message a request, idempotent by reference, receipts by notice."""

from portal.application.providers.sandbox_sms.adapter import ADAPTER
from portal.application.providers.sandbox_sms.capabilities import CAPABILITIES
from portal.application.providers.sandbox_sms.notices import NOTICES

__all__ = ["ADAPTER", "CAPABILITIES", "NOTICES"]
