"""Data zone: faults of a file's rows as they are kept: what stood there is sealed."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec

from portal.domain.intake.row import Fault
from portal.vault.act import Act
from portal.vault.sealed import ROW_FAULT_TABLE, FaultValue

_FAULTS: Final = """
insert into row_fault (merchant_id, import_id, line, id, column_name, code, params, value)
select $1, $2, f.line, f.id, f.column_name, f.code, f.params::jsonb, f.value
from unnest($3::int[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::bytea[])
     as f (line, id, column_name, code, params, value)
"""

_RENAME: Final = """
with renamed as (
    delete from row_fault f using unnest($4::int[], $5::int[]) as t (was, line)
    where f.merchant_id = $1 and f.import_id = $2 and f.code = $3
          and f.params = jsonb_build_object('line', t.was)
    returning f.line, f.id, f.column_name, f.value, t.line as named)
insert into row_fault (merchant_id, import_id, line, id, column_name, code, params, value)
select $1, $2, line, id, column_name, $3, jsonb_build_object('line', named), value
from renamed
"""
"""Lines that were refused name the line that has their bill now; few, and none in a file whose
chunks are worked in their order."""


async def store_faults(act: Act, import_id: UUID, faults: Sequence[Fault]) -> None:
    """Keep faults of an import's rows by one statement."""
    if not faults:
        return
    fields = await act.fields()
    ids = [act.new_id() for _ in faults]
    await act.db.execute(
        _FAULTS,
        act.merchant_id,
        import_id,
        [fault.line for fault in faults],
        ids,
        [fault.column for fault in faults],
        [fault.code for fault in faults],
        [msgspec.json.encode(fault.params).decode() for fault in faults],
        [
            fields.seal(ROW_FAULT_TABLE, "document", row_id, 1, FaultValue(fault.value))
            for row_id, fault in zip(ids, faults, strict=True)
        ],
    )


async def rename_faults(act: Act, import_id: UUID, code: str, renamed: Mapping[int, int]) -> None:
    """Have stored faults of a code that name these lines name those that came to be the first."""
    if renamed:
        was, lines = list(renamed), list(renamed.values())
        await act.db.execute(_RENAME, act.merchant_id, import_id, code, was, lines)
