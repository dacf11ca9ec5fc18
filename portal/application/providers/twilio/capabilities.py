"""What Twilio can do, as data. Application zone; no behaviour here."""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="twilio",
    channels=("sms", "voice"),
    reference_max=64,
    repeat_is_safe=False,  # Messages and Calls know no key: a repeat is a second one
    notices_signed=True,
    rate=Rate(unit="message", per_s=10.0),  # an account's own; what is queued there waits there
)
