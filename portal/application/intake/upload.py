"""A file on its way in: cut into parts of 1 MiB, each stored before the next is read.

Application zone, stage intake. Nothing is parsed and nothing is kept here: the sender is slowed
down to the pace of the vault, and what the vault has acknowledged is never lost. A connection that
is cut leaves its whole parts behind; the sender goes on from there.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.contract.intake import (
    FINISH_UPLOAD,
    PART_BYTES_MAX,
    STORE_PART,
    VIEW_IMPORT,
    FinishUpload,
    ImportView,
    StorePart,
    ViewImport,
)
from portal.domain.errors import Conflict, InvalidInput
from portal.domain.ids import ImportId
from portal.kit.crashpoint import crash_point


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a file goes and by whose leave."""

    vault: VaultClient
    authority: Authority
    import_id: ImportId


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one request brings.

    Units: bytes. ``offset`` is where its first byte stands; ``length`` what it announced, None
    when it did not; ``is_last`` whether the file ends with it; ``total`` the file's size if said.
    """

    offset: int
    length: int | None
    total: int | None
    is_last: bool


async def view_upload(slot: Slot) -> ImportView:
    """How far the upload is; raises NotFound for an import that is not there any more."""
    return await slot.vault.call(VIEW_IMPORT, ViewImport(import_id=slot.import_id), slot.authority)


async def receive(slot: Slot, stretch: Stretch, body: AsyncIterator[bytes]) -> int:
    """Store what the request brings, part by part; the bytes that are safe afterwards.

    A rest shorter than a part is stored only when the file ends with it. Raises InvalidInput
    ``offset_unaligned``, ``length_differs``, and the reason when the vault refuses the whole file
    by what it saw (``column_missing`` and the like); Conflict ``offset_mismatch`` from the vault.
    """
    held = bytearray()
    stored, arrived = stretch.offset, 0
    async for piece in body:
        arrived += len(piece)
        if arrived and stretch.offset % PART_BYTES_MAX:
            # Behind a short last part there is nothing to come: only an empty rest finishes it.
            raise InvalidInput("offset_unaligned", params={"part_bytes": PART_BYTES_MAX})
        if stretch.length is not None and arrived > stretch.length:
            raise InvalidInput("length_differs", params={"announced": stretch.length})
        held += piece
        while len(held) >= PART_BYTES_MAX:
            stored = await _store(slot, stored, bytes(held[:PART_BYTES_MAX]))
            del held[:PART_BYTES_MAX]
    if stretch.length is not None and arrived != stretch.length:
        raise InvalidInput("length_differs", params={"announced": stretch.length})
    if held and stretch.is_last:
        stored = await _store(slot, stored, bytes(held))
    return stored


async def finish(slot: Slot, size_bytes: int, total: int | None) -> ImportView:
    """Say that the file is whole; the vault then lets its rows be judged.

    Raises Conflict ``size_differs`` when the sender had announced another size, InvalidInput with
    the vault's reason when it refuses the whole file.
    """
    if total is not None and total != size_bytes:
        raise Conflict("size_differs", params={"announced": total, "received": size_bytes})
    crash_point("web.before_finish_upload")
    view = await slot.vault.call(
        FINISH_UPLOAD,
        FinishUpload(import_id=slot.import_id, size_bytes=size_bytes),
        slot.authority,
    )
    refuse_if_refused(view)
    return view


async def _store(slot: Slot, offset: int, part: bytes) -> int:
    request = StorePart(import_id=slot.import_id, offset=offset, body=part)
    stored = await slot.vault.call(STORE_PART, request, slot.authority)
    crash_point("web.after_store_part")
    if stored.received_bytes < offset + len(part):
        refuse_if_refused(await view_upload(slot))
    return offset + len(part)


def refuse_if_refused(view: ImportView) -> None:
    """Raises InvalidInput with the vault's reason when it refused the whole file."""
    if view.refused_code is not None:
        raise InvalidInput(view.refused_code, params=view.refused_params)
