"""What GMO Payment Gateway can do, as data. Application zone; no behaviour here.

Source: its protocol type as recorded by t-k/gmo-payment-ruby (MIT) and public clients; see
docs/decisions/0004. Its own documents are under an agreement with each merchant.
"""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="gmopg",
    methods=("card", "number"),
    reference_max=27,
    repeat_is_safe=False,  # an OrderID is taken once and for all; a second opening is refused
    notices_signed=False,  # a form from addresses that the company lists
    rate=Rate(unit="request", per_s=5.0),  # agreed with each merchant: ask the company
    notice_answer="0",  # anything else is sent again, some five times in as many hours
)
