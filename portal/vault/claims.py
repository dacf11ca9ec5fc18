"""Data zone, stage "intake": numbers of replacements that were refused for their old bill.

An earlier line of the file has that. Such a row has no bill any more, but the number on it is still
its own: another chunk may have been refused because of it, or come later, and the same file must be
judged alike in any order. So its key stands in its import's chunks (``import_chunk.claims``, a hash
and the line) until the file is judged once more.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec

from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.row_tally import RowTally, duplicate
from portal.vault.splitter import SealedBill

_CLAIMED: Final = """
select c.key, min(c.value::int) as line
from import_chunk k cross join jsonb_each_text(k.claims) c
where k.merchant_id = $1 and k.import_id = $2 and k.claims ?| $3::text[] and c.key = any($3::text[])
group by 1
"""
_FORGET_TWICE: Final = """
delete from row_fault
where merchant_id = $1 and import_id = $2 and line = any($3::int[]) and code = 'change_twice'
returning line
"""


def claim_of(row: Row) -> tuple[str, int]:
    """The key of a bill that is given up, as it is kept, and its line."""
    return _digest(row["number"], row["contract_blind"], row["period"], row["kind"]), row["line"]


async def yield_claimed(
    act: Act, import_id: UUID, bills: Sequence[SealedBill], tally: RowTally
) -> list[UUID]:
    """Compare bills that were just stored with the claims of rows that have none any more.

    Of two the earlier line has the number: those bills that lose come back, to be deleted; what a
    later claim's row was refused for is told by its number now.
    """
    named = {_digest(*bill.key): bill for bill in bills if bill.id in tally.stored}
    if not named:
        return []
    gone: list[UUID] = []
    later: dict[int, SealedBill] = {}
    for row in await act.db.fetch(_CLAIMED, act.merchant_id, import_id, list(named)):
        bill = named[row["key"]]
        if row["line"] < bill.request.line:
            tally.good -= 1
            tally.amount_minor -= bill.request.amount_minor
            tally.stored.discard(bill.id)
            tally.lose(bill, row["line"])
            gone.append(bill.id)
        elif row["line"] > bill.request.line:
            later[row["line"]] = bill
    if later:
        await _retell(act, import_id, later, tally)
    return gone


async def _retell(
    act: Act, import_id: UUID, later: Mapping[int, SealedBill], tally: RowTally
) -> None:
    """Rows that were refused for their old bill are so for their number, which is said first."""
    rows = await act.db.fetch(_FORGET_TWICE, act.merchant_id, import_id, list(later))
    for line in sorted({row["line"] for row in rows}):
        bill = later[line]
        tally.faults_gone["change_twice"] += 1
        named = msgspec.structs.replace(bill.request, line=line)
        tally.faults.append(duplicate(named, bill.request.line))
    tally.renamed |= {line: bill.request.line for line, bill in later.items()}


def _digest(number: str, contract_blind: bytes, period: str, kind: str) -> str:
    parts = (number.encode(), contract_blind, period.encode(), kind.encode())
    return hashlib.sha256(b"".join(len(part).to_bytes(4) + part for part in parts)).hexdigest()
