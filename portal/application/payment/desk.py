"""What the payment stage needs, and the one way in which it talks to a provider.

Application zone. Every request goes through the egress relay; nothing here knows a credential.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from portal.application.providers.exchange import Endpoint, Exchange
from portal.contract.client import VaultClient
from portal.domain.errors import InvariantBroken
from portal.kit.outbound import Outbound

T = TypeVar("T")

STEPS_MAX: Final = 4
"""Calls that one act at a provider may need."""


@dataclass(frozen=True, slots=True)
class PayDesk:
    """One a process, in web and in work. ``told``: companies without an endpoint, logged before."""

    vault: VaultClient
    outbound: Outbound
    endpoints: Mapping[str, Endpoint]
    told: set[str] = field(default_factory=set[str])

    def endpoint(self, provider: str) -> Endpoint:
        """Where the provider is; InvariantBroken ``provider_unconfigured`` when nobody said."""
        endpoint = self.endpoints.get(provider)
        if endpoint is None:
            raise InvariantBroken("provider_unconfigured", context=f"no endpoint for {provider}")
        return endpoint

    async def converse(self, exchange: Exchange[T]) -> T:
        """Send what an act needs and read its last answer; what happens outside is in the reading.

        Raises: InvariantBroken ``adapter_endless`` after STEPS_MAX steps.
        """
        for _ in range(STEPS_MAX):
            [answer] = await self.outbound.send([exchange.request])
            following = exchange.then(answer) if exchange.then is not None else None
            if following is None:
                return exchange.read(answer)
            exchange = following
        raise InvariantBroken("adapter_endless", context=exchange.request.path)
