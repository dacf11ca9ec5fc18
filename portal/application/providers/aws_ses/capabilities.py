"""What Amazon SES can do, as data. Application zone; no behaviour here."""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="aws_ses",
    channels=("email",),
    reference_max=64,
    repeat_is_safe=False,  # SendEmail takes no key: the same mail twice is sent twice
    notices_signed=True,
    rate=Rate(unit="message", per_s=14.0),
)
"""The rate is a careful one: an account has its own, which grows, and SES says 429 beyond it."""
