"""What the payment stage needs, and the one way in which it talks to a provider.

Application zone. Every request goes through the egress relay; nothing here knows a credential.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar
from uuid import UUID

import msgspec

from portal.application.providers.exchange import Endpoint, Exchange
from portal.contract.client import VaultClient
from portal.domain.errors import InvariantBroken
from portal.domain.ids import AttemptId
from portal.kit.outbound import Outbound

T = TypeVar("T")

STEPS_MAX: Final = 4
"""Calls that one act at a provider may need."""


@dataclass(frozen=True, slots=True)
class About:
    """The attempt that a question is about, and whose it is. Without ``merchant_code`` nobody's."""

    merchant_code: str
    attempt_id: AttemptId


_NOBODY: Final = About("", AttemptId(UUID(int=0)))


@dataclass(frozen=True, slots=True)
class Heard(Generic[T]):
    """What a company answered, as we read it. ``is_deposited``: the vault has its word already.

    Then nothing that anybody says of it here counts any more.
    """

    said: T
    is_deposited: bool


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
        return (await self.ask(exchange, _NOBODY)).said

    async def ask(self, exchange: Exchange[T], about: About) -> Heard[T]:
        """The same of a question about an attempt: the vault hears each answer from the relay.

        Raises: InvariantBroken ``adapter_endless`` after STEPS_MAX steps.
        """
        for _ in range(STEPS_MAX):
            request = exchange.request
            if about.merchant_code:
                request = msgspec.structs.replace(
                    request, about_attempt=about.attempt_id, about_merchant=about.merchant_code
                )
            [answer] = await self.outbound.send([request])
            following = exchange.then(answer) if exchange.then is not None else None
            if following is None:
                return Heard(exchange.read(answer), answer.is_deposited)
            exchange = following
        raise InvariantBroken("adapter_endless", context=exchange.request.path)
