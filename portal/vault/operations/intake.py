"""Data zone, stage "intake": a file comes in. Each part is sealed, and cut into chunks of rows.

Chunks are planned while the upload still runs, so the first faults show within seconds. A file
that can't be read at all is refused as a whole; the refusal commits, what was stored is forgotten
by a task. Cutting takes milliseconds a part and runs beside the event loop.
"""

import asyncio
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.intake import (
    CREATE_IMPORT,
    FINISH_UPLOAD,
    PART_BYTES_MAX,
    STORE_PART,
    CreateImport,
    FinishUpload,
    ImportView,
    Stored,
    StorePart,
)
from portal.domain.card_number import refuse_card_number
from portal.domain.errors import Conflict, InvalidInput, Param
from portal.domain.intake.cells import check_control
from portal.domain.intake.columns import Header, read_header
from portal.domain.intake.split import FILE_BYTES_MAX, Cut, SplitState, Splitter
from portal.vault import file
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.imports import (
    lock_import,
    read_facts,
    read_split_state,
    view,
    write_split_state,
)
from portal.vault.outbox import NewTask
from portal.vault.registry import operation
from portal.vault.sealed import IMPORT_TABLE, ImportFacts

FILENAME_LENGTH_MAX: Final = 200

_WEB: Final = frozenset({"web"})
_MERCHANT: Final = frozenset({"staff", "api_key"})

_INSERT: Final = """
insert into import (merchant_id, id, file_id, state, facts, created_at, created_by, size_bytes,
                    split_state)
values ($1, $2, $3, 'receiving', $4, $5, $6, $7, $8)
"""
_CHUNKS: Final = """
insert into import_chunk (merchant_id, import_id, chunk_no, start_offset, end_offset, first_line,
                          is_oversize)
select $1, $2, c.* from unnest($3::int[], $4::bigint[], $5::bigint[], $6::int[], $7::bool[]) as c
"""
_PROGRESS: Final = """
update import set received_bytes = $3, split_state = $4, encoding = $5, rows_seen = $6,
    chunks_planned = $7, columns = coalesce($8, columns), facts = coalesce($9, facts)
where merchant_id = $1 and id = $2
"""
_RECEIVED: Final = """
update import set is_received = true, size_bytes = received_bytes,
    state = case when chunks_done = chunks_planned then 'checked' else 'checking' end,
    checked_at = case when chunks_done = chunks_planned then $3::timestamptz end
where merchant_id = $1 and id = $2
"""
_REFUSE: Final = """
update import set state = 'refused', refused_code = $3, refused_params = $4
where merchant_id = $1 and id = $2
"""


@operation(
    CREATE_IMPORT, callers=_WEB, kinds=_MERCHANT, scope="imports:write", audit="effect"
)  # fmt: skip
async def create_import(act: Act, request: CreateImport) -> ImportView:
    """Open an import; the same key gets the same import again.

    Raises: InvalidInput ``file_too_large`` (param ``max``), ``filename_malformed``.
    """
    arguments = msgspec.msgpack.encode([request.filename, request.size_bytes])
    known = await act.once("create_import", request.idempotency_key, arguments)
    if known is not None:
        return await view(act, UUID(bytes=known))
    _check_file(request.filename, request.size_bytes)
    import_id = act.new_id()
    fields = await act.fields()
    facts = ImportFacts(filename=request.filename.strip())
    await act.db.execute(
        _INSERT,
        act.merchant_id,
        import_id,
        act.new_id(),
        fields.seal(IMPORT_TABLE, "document", import_id, 1, facts),
        act.business,
        act.actor,
        request.size_bytes,
        write_split_state(SplitState()),
    )
    await act.answer_once("create_import", request.idempotency_key, import_id.bytes)
    return await view(act, import_id)


@operation(STORE_PART, callers=_WEB, kinds=_MERCHANT, scope="imports:write", audit="none")
async def store_part(act: Act, request: StorePart) -> Stored:
    """Seal the next part of a file and plan the chunks that it completes.

    Raises: Conflict ``offset_mismatch`` (param ``expected``), ``part_differs``, ``import_state``
        (param ``state``) after the upload's end, ``import_refused`` (param ``reason``);
        InvalidInput ``part_size``, ``part_after_last`` (only the last may be short),
        ``file_too_large``, ``file_longer`` than was said.
    """
    row = await lock_import(act, request.import_id)
    part_no, misplaced = divmod(request.offset, PART_BYTES_MAX)
    received: int = row["received_bytes"]
    if misplaced and request.offset == received:
        raise InvalidInput("part_after_last")
    if misplaced or request.offset > received:
        raise Conflict("offset_mismatch", params={"expected": received})
    if request.offset < received:
        if (
            row["state"] == "receiving"
        ):  # afterwards parts are read, then forgotten: none comes back
            await file.store_part(act, row["file_id"], part_no, request.body)
        return Stored(received_bytes=received)
    _check_open(row)
    _check_size(row["size_bytes"], received + len(request.body))
    await file.store_part(act, row["file_id"], part_no, request.body)
    state = read_split_state(row)
    try:
        cuts, header = await asyncio.to_thread(_split, state, request.body)
    except InvalidInput as refusal:
        await _refuse(act, row, refusal.code, refusal.params)
        return Stored(received_bytes=received)
    facts = await _with_unknown(act, row, header) if header and header.unknown else None
    await _plan_chunks(act, row["id"], cuts)
    await act.db.execute(
        _PROGRESS,
        act.merchant_id,
        row["id"],
        received + len(request.body),
        write_split_state(state),
        state.encoding,
        state.rows,
        state.chunk_no,
        list(header.columns) if header else None,
        facts,
    )
    return Stored(received_bytes=received + len(request.body))


