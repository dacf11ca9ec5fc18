"""Data zone: what agencies tell about slips, line by line: states, books, cases, all at once.

What a line means is decided by portal.domain.slip_notice from all that is known of its slip; here
the bills are locked in one order, and each effect is booked once by its cause. Money that an
agency confirms becomes a succeeded attempt of the bill, so that refunds, receipts and comparisons
know it like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from portal.contract.slip import SlipLine, SlipWay
from portal.domain import bill as bill_rules
from portal.domain.bill import BillSums
from portal.domain.errors import InvariantBroken
from portal.domain.ids import to_public
from portal.domain.ledger import (
    Transaction,
    attempt_succeeded,
    slip_announced,
    slip_announcement_ended,
    with_entries,
)
from portal.domain.slip import SlipCaseKind, case_of, paid_at, result_of
from portal.domain.slip_notice import Effect, SlipFacts, SlipNotice, SlipVerdict, judge
from portal.vault.act import Act
from portal.vault.attempt import LockedBill, lock_bills
from portal.vault.due import owed_again
from portal.vault.ledger import post, settle, sums_of
from portal.vault.replacement import keep_paid
from portal.vault.slip import Slip, emit_slip, find_by_keys, read_slips, store_slip
from portal.vault.unwanted import ask_about_numbers

_KEY: Final = slice(2, 30)
"""Where maker, free field and issue stand among the 44 digits."""

_KNOWN: Final = """
select slip_id, agency, kind, digits, received_on, received_at, company_code, store_code,
       amount_minor, paid_out_on
