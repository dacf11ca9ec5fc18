"""Data zone: tills' words that no agency ever confirmed, let go when a business day begins.

What is only announced keeps a bill from being paid. That must end by itself: a confirmation that
was lost, or a word that was never true, would otherwise hold the bill for ever. Let go is not taken
back: the confirmation is booked whenever it comes, and a person hears of it now.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from portal.domain.ledger import slip_announcement_ended, with_entries
from portal.vault.act import Act
from portal.vault.attempt import LockedBill, lock_bills
from portal.vault.db import Row
from portal.vault.due import owed_again
from portal.vault.ledger import post, settle, sums_of
from portal.vault.slip import read_slips, step
from portal.vault.slip_due import planned_day, unconfirmed

_STILL: Final = """
select id, slip_id, bill_id, taking, amount_minor from slip_taking
where merchant_id = $1 and id = any($2::uuid[]) and state = 'pending' order by at, id
"""
_END: Final = "update slip_taking set state = 'void' where merchant_id = $1 and id = $2"
_PENDING: Final = """
select count(*) from slip_taking where merchant_id = $1 and slip_id = $2 and state = 'pending'
"""


async def release(act: Act, at_most: int) -> tuple[int, bool]:
    """Let up to ``at_most`` announcements go that the planned day finds too old.

    Returns how many there were and whether none is left.
    """
    day = await planned_day(act)
    if day is None:
        return 0, True
    if at_most <= 0:
        return 0, False
    rows = await unconfirmed(act.db, act.merchant_id, day, at_most)
    bills = await lock_bills(act, {row["bill_id"] for row in rows})
    still = await act.db.fetch(_STILL, act.merchant_id, [row["id"] for row in rows])
    for row in still:
        bills[row["bill_id"]] = await _let_go(act, bills, row)
    return len(still), len(rows) < at_most


async def _let_go(act: Act, bills: Mapping[UUID, LockedBill], row: Row) -> LockedBill:
    """End one announcement; the bill as it is afterwards."""
    bill = bills[row["bill_id"]]
    sums = await sums_of(act, bill.id)
    ended = slip_announcement_ended(bill.id, row["id"], row["amount_minor"])
    if await post(act, [ended]):
        sums = with_entries(sums, ended)
    await act.db.execute(_END, act.merchant_id, row["id"])
    await _tell_slip(act, row["slip_id"])
    await act.open_case(
        "slip_unconfirmed", row["slip_id"], amount_minor=row["amount_minor"], taking=row["taking"]
    )
    settlement = await settle(act, bill.id, bill.settlement, sums)
    if settlement == "unpaid" and bill.settlement == "provisional":
        await owed_again(act, bill.id, bill.lifecycle)
    return replace(bill, settlement=settlement)


async def _tell_slip(act: Act, slip_id: UUID) -> None:
    """The slip can be paid again, unless another till's word about it still stands."""
    slip = (await read_slips(act, [slip_id]))[slip_id]
    others = await act.db.fetchval(_PENDING, act.merchant_id, slip_id)
    if slip.state == "provisional" and not others:
        await step(act, slip, "release" if slip.is_current else "release_replaced")
