"""Data zone: debits that simply succeeded, booked together: nearly all of them.

Booking one by one takes a dozen statements a line. Here a step takes as many for all of its lines
that the bank debited, whose attempts waited for nothing else, and whose bills owe just that. What
each means is decided by the same rules of portal.domain; whatever is not plain is left to be booked
by itself (portal.vault.debit_lines).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from portal.domain import bill as bills
from portal.domain import debit as rules
from portal.domain import payment as attempts
from portal.domain.bill import BillSums, Settlement
from portal.domain.errors import InvariantBroken
from portal.domain.ids import to_public
from portal.domain.ledger import Transaction, attempt_succeeded, with_entries
from portal.domain.payment import AttemptState, Verdict
from portal.domain.transition import Edge
from portal.vault.act import Act
from portal.vault.attempt import Attempt, Instrument, LockedBill, lock_bills, read_attempts
from portal.vault.db import Row
from portal.vault.finding import facts_of
from portal.vault.ledger import post, sums_of_all
from portal.vault.pause import end_promises

_BILLS: Final = """
select bill_id from debit where merchant_id = $1 and id = any($2::uuid[])
"""
ATTEMPTS: Final = """
update attempt a set state = t.state, version = a.version + 1, finished_at = $2, state_at = $3,
    heard_at = $3, asked = 0, ask_at = null, missing_at = null, decline_code = null
from unnest($4::uuid[], $5::int[], $6::text[]) as t (id, version, state)
where a.merchant_id = $1 and a.id = t.id and a.id = any($4::uuid[]) and a.version = t.version
"""
SETTLED: Final = """
update bill b set settlement = t.settlement, version = b.version + 1,
    paid_at = coalesce(b.paid_at, $2)
from unnest($3::uuid[], $4::text[]) as t (id, settlement)
where b.merchant_id = $1 and b.id = t.id and b.id = any($3::uuid[])
"""
_DEBITS: Final = """
update debit set state = $3, booked_cause = cause where merchant_id = $1 and id = any($2::uuid[])
"""
_EVENTS: Final = """
insert into bill_event (merchant_id, at, actor, id, bill_id, code, params)
select $1, $2, $3, e.id, e.bill_id, e.code, e.params::jsonb
from unnest($4::uuid[], $5::uuid[], $6::text[], $7::text[]) as e (id, bill_id, code, params)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plain:
    """A debit that succeeded and nothing else: what becomes of its attempt and its bill."""

    attempt: Attempt
    ended: Edge[AttemptState]
    settled: Edge[Settlement]
    transaction: Transaction
    taken_minor: int


async def book_plain(act: Act, rows: Sequence[Row]) -> set[UUID]:
    """Book those of these lines that are plain; their ids. Their file is locked.

    Raises: InvariantBroken ``debit_lock`` when something moved that was locked.
    """
    ids = [
        row["id"] for row in rows
        if row["cause"] == "debited" and rules.takes(row["state"], row["cause"])
    ]  # fmt: skip
    if not ids:
        return set()
    edge = rules.advance_debit("in_file", "debited")
    plain = await _judged(act, ids)
    if plain:
        await _write(act, plain)
        done = [one.attempt.id for one in plain]
        await act.db.execute(_DEBITS, act.merchant_id, done, edge.state)
        await _emit(act, plain, edge.code)
    return {one.attempt.id for one in plain}


async def _judged(act: Act, ids: Sequence[UUID]) -> list[_Plain]:
    """The plain ones among these debits; all their bills are locked, in one order."""
    found = await act.db.fetch(_BILLS, act.merchant_id, ids)
    locked = await lock_bills(act, [row["bill_id"] for row in found])
    sums = await sums_of_all(act, list(locked))
    judged = [
        _judge(act, locked[attempt.bill_id], attempt, sums.get(attempt.bill_id, BillSums()))
        for attempt in await read_attempts(act, ids)
    ]
    return [one for one in judged if one is not None]


def _judge(act: Act, bill: LockedBill, attempt: Attempt, sums: BillSums) -> _Plain | None:
    """What a success means here; None where it means more than money that was waited for."""
    amount = attempt.amount_minor
    owed = bills.owed_minor(bill.lifecycle, sums)
    if not attempt.is_live or bill.lifecycle == "canceling" or owed < amount:
        return None
    verdict = attempts.judge(facts_of(attempt), "succeeded", amount, "", act.now)
    transaction = attempt_succeeded(bill.id, attempt.id, amount, owed)
    after = with_entries(sums, transaction)
    settled = bills.settle(bill.settlement, after)
    if verdict.edge is None or settled is None or attempt.instrument != Instrument():
        return None
    if verdict != Verdict(edge=verdict.edge, booked=True):
        return None
    return _Plain(
        attempt=attempt,
        ended=verdict.edge,
        settled=settled,
        transaction=transaction,
        taken_minor=after.taken,
    )


async def _write(act: Act, plain: Sequence[_Plain]) -> None:
    """Attempts, books and bills, each by one statement."""
    tag = await act.db.execute(
        ATTEMPTS,
        act.merchant_id,
        act.business,
        act.now,
        [one.attempt.id for one in plain],
        [one.attempt.version for one in plain],
        [one.ended.state for one in plain],
    )
    booked = await post(act, [one.transaction for one in plain])
    if tag != f"UPDATE {len(plain)}" or booked != len(plain):
        raise InvariantBroken("debit_lock", context=f"{tag}, {booked} of {len(plain)} booked")
    await act.db.execute(
        SETTLED,
        act.merchant_id,
        act.business,
        [one.attempt.bill_id for one in plain],
        [one.settled.state for one in plain],
    )
    await end_promises(act, [one.attempt.bill_id for one in plain])


async def _emit(act: Act, plain: Sequence[_Plain], code: str) -> None:
    """What ``act.emit`` says of each when it is booked by itself, in the same order."""
    told: list[tuple[UUID, UUID, str, str]] = []
    for one in plain:
        attempt, amount = to_public("attempt", one.attempt.id), one.attempt.amount_minor
        happened: tuple[tuple[str, dict[str, str | int]], ...] = (
            (one.ended.code, {
                "attempt": attempt, "method": one.attempt.method, "amount_minor": amount,
            }),
            (one.settled.code, {"amount_minor": one.taken_minor}),
            (code, {"attempt": attempt, "amount_minor": amount}),
        )  # fmt: skip
        told += [
            (act.new_id(), one.attempt.bill_id, event, msgspec.json.encode(params).decode())
            for event, params in happened
        ]
    await act.db.execute(
        _EVENTS,
        act.merchant_id,
        act.business,
        act.actor,
        *[list(column) for column in zip(*told, strict=True)],
    )
