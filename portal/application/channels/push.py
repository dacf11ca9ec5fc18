"""Push: one request a notification; where it goes and what it says is the vault's and the relay's.

Application zone. A company that can do it has the one act of :class:`SendsPush`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from portal.application.providers import apns, fcm, webpush
from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    MessageAnswer,
    MessageWanted,
)


class SendsPush(Protocol):
    """Carries a notification to a browser or a device."""

    def compose(self, endpoint: Endpoint, wanted: MessageWanted) -> Exchange[MessageAnswer]:
        """The request for one notification and how its answer reads."""
        ...


PUSH: Final[Mapping[str, SendsPush]] = MappingProxyType(
    {"apns": apns.ADAPTER, "fcm": fcm.ADAPTER, "webpush": webpush.ADAPTER}
)
"""Provider → its adapter for notifications."""
