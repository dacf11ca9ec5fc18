"""Data zone: the lines of debit files: chosen, written, and booked once the bank has spoken.

A debit is an attempt of its bill: so the page offers nothing else while it runs, the books know
one kind of money, and what comes twice is owed back like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from portal.contract.payment import Finding
from portal.domain import debit as rules
from portal.domain import mandate as mandates
from portal.domain import payment as attempts
from portal.domain.debit import DebitState
from portal.domain.errors import InvariantBroken
from portal.domain.ids import to_public
from portal.domain.mandate import MandateDetails
from portal.domain.methods import METHODS
from portal.domain.zengin.record import DebitLine
from portal.domain.zengin.result import Cause
from portal.vault import ladder
from portal.vault.act import Act
from portal.vault.attempt import (
    Attempt,
    LockedBill,
    emit_attempt,
    lock_attempt,
    move,
    store_attempt,
)
from portal.vault.debit import (
    MANDATE_TABLE,
    METHOD,
    Contract,
    DebitFile,
    lock_mandate,
    move_mandate,
    store_file,
)
from portal.vault.debit_plain import lock_bills_of, move_plain
from portal.vault.finding import book_finding
from portal.vault.share import left_of
from portal.vault.timeline import Told, tell_all

MANDATES_MAX: Final = 2_000
"""Mandates that one step of filling looks at."""

LINES_MAX: Final = 2_000
"""Lines that one step of booking looks at."""

SINGLES_MAX: Final = 200
"""Lines among them that are booked one by one: a dozen statements each, in one call's time."""

ZONE: Final = "Asia/Tokyo"
"""Whose day decides whether a pause is over: these are Japan's banks."""

_MANDATES: Final = """
select id, customer_blind, details, sealed_version, is_new from mandate
where merchant_id = $1 and contract_id = $2 and state = 'active' and ($3::uuid is null or id > $3)
order by id limit $4
"""
_DUE: Final = """
select id, customer_blind, amount_minor from bill
where merchant_id = $1 and customer_blind = any($2::bytea[]) and lifecycle in ('open', 'overdue')
      and settlement = 'unpaid' and due_on <= $3 and amount_minor <= $4
order by id for update
"""
# After the locks: whoever starts a payment or writes a line holds the bill's lock, so what this
# statement does not see there is none. So it is with pauses.
_TAKEN: Final = """
select bill_id from attempt
where merchant_id = $1 and bill_id = any($2::uuid[])
      and state in ('created', 'submitting', 'requires_action', 'processing', 'unknown')
union
select s.bill_id from attempt_share s
where s.merchant_id = $1 and s.bill_id = any($2::uuid[])
      and (select a.state in ('created', 'submitting', 'requires_action', 'processing', 'unknown')
           from attempt a where a.merchant_id = $1 and a.id = s.attempt_id)
union
select bill_id from debit where merchant_id = $1 and bill_id = any($2::uuid[]) and state = 'nsf'
group by bill_id having count(*) > $3
union
select bill_id from pause
where merchant_id = $1 and bill_id = any($2::uuid[]) and kind in ('hold', 'promise')
      and ended_at is null and (until is null or until >= $4)
"""
_ATTEMPTS: Final = """
insert into attempt (merchant_id, id, bill_id, method, provider, reference, state, version,
                     amount_minor, created_at, state_at, doubt_at)
select $1, t.id, t.bill_id, $2, $2, t.reference, 'processing', 1, t.amount_minor, $3, $4, $4
from unnest($5::uuid[], $6::uuid[], $7::text[], $8::bigint[])
     as t (id, bill_id, reference, amount_minor)
"""
_DEBITS: Final = """
insert into debit (merchant_id, id, file_id, line_no, bill_id, mandate_id, instruction_no, state,
                   amount_minor)
select $1, t.id, $2, t.line_no, t.bill_id, t.mandate_id, t.instruction_no, $3, t.amount_minor
from unnest($4::uuid[], $5::int[], $6::uuid[], $7::uuid[], $8::text[], $9::bigint[])
     as t (id, line_no, bill_id, mandate_id, instruction_no, amount_minor)
"""
# Lines that a bank told something new of; of a file that it does not debit also those that wait.
NEXT: Final = """
select coalesce(max(n.line_no), 0) as place, count(*)::int as lines,
       coalesce(array_agg(n.id), '{}') as ids, coalesce(array_agg(n.bill_id), '{}') as bill_ids,
       coalesce(array_agg(n.mandate_id) filter (where n.cause is not null), '{}') as told,
       coalesce(array_agg(n.mandate_id order by n.line_no) filter (where n.cause = any($6)), '{}')
           as suspended,
       coalesce(array_agg(n.cause order by n.line_no) filter (where n.cause = any($6)), '{}')
           as causes
from (
    select line_no, id, bill_id, mandate_id, cause from debit
    where merchant_id = $1 and file_id = $2 and line_no > $3
          and (cause is distinct from booked_cause or ($4 and state = 'in_file'))
    order by line_no limit $5
) n
"""
_STORE: Final = """
update debit set state = $3, booked_cause = cause where merchant_id = $1 and id = $2
"""
_FREE: Final = "update debit set state = $3 where merchant_id = $1 and id = $2"
USED: Final = """
update mandate set is_new = false
where merchant_id = $1 and is_new and id = any($2::uuid[])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A bill that goes into a file, with the mandate that allows it."""

    bill_id: UUID
    amount_minor: int
    mandate_id: UUID
    details: MandateDetails
    is_new: bool


