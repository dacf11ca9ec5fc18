"""Values of deliveries, fetched from the vault at the moment of sending.

Zone: egress. One call for all deliveries of a slice that go to one host; each is redeemed once, for
the host of its channel, and the values live only until the answer is scrubbed. Nothing here is
kept, logged or retried: a delivery whose redemption is unclear is not sent.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from portal.contract.envelope import Operation, Reply, Request
from portal.contract.message import REDEEM_DELIVERIES, RedeemDeliveries
from portal.domain.errors import InvariantBroken, PortalError, Refused, Unknown
from portal.domain.ids import DeliveryId
from portal.domain.message import LEFT_OUT
from portal.egress.denial import Denied
from portal.kit.log import get_logger

_log = get_logger()

_Q = TypeVar("_Q", bound=Request)
_R = TypeVar("_R", bound=Reply)


class Vault(Protocol):
    """What of ``portal.contract.client.VaultClient`` is needed here."""

    async def call(self, op: Operation[_Q, _R], request: _Q) -> _R:
        """One operation under the channel's own small authority."""
        ...


Values = Mapping[str, str]
"""Placeholder → value of one delivery."""


async def redeem(vault: Vault, host: str, ids: Sequence[UUID]) -> dict[UUID, Values | Denied]:
    """Values for each delivery about to go to ``host``, or why there are none.

    ``delivery_refused``: the vault has nothing to send for it (redeemed before, another host's; or
    left out, paid or paused meanwhile, which is nobody's attempt). ``vault_away``: it was not
    asked. ``vault_lost``: it may have given the values out, they did not arrive, and nothing was
    sent.
    """
    try:
        reply = await vault.call(
            REDEEM_DELIVERIES,
            RedeemDeliveries(host=host, delivery_ids=tuple(DeliveryId(id_) for id_ in ids)),
        )
    except PortalError as error:
        code = code_of(error)
        _log.warning("deliveries.not_redeemed", code=error.code, reason=code, count=len(ids))
        return {id_: Denied(code) for id_ in ids}
    found: dict[UUID, Values | Denied] = {id_: Denied("delivery_refused") for id_ in ids}
    for delivery in reply.deliveries:
        if delivery.delivery_id not in found:
            continue
        if delivery.refused is None:
            found[delivery.delivery_id] = {
                "delivery:to": delivery.to,
                "delivery:body": delivery.body,
            }
        elif delivery.refused in LEFT_OUT:
            found[delivery.delivery_id] = Denied("delivery_refused", is_attempt=False)
    return found


def code_of(error: PortalError) -> str:
    """What of the vault's refusal or silence a caller is told."""
    match error:
        case Refused():
            return "delivery_refused"
        case Unknown() | InvariantBroken():
            return "vault_lost"
        case _:
            return "vault_away"
