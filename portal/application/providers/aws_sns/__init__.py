"""Amazon SNS: short messages, published to one telephone number each."""

from portal.application.providers.aws_sns.adapter import ADAPTER, NOTICES
from portal.application.providers.aws_sns.capabilities import CAPABILITIES

__all__ = ["ADAPTER", "CAPABILITIES", "NOTICES"]
