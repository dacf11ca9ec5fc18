"""What the sandbox's mail company can do, as data. Application zone; no behaviour here."""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="sandbox_mail",
    channels=("email",),
    reference_max=64,
    repeat_is_safe=True,  # the same reference answers 200 with the first mail's id
    notices_signed=True,
    rate=Rate(unit="message", per_s=10_000.0),
)
