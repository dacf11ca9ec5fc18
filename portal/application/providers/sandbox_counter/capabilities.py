"""What the sandbox's company of store numbers can do, as data. Application zone."""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="sandbox_counter",
    methods=("number",),
    reference_max=27,
    repeat_is_safe=False,  # as at GMO-PG: an OrderID is taken once and for all
    notices_signed=False,
    rate=Rate(unit="request", per_s=500.0),
    notice_answer="0",
)
