"""Data zone: disputes as findings of inquiries move them, always under their bills' locks.

What a finding means is decided by portal.domain.dispute; here it is booked: state, ledger,
settlement, events, cases and the next question in one transaction. Of a payment for several bills
there is one dispute and one case; what each bill loses of it the ledger keeps, by the dispute.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from portal.contract.payment import DisputeFound
from portal.domain import dispute as rules
from portal.domain.bill import BillSums
from portal.domain.chargeback import Taken, chargeback_returned, chargeback_taken
from portal.domain.dispute import REFUSES_REFUNDS, DisputeFacts, DisputeState, DisputeVerdict
from portal.domain.errors import Conflict
from portal.domain.ids import to_public
from portal.vault.act import Act
from portal.vault.attempt import Attempt, plan_inquiry
from portal.vault.card_charge import stop_contested
from portal.vault.ledger import post_and_settle, sums_of_all

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
_BILLS: Final = """
select b.id, coalesce((select sum(r.amount_minor) from refund r
                       where r.merchant_id = $1 and r.attempt_id = $3 and r.bill_id = b.id
                             and r.way = 'provider' and r.state in ('pending', 'succeeded')), 0
       )::bigint as given_minor,
       coalesce((select sum(r.amount_minor) from refund r
                 where r.merchant_id = $1 and r.attempt_id = $3 and r.bill_id = b.id
                       and r.way = 'provider' and r.state = 'pending'), 0
       )::bigint as under_way_minor,
       coalesce((select -sum(e.amount_minor) from ledger_entry e
                 join ledger_transaction t on t.merchant_id = $1 and t.id = e.transaction_id
                 where e.merchant_id = $1 and e.bill_id = b.id and e.attempt_id = $3
                       and e.account = 'chargeback' and t.cause_id <> $4), 0)::bigint as gone_minor
from bill b where b.merchant_id = $1 and b.id = any($2::uuid[])
order by b.due_on desc, b.id desc
"""
_HELD: Final = """
select e.bill_id, sum(e.amount_minor)::bigint as held_minor from ledger_transaction t
join ledger_entry e on e.merchant_id = $1 and e.transaction_id = t.id
where t.merchant_id = $1 and t.cause_id = $2 and e.account = 'disputed'
group by e.bill_id having sum(e.amount_minor) > 0 order by e.bill_id
"""
_STATES: Final = """
select state, attempt_id from dispute where merchant_id = $1 and bill_id = $2
union
select d.state, d.attempt_id from attempt_share s
join dispute d on d.merchant_id = $1 and d.attempt_id = s.attempt_id
where s.merchant_id = $1 and s.bill_id = $2
"""
_LEFT: Final = """
select least(coalesce(-sum(amount_minor) filter (where account = 'overpayment'), 0),
             coalesce(sum(amount_minor) filter (where attempt_id = $3
                      and account in ('in_transit', 'advanced', 'chargeback', 'refund_clearing',
                                      'goodwill_clearing')), 0))::bigint
from ledger_entry where merchant_id = $1 and bill_id = $2
"""
"""What is owed back of a bill, no more than its company still has of the payment."""

_HAS_OPEN: Final = """
select exists (select from dispute
               where merchant_id = $1 and attempt_id = $2 and state = 'opened')
