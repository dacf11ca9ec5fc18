"""What Stripe can do, as data. Application zone; no behaviour here.

Source: docs.stripe.com/api (Idempotent requests, Metadata), docs.stripe.com/rate-limits,
docs.stripe.com/webhooks (Verify events manually).
"""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="stripe",
    methods=("card",),
    reference_max=200,  # Checkout's client_reference_id; an idempotency key may have 255
    # A repeat under the same Idempotency-Key has one effect, but only within the 24 hours for which
    # keys are kept: after that it would be a second payment. The careful answer is no.
    repeat_is_safe=False,
    charge_repeat_is_safe=True,  # within those 24 hours, and the relay fills the key in
    notices_signed=True,
    rate=Rate(unit="request", per_s=25.0),  # of a test account; live ones have more: ask Stripe
)
