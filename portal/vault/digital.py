"""Data zone: how contracts are billed: beside paper, without it, on paper again.

What moves a contract is portal.domain.digital's table; here a state changes by comparing it, with
an event that says who said so, where and by which words. Order of locks: bills by id, then their
contracts. What a contract's state means for a bill is decided when the bill is issued.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from portal.domain.digital import (
    Billing,
    DigitalEvent,
    DigitalSource,
    ends_parallel,
    move,
    paper_at_issue,
)
from portal.domain.errors import NotFound, TryLater
from portal.domain.paper import UNREACHED, PaperReason
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.hygiene import suspect
from portal.vault.paper import want_paper
from portal.vault.print_batch import read_shop

_CONTRACT: Final = """
select id, contract_blind, customer_blind, phone_blind, email_blind, has_address, lifecycle,
       settlement
from bill where merchant_id = $1 and id = $2 for no key update
"""
_STATE: Final = """
select state from digital_contract where merchant_id = $1 and contract_blind = $2 for update
"""
IS_VERIFIED: Final = """
exists (select from contact_verified v where v.merchant_id = b.merchant_id
        and v.contract_blind = b.contract_blind and v.contact in (b.phone_blind, b.email_blind)
        and (select w.why = 'denied' and w.cleared_at is null from contact_doubt w
             where w.merchant_id = b.merchant_id and w.contract_blind = b.contract_blind
                   and w.contact = v.contact) is not true)
"""
"""SQL: whether the payer of the bill ``b`` has opened a link that went to one of its contacts, and
nobody said there that the bill is not theirs."""

_VERIFIED: Final = f"""
select {IS_VERIFIED} from bill b where b.merchant_id = $1 and b.id = $2
"""  # noqa: S608  constant text
_SET: Final = """
insert into digital_contract as c (merchant_id, contract_blind, state, reason, bill_id, since)
values ($1, $2, $3, $4, $5, $6)
on conflict (merchant_id, contract_blind) do update
set state = excluded.state, reason = excluded.reason, bill_id = excluded.bill_id,
    since = excluded.since, seen = case when excluded.state = 'parallel' then 0 else c.seen end
