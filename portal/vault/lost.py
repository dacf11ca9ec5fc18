"""Data zone: what becomes of money that a company took back for good: who is asked for it again.

It stands in the ledger's ``disputed`` until somebody decides, payment by payment and bill by bill.
What is owed back anyway goes off it by itself (portal.vault.ledger.take_off_lost).
"""

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from portal.domain import dispute as rules
from portal.domain.bill import Lifecycle, advance
from portal.domain.chargeback import Taken, chargeback_borne, chargeback_owed_again
from portal.domain.errors import Conflict
from portal.domain.ids import to_public
from portal.vault.act import Act
from portal.vault.attempt import lock_whole
from portal.vault.due import share_day
from portal.vault.ledger import lost_of, post_and_settle, sums_of
from portal.vault.pause import NewPause, end_pauses, insert_pause

_PAID: Final = """
select attempt_id, -sum(amount_minor)::bigint as paid_minor from ledger_entry
where merchant_id = $1 and bill_id = $2 and account = 'receivable' and attempt_id is not null
group by attempt_id having sum(amount_minor) < 0 order by attempt_id
"""
_WITHOUT_CASE: Final = """
select d.attempt_id, a.reference, d.reference as dispute, d.amount_minor
from dispute d join attempt a on a.merchant_id = $1 and a.id = d.attempt_id
where d.merchant_id = $1 and d.attempt_id = any($2::uuid[]) and d.state = 'lost'
      and not exists (select from case_ c where c.merchant_id = $1 and c.kind = $3
                      and c.subject_id = d.attempt_id and c.closed_at is null)
order by d.id
"""
_UNDECIDED: Final = """
select subject_id from case_
where merchant_id = $1 and kind = 'chargeback_lost' and subject_id = any($2::uuid[])
      and closed_at is null and id <> $3
"""
_REOPENED: Final = """
select b.id, b.lifecycle, b.due_on, m.zone
from bill b join merchant m on m.id = b.merchant_id
where b.merchant_id = $1 and b.id = any($2::uuid[]) order by b.id
"""
_OPEN_AGAIN: Final = """
update bill set lifecycle = $3, due_on = $4, paid_at = null, version = version + 1
where merchant_id = $1 and id = $2
"""


async def open_lost_cases(act: Act, bill_id: UUID) -> None:
    """What a locked bill has lost is a person's to decide about now.

    While money was on its way back there was nothing to decide, and the case may be put away since.
    """
    lost = await lost_of(act, bill_id)
    for row in await act.db.fetch(_WITHOUT_CASE, act.merchant_id, list(lost), "chargeback_lost"):
        await act.open_case(
            "chargeback_lost",
            row["attempt_id"],
            reference=row["reference"],
            amount_minor=row["amount_minor"],
            taken_minor=lost[row["attempt_id"]],
            dispute=row["dispute"],
        )


async def ask_to_pay(act: Act, case_id: UUID, attempt_id: UUID) -> int:
    """Let the payer owe again what lost disputes took, with days enough to pay it; plans nothing.

    A payment may be lost in several parts, which have one case: all of them are asked for. Every
    bill that lost something and is ``reversed`` by it is open again and can be paid, by its
    part of what was taken: what the company left of a payment, or gave back before, stays paid.
    Telling the payer is the bill's resend. All of them, or none.

    Of no bill more is asked for than payments pay of it. What was lost beyond that had been an
    excess, which the merchant transferred back and then lost once more: it bears that itself. So it
    does with what was let be of another payment of the bill, which could not be paid else.

    Raises: Conflict ``case_moved_on`` when nothing of it is left to be asked for, ``bill_state``
    when one of them was canceled or replaced since; NotFound ``not_found``.
    """
    begun = await share_day(act)
    bills, attempt = await lock_whole(act, attempt_id)
    sums = {
        bill_id: await sums_of(act, bill_id)
        for bill_id, bill in bills.items()
        if bill.settlement == "reversed"
    }
    asked: list[Taken] = []
    borne: list[Taken] = []
    for bill_id, found in sums.items():
        lost = (await lost_of(act, bill_id)).get(attempt.id, 0)
        paid = await _paid_by(act, bill_id)
        again = rules.split_asked(min(lost, found.paid), attempt.id, paid)
        asked += [
            Taken(
                cause_id=case_id, bill_id=bill_id, attempt_id=attempt.id, amount_minor=part,
                paid_by=paying,
            )
            for paying, part in again.items()
        ]  # fmt: skip
        if rest := lost - sum(again.values()):
            borne.append(
                Taken(cause_id=case_id, bill_id=bill_id, attempt_id=attempt.id, amount_minor=rest)
            )
    if not asked and not borne:
        raise Conflict("case_moved_on")
    of = {taken.bill_id for taken in (*asked, *borne)}
    for bill_id in of:
        borne += await _let_be_of(act, case_id, bill_id, but=attempt.id)
    await _open_all(act, of, begun or date.min)
    await _tell_borne(act, borne)
    bookings = ((chargeback_owed_again, asked), (chargeback_borne, borne))
    await post_and_settle(act, sums, [book(*parts) for book, parts in bookings if parts])
    return 0


