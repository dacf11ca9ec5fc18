"""What mail by SMTP can do, as data. Application zone; no behaviour here."""

from typing import Final

from portal.application.providers.exchange import Capabilities, Rate

CAPABILITIES: Final = Capabilities(
    provider="smtp",
    channels=("email",),
    reference_max=64,
    repeat_is_safe=False,  # a server that took the same mail twice sends it twice
    notices_signed=True,
    rate=Rate(unit="message", per_s=50.0),
)
"""The rate is a careful one: what a server takes is in its owner's hands, and it says 4xx."""
