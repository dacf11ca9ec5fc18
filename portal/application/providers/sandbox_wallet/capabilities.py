"""What the sandbox's wallet company can do, as data. Application zone; no behaviour here."""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="sandbox_wallet",
    methods=("wallet",),
    reference_max=64,
    repeat_is_safe=False,  # as at PayPay: a second code under one reference is refused
    notices_signed=False,
    rate=Rate(unit="request", per_s=500.0),
)