where c.state = $7
returning state
"""
_SAY: Final = """
insert into digital_event (merchant_id, id, contract_blind, bill_id, event, state, source, words,
                           reason, actor, at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_NO_PAPER: Final = """
update paper_due p set state = 'dropped'
from bill b
where b.merchant_id = $1 and b.customer_blind = $2 and b.contract_blind = $3
  and p.merchant_id = $1 and p.bill_id = b.id and p.state = 'waiting'
  and not p.reason = any($4::text[])
"""
# OFFSET 0 makes it a look-up by key for each bill, whatever the tables may hold.
AT_ISSUE: Final = f"""
select b.id, c.state, b.has_address, {IS_VERIFIED} as is_verified
from bill b cross join lateral (
    select state from digital_contract
    where merchant_id = $1 and contract_blind = b.contract_blind offset 0) c
where b.merchant_id = $1 and b.id = any($2::uuid[])
"""  # noqa: S608  constant text
# Whoever wants no messages, and whose contact takes none, is looked at at once: they get paper.
LOOK_SOON: Final = """
update ladder l set next_at = least(l.next_at, $3)
where l.merchant_id = $1 and l.ended = '' and l.bill_id = any(array(
    select b.id from bill b
    where b.merchant_id = $1 and b.id = any($2::uuid[])
      and (exists (select from contact_choice c where c.merchant_id = $1
                   and c.contact in (b.phone_blind, b.email_blind) and not c.is_wanted)
           or exists (select from contact_fault f where f.merchant_id = $1
                      and f.channel in ('sms', 'email')
                      and f.blind in (b.phone_blind, b.email_blind) and f.cleared_at is null)
           or (select bool_or(d.why = 'denied' and d.cleared_at is null) from contact_doubt d
               where d.merchant_id = $1 and d.contract_blind = b.contract_blind
                     and d.contact in (b.phone_blind, b.email_blind)))))
"""
SAVED_OF: Final = """
select count(*) from bill b cross join lateral (
    select state, since from digital_contract
    where merchant_id = $1 and contract_blind = b.contract_blind offset 0) c
where b.merchant_id = $1 and b.id = any($2::uuid[]) and c.state = 'digital'
  and b.issued_at >= c.since
"""
LOST: Final = """
select b.id from bill b cross join lateral (
    select state from digital_contract
    where merchant_id = $1 and contract_blind = b.contract_blind offset 0) c
where b.merchant_id = $1 and b.id = any($2::uuid[]) and c.state in ('parallel', 'digital')
order by b.contract_blind, b.id
"""
UNTOLD: Final = """
select b.id from bill b cross join lateral (
    select from digital_contract
    where merchant_id = $1 and contract_blind = b.contract_blind offset 0) c
where b.merchant_id = $1 and b.id = any($2::uuid[])
  and not exists (select from bill_event e where e.merchant_id = $1 and e.bill_id = b.id
                  and e.bill_id = any($2::uuid[]) and e.code = 'paper.untold')
order by b.id
"""
_SAVE: Final = "insert into paper_saved (merchant_id, on_date, sheets) values ($1, $2, $3)"
_SEEN: Final = """
update digital_contract c set seen = c.seen + 1
from bill b
where b.merchant_id = $1 and b.id = $2 and c.merchant_id = $1
  and c.contract_blind = b.contract_blind and c.state = 'parallel' and b.issued_at >= c.since
returning c.seen
"""
_STAYS: Final = UNREACHED | frozenset[PaperReason]({"no_message"})
"""Why a bill is printed though its contract has become digital: no message tells of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Where something was said, by which words, and why."""

    source: DigitalSource
    words: str = ""
    reason: str = ""


async def lock_contract(act: Act, bill_id: UUID) -> Row:
    """Lock a bill by which its contract is named. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(_CONTRACT, act.merchant_id, bill_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "bill"})
    return row


async def state_of(act: Act, contract: bytes) -> Billing:
    """How the contract is billed; its row is locked if there is one."""
    state: Billing | None = await act.db.fetchval(_STATE, act.merchant_id, contract)
    return state or "none"


async def step(
    act: Act, bill: Row, event: DigitalEvent, said: Said, before: Billing | None = None
) -> Billing:
    """Move the contract of a locked bill, with what follows from it; the state it has then.

    ``before``: the state that was read, and judged, in this act already. A contract without a row
    can't be locked: read anew it may have moved meanwhile.

    Raises: Conflict ``billing_state``, ``billing_unverified``; TryLater ``contract_moved`` when
    somebody else moved it just now.
    """
    before = before or await state_of(act, bill["contract_blind"])
    verified: bool = await act.db.fetchval(_VERIFIED, act.merchant_id, bill["id"])
    edge = move(before, event, is_verified=verified)
    contract = bill["contract_blind"]
    if event == "take_back":
        await _print_again(act, bill)
    moved = await act.db.fetchval(
        _SET, act.merchant_id, contract, edge.state, said.reason, bill["id"], act.business, before
    )
    if moved is None:
        raise TryLater("contract_moved")
    await act.db.execute(
        _SAY, act.merchant_id, act.new_id(), contract, bill["id"], event, edge.state, said.source,
        said.words, said.reason, act.actor, act.business,
    )  # fmt: skip
    if edge.state == "digital":
        await act.db.execute(
            _NO_PAPER, act.merchant_id, bill["customer_blind"], contract, sorted(_STAYS)
        )
    params = {"reason": said.reason} if said.reason else {}
    await act.emit(bill["id"], edge.code, source=said.source, **params)
    return edge.state


async def _print_again(act: Act, bill: Row) -> None:
    """The bill by which paper was asked for is printed too, if it is still owed."""
    is_owed = bill["lifecycle"] in {"open", "overdue"} and bill["settlement"] == "unpaid"
    if is_owed and bill["has_address"]:
        await print_bills(act, {bill["id"]: "returned"})


async def print_bills(
    act: Act, wanted: Mapping[UUID, PaperReason], told: AbstractSet[UUID] = frozenset()
) -> None:
    """Put these bills, whose locks are held, into the next batch; paper they saved is no more.

    Contracts of those that no message reaches are billed on paper again. ``told``: as for
    :func:`note_untold`.
    """
    fresh = await want_paper(act, wanted)
    if not fresh:
        return
    spent: int = await act.db.fetchval(SAVED_OF, act.merchant_id, fresh)
    if spent:
        await _note_saved(act, -spent)
    lost: dict[UUID, PaperReason] = {
        bill_id: wanted[bill_id] for bill_id in fresh if wanted[bill_id] in UNREACHED
    }
    await _take_back(act, lost)
    if lost and not await _can_print(act):
        await _tell_untold(act, _without(lost, told))


async def note_untold(
    act: Act, untold: Mapping[UUID, PaperReason], told: AbstractSet[UUID] = frozenset()
) -> None:
    """Neither messages nor paper reach the payers of these bills, whose locks are held, and why.

    Their contracts, if they were billed digitally, are billed on paper again, and a person has to
    find out where their payers are; not for a bill that a message has ``told`` of before.
    """
    await _take_back(act, untold)
    await _tell_untold(act, _without(untold, told))


def _without(bills: Mapping[UUID, PaperReason], told: AbstractSet[UUID]) -> dict[UUID, PaperReason]:
    return {bill_id: reason for bill_id, reason in bills.items() if bill_id not in told}


async def _take_back(act: Act, lost: Mapping[UUID, PaperReason]) -> None:
    """Bill these bills' contracts on paper that are digital, or on the way there."""
    for row in await act.db.fetch(LOST, act.merchant_id, list(lost)) if lost else ():
        bill = await lock_contract(act, row["id"])
        if await state_of(act, bill["contract_blind"]) in {"parallel", "digital"}:
            await step(act, bill, "take_back", Said(source="system", reason=lost[row["id"]]))


async def _tell_untold(act: Act, bills: Mapping[UUID, PaperReason]) -> None:
    """Tell a person, once a bill, of those whose payers ever agreed to no paper."""
    for row in await act.db.fetch(UNTOLD, act.merchant_id, list(bills)) if bills else ():
        reason = bills[row["id"]]
        await act.open_case("bill_untold", row["id"], reason=reason)
        await act.emit(row["id"], "paper.untold", reason=reason)


async def _can_print(act: Act) -> bool:
    """Whether the merchant has said how to pay by what is printed: slips, or a text."""
    shop = await read_shop(act)
    return shop.terms is not None or bool(shop.transfer_text)


async def at_issue(
    act: Act, bill_ids: Sequence[UUID], unsaid: AbstractSet[UUID] = frozenset()
) -> None:
    """Bills that were just issued: those of contracts on paper are printed, the others save it.

    ``unsaid``: those of which the plan tells by no message.
    """
    rows = await act.db.fetch(AT_ISSUE, act.merchant_id, list(bill_ids))
    wanted: dict[UUID, PaperReason] = {}
    untold: dict[UUID, PaperReason] = {}
    saved = 0
    for row in rows:
        reason = paper_at_issue(
            row["state"], is_verified=row["is_verified"], has_message=row["id"] not in unsaid
        )
        if reason is not None and row["has_address"]:
            wanted[row["id"]] = reason
        elif row["id"] in unsaid:
            untold[row["id"]] = "no_message"
        saved += row["state"] == "digital" and reason is None
    await want_paper(act, wanted)
    if not unsaid.isdisjoint(wanted) and not await _can_print(act):
        untold |= {bill_id: why for bill_id, why in wanted.items() if bill_id in unsaid}
    await _tell_untold(act, untold)
    if saved:
        await _note_saved(act, saved)
    await act.db.execute(LOOK_SOON, act.merchant_id, list(bill_ids), act.business)
    await suspect(act, bill_ids)


async def note_read(act: Act, bill_id: UUID) -> None:
    """A bill, whose lock is held, was opened for the first time, by the link of a message."""
    seen = await act.db.fetchval(_SEEN, act.merchant_id, bill_id)
    if seen is None:
        return
    verified: bool = await act.db.fetchval(_VERIFIED, act.merchant_id, bill_id)
    if ends_parallel(seen, is_verified=verified):
        await step(act, await lock_contract(act, bill_id), "confirm", Said(source="system"))


async def _note_saved(act: Act, sheets: int) -> None:
    await act.db.execute(_SAVE, act.merchant_id, await _today(act), sheets)


async def _today(act: Act) -> date:
    zone: str = await act.db.fetchval("select zone from merchant where id = $1", act.merchant_id)
    return act.clock.business_today(zone)
