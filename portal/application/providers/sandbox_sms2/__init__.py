"""The sandbox's second SMS company: there a repeated reference is a second message."""

from portal.application.providers.sandbox_sms2.adapter import ADAPTER
from portal.application.providers.sandbox_sms2.capabilities import CAPABILITIES
from portal.application.providers.sandbox_sms2.notices import NOTICES

__all__ = ["ADAPTER", "CAPABILITIES", "NOTICES"]
