"""Data zone: the refunds of a provider's own journal against ours, line by line.

Codes: ``refund_missing`` (we know of none by that reference), ``refund_unresolved``,
``refund_state_differs``, ``refund_amount_differs``, ``refund_payment_differs``,
``refund_posting_missing``, ``refund_posting_unfounded``, ``refund_posting_differs`` and, for
refunds of ours that no piece named though the provider has to know them,
``refund_journal_missing``. Nothing is changed.
"""

from collections.abc import Sequence
from typing import Final

from portal.contract.operator import JournalDifference, JournalRefund
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.journal_transfers import COMPANY, compare_transfers, missing_transfers

AGREES: Final[dict[str, frozenset[str]]] = {
    "succeeded": frozenset({"succeeded"}),
    "pending": frozenset({"submitting", "pending"}),
    "failed": frozenset({"failed"}),
}
"""Provider's state → states of ours that are at one with it. ``unknown`` is at one with none."""

_REFUNDS: Final = """
select r.reference, r.state, r.amount_minor, a.reference as payment,
       coalesce((select sum(t.debit_minor) from ledger_transaction t
                 where t.merchant_id = $1 and t.cause_id = r.id
                       and t.cause in ('refund_succeeded', 'refund_succeeded_late')), 0)::bigint
           as booked
from refund r join attempt a on a.merchant_id = $1 and a.id = r.attempt_id
where r.merchant_id = $1 and r.provider = $2 and r.reference = any($3::text[])
"""
_UNMARKED: Final = """
select r.reference, r.state from refund r
where r.merchant_id = $1 and r.provider = $2 and r.state in ('pending', 'succeeded')
      and not exists (select from journal_mark m where m.merchant_id = $1
                      and m.provider = $2 and m.reference = r.reference)
order by r.reference limit $3
"""


async def compare_refunds(
    act: Act, provider: str, lines: Sequence[JournalRefund]
) -> list[JournalDifference]:
    """The first disagreement of each line that has one; a bank's transfers by their own rules."""
    if not lines:
        return []
    if provider == COMPANY:
        return await compare_transfers(act, lines)
    references = [line.reference for line in lines]
    rows = await act.db.fetch(_REFUNDS, act.merchant_id, provider, references)
    ours = {row["reference"]: row for row in rows}
    differences: list[JournalDifference] = []
    for line in lines:
        row = ours.get(line.reference)
        code = _compare(line, row)
        if code is not None:
            state = "" if row is None else row["state"]
            differences.append(
                JournalDifference(
                    reference=line.reference, code=code, ours=state, theirs=line.state
                )
            )
    return differences


async def missing_refunds(act: Act, provider: str, at_most: int) -> list[JournalDifference]:
    """Refunds of ours that the provider has to know and that the whole journal did not name.

    To be called before the marks are forgotten.
    """
    if provider == COMPANY:
        return await missing_transfers(act, at_most)
    rows = await act.db.fetch(_UNMARKED, act.merchant_id, provider, at_most)
    return [
        JournalDifference(
            reference=row["reference"], code="refund_journal_missing", ours=row["state"]
        )
        for row in rows
    ]


def _compare(line: JournalRefund, row: Row | None) -> str | None:
    if row is None:
        return "refund_missing"
    booked: int = row["booked"]
    gone = line.amount_minor if line.state == "succeeded" else 0
    rules = (
        (row["state"] == "unknown", "refund_unresolved"),
        (row["state"] not in AGREES.get(line.state, frozenset()), "refund_state_differs"),
        (row["amount_minor"] != line.amount_minor, "refund_amount_differs"),
        (row["payment"] != line.payment, "refund_payment_differs"),
        (gone > 0 and booked == 0, "refund_posting_missing"),
        (booked > 0 and gone == 0, "refund_posting_unfounded"),
        (booked != gone, "refund_posting_differs"),
    )
    return next((code for differs, code in rules if differs), None)
