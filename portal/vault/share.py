"""Data zone: what is left of bills, and which bills may be paid together.

A payer holds the link of one bill. The others that may be paid with it are of the same contract
and the same customer: who moves into a flat does not see what the one before owes there. They are
named by the public names of their pages, which grant nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from portal.domain.share import BILLS_MAX
from portal.vault.act import Act
from portal.vault.payer import page_ref_of

_SIBLINGS: Final = """
select b.id, b.period, b.due_on, b.amount_minor - coalesce(p.paid_minor, 0) as left_minor
from bill b left join part_paid p on p.merchant_id = $1 and p.bill_id = b.id
where b.merchant_id = $1 and b.id <> $2
      and b.customer_blind = (select customer_blind from bill where merchant_id = $1 and id = $2)
      and b.contract_blind = (select contract_blind from bill where merchant_id = $1 and id = $2)
      and b.lifecycle in ('open', 'overdue') and b.settlement = 'unpaid'
order by b.due_on, b.id limit $3
"""
LEFT: Final = """
select b.id, b.amount_minor - coalesce(p.paid_minor, 0) as left_minor from bill b
left join part_paid p on p.merchant_id = $1 and p.bill_id = b.id and p.bill_id = any($2::uuid[])
where b.merchant_id = $1 and b.id = any($2::uuid[])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """Another bill of the contract that waits to be paid; ``left_minor`` is what is left of it."""

    id: UUID
    ref: str
    period: str
    due_on: date
    left_minor: int


async def siblings_of(act: Act, bill_id: UUID) -> list[Sibling]:
    """The other bills of a bill's contract that wait to be paid, the one due first first.

    Nothing is locked: whoever acts on them looks again under their locks.
    """
    rows = await act.db.fetch(_SIBLINGS, act.merchant_id, bill_id, BILLS_MAX - 1)
    if not rows:
        return []
    fields = await act.fields()
    return [Sibling(ref=page_ref_of(fields, row["id"]), **row) for row in rows]


async def named_of(act: Act, bill_id: UUID, refs: Collection[str]) -> list[UUID]:
    """The ids of those of a bill's siblings whose pages have these names; others have none."""
    if not refs:
        return []
    return [one.id for one in await siblings_of(act, bill_id) if one.ref in set(refs)]


async def left_of(act: Act, bill_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What is left to pay of bills that nothing has settled. Units: minor units."""
    rows = await act.db.fetch(LEFT, act.merchant_id, list(bill_ids))
    return {row["id"]: row["left_minor"] for row in rows}
