"""Any mail server that takes submissions (SMTP): mails built and signed by the egress relay."""

from portal.application.providers.smtp.adapter import ADAPTER
from portal.application.providers.smtp.capabilities import CAPABILITIES
from portal.application.providers.smtp.returned import NOTICES

__all__ = ["ADAPTER", "CAPABILITIES", "NOTICES"]