from slip_notice where merchant_id = $1 and slip_id = any($2::uuid[]) and counts
"""
_SEEN: Final = """
select notice_key from slip_notice where merchant_id = $1 and notice_key = any($2::text[])
"""
_KEEP: Final = """
insert into slip_notice (merchant_id, id, notice_key, slip_id, agency, kind, digits, received_on,
    received_at, company_code, store_code, amount_minor, paid_out_on, counts, case_kind, came_by,
    at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
on conflict (merchant_id, notice_key) do nothing
"""
"""Of a slip that is known the bill's lock lets one file through; a line about none has no lock."""
_TAKINGS: Final = """
select id, slip_id, taking, state from slip_taking
where merchant_id = $1 and slip_id = any($2::uuid[])
"""
_STORE_TAKING: Final = """
insert into slip_taking (merchant_id, id, slip_id, bill_id, taking, state, amount_minor, at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (merchant_id, id) do update set state = excluded.state
"""
_PAID: Final = """
insert into attempt (merchant_id, id, bill_id, method, provider, reference, state, version,
    amount_minor, created_at, finished_at, state_at, doubt_at)
values ($1, $2, $3, 'slip', $4, $5, 'succeeded', 1, $6, $7, $7, $8, $8)
"""
_AGAIN: Final[dict[Effect, str]] = {
    "pend": "slip.taken_again",
    "post": "slip.confirmed_again",
    "void": "slip.reversed_again",
}
"""What is told of a taking beside the one that the slip's state is about."""

Read = tuple[int, SlipNotice]
"""A line's number in its file, and what it says."""


@dataclass(slots=True, kw_only=True)
class _Desk:
    """All that a piece of a file is about, as it is while its lines are worked through."""

    way: SlipWay
    slips: dict[str, Slip]
    bills: dict[UUID, LockedBill]
    known: dict[UUID, list[SlipNotice]] = field(default_factory=dict[UUID, list[SlipNotice]])
    takings: dict[tuple[UUID, str], UUID] = field(default_factory=dict[tuple[UUID, str], UUID])
    seen: set[str] = field(default_factory=set[str])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """One line with the slip that it leads to, what it means, and what a person has to see."""

    slip: Slip | None
    notice: SlipNotice
    verdict: SlipVerdict
    case: SlipCaseKind | None


async def take_notices(act: Act, notices: Sequence[Read], way: SlipWay) -> list[SlipLine]:
    """Do what each notice means, in order; a verdict for every one. Repeats change nothing."""
    if not notices:
        return []
    told = await _by_agency(act, notices) if way == "file" else notices
    desk = await _open_desk(act, [notice for _, notice in told], way)
    lines = [await _take(act, desk, line_no, notice) for line_no, notice in told]
    await ask_about_numbers(act, desk.bills)
    return lines


async def _by_agency(act: Act, notices: Sequence[Read]) -> list[Read]:
    """Notices with the agency that their slips were made out for.

    A file does not say whose it is, and a merchant's earlier agency still tells of its slips after
    the contract has gone to another one.
    """
    found = await find_by_keys(act, sorted({notice.digits[_KEY] for _, notice in notices}))
    return [
        (line_no, replace(notice, agency=found[key].agency) if key in found else notice)
        for line_no, notice in notices
        for key in (notice.digits[_KEY],)
    ]


async def _open_desk(act: Act, notices: Sequence[SlipNotice], way: SlipWay) -> _Desk:
    """Lock the bills in the order of their ids, then read everything about their slips."""
    keys = sorted({notice.digits[_KEY] for notice in notices})
    found = await find_by_keys(act, keys)
    bills = await lock_bills(act, [slip.bill_id for slip in found.values()])
    slips = await read_slips(act, [slip.id for slip in found.values()])
    desk = _Desk(way=way, slips={slip.number.key: slip for slip in slips.values()}, bills=bills)
    for row in await act.db.fetch(_KNOWN, act.merchant_id, list(slips)):
        values = dict(row)
        desk.known.setdefault(values.pop("slip_id"), []).append(SlipNotice(**values))
    for row in await act.db.fetch(_TAKINGS, act.merchant_id, list(slips)):
        desk.takings[row["slip_id"], row["taking"]] = row["id"]
    notice_keys = [notice.key for notice in notices]
    rows = await act.db.fetch(_SEEN, act.merchant_id, notice_keys)
    desk.seen = {row["notice_key"] for row in rows}
    return desk


async def _take(act: Act, desk: _Desk, line_no: int, notice: SlipNotice) -> SlipLine:
    slip = desk.slips.get(notice.digits[_KEY])
    if slip is not None and slip.agency != notice.agency:
        slip = None
    known = tuple(desk.known.get(slip.id, ())) if slip else ()
    facts = None if slip is None else SlipFacts(
        state=slip.state, number=slip.number, is_replaced=not slip.is_current, known=known
    )  # fmt: skip
    verdict = judge(facts, notice)
    if notice.key in desk.seen:
        verdict = SlipVerdict(counts=False, is_duplicate=True)
    case = await _carry_out(act, desk, slip, notice, verdict)
    if not verdict.is_duplicate:
        told = _Told(slip=slip, notice=notice, verdict=verdict, case=case)
        await _keep(act, desk, told)
    return SlipLine(
        line_no=line_no,
        result=result_of(verdict),
        reason=case or "",
        bill_number="" if slip is None else desk.bills[slip.bill_id].number,
        amount_minor=notice.amount_minor,
    )


async def _carry_out(
    act: Act, desk: _Desk, slip: Slip | None, notice: SlipNotice, verdict: SlipVerdict
) -> SlipCaseKind | None:
    """State, books and case of one verdict; the case's kind if there is one."""
    if verdict.is_duplicate:
        return None
    if slip is None:
        await act.open_case("slip_unknown", act.merchant_id, amount_minor=notice.amount_minor)
        return "slip_unknown"
    if verdict.effect in {"pend", "post"}:
        desk.bills |= await keep_paid(act, {slip.bill_id: desk.bills[slip.bill_id]})
    bill = desk.bills[slip.bill_id]
    sums = await sums_of(act, bill.id)
    case = case_of(
        verdict,
        amount_minor=notice.amount_minor,
        owed_minor=bill_rules.owed_minor(bill.lifecycle, sums),
        announced_minor=sums.announced,
    )
    if verdict.counts:
        desk.known.setdefault(slip.id, []).append(notice)
    if verdict.edge is not None:
        desk.slips[slip.number.key] = await store_slip(act, slip, verdict.edge)
    if verdict.effect is not None:
        desk.bills[bill.id] = await _book(act, desk, slip, notice, verdict.effect)
        if verdict.edge is None:
            await emit_slip(act, bill.id, _AGAIN[verdict.effect], slip.number)
    if case is not None:
        await act.open_case(case, slip.id, amount_minor=notice.amount_minor, taking=notice.taking)
    return case


async def _book(
    act: Act, desk: _Desk, slip: Slip, notice: SlipNotice, effect: Effect
) -> LockedBill:
    """Book what a taking's money now is; the bill as it is afterwards."""
    bill = desk.bills[slip.bill_id]
    place = (slip.id, notice.taking)
    was_there = place in desk.takings
    taking_id = desk.takings.setdefault(place, act.new_id())
    amount = notice.amount_minor
    sums = await sums_of(act, bill.id)
    booked: list[Transaction] = []
    if effect == "pend":
        booked.append(slip_announced(bill.id, taking_id, amount))
    elif was_there:
        booked.append(slip_announcement_ended(bill.id, taking_id, amount))
    owed = bill_rules.owed_minor(bill.lifecycle, sums)
    paid = paid_at(notice.received_on, notice.received_at, act.business)
    if effect == "post":
        booked.append(attempt_succeeded(bill.id, taking_id, amount, owed))
        await act.db.execute(
            _PAID, act.merchant_id, taking_id, bill.id, notice.agency,
            f"{slip.number.key}.{notice.taking}", amount, paid, act.now,
        )  # fmt: skip
    sums = await _post(act, sums, booked)
    state = {"pend": "pending", "post": "posted", "void": "void"}[effect]
    await act.db.execute(
        _STORE_TAKING, act.merchant_id, taking_id, slip.id, bill.id, notice.taking, state, amount,
        act.business,
    )  # fmt: skip
    settlement = await settle(act, bill.id, bill.settlement, sums, paid)
    if effect == "post" and owed < amount:
        await act.open_case(
            "overpaid", bill.id, attempt=to_public("attempt", taking_id),
            amount_minor=amount - owed,
        )  # fmt: skip
    if settlement == "unpaid" and bill.settlement == "provisional":
        await owed_again(act, bill.id, bill.lifecycle)
    return replace(bill, settlement=settlement)


async def _post(act: Act, sums: BillSums, booked: Sequence[Transaction]) -> BillSums:
    """Book, and add up. An ended announcement that ended before is left as it is."""
    for transaction in booked:
        if await post(act, [transaction]):
            sums = with_entries(sums, transaction)
        elif transaction.cause != "slip_announcement_ended":
            raise InvariantBroken("slip_booked_twice", context=str(transaction.cause_id))
    return sums


async def _keep(act: Act, desk: _Desk, told: _Told) -> None:
    """Store the line as it came, once."""
    notice, slip = told.notice, told.slip
    await act.db.execute(
        _KEEP, act.merchant_id, act.new_id(), notice.key, slip.id if slip else None, notice.agency,
        notice.kind, notice.digits, notice.received_on, notice.received_at, notice.company_code,
        notice.store_code, notice.amount_minor, notice.paid_out_on, told.verdict.counts, told.case,
        desk.way, act.now,
    )  # fmt: skip
    desk.seen.add(notice.key)
