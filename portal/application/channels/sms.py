"""Short messages: one request a message, recipient and text filled in by the egress relay.

Application zone. A provider that can do it has the one act of :class:`SendsSms`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from portal.application.providers import (
    aws_sns,
    sandbox_sms,
    sandbox_sms2,
    sandbox_tel,
    twilio,
)
from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    MessageAnswer,
    MessageWanted,
)


class SendsSms(Protocol):
    """Carries a text to a telephone number."""

    def compose(self, endpoint: Endpoint, wanted: MessageWanted) -> Exchange[MessageAnswer]:
        """The request for one message and how its answer reads."""
        ...


SMS: Final[Mapping[str, SendsSms]] = MappingProxyType(
    {
        "aws_sns": aws_sns.ADAPTER,
        "sandbox_sms": sandbox_sms.ADAPTER,
        "sandbox_sms2": sandbox_sms2.ADAPTER,
        "sandbox_tel": sandbox_tel.SMS,
        "twilio": twilio.SMS,
    }
)
"""Provider → its adapter for short messages."""
