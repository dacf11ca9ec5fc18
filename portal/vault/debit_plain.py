"""Data zone: lines of a debit file moved by kind: what a step does to thousands of them at once.

Booking one by one takes a dozen statements a line. Here a step takes a dozen for all its lines of
one kind, and hardly anything of a line comes to this process: the database groups the lines by what
the rules look at, portal.domain.debit_plain is asked once a group, and its answer goes back as a
few words for all of them. Lines whose kind is not plain are given back, to be moved one by one
(portal.vault.debit_lines).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from portal.domain.debit import TELLS_ITSELF, DebitState
from portal.domain.debit_plain import Kind, Plain, judge_kind
from portal.domain.errors import InvariantBroken
from portal.domain.ledger import CauseKind
from portal.domain.payment import DeclineCode
from portal.domain.zengin.result import Cause
from portal.vault import ladder
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.debit import METHOD
from portal.vault.pause import end_promises
from portal.vault.timeline import Told, tell_all

_MONEY: Final[CauseKind] = "attempt_succeeded"

LOCK: Final = """
select count(*) from (
    select 1 from bill where merchant_id = $1 and id = any($2::uuid[]) order by id for update) l
"""
# After the locks: nobody can move these lines, their attempts or their bills' books any more. Each
# of the four tables is walked along by its keys once (OFFSET 0 keeps the planner from other ways),
# and what they say is joined in memory: looking it up for each line takes three times as long. A
# plan that is kept knows no number of lines and would compare each with each, so see _ask.
KINDS: Final = """
select case when $3 then null else d.cause end as cause, d.state, a.state as attempt,
       b.lifecycle, b.settlement, coalesce(s.owes_all and s.owed = d.amount_minor, false)
           and a.amount_minor = d.amount_minor and a.instrument is null as owes_all,
       array_agg(d.line_no) as places, array_agg(d.id) as ids, array_agg(d.bill_id) as bill_ids,
       array_agg(d.amount_minor) as amounts
from (
    select id, bill_id, line_no, state, cause, amount_minor from debit
    where merchant_id = $1 and id = any($2::uuid[])
          and case when $3 then state = 'in_file' else cause is distinct from booked_cause end
    offset 0
) d
join (
    select id, state, amount_minor, instrument from attempt
    where merchant_id = $1 and id = any($2::uuid[]) offset 0
) a on a.id = d.id
join (
    select id, lifecycle, settlement from bill
    where merchant_id = $1 and id = any($4::uuid[]) offset 0
) b on b.id = d.bill_id
left join (
    select bill_id, sum(amount_minor) filter (where account = 'receivable') as owed,
           bool_and(account in ('receivable', 'billed') and attempt_id is null) as owes_all
    from ledger_entry where merchant_id = $1 and bill_id = any($4::uuid[])
    group by bill_id offset 0
) s on s.bill_id = d.bill_id
group by 1, 2, 3, 4, 5, 6
"""
PLANNING: Final = "select set_config('enable_nestloop', $1, true)"
# The state is compared as a text of no column: as a column it would let a planner who knows its
# value read the index of all live attempts, however many the merchant has, for these few.
ATTEMPTS: Final = """
update attempt set state = $3, version = version + 1, finished_at = $4, state_at = $5,
    heard_at = $5, asked = 0, ask_at = null, missing_at = null, decline_code = $6
where merchant_id = $1 and id = any($2::uuid[]) and state || '' = $7
"""
SETTLED: Final = """
update bill set settlement = $3, version = version + 1, paid_at = coalesce(paid_at, $4)
where merchant_id = $1 and id = any($2::uuid[])
"""
BOOKED: Final = """
update debit set state = $3, booked_cause = cause where merchant_id = $1 and id = any($2::uuid[])
"""
FREED: Final = "update debit set state = $3 where merchant_id = $1 and id = any($2::uuid[])"
# The id of each transaction is put together here, so that its entries need not travel. A cause that
# is booked already breaks the statement: the lock is held.
_POST: Final = """
with fresh as materialized (
    select ($3 || to_hex(t.tail))::uuid as id, t.*
    from unnest($4::uuid[], $5::uuid[], $6::bigint[], $10::bigint[])
         as t (cause_id, bill_id, amount_minor, tail)
), booked as (
    insert into ledger_transaction (merchant_id, id, cause, cause_id, at, debit_minor, entries)
    select $1, f.id, $7, f.cause_id, $2, f.amount_minor, cardinality($8::text[]) from fresh f
)
insert into ledger_entry
    (merchant_id, transaction_id, line, account, amount_minor, bill_id, attempt_id)
