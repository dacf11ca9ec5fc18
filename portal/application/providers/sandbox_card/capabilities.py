"""What the sandbox's card company can do, as data. Application zone; no behaviour here."""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="sandbox_card",
    methods=("card",),
    reference_max=27,
    repeat_is_safe=False,  # a second session under one reference is refused (409), not repeated
    charge_repeat_is_safe=True,  # refused as well: what was charged is not charged again
    notices_signed=False,
    rate=Rate(unit="request", per_s=500.0),
)
