"""Data zone: what keeps a bill's next message back, though its plan would have it sent now.

Money that is on its way: who is told to pay meanwhile pays twice, or doubts us. And a message of
the bill that staff hold at its import: what was held for a reason does not go by another rung.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from portal.domain.ladder import HeldReason
from portal.vault.act import Act

# A payment that waits for its payer (a number for the shop, a page not gone through) is none.
UNDER_WAY: Final = """
select bill_id from attempt
where merchant_id = $1 and bill_id = any($2::uuid[])
      and state in ('submitting', 'processing', 'unknown')
union
select s.bill_id from attempt_share s
where s.merchant_id = $1 and s.bill_id = any($2::uuid[])
      and (select a.state in ('submitting', 'processing', 'unknown')
           from attempt a where a.merchant_id = $1 and a.id = s.attempt_id)
"""
HELD_BY_STAFF: Final = """
select d.bill_id from delivery d
where d.merchant_id = $1 and d.bill_id = any($2::uuid[]) and d.state in ('planned', 'handed')
      and (select i.sending from delivery_chunk k
           join import i on i.merchant_id = $1 and i.id = k.import_id
           where k.merchant_id = $1 and k.id = d.chunk_id) = 'paused'
"""
_WHY: Final[tuple[tuple[str, HeldReason], ...]] = (
    (HELD_BY_STAFF, "paused"),
    (UNDER_WAY, "waits"),
)


async def read_waits(act: Act, bill_ids: Sequence[UUID]) -> dict[UUID, HeldReason]:
    """Which of these bills, whose locks are held, wait now, and why."""
    found: dict[UUID, HeldReason] = {}
    for statement, why in _WHY:
        for row in await act.db.fetch(statement, act.merchant_id, list(bill_ids)):
            found[row["bill_id"]] = why
    return found
