"""What Google's push service can do, as data. Application zone; no behaviour here."""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="fcm",
    channels=("push",),
    reference_max=32,
    repeat_is_safe=False,  # a topic said twice replaces the first, and may buzz twice
    notices_signed=False,
    rate=Rate(unit="message", per_s=1_000.0),
)
"""Source of the rate: FCM, 600,000 messages a minute and project by default; a tenth of it."""
