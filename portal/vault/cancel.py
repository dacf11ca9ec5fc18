"""Data zone: the end of a cancel or replacement, once nothing can pay the bill any more.

What payments had paid of the bill is owed back from then on, like money that comes afterwards.
"""

from typing import TYPE_CHECKING, Final
from uuid import UUID

from portal.domain import bill as bill_rules
from portal.domain.bill import BillSums
from portal.domain.ids import to_public
from portal.domain.ledger import PartPaid, bill_canceled, part_owed_back, with_entries
from portal.vault.act import Act
from portal.vault.attempt import find_live
from portal.vault.ledger import forget_part, owes_back, post, settle, sums_of
from portal.vault.replacement import free_successor

if TYPE_CHECKING:
    from portal.domain.bill import Lifecycle

_CANCEL: Final = """
update bill set lifecycle = $3, canceled_at = $4, version = version + 1
where merchant_id = $1 and id = $2
"""
_PARTS: Final = """
select e.attempt_id,
       (-sum(e.amount_minor) filter (where e.account = 'receivable'))::bigint as paid_minor,
       (coalesce(sum(e.amount_minor) filter (where e.account = 'billed'), 0)
        + coalesce(sum(e.amount_minor) filter (where e.account = 'goodwill_clearing'), 0)
       )::bigint as given_minor,
       coalesce(-sum(e.amount_minor) filter (where e.account = 'goodwill_clearing'), 0)::bigint
           as leaving_minor
from ledger_entry e
where e.merchant_id = $1 and e.bill_id = $2 and e.attempt_id is not null
group by e.attempt_id having sum(e.amount_minor) filter (where e.account = 'receivable') < 0
order by e.attempt_id
"""
_LEAVING: Final = """
update refund set owed_minor = amount_minor
where merchant_id = $1 and bill_id = $2 and attempt_id = any($3::uuid[])
      and owed_minor < amount_minor
      and state in ('reserved', 'submitting', 'pending', 'unknown', 'by_bank_transfer',
                    'in_transfer')
"""
"""The version stays: words are sealed under it, and every writer holds the bill's lock."""

_PAID_AT: Final = """
select min(t.at) from ledger_entry e
join ledger_transaction t on t.merchant_id = $1 and t.id = e.transaction_id
where e.merchant_id = $1 and e.bill_id = $2 and t.cause = 'attempt_succeeded'
"""


async def finish_cancel(act: Act, bill_id: UUID) -> bool:
    """Cancel a locked bill for good if it is ``canceling`` and nothing can pay it any more.

    What is still owed is forgiven in the ledger, what was paid is owed back and becomes a case.
    One that was to be replaced is so now, and its successor is issued by a task.
    Returns whether the bill is withdrawn now. Called by whoever asks for the cancel and whenever an
    attempt ends.
    """
    lifecycle: Lifecycle = await act.db.fetchval(
        "select lifecycle from bill where merchant_id = $1 and id = $2", act.merchant_id, bill_id
    )
    if lifecycle != "canceling" or await find_live(act, bill_id) is not None:
        return lifecycle == "canceled"
    is_replaced = await free_successor(act, bill_id)
    edge = bill_rules.advance(lifecycle, "supersede" if is_replaced else "finish_cancel")
    sums = await sums_of(act, bill_id)
    owed = sums.receivable + sums.paid
    if owed:
        await post(act, [bill_canceled(bill_id, owed)])
    await act.db.execute(_CANCEL, act.merchant_id, bill_id, edge.state, act.business)
    await act.emit(bill_id, edge.code)
    if sums.paid:
        await _owe_back(act, bill_id, sums)
    return True


async def _owe_back(act: Act, bill_id: UUID, sums: BillSums) -> None:
    """What was paid of a canceled bill goes back: booked, and work for a person."""
    rows = await act.db.fetch(_PARTS, act.merchant_id, bill_id)
    parts = [PartPaid(**row) for row in rows]
    transaction = part_owed_back(bill_id, parts)
    await post(act, [transaction])
    owed = [part.attempt_id for part in parts if not part.is_used_up]
    await act.db.execute(_LEAVING, act.merchant_id, bill_id, owed)
    await forget_part(act, bill_id)
    canceled = with_entries(sums, bill_canceled(bill_id, sums.receivable + sums.paid))
    after = with_entries(canceled, transaction)
    # The attempt whose end let the cancel end may have settled the bill just now.
    before = bill_rules.settlement_of(sums)
    paid_at = await act.db.fetchval(_PAID_AT, act.merchant_id, bill_id)
    await settle(act, bill_id, before, after, paid_at)
    if await owes_back(act, bill_id, after):
        shown = to_public("attempt", rows[-1]["attempt_id"])
        await act.open_case("overpaid", bill_id, attempt=shown, amount_minor=-after.overpayment)
