"""Data zone: disputes as findings of inquiries move them, always under their bill's lock.

What a finding means is decided by portal.domain.dispute; here it is booked: state, ledger,
settlement, events, cases and the next question in one transaction.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from portal.contract.payment import DisputeFound
from portal.domain import dispute as rules
from portal.domain.bill import Lifecycle, advance, settlement_of
from portal.domain.dispute import REFUSES_REFUNDS, DisputeFacts, DisputeState, DisputeVerdict
from portal.domain.errors import Conflict, NotFound
from portal.domain.ids import to_public
from portal.domain.ledger import (
    Taken,
    Transaction,
    chargeback_owed_again,
    chargeback_returned,
    chargeback_returns_over,
    chargeback_taken,
    with_entries,
)
from portal.vault.act import Act
from portal.vault.attempt import Attempt, LockedBill, lock_attempt, plan_inquiry
from portal.vault.due import share_day
from portal.vault.ledger import post, settle, sums_of
from portal.vault.pause import NewPause, end_pauses, insert_pause

_READ: Final = """
select id, state, amount_minor, taken_minor from dispute
where merchant_id = $1 and attempt_id = $2 and reference = $3
"""
_KEEP: Final = """
insert into dispute (merchant_id, id, bill_id, attempt_id, reference, state, amount_minor,
                     taken_minor, reason, respond_by, opened_at, closed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (merchant_id, attempt_id, reference) do update
set state = excluded.state, taken_minor = excluded.taken_minor, reason = excluded.reason,
    respond_by = excluded.respond_by, closed_at = excluded.closed_at
"""
_GIVEN: Final = """
select coalesce(sum(amount_minor), 0)::bigint from refund
where merchant_id = $1 and attempt_id = $2 and way = 'provider'
      and state in ('pending', 'succeeded')
"""
_STATES: Final = "select state, attempt_id from dispute where merchant_id = $1 and bill_id = $2"
_HAS_OPEN: Final = """
select exists (select from dispute
               where merchant_id = $1 and attempt_id = $2 and state = 'opened')
"""
_LOST: Final = """
select id, taken_minor from dispute
where merchant_id = $1 and attempt_id = $2 and state = 'lost' and taken_minor > 0
order by id desc limit 1
"""
_CLEARED: Final = "update dispute set taken_minor = 0 where merchant_id = $1 and id = $2"
_OPEN_CASE: Final = """
select id from case_
where merchant_id = $1 and kind = $2 and subject_id = $3 and closed_at is null for update
"""
_ASK: Final = "update attempt set ask_at = $3 where merchant_id = $1 and id = $2"
_BILL: Final = """
select b.lifecycle, b.due_on, b.amount_minor, m.zone
from bill b join merchant m on m.id = b.merchant_id
where b.merchant_id = $1 and b.id = $2
"""
_OPEN_AGAIN: Final = """
update bill set lifecycle = $3, due_on = $4, paid_at = null, version = version + 1
where merchant_id = $1 and id = $2
"""


@dataclass(frozen=True, slots=True)
class _Known:
    """The dispute as we have it; a new id and no state for one that we hear of first."""

    id: UUID
    state: DisputeState | None
    amount_minor: int
    taken_minor: int


async def is_disputed(act: Act, bill_id: UUID, attempt_id: UUID) -> bool:
    """Whether nothing of this payment may be given back: it is contested, gone, or beside such.

    While any payment of a bill is contested nobody knows what is owed back, so none goes.
    """
    rows = await act.db.fetch(_STATES, act.merchant_id, bill_id)
    return any(
        row["state"] == "opened"
        or (row["attempt_id"] == attempt_id and row["state"] in REFUSES_REFUNDS)
        for row in rows
    )


async def refuse_disputed(act: Act, bill_id: UUID, attempt_id: UUID) -> None:
    """Refuse to give back what is_disputed. Raises: Conflict ``payment_disputed``."""
    if await is_disputed(act, bill_id, attempt_id):
        raise Conflict("payment_disputed")


async def book_dispute(
    act: Act, bill: LockedBill, attempt: Attempt, found: DisputeFound | None
) -> None:
    """Do what was found of a booked payment's dispute; what is open is asked about again.

    ``bill`` is locked and ``attempt`` was read, and has succeeded, under that lock.
    """
    ask_in_s = None
    if found is not None:
        known = await _read(act, attempt, found)
        verdict = rules.judge(
            DisputeFacts(
                state=known.state,
                booked_minor=known.taken_minor,
                room_minor=attempt.amount_minor - await _given(act, attempt),
            ),
            found.state,
            found.amount_minor,
            found.taken_minor,
        )
        await _carry_out(act, bill, attempt, known, found, verdict)
        ask_in_s = verdict.ask_in_s
    elif await act.db.fetchval(_HAS_OPEN, act.merchant_id, attempt.id):
        ask_in_s = rules.ASK_EVERY_S
    if ask_in_s is not None:
        ask_at = await plan_inquiry(act, attempt, ask_in_s)
        await act.db.execute(_ASK, act.merchant_id, attempt.id, ask_at)


async def _read(act: Act, attempt: Attempt, found: DisputeFound) -> _Known:
    row = await act.db.fetchrow(_READ, act.merchant_id, attempt.id, found.reference)
    if row is None:
        return _Known(act.new_id(), None, found.amount_minor, 0)
    return _Known(**row)


async def _given(act: Act, attempt: Attempt) -> int:
    given: int = await act.db.fetchval(_GIVEN, act.merchant_id, attempt.id)
    return given


async def _carry_out(  # the parts of one finding
    act: Act,
    bill: LockedBill,
    attempt: Attempt,
    known: _Known,
    found: DisputeFound,
    verdict: DisputeVerdict,
) -> None:
    if verdict.edge is not None:
        await act.emit(
            bill.id,
            verdict.edge.code,
            attempt=to_public("attempt", attempt.id),
            amount_minor=found.amount_minor,
        )
    if verdict.edge is not None or verdict.booking is not None:
        await _book(act, bill, attempt, known, found, verdict)
    if verdict.ends is not None:
        await _end_case(act, attempt, verdict)
    if verdict.case is not None:
        await act.open_case(verdict.case, attempt.id, **_said(attempt, found))


async def _book(  # the parts of one finding
    act: Act,
    bill: LockedBill,
    attempt: Attempt,
    known: _Known,
    found: DisputeFound,
    verdict: DisputeVerdict,
) -> None:
    """The row as it is from now on, and what the ledger is told."""
    booked = known.taken_minor
    transactions: list[Transaction] = []
    sums = await sums_of(act, bill.id)
    if verdict.booking is not None:
        taken = _taken(known.id, bill, attempt, verdict.booked_minor)
        returned = verdict.booking == "chargeback_returned"
        transactions.append((chargeback_returned if returned else chargeback_taken)(taken))
        booked = 0 if returned else verdict.booked_minor
    if found.state == "lost":
        # What was owed back to the payer anyway has gone back this way; nobody owes that again.
        over = min(booked, -sums.overpayment)
        if over:
            transactions.append(chargeback_returns_over(_taken(known.id, bill, attempt, over)))
            booked -= over
    await act.db.execute(
        _KEEP, act.merchant_id, known.id, bill.id, attempt.id, found.reference, found.state,
        known.amount_minor, booked, found.reason, found.respond_by, act.business,
        None if found.state == "opened" else act.business,
    )  # fmt: skip
    await _post(act, bill.id, transactions)


async def _post(act: Act, bill_id: UUID, transactions: list[Transaction]) -> None:
    """Book, and bring the settlement to what the ledger then says."""
    if not transactions:
        return
    sums = await sums_of(act, bill_id)
    # The same act may have settled the bill just now: the ledger says to what.
    before = settlement_of(sums)
    await post(act, transactions)
    for transaction in transactions:
        sums = with_entries(sums, transaction)
    await settle(act, bill_id, before, sums)


async def _end_case(act: Act, attempt: Attempt, verdict: DisputeVerdict) -> None:
    case_id: UUID | None = await act.db.fetchval(
        _OPEN_CASE, act.merchant_id, "charged_back", attempt.id
    )
    if case_id is not None and verdict.ends is not None:
        await act.close_case(case_id, verdict.ends)


def _said(attempt: Attempt, found: DisputeFound) -> dict[str, str | int]:
    params: dict[str, str | int] = {
        "reference": attempt.reference, "amount_minor": found.amount_minor,
        "taken_minor": found.taken_minor, "dispute": found.reference,
    }  # fmt: skip
    if found.respond_by is not None:
        params["respond_by"] = found.respond_by.isoformat()
    if found.reason:
        params["reason"] = found.reason
    return params


def _taken(dispute_id: UUID, bill: LockedBill, attempt: Attempt, amount_minor: int) -> Taken:
    return Taken(
        dispute_id=dispute_id, bill_id=bill.id, attempt_id=attempt.id, amount_minor=amount_minor
    )


async def ask_to_pay(act: Act, attempt_id: UUID) -> int:
    """Let the payer owe again what a lost dispute took, with days enough to pay it; plans nothing.

    The bill is open again and can be paid; telling the payer is the bill's resend.

    Raises: Conflict ``case_moved_on`` when nothing of it is left to be asked for,
    ``chargeback_partial`` when it is another sum than the bill's; NotFound ``not_found``.
    """
    begun = await share_day(act)
    bill, attempt = await lock_attempt(act, attempt_id)
    lost = await act.db.fetchrow(_LOST, act.merchant_id, attempt.id)
    facts = await act.db.fetchrow(_BILL, act.merchant_id, bill.id)
    if facts is None:
        raise NotFound("not_found", params={"kind": "bill"})
    if lost is None or bill.settlement != "reversed":
        raise Conflict("case_moved_on")
    if lost["taken_minor"] != bill.amount_minor:
        raise Conflict("chargeback_partial", params={"amount_minor": lost["taken_minor"]})
    today = max(act.clock.business_today(facts["zone"]), begun or date.min)
    await _open_again(act, bill.id, facts["lifecycle"], facts["due_on"], today)
    await act.db.execute(_CLEARED, act.merchant_id, lost["id"])
    owed = chargeback_owed_again(_taken(lost["id"], bill, attempt, lost["taken_minor"]))
    await _post(act, bill.id, [owed])
    return 0


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