async def choose(
    act: Act, contract: Contract, debit_file: DebitFile
) -> tuple[list[Chosen], UUID | None]:
    """The next bills for a file, their rows locked, and the last mandate looked at.

    Bills that are due by the file's day, unpaid, neither held nor promised, without a live try and
    not presented too often, of amounts that a record has room for; None when there is no mandate
    left.
    """
    mandates_ = await act.db.fetch(
        _MANDATES, act.merchant_id, contract.id, debit_file.place, MANDATES_MAX
    )
    if not mandates_:
        return [], None
    by_customer = {bytes(row["customer_blind"]): row for row in mandates_}
    amount_max = METHODS[METHOD].amount_max
    bills = await act.db.fetch(
        _DUE, act.merchant_id, list(by_customer), debit_file.debit_on, amount_max
    )
    presented_max = rules.PRESENTED_AGAIN_MAX if contract.presents_again else 0
    ids = [row["id"] for row in bills]
    today = act.clock.business_today(ZONE)
    taken = {
        row["bill_id"]
        for row in await act.db.fetch(_TAKEN, act.merchant_id, ids, presented_max, today)
    }
    fields = await act.fields()
    left = await left_of(act, ids)
    chosen: list[Chosen] = []
    for bill in bills:
        if bill["id"] in taken:
            continue
        row = by_customer[bytes(bill["customer_blind"])]
        details = fields.open(
            MANDATE_TABLE, "instrument", row["id"], row["sealed_version"], row["details"],
            MandateDetails,
        )  # fmt: skip
        chosen.append(
            Chosen(
                bill_id=bill["id"],
                amount_minor=left[bill["id"]],
                mandate_id=row["id"],
                details=details,
                is_new=row["is_new"],
            )
        )
    return chosen, mandates_[-1]["id"]


async def write_lines(act: Act, debit_file: DebitFile, chosen: Sequence[Chosen]) -> list[DebitLine]:
    """Make the attempts and the debits of the next lines; what the bank's file says of them."""
    first = debit_file.lines + 1
    numbers = [
        rules.instruction_no(debit_file.number_ms, first + place) for place in range(len(chosen))
    ]
    ids = act.new_ids(len(chosen)).whole()
    bills = [one.bill_id for one in chosen]
    amounts = [one.amount_minor for one in chosen]
    await act.db.execute(
        _ATTEMPTS, act.merchant_id, METHOD, act.business, act.now, ids, bills, numbers, amounts
    )
    edge = rules.advance_debit("selected", "write")
    lines = list(range(first, first + len(chosen)))
    mandate_ids = [one.mandate_id for one in chosen]
    await act.db.execute(
        _DEBITS, act.merchant_id, debit_file.id, edge.state, ids, lines, bills, mandate_ids,
        numbers, amounts,
    )  # fmt: skip
    more = {"method": METHOD, "debit_on": debit_file.debit_on.isoformat()}
    told = Told(edge.code, has_attempt=True, has_amount=False, more=more)
    await tell_all(act, bills, ids, amounts, [told])
    return [
        DebitLine(
            account=one.details.account,
            payer_name=one.details.payer_name,
            amount_minor=one.amount_minor,
            instruction_no=number,
            newness="1" if one.is_new else "0",
            bank_name=one.details.bank_name,
            branch_name=one.details.branch_name,
        )
        for one, number in zip(chosen, numbers, strict=True)
    ]


