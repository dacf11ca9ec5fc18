"""Data zone: imports as operations read them: the row under its lock, and the view of it.

The splitter's memory lies in the row as msgpack; it holds places and counts, nothing of the file.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.intake import ChangeCount, FaultCount, ImportView, ImportWait
from portal.domain.errors import NotFound
from portal.domain.ids import ImportId
from portal.domain.intake.split import SplitState
from portal.vault.act import Act
from portal.vault.changes import count_changes
from portal.vault.db import Row
from portal.vault.sealed import IMPORT_TABLE, ImportFacts
from portal.vault.waits import UNDECIDED, count_awaited, read_waits

FAULT_KINDS_MAX: Final = 100

_COLUMNS: Final = """
    id, file_id, state, sealed_version, facts, created_at, created_by, received_bytes, size_bytes,
    is_received, split_state, encoding, columns, chunks_planned, chunks_done, rows_seen, rows_good,
    rows_faulty, rows_known, rows_issued, step_after, amount_good_minor, refused_code,
    refused_params, checked_at, decided_at, is_judged_again
"""
_READ: Final = f"select {_COLUMNS} from import where merchant_id = $1 and id = $2"  # noqa: S608  # constants
_LOCK: Final = _READ + " for update"
_PAGE: Final = (
    f"select {_COLUMNS} from import where merchant_id = $1 and ($2::uuid is null or id < $2)"  # noqa: S608  # constants
    " order by id desc limit $3"
)
_FAULTS: Final = """
select c.import_id, f.key as code, sum(f.value::bigint)::bigint as rows
from import_chunk c, jsonb_each_text(c.faults) f
where c.merchant_id = $1 and c.import_id = any($2::uuid[]) and c.faults <> '{}'
group by c.import_id, f.key having sum(f.value::bigint) > 0 order by 3 desc, 2
"""

_encoder: Final = msgspec.msgpack.Encoder()
_split_decoder: Final = msgspec.msgpack.Decoder(SplitState)


async def read_import(act: Act, import_id: UUID) -> Row:
    """An import of the act's merchant. Raises: NotFound ``not_found``."""
    return _found(await act.db.fetchrow(_READ, act.merchant_id, import_id))


async def lock_import(act: Act, import_id: UUID) -> Row:
    """The same, locked until the transaction ends. Raises: NotFound ``not_found``."""
    return _found(await act.db.fetchrow(_LOCK, act.merchant_id, import_id))


def _found(row: Row | None) -> Row:
    if row is None:
        raise NotFound("not_found", params={"kind": "import"})
    return row


def read_split_state(row: Row) -> SplitState:
    """Where the splitter of this import stands."""
    return _split_decoder.decode(row["split_state"])


def write_split_state(state: SplitState) -> bytes:
    """The splitter's memory as it is stored."""
    return _encoder.encode(state)


async def read_facts(act: Act, row: Row) -> ImportFacts:
    """What is sealed of an import."""
    fields = await act.fields()
    return fields.open(
        IMPORT_TABLE, "document", row["id"], row["sealed_version"], row["facts"], ImportFacts
    )


async def view(act: Act, import_id: UUID) -> ImportView:
    """One import as it is now. Raises: NotFound ``not_found``."""
    return (await to_views(act, [await read_import(act, import_id)]))[0]


async def view_newest(
    act: Act, first: int, after: UUID | None = None
) -> tuple[list[ImportView], bool]:
    """Up to ``first`` imports, newest first, and whether there are more."""
    rows = await act.db.fetch(_PAGE, act.merchant_id, after, first + 1)
    return await to_views(act, rows[:first]), len(rows) > first


async def to_views(act: Act, rows: Sequence[Row]) -> list[ImportView]:
    """Rows of the table as screens show them; fault counts come by one statement."""
    counts: dict[UUID, list[FaultCount]] = {row["id"]: [] for row in rows}
    if rows:
        for found in await act.db.fetch(_FAULTS, act.merchant_id, list(counts)):
            kinds = counts[found["import_id"]]
            if len(kinds) < FAULT_KINDS_MAX:
                kinds.append(FaultCount(code=found["code"], rows=found["rows"]))
    undecided = [row["id"] for row in rows if row["state"] in UNDECIDED]
    waits = await read_waits(act, undecided)
    awaited = await count_awaited(act, undecided)
    changes = await count_changes(act, list(counts))
    return [
        await _to_view(
            act,
            row,
            tuple(counts[row["id"]]),
            waits_for=waits.get(row["id"], ()),
            rows_awaited=awaited.get(row["id"], 0),
            changes=changes.get(row["id"], ()),
        )
        for row in rows
    ]


async def _to_view(
    act: Act,
    row: Row,
    faults: tuple[FaultCount, ...],
    *,
    waits_for: tuple[ImportWait, ...],
    rows_awaited: int,
    changes: tuple[ChangeCount, ...],
) -> ImportView:
    facts = await read_facts(act, row)
    return ImportView(
        id=ImportId(row["id"]),
        state=row["state"],
        filename=facts.filename,
        created_at=row["created_at"],
        created_by=row["created_by"],
        received_bytes=row["received_bytes"],
        size_bytes=row["size_bytes"],
        rows_seen=row["rows_seen"],
        rows_good=row["rows_good"],
        rows_faulty=row["rows_faulty"],
        rows_known=row["rows_known"],
        rows_issued=row["rows_issued"],
        amount_good_minor=row["amount_good_minor"],
        faults=faults,
        refused_code=row["refused_code"],
        refused_params=msgspec.json.decode(row["refused_params"], type=dict[str, str | int]),
        checked_at=row["checked_at"],
        decided_at=row["decided_at"],
        unknown_columns=facts.unknown_columns,
        waits_for=waits_for,
        rows_awaited=rows_awaited,
        changes=changes,
    )