@operation(FINISH_UPLOAD, callers=_WEB, kinds=_MERCHANT, scope="imports:write", audit="effect")
async def finish_upload(act: Act, request: FinishUpload) -> ImportView:
    """Take the file as whole; once more changes nothing.

    Raises: Conflict ``size_mismatch`` (param ``received``).
    """
    row = await lock_import(act, request.import_id)
    if request.size_bytes != row["received_bytes"] and row["state"] != "refused":
        raise Conflict("size_mismatch", params={"received": row["received_bytes"]})
    if row["is_received"] or row["state"] != "receiving":
        return await view(act, row["id"])
    state = read_split_state(row)
    try:
        cuts = Splitter(state).finish()
    except InvalidInput as refusal:
        await _refuse(act, row, refusal.code, refusal.params)
        return await view(act, row["id"])
    await _plan_chunks(act, row["id"], cuts)
    await act.db.execute(
        _PROGRESS, act.merchant_id, row["id"], row["received_bytes"], write_split_state(state),
        state.encoding, state.rows, state.chunk_no, None, None,
    )  # fmt: skip
    await act.db.execute(_RECEIVED, act.merchant_id, row["id"], act.business)
    return await view(act, row["id"])


def _split(state: SplitState, part: bytes) -> tuple[list[Cut], Header | None]:
    """The chunks and, from the part that holds it, the header. Changes ``state``."""
    splitter = Splitter(state)
    cuts = splitter.feed(part)
    if splitter.header is None:
        return cuts, None
    return cuts, read_header(splitter.header, state.encoding or "utf-8")


def _check_file(filename: str, size_bytes: int | None) -> None:
    if not 0 < len(filename.strip()) <= FILENAME_LENGTH_MAX:
        raise InvalidInput("filename_malformed", params={"max": FILENAME_LENGTH_MAX})
    check_control(filename)
    refuse_card_number(filename)
    if size_bytes is not None and not 0 <= size_bytes <= FILE_BYTES_MAX:
        raise InvalidInput("file_too_large", params={"max": FILE_BYTES_MAX})


def _check_open(row: Row) -> None:
    if row["state"] == "refused":
        raise Conflict("import_refused", params={"reason": row["refused_code"]})
    if row["state"] != "receiving":
        raise Conflict("import_state", params={"state": row["state"]})


def _check_size(said: int | None, received: int) -> None:
    if received > FILE_BYTES_MAX:
        raise InvalidInput("file_too_large", params={"max": FILE_BYTES_MAX})
    if said is not None and received > said:
        raise InvalidInput("file_longer", params={"said": said})


async def _with_unknown(act: Act, row: Row, header: Header) -> bytes:
    """The sealed facts with the columns that we don't know."""
    facts = await read_facts(act, row)
    fields = await act.fields()
    full = ImportFacts(filename=facts.filename, unknown_columns=header.unknown)
    return fields.seal(IMPORT_TABLE, "document", row["id"], row["sealed_version"], full)


async def _plan_chunks(act: Act, import_id: UUID, cuts: list[Cut]) -> None:
    if not cuts:
        return
    await act.db.execute(
        _CHUNKS,
        act.merchant_id,
        import_id,
        [cut.chunk_no for cut in cuts],
        [cut.start for cut in cuts],
        [cut.end for cut in cuts],
        [cut.first_line for cut in cuts],
        [cut.is_oversize for cut in cuts],
    )
    await act.plan_tasks(
        [NewTask(act.new_id(), "intake.accept_chunk", import_id, cut.chunk_no) for cut in cuts]
    )


async def _refuse(act: Act, row: Row, code: str, params: dict[str, Param]) -> None:
    """Refuse the whole file; its parts, and bills of its chunks, are forgotten by a task."""
    await act.db.execute(
        _REFUSE, act.merchant_id, row["id"], code, msgspec.json.encode(params).decode()
    )
    await act.plan_task("intake.discard_bills", row["id"])