async def book_next(act: Act, debit_file: DebitFile) -> tuple[int, bool]:
    """Book what the bank said of the next lines, or free those of a file that it never debits.

    The file is locked, and written. Returns how many lines that were, and whether more may be left.
    """
    frees = debit_file.state in rules.ENDED_FILE
    next_ = await act.db.fetchrow(
        NEXT, act.merchant_id, debit_file.id, debit_file.booked_to, frees, LINES_MAX,
        list(rules.SUSPENDS),
    )  # fmt: skip
    if next_ is None or not next_["lines"]:
        return 0, False
    ids, bill_ids = next_["ids"], next_["bill_ids"]
    await lock_bills_of(act, bill_ids)
    left = await move_plain(act, ids, bill_ids, frees=True) if frees else []
    for line in left:
        await _free(act, line.id, line.state)
    # A bank may have debited all the same what it was said to have refused.
    left = await move_plain(act, ids, bill_ids, frees=False)
    for line in left[:SINGLES_MAX]:
        await _book(act, line.id, line.state, line.cause)
    await act.db.execute(USED, act.merchant_id, next_["told"])
    # The last line of a mandate speaks for it.
    await _suspend(act, dict(zip(next_["suspended"], next_["causes"], strict=True)))
    is_cut = len(left) > SINGLES_MAX
    place: int = left[SINGLES_MAX - 1].line_no if is_cut else next_["place"]
    await store_file(act, replace(debit_file, booked_to=place))
    lines: int = next_["lines"]
    return lines - len(left[SINGLES_MAX:]), is_cut or lines == LINES_MAX


async def _book(act: Act, debit_id: UUID, state: DebitState, cause: Cause | None) -> None:
    """What one answer does: to the debit, its attempt, the bill, the books."""
    if cause is None:
        raise InvariantBroken("debit_untold", context=str(debit_id))
    bill, attempt = await lock_attempt(act, debit_id)
    if rules.contradicts(state, cause):
        await act.open_case("debit_contradicts", attempt.id, reference=attempt.reference)
    if not rules.takes(state, cause):
        await act.db.execute(_STORE, act.merchant_id, debit_id, state)
        return
    edge = rules.advance_debit(state, rules.EVENTS[cause])
    if edge.state == "unknown":
        await _doubt(act, attempt)
    else:
        await _end(act, bill, attempt, edge.state)
        if edge.state != "succeeded":
            await ladder.failed(act, [bill.id])
    await act.db.execute(_STORE, act.merchant_id, debit_id, edge.state)
    await act.emit(
        bill.id, edge.code, attempt=to_public("attempt", attempt.id),
        amount_minor=attempt.amount_minor,
    )  # fmt: skip


async def _free(act: Act, debit_id: UUID, state: DebitState) -> None:
    bill, attempt = await lock_attempt(act, debit_id)
    edge = rules.advance_debit(state, "withdraw")
    await _end(act, bill, attempt, edge.state)
    await act.db.execute(_FREE, act.merchant_id, debit_id, edge.state)
    await act.emit(bill.id, edge.code, attempt=to_public("attempt", attempt.id))


async def _end(act: Act, bill: LockedBill, attempt: Attempt, state: DebitState) -> None:
    """The attempt ends as its debit did; a success is booked, whatever the bill is by then."""
    succeeded = state == "succeeded"
    finding = Finding(
        state="succeeded" if succeeded else "failed",
        amount_minor=attempt.amount_minor,
        provider_ref="",
        decline_code="" if succeeded else rules.DECLINES[state],
        approval_no="",
        instrument_hint="",
        authentication="",
    )
    await book_finding(act, {bill.id: bill}, attempt, finding)


async def _doubt(act: Act, attempt: Attempt) -> None:
    """Nobody is asked about it: the bank's next file, or a person, will tell."""
    if attempt.state == "unknown":
        return
    edge = attempts.advance(attempt.state, "found_unclear")
    stored = await store_attempt(act, move(act, attempt, edge.state))
    await emit_attempt(act, stored, edge.code)


async def _suspend(act: Act, causes: dict[UUID, Cause]) -> None:
    """Use no mandate again whose account's bank said that there is none, or no leave."""
    for mandate_id, cause in sorted(causes.items()):
        mandate = await lock_mandate(act, mandate_id)
        if mandate.state == "active":
            edge = mandates.advance(mandate.state, "suspend")
            await move_mandate(act, mandate.id, edge, cause)