async def let_be(act: Act, case_id: UUID, attempt_id: UUID) -> int:
    """Ask nobody for what was lost of a payment; plans nothing.

    A bill of which another loss was asked for can be paid by that from now on: the merchant bears
    this one. Else the bill stays as it is, and the loss stands in the ledger as it was taken.

    Raises: NotFound ``not_found``.
    """
    begun = await share_day(act)
    bills, _ = await lock_whole(act, attempt_id)
    all_sums = {bill_id: await sums_of(act, bill_id) for bill_id in bills}
    sums = {
        bill_id: found
        for bill_id, found in all_sums.items()
        if bills[bill_id].settlement == "reversed" and found.receivable
    }
    borne = [
        taken for bill_id in sums for taken in await _let_be_of(act, case_id, bill_id, but=None)
    ]
    if borne:
        await _open_all(act, {taken.bill_id for taken in borne}, begun or date.min)
        await _tell_borne(act, borne)
        await post_and_settle(act, sums, [chargeback_borne(*borne)])
    return 0


async def _let_be_of(act: Act, case_id: UUID, bill_id: UUID, *, but: UUID | None) -> list[Taken]:
    """What a bill lost of payments, ``but`` one, that no other case than ``case_id`` asks about."""
    lost = await lost_of(act, bill_id)
    rows = await act.db.fetch(_UNDECIDED, act.merchant_id, list(lost), case_id)
    undecided = {row["subject_id"] for row in rows} | {but}
    return [
        Taken(cause_id=case_id, bill_id=bill_id, attempt_id=attempt_id, amount_minor=amount)
        for attempt_id, amount in lost.items()
        if attempt_id not in undecided
    ]


async def _tell_borne(act: Act, borne: list[Taken]) -> None:
    for taken in borne:
        shown = to_public("attempt", taken.attempt_id)
        await act.emit(
            taken.bill_id, "bill.loss_borne", attempt=shown, amount_minor=taken.amount_minor
        )


async def _paid_by(act: Act, bill_id: UUID) -> dict[UUID, int]:
    """What each payment pays of a bill, the oldest first. Units: minor units."""
    rows = await act.db.fetch(_PAID, act.merchant_id, bill_id)
    return {row["attempt_id"]: row["paid_minor"] for row in rows}


async def _open_all(act: Act, bill_ids: set[UUID], begun: date) -> None:
    for row in await act.db.fetch(_REOPENED, act.merchant_id, list(bill_ids)):
        today = max(act.clock.business_today(row["zone"]), begun)
        await _open_again(act, row["id"], row["lifecycle"], row["due_on"], today)


async def _open_again(
    act: Act, bill_id: UUID, lifecycle: Lifecycle, due_on: date, today: date
) -> None:
    """Make the bill payable, and due no sooner than in PAY_AGAIN_DAYS.

    Raises: Conflict ``bill_state`` for one that was canceled or replaced since.
    """
    edge = advance(lifecycle, "extend")
    until = max(due_on, today + timedelta(days=rules.PAY_AGAIN_DAYS))
    await end_pauses(act, bill_id, ["extension", "promise"], "replaced")
    if until != due_on:
        await insert_pause(
            act,
            NewPause(bill_id=bill_id, kind="extension", until=until, was_due_on=due_on, note=""),
        )
    await act.db.execute(_OPEN_AGAIN, act.merchant_id, bill_id, edge.state, until)
