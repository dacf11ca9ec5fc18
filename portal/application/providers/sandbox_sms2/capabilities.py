"""What the sandbox's second SMS company can do, as data. Application zone; no behaviour here."""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="sandbox_sms2",
    channels=("sms",),
    reference_max=64,
    repeat_is_safe=False,  # it repeats our reference in receipts and never looks it up
    notices_signed=False,
    rate=Rate(unit="message", per_s=10_000.0),
)
