"""Which adapter carries a channel at a provider. Application zone; a lookup, nothing else."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from portal.application.channels.email import EMAIL, SendsMail
from portal.application.channels.push import PUSH, SendsPush
from portal.application.channels.sms import SMS, SendsSms
from portal.application.channels.voice import VOICE, PutsThrough
from portal.domain.errors import InvariantBroken

Sends = SendsSms | SendsMail | SendsPush | PutsThrough
"""What carries one message by one request, whatever the channel."""

BY_CHANNEL: Final[Mapping[str, Mapping[str, Sends]]] = MappingProxyType(
    {"email": EMAIL, "push": PUSH, "sms": SMS, "voice": VOICE}
)
"""Channel → provider → adapter, for channels of one request a message."""


def find_sender(channel: str, provider: str) -> Sends:
    """The adapter that carries messages of a channel by a provider.

    Raises InvariantBroken ``provider_unconfigured``: the vault named one we don't have.
    """
    adapter = BY_CHANNEL.get(channel, {}).get(provider)
    if adapter is None:
        where = f"no adapter for channel {channel} at {provider}"
        raise InvariantBroken("provider_unconfigured", context=where)
    return adapter
