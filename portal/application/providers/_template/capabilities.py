"""What COMPANY can do, as data. Application zone; no behaviour here.

Source: name the document, its version and the sections that the figures come from.
"""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="_template",
    methods=("card",),  # or: channels=("sms",)
    reference_max=27,
    repeat_is_safe=False,  # the careful answer until the company's document says otherwise
    notices_signed=False,
    rate=Rate(unit="request", per_s=1.0),
)