"""
_OPEN_CASE: Final = """
select id from case_
where merchant_id = $1 and kind = $2 and subject_id = $3 and closed_at is null for update
"""
_ASK: Final = "update attempt set ask_at = $3 where merchant_id = $1 and id = $2"


@dataclass(frozen=True, slots=True)
class _Known:
    """The dispute as we have it; a new id and no state for one that we hear of first."""

    id: UUID
    state: DisputeState | None
    amount_minor: int
    taken_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contested:
    """A booked payment with what was found of its dispute.

    ``rooms``: what each of its bills still has of it, the one due last first. ``under_way_minor``:
    what of refunds of it has not ended. ``held``: what the ledger has as taken by this dispute and
    not decided, by bill.
    """

    attempt: Attempt
    known: _Known
    found: DisputeFound
    rooms: Mapping[UUID, int]
    under_way_minor: int
    held: Mapping[UUID, int]

    @property
    def contested(self) -> dict[UUID, int]:
        """What of the contested sum is whose; of a sum that no payment has, nothing beyond it."""
        most = min(self.found.amount_minor, sum(self.rooms.values()))
        return dict(self.held) or rules.split_taken(most, self.rooms)

    def taken(self, parts: Mapping[UUID, int]) -> list[Taken]:
        """What each bill loses, as the ledger is told."""
        return [
            Taken(
                cause_id=self.known.id,
                bill_id=bill_id,
                attempt_id=self.attempt.id,
                amount_minor=amount,
            )
            for bill_id, amount in parts.items()
        ]


async def is_disputed(act: Act, bill_id: UUID, attempt_id: UUID) -> bool:
    """Whether nothing of this payment may be given back: it is contested, gone, or beside such.

    While any payment of a bill is contested nobody knows what is owed back, so none goes. A payment
    for several bills is contested for each of them.
    """
    rows = await act.db.fetch(_STATES, act.merchant_id, bill_id)
    return any(
        row["state"] == "opened"
        or (row["attempt_id"] == attempt_id and row["state"] in REFUSES_REFUNDS)
        for row in rows
    )


async def refuse_disputed(
    act: Act, bill_id: UUID, attempt_id: UUID, transfer_minor: int = 0
) -> None:
    """Refuse to give back what is_disputed. Raises: Conflict ``payment_disputed``.

    ``transfer_minor``: what the merchant would transfer itself, 0 for a refund by the company. Of
    a lost payment it may, as far as the company left it and it is owed back: nothing else would.
    """
    if not await is_disputed(act, bill_id, attempt_id):
        return
    is_open = any(
        row["state"] == "opened" for row in await act.db.fetch(_STATES, act.merchant_id, bill_id)
    )
    left: int = await act.db.fetchval(_LEFT, act.merchant_id, bill_id, attempt_id)
    if is_open or not 0 < transfer_minor <= left:
        raise Conflict("payment_disputed")


async def book_dispute(act: Act, attempt: Attempt, found: DisputeFound | None) -> None:
    """Do what was found of a booked payment's dispute; what is open is asked about again.

    All bills of ``attempt`` are locked, and it was read, and has succeeded, under these locks.
    """
    ask_in_s = None
    if found is not None:
        of = await _read(act, attempt, found)
        verdict = rules.judge(
            DisputeFacts(
                state=of.known.state,
                booked_minor=of.known.taken_minor,
                room_minor=sum(of.rooms.values()),
                under_way_minor=of.under_way_minor,
            ),
            found.state,
            found.amount_minor,
            found.taken_minor,
        )
        await _carry_out(act, of, verdict)
        ask_in_s = verdict.ask_in_s
    elif await act.db.fetchval(_HAS_OPEN, act.merchant_id, attempt.id):
        ask_in_s = rules.ASK_EVERY_S
    if ask_in_s is not None:
        ask_at = await plan_inquiry(act, attempt, ask_in_s)
        await act.db.execute(_ASK, act.merchant_id, attempt.id, ask_at)


async def _read(act: Act, attempt: Attempt, found: DisputeFound) -> _Contested:
    row = await act.db.fetchrow(_READ, act.merchant_id, attempt.id, found.reference)
    known = _Known(act.new_id(), None, found.amount_minor, 0) if row is None else _Known(**row)
    parts = attempt.parts
    rows = await act.db.fetch(_BILLS, act.merchant_id, list(parts), attempt.id, known.id)
    return _Contested(
        attempt=attempt,
        known=known,
        found=found,
        rooms={
            row["id"]: max(parts[row["id"]] - row["given_minor"] - row["gone_minor"], 0)
            for row in rows
        },
        under_way_minor=sum(row["under_way_minor"] for row in rows),
        held=await _held(act, known.id),
    )


async def _held(act: Act, dispute_id: UUID) -> dict[UUID, int]:
    """What of a dispute is taken from whose bill, and not decided. Units: minor units."""
    rows = await act.db.fetch(_HELD, act.merchant_id, dispute_id)
    return {row["bill_id"]: row["held_minor"] for row in rows}


async def _carry_out(act: Act, of: _Contested, verdict: DisputeVerdict) -> None:
    if verdict.edge is not None:
        await _tell(act, of, verdict.edge.code)
        if verdict.edge.state in REFUSES_REFUNDS:
            await stop_contested(act, of.attempt)
    if verdict.edge is not None or verdict.booking is not None:
        await _book(act, of, verdict)
    if verdict.ends is not None:
        await _end_case(act, of.attempt, verdict)
    if verdict.case is not None:
        await act.open_case(verdict.case, of.attempt.id, **_said(of.attempt, of.found))


async def _tell(act: Act, of: _Contested, code: str) -> None:
    """Put it on the timeline of every bill of the payment, with what of it is contested there."""
    shown = to_public("attempt", of.attempt.id)
    if not of.attempt.shares:
        await act.emit(of.attempt.bill_id, code, attempt=shown, amount_minor=of.found.amount_minor)
        return
    parts = of.contested
    for bill_id in of.attempt.parts:
        await act.emit(
            bill_id,
            code,
            attempt=shown,
            amount_minor=parts.get(bill_id, 0),
            bills=len(of.attempt.shares),
            of_minor=of.attempt.amount_minor,
        )


async def _book(act: Act, of: _Contested, verdict: DisputeVerdict) -> None:
    """The row as it is from now on, and what the ledger is told of each bill."""
    held = dict(of.held)
    sums = await _sums_of(act, of.attempt)
    transactions = ()
    if verdict.booking == "chargeback_returned":
        transactions = (chargeback_returned(*of.taken(held)),)
        held = {}
    elif verdict.booking == "chargeback_taken":
        held = rules.split_taken(verdict.booked_minor, of.rooms)
        transactions = (chargeback_taken(*of.taken(held)),)
    found = of.found
    # What becomes of a loss is decided bill by bill, and the ledger alone knows what is left of it.
    taken_minor = sum(held.values()) if found.state == "opened" else 0
    await act.db.execute(
        _KEEP, act.merchant_id, of.known.id, of.attempt.bill_id, of.attempt.id, found.reference,
        found.state, of.known.amount_minor, taken_minor, found.reason, found.respond_by,
        act.business, None if found.state == "opened" else act.business,
    )  # fmt: skip
    await post_and_settle(act, sums, transactions)


async def _sums_of(act: Act, attempt: Attempt) -> dict[UUID, BillSums]:
    found = await sums_of_all(act, list(attempt.parts))
    return {bill_id: found.get(bill_id, BillSums()) for bill_id in attempt.parts}


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
    if attempt.shares:
        params["bills"] = len(attempt.shares)
    return params
