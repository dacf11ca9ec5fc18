"""What Amazon SNS can do, as data. Application zone; no behaviour here."""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="aws_sns",
    channels=("sms",),
    reference_max=36,
    repeat_is_safe=False,  # a key is for topics alone: the same text twice is sent twice
    notices_signed=False,
    rate=Rate(unit="message", per_s=20.0),
)
"""The rate is a careful one: an account has its own quota, and SNS says 429 beyond it."""
