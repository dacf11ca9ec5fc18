"""What the sandbox's telephone company can do, as data. Application zone; no behaviour here."""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="sandbox_tel",
    channels=("sms", "voice"),
    reference_max=64,
    repeat_is_safe=False,  # as at the company whose form it speaks
    notices_signed=True,
    rate=Rate(unit="message", per_s=1_000.0),
)
