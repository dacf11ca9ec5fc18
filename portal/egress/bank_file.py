"""A bank's files on their way through the relay: ours out of the vault, the bank's into it.

Zone: egress. Both go in parts, and no more than a part of either is ever here. A file is redeemed
once a try and then asked for part after part; it is written into the place that the request keeps
for it, in base64, with a length that is known before the first byte. An answer is put in as it
comes. Where the vault falls silent in between, the request is cut off, and nothing is repeated.
"""

import base64
import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.debit_fetch import (
    KEEP_DEBIT_RESULT,
    OPEN_DEBIT_RESULT,
    KeepDebitResult,
    OpenDebitResult,
)
from portal.contract.debit_line import (
    GIVE_DEBIT_PART,
    REDEEM_DEBIT_FILE,
    GiveDebitPart,
    RedeemDebitFile,
)
from portal.domain.errors import PortalError
from portal.domain.ids import DeliveryId
from portal.egress.deliver import Values, Vault, code_of
from portal.egress.denial import Denied
from portal.kit.limits import FILE_PART_BYTES_MAX
from portal.kit.log import get_logger
from portal.kit.outbound.wire import Kept

_log = get_logger()

_LETTERS_OF: Final = 3
"""Bytes that base64 writes as four letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """A file that was redeemed: how long it is, and where its parts are asked for.

    ``values`` are what the vault says beside it.
    """

    vault: Vault
    host: str
    id: DeliveryId
    parts: int
    size_bytes: int
    values: Values

    @property
    def letters(self) -> int:
        """Its length in base64."""
        return -(-self.size_bytes // _LETTERS_OF) * 4

    async def pieces(self, head: bytes, tail: bytes) -> AsyncGenerator[bytes]:
        """A body around the file, a part at a time. Raises: Denied ``vault_lost``."""
        yield head
        held, size = b"", 0
        for part_no in range(self.parts):
            body = await self._part(part_no)
            size += len(body)
            held += body
            whole = len(held) - len(held) % _LETTERS_OF
            yield base64.b64encode(held[:whole])
            held = held[whole:]
        if size != self.size_bytes:
            raise Denied("vault_lost")
        yield base64.b64encode(held) + tail

    async def _part(self, part_no: int) -> bytes:
        asked = GiveDebitPart(host=self.host, handover_id=self.id, part_no=part_no)
        try:
            reply = await self.vault.call(GIVE_DEBIT_PART, asked)
        except PortalError as error:
            _log.warning("debit_file.part_not_given", code=error.code, part=part_no)
            raise Denied("vault_lost") from error
        if reply.refused is not None:
            raise Denied("vault_lost")
        return reply.body


async def redeem_file(vault: Vault, host: str, id_: UUID) -> FileSource | Denied:
    """A debit file about to go to ``host``, once a try, or why there is none.

    Denied as portal.egress.deliver.redeem has it.
    """
    handover_id = DeliveryId(id_)
    try:
        reply = await vault.call(
            REDEEM_DEBIT_FILE, RedeemDebitFile(host=host, handover_id=handover_id)
        )
    except PortalError as error:
        code = code_of(error)
        _log.warning("debit_file.not_redeemed", code=error.code, reason=code)
        return Denied(code)
    if reply.refused is not None:
        return Denied("delivery_refused")
    return FileSource(
        vault=vault,
        host=host,
        id=handover_id,
        parts=reply.parts,
        size_bytes=reply.size_bytes,
        values={
            "delivery:collector": reply.collector,
            "delivery:reference": reply.reference,
        },
    )


async def open_answer(vault: Vault, host: str, id_: UUID) -> str | Denied:
    """Whose answer the try ``id_`` is good for, once; Denied as with :func:`redeem_file`."""
    try:
        reply = await vault.call(
            OPEN_DEBIT_RESULT, OpenDebitResult(host=host, fetch_id=DeliveryId(id_))
        )
    except PortalError as error:
        code = code_of(error)
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
