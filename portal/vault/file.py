"""Files as sealed parts of at most 1 MiB: uploads, bank files, documents. Never in clear on disk.

A part is sealed for its file and number, so that no part can stand in for another. Storing the
same part again is acknowledged; storing other bytes under its number is refused.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from portal.domain.errors import Conflict, InvalidInput, NotFound
from portal.kit.crypto import sha256
from portal.kit.limits import FILE_PART_BYTES_MAX

if TYPE_CHECKING:
    from portal.vault.act import Act


async def store_part(act: "Act", file_id: UUID, part_no: int, body: bytes) -> bool:
    """Seal and keep one part; False when exactly this part was there already.

    Units: ``part_no`` counts from 0. Raises: InvalidInput ``part_size`` outside 1 byte..1 MiB;
    Conflict ``part_differs`` when other bytes are stored under this number.
    """
    if not 0 < len(body) <= FILE_PART_BYTES_MAX:
        raise InvalidInput("part_size", params={"most": FILE_PART_BYTES_MAX})
    fields = await act.fields()
    fingerprint = fields.blind("file_part", sha256(body).hex())
    stored = await act.db.fetchval(
        "insert into file_part"
        " (merchant_id, file_id, part_no, size_bytes, fingerprint, sealed, stored_at)"
        " values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning true",
        act.merchant_id,
        file_id,
        part_no,
        len(body),
        fingerprint,
        fields.seal_bytes("file_part", "document", file_id, part_no, body),
        act.now,
    )
    if stored:
        return True
    there: bytes | None = await act.db.fetchval(
        "select fingerprint from file_part"
        " where merchant_id = $1 and file_id = $2 and part_no = $3",
        act.merchant_id,
        file_id,
        part_no,
    )
    if there != fingerprint:
        raise Conflict("part_differs", params={"part": part_no})
    return False


async def read_part(act: "Act", file_id: UUID, part_no: int) -> bytes:
    """The bytes of one part. Raises: NotFound."""
    sealed: bytes | None = await act.db.fetchval(
        "select sealed from file_part where merchant_id = $1 and file_id = $2 and part_no = $3",
        act.merchant_id,
        file_id,
        part_no,
    )
    if sealed is None:
        raise NotFound("not_found", params={"kind": "file_part"})
    fields = await act.fields()
    return fields.open_bytes("file_part", "document", file_id, part_no, sealed)


async def drop_file(act: "Act", file_id: UUID) -> int:
    """Delete all parts of a file; returns how many there were."""
    dropped: int = await act.db.fetchval(
        "with gone as (delete from file_part where merchant_id = $1 and file_id = $2 returning 1)"
        " select count(*) from gone",
        act.merchant_id,
        file_id,
    )
    return dropped
