"""Data zone: the transfers of a bank's own journal against ours, line by line.

A line is named by its instruction number. Codes: ``transfer_missing`` (we sent no such line, or
count it as not transferred), ``transfer_amount_differs``, ``transfer_return_unrecorded`` (the bank
sent it back and nobody recorded that), ``transfer_return_unfounded`` (we recorded what the bank
does not know) and, for lines that no piece named though the bank has to know them,
``transfer_journal_missing``. Nothing is changed.
"""

from collections.abc import Sequence
from typing import Final

from portal.contract.operator import JournalDifference, JournalRefund
from portal.vault.act import Act
from portal.vault.db import Row

COMPANY: Final = "bank_transfer"
"""What a bank's journal of transfers is called where companies' journals are compared."""

_LINES: Final = """
select instruction_no, state, amount_minor from transfer_line
where merchant_id = $1 and instruction_no = any($2::text[])
"""
_UNMARKED: Final = """
select l.instruction_no, l.state from transfer_line l
join transfer_file f on f.merchant_id = $1 and f.id = l.file_id
where l.merchant_id = $1 and f.state = 'accepted'
      and not exists (select from journal_mark m where m.merchant_id = $1
                      and m.provider = $2 and m.reference = l.instruction_no)
order by l.instruction_no limit $3
"""


async def compare_transfers(act: Act, lines: Sequence[JournalRefund]) -> list[JournalDifference]:
    """The first disagreement of each line that has one; a line's state: succeeded or returned."""
    numbers = [line.reference for line in lines]
    rows = await act.db.fetch(_LINES, act.merchant_id, numbers)
    ours = {row["instruction_no"]: row for row in rows}
    found: list[JournalDifference] = []
    for line in lines:
        row = ours.get(line.reference)
        code = _compare(line, row)
        if code is not None:
            state = "" if row is None else row["state"]
            found.append(
                JournalDifference(
                    reference=line.reference, code=code, ours=state, theirs=line.state
                )
            )
    return found


async def missing_transfers(act: Act, at_most: int) -> list[JournalDifference]:
    """Lines of files that the bank took and that the whole journal did not name.

    To be called before the marks are forgotten.
    """
    rows = await act.db.fetch(_UNMARKED, act.merchant_id, COMPANY, at_most)
    return [
        JournalDifference(
            reference=row["instruction_no"], code="transfer_journal_missing", ours=row["state"]
        )
        for row in rows
    ]


def _compare(line: JournalRefund, row: Row | None) -> str | None:
    if row is None or row["state"] == "released":
        return "transfer_missing"
    is_back = line.state == "returned"
    rules = (
        (row["amount_minor"] != line.amount_minor, "transfer_amount_differs"),
        (is_back and row["state"] == "transferred", "transfer_return_unrecorded"),
        (not is_back and row["state"] == "returned", "transfer_return_unfounded"),
    )
    return next((code for differs, code in rules if differs), None)
