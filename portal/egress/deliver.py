"""Values of deliveries, fetched from the vault at the moment of sending.

Zone: egress. One call for all deliveries of a slice that go to one host; each is redeemed once, for
the host of its channel, and the values live only until the answer is scrubbed. Nothing here is
kept, logged or retried: a delivery whose redemption is unclear is not sent.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

import msgspec

from portal.contract.debit_fetch import (
    KEEP_DEBIT_RESULT,
    OPEN_DEBIT_RESULT,
    KeepDebitResult,
    OpenDebitResult,
)
from portal.contract.debit_line import REDEEM_DEBIT_FILE, RedeemDebitFile
from portal.contract.envelope import Operation, Reply, Request
from portal.contract.message import REDEEM_DELIVERIES, RedeemDeliveries
from portal.domain.errors import InvariantBroken, PortalError, Refused, Unknown
from portal.domain.ids import DeliveryId
from portal.domain.message import LEFT_OUT
from portal.egress.denial import Denied
from portal.kit.limits import FILE_PART_BYTES_MAX
from portal.kit.log import get_logger
from portal.kit.outbound.wire import Kept

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
        code = _code_of(error)
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


async def redeem_file(vault: Vault, host: str, id_: UUID) -> Values | Denied:
    """The bytes of a debit file about to go to ``host`` in base64, or why there are none.

    Denied as :func:`redeem` has it.
    """
    try:
        reply = await vault.call(
            REDEEM_DEBIT_FILE, RedeemDebitFile(host=host, handover_id=DeliveryId(id_))
        )
    except PortalError as error:
        code = _code_of(error)
        _log.warning("debit_file.not_redeemed", code=error.code, reason=code)
        return Denied(code)
    if reply.refused is not None:
        return Denied("delivery_refused")
    return {
        "delivery:collector": reply.collector,
        "delivery:reference": reply.reference,
        "delivery:file": base64.b64encode(reply.body).decode(),
    }


async def open_answer(vault: Vault, host: str, id_: UUID) -> str | Denied:
    """Whose answer the try ``id_`` is good for, once; Denied as :func:`redeem` has it."""
    try:
        reply = await vault.call(
            OPEN_DEBIT_RESULT, OpenDebitResult(host=host, fetch_id=DeliveryId(id_))
        )
    except PortalError as error:
        code = _code_of(error)
        _log.warning("debit_result.not_opened", code=error.code, reason=code)
        return Denied(code)
    return reply.reference if reply.refused is None else Denied("delivery_refused")


class AnswerKeeper:
    """Puts an answer into the vault as it comes, in parts; what is held is less than one part."""

    def __init__(self, vault: Vault, host: str, id_: UUID) -> None:
        """For the answer of ``host`` to the try ``id_``, which was opened."""
        self._vault = vault
        self._host = host
        self._id = DeliveryId(id_)
        self._held = bytearray()
        self._digest = hashlib.sha256()
        self._parts = 0
        self._size = 0

    @property
    def size_bytes(self) -> int:
        """Bytes so far."""
        return self._size

    async def add(self, chunk: bytes) -> None:
        """The next bytes. Raises: Denied ``vault_lost`` when the vault does not take a part."""
        self._held += chunk
        self._size += len(chunk)
        while len(self._held) >= FILE_PART_BYTES_MAX:
            await self._keep(bytes(self._held[:FILE_PART_BYTES_MAX]))
            del self._held[:FILE_PART_BYTES_MAX]

    async def finish(self) -> bytes:
        """The last part; the relay's word on the whole (portal.kit.outbound.wire.Kept).

        Raises: Denied ``vault_lost``; ``answer_invalid`` for an answer of no bytes.
        """
        if not self._size:
            raise Denied("answer_invalid")
        if self._held:
            await self._keep(bytes(self._held))
            self._held.clear()
        kept = Kept(parts=self._parts, size_bytes=self._size, sha256=self._digest.hexdigest())
        return msgspec.json.encode(kept)

    async def _keep(self, body: bytes) -> None:
        part = KeepDebitResult(host=self._host, fetch_id=self._id, part_no=self._parts, body=body)
        try:
            reply = await self._vault.call(KEEP_DEBIT_RESULT, part)
        except PortalError as error:
            _log.warning("debit_result.not_kept", code=error.code)
            raise Denied("vault_lost") from error
        if reply.refused is not None:
            raise Denied("delivery_refused")
        self._digest.update(body)
        self._parts += 1


def _code_of(error: PortalError) -> str:
    match error:
        case Refused():
            return "delivery_refused"
        case Unknown() | InvariantBroken():
            return "vault_lost"
        case _:
            return "vault_away"
