"""What PayPay can do, as data. Application zone; no behaviour here.

Source: PayPay Open Payment API, "Create a QR Code" (merchantPaymentId of 64 characters; a second
request under one is refused as DUPLICATE_DYNAMIC_QR_REQUEST) and "Webhook" (no signature).
"""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="paypay",
    methods=("wallet",),
    reference_max=64,
    repeat_is_safe=False,
    notices_signed=False,
    rate=Rate(unit="request", per_s=10.0),  # its document has a RATE_LIMIT and no figure
)
