"""Amazon SES: mails that the egress relay builds, posted to its interface and signed for there."""

from portal.application.providers.aws_ses.adapter import ADAPTER
from portal.application.providers.aws_ses.capabilities import CAPABILITIES
from portal.application.providers.aws_ses.notices import NOTICES

__all__ = ["ADAPTER", "CAPABILITIES", "NOTICES"]
