"""What browsers' push services can do, as data. Application zone; no behaviour here."""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="webpush",
    channels=("push",),
    reference_max=32,
    repeat_is_safe=False,  # a topic said twice replaces the first, and may buzz twice
    notices_signed=False,
    rate=Rate(unit="message", per_s=200.0),
)
"""The rate is a careful one: no service publishes any, and each says 429 by itself."""
