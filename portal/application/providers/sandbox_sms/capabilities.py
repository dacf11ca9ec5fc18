"""What the sandbox's SMS company can do, as data. Application zone; no behaviour here."""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="sandbox_sms",
    channels=("sms",),
    reference_max=64,
    repeat_is_safe=True,  # the same reference answers 200 with the first message's id
    notices_signed=False,
    rate=Rate(unit="message", per_s=10_000.0),
)
