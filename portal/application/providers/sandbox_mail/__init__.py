"""The sandbox's mail company: one mail a request, idempotent by reference, receipts signed."""

from portal.application.providers.sandbox_mail.adapter import ADAPTER
from portal.application.providers.sandbox_mail.capabilities import CAPABILITIES
from portal.application.providers.sandbox_mail.notices import NOTICES

__all__ = ["ADAPTER", "CAPABILITIES", "NOTICES"]