select $1, f.id, e.line - 1, e.account, e.sign * f.amount_minor, f.bill_id, f.cause_id
from fresh f cross join unnest($8::text[], $9::int[]) with ordinality as e (account, sign, line)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line that is not plain."""

    line_no: int
    id: UUID
    state: DebitState
    cause: Cause | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Lines of one kind: their debits (and attempts), bills and amounts, in one order."""

    kind: Kind
    ids: list[UUID]
    bill_ids: list[UUID]
    amounts: list[int]


async def lock_bills_of(act: Act, bill_ids: Sequence[UUID]) -> None:
    """Lock the bills of a step's lines, in the order of their ids, before any of them is moved."""
    await act.db.execute(LOCK, act.merchant_id, bill_ids)


async def _ask(
    act: Act, ids: Sequence[UUID], bill_ids: Sequence[UUID], *, frees: bool
) -> list[Row]:
    """The lines by kind, by a plan that compares nothing with everything."""
    await act.db.execute(PLANNING, "off")
    rows = await act.db.fetch(KINDS, act.merchant_id, ids, frees, bill_ids)
    await act.db.execute(PLANNING, "on")
    return rows


async def move_plain(
    act: Act, ids: Sequence[UUID], bill_ids: Sequence[UUID], *, frees: bool
) -> list[Line]:
    """Book what was told of these lines, or free them, by kind; those that are left, in order.

    Their file and bills are locked. Raises: InvariantBroken ``debit_lock`` when something moved
    that was locked.
    """
    left: list[Line] = []
    for row in await _ask(act, ids, bill_ids, frees=frees):
        kind = Kind(
            cause=row["cause"], debit=row["state"], attempt=row["attempt"],
            lifecycle=row["lifecycle"], settlement=row["settlement"], owes_all=row["owes_all"],
        )  # fmt: skip
        plain = judge_kind(kind)
        if plain is None:
            left += [
                Line(line_no=line_no, id=id_, state=kind.debit, cause=kind.cause)
                for line_no, id_ in zip(row["places"], row["ids"], strict=True)
            ]
            continue
        group = _Group(kind=kind, ids=row["ids"], bill_ids=row["bill_ids"], amounts=row["amounts"])
        await _write(act, group, plain)
        await tell_all(act, group.bill_ids, group.ids, group.amounts, _told(group, plain))
    return sorted(left, key=lambda line: line.line_no)


async def _write(act: Act, group: _Group, plain: Plain) -> None:
    """Attempts, books, bills and debits, each by one statement."""
    tag = await act.db.execute(
        ATTEMPTS,
        act.merchant_id,
        group.ids,
        plain.attempt.state,
        act.business,
        act.now,
        plain.decline,
        group.kind.attempt,
    )
    if tag != f"UPDATE {len(group.ids)}":
        raise InvariantBroken("debit_lock", context=f"{tag} of {len(group.ids)}")
    if plain.settled is not None:
        fresh = act.new_ids(len(group.ids))
        await act.db.execute(
            _POST,
            act.merchant_id,
            act.business,
            fresh.head,
            group.ids,
            group.bill_ids,
            group.amounts,
            _MONEY,
            [side.account for side in plain.sides],
            [side.sign for side in plain.sides],
            fresh.tails,
        )
        await act.db.execute(
            SETTLED, act.merchant_id, group.bill_ids, plain.settled.state, act.business
        )
        await end_promises(act, group.bill_ids)
        await ladder.end(act, group.bill_ids, "paid")
    elif group.kind.cause is not None:
        await ladder.failed(act, group.bill_ids)
    statement = FREED if group.kind.cause is None else BOOKED
    await act.db.execute(statement, act.merchant_id, group.ids, plain.debit.state)


def _told(group: _Group, plain: Plain) -> list[Told]:
    """What ``act.emit`` says of each when it is moved by itself, in the same order."""
    told: list[Told] = []
    if (METHOD, plain.attempt.code) not in TELLS_ITSELF:
        more = _more(plain.decline)
        told.append(Told(plain.attempt.code, has_attempt=True, has_amount=True, more=more))
    if plain.settled is not None:
        told.append(Told(plain.settled.code, has_attempt=False, has_amount=True))
    has_amount = group.kind.cause is not None
    return [*told, Told(plain.debit.code, has_attempt=True, has_amount=has_amount)]


def _more(decline: DeclineCode | None) -> dict[str, str]:
    return {"method": METHOD} | ({} if decline is None else {"decline_code": decline})
