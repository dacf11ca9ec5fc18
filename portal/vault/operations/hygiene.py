"""Data zone, stage "message": contacts that reach nobody or somebody else, and what is done.

A payer says that a bill is not theirs, and nothing of its contract goes there any more; staff see
what is the matter with contacts, and clear those that are right after all.
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from portal.contract.envelope import Done, Nothing
from portal.contract.hygiene import (
    CLEAR_CONTACT,
    COUNT_CONTACT_PROBLEMS,
    DENY_BILL,
    LIST_CONTACT_PROBLEMS,
    ClearContact,
    ContactProblem,
    ContactProblemCount,
    ContactProblemCounts,
    ContactProblemPage,
    ListContactProblems,
)
from portal.domain.contact import email_hint, phone_hint
from portal.domain.errors import Conflict
from portal.domain.hygiene import DAYS, PROBLEMS
from portal.domain.ids import BillId
from portal.vault.act import Act
from portal.vault.cursor import Place, read_cursor, write_cursor
from portal.vault.db import Row
from portal.vault.digital import Said, lock_contract, state_of, step
from portal.vault.fields import Fields
from portal.vault.hygiene import COUNT, DENY, FOUND, PAGE
from portal.vault.ladder import look_again
from portal.vault.opening import channel_of
from portal.vault.operations.intake_view import check_page_size
from portal.vault.payer import bill_of
from portal.vault.registry import operation
from portal.vault.sealed import open_contact

PAGE_MAX: Final = 100
COUNT_MAX: Final = 10_000
_WEB: Final = frozenset({"web"})
_STAFF: Final = frozenset({"staff", "api_key"})
_FORGET_BROWSERS: Final = """
delete from push_subscription where merchant_id = $1 and customer_blind = $2 and kind = 'web'
"""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)

_HELD: Final = """
select exists (select from contact_fault f where f.merchant_id = $1
               and f.blind = $3 and f.cleared_at is null)
    or exists (select from contact_doubt d where d.merchant_id = $1 and d.contract_blind = $4
               and d.contact in ($3, $6) and d.cleared_at is null)
    or exists (select from delivery d where d.merchant_id = $1 and d.bill_id = $5
               and d.channel = $2 and d.state in ('undelivered', 'failed')
               and d.created_at >= coalesce((select f.cleared_at from contact_fault f
                   where f.merchant_id = $1 and f.channel = $2 and f.blind = $3), d.created_at))
"""
_CLEAR_FAULT: Final = """
insert into contact_fault as f (merchant_id, channel, blind, code, at, cleared_at)
values ($1, $2, $3, 'cleared', $4, $4)
on conflict (merchant_id, channel, blind) do update set cleared_at = excluded.cleared_at
"""
# A number is one contact, by whatever way it is known to be faulty.
_CLEAR_OTHERS: Final = """
update contact_fault set cleared_at = $3
where merchant_id = $1 and blind = $2 and cleared_at is null
"""
_CLEAR_DOUBT: Final = """
update contact_doubt set cleared_at = $4
where merchant_id = $1 and contact in ($2, $5) and cleared_at is null
      and (contract_blind = $3 or why = 'shared')
"""


@operation(DENY_BILL, callers=_WEB, kinds=frozenset({"payer"}), audit="effect")
async def deny_bill(act: Act, request: Nothing) -> Done:
    """Note that who got the message is not the bill's payer; said again, nothing changes.

    No message of the contract goes to where the link went, or, where nobody knows that, to any of
    the bill's contacts. A notification went to whoever has the telephone, and none goes to any
    device then; browsers are forgotten in any case. Its paper comes back, and staff get a case.
    """
    del request
    bill = await lock_contract(act, bill_of(act))
    channel = channel_of(act)
    contacts = [
        contact
        for name, contact in (("phone", bill["phone_blind"]), ("email", bill["email_blind"]))
        if contact is not None and (channel is None or (channel == "email") is (name == "email"))
    ]
    if channel in {None, "push"}:
        contacts.append(bill["customer_blind"])
    contract: bytes = bill["contract_blind"]
    denied = await act.db.fetch(DENY, act.merchant_id, contract, bill["id"], contacts, act.business)
    if not denied:
        return Done()
    await act.db.execute(_FORGET_BROWSERS, act.merchant_id, bill["customer_blind"])
    await act.emit(bill["id"], "contact.denied", channel=channel or "any")
    await act.open_case("contact_denied", bill["id"], channel=channel or "any")
    if await state_of(act, contract) in {"parallel", "digital"}:
        await step(act, bill, "take_back", Said(source="page", reason="not_theirs"))
    await look_again(act, [bill["id"]])
    return Done()


@operation(
    LIST_CONTACT_PROBLEMS,
    callers=_WEB,
    kinds=_STAFF,
    scope="bills:read",
    reveals=("contact hints",),
    rows_max=PAGE_MAX,
    audit="reveal",
)
async def list_contact_problems(act: Act, request: ListContactProblems) -> ContactProblemPage:
    """One page of contacts with this problem, noted within the last DAYS, newest first.

    Raises: InvalidInput ``page_size`` (param ``max``), ``cursor_invalid``; LimitReached
    ``budget_spent``.
    """
    check_page_size(request.first, PAGE_MAX)
    fields = await act.fields()
    scope = b"contacts|" + request.problem.encode()
    moment, key = _place(fields, scope, request.after)
    rows = await act.db.fetch(
        PAGE.format(found=FOUND[request.problem]), act.merchant_id, _since(act), moment, key,
        request.first + 1,
    )  # fmt: skip
    shown = rows[: request.first]
    act.reveal(len(shown))
    return ContactProblemPage(
        problems=tuple(_shown(fields, row) for row in shown),
        end_cursor=_cursor(fields, scope, shown[-1]) if shown else None,
        has_next=len(rows) > len(shown),
    )


@operation(
    COUNT_CONTACT_PROBLEMS, callers=_WEB, kinds=_STAFF, scope="bills:read", audit="none"
)  # fmt: skip
async def count_contact_problems(act: Act, request: Nothing) -> ContactProblemCounts:
    """How many contacts have each problem, counted up to 10,000."""
    del request
    counts = [
        ContactProblemCount(
            problem=problem,
            count=await act.db.fetchval(
                COUNT.format(found=FOUND[problem]), act.merchant_id, _since(act), COUNT_MAX
            ),
        )
        for problem in PROBLEMS
    ]
    return ContactProblemCounts(counts=tuple(counts))


@operation(
    CLEAR_CONTACT, callers=_WEB, kinds=_STAFF, scope="bills:write", audit="effect"
)  # fmt: skip
async def clear_contact(act: Act, request: ClearContact) -> Done:
    """Let messages go to a bill's contact again: the next one does. Who said so is on its timeline.

    A bill that has neither number nor address, whose payer has a device, is cleared by any channel.

    Raises: NotFound ``not_found``; Conflict ``no_channel``, ``contact_sound``.
    """
    bill = await lock_contract(act, request.bill_id)
    contact = bill["email_blind" if request.channel == "email" else "phone_blind"]
    customer: bytes = bill["customer_blind"]  # what a notification goes by
    channel: str = request.channel
    if bill["email_blind"] is None and bill["phone_blind"] is None:
        contact, channel = customer, "push"
    if contact is None:
        raise Conflict("no_channel")
    key = (act.merchant_id, channel, contact)
    if not await act.db.fetchval(_HELD, *key, bill["contract_blind"], bill["id"], customer):
        raise Conflict("contact_sound")
    await act.db.execute(_CLEAR_FAULT, *key, act.business)
    await act.db.execute(_CLEAR_OTHERS, act.merchant_id, contact, act.business)
    await act.db.execute(
        _CLEAR_DOUBT, act.merchant_id, contact, bill["contract_blind"], act.business, customer
    )
    await act.emit(bill["id"], "contact.cleared", channel=channel, reason=request.reason)
    await look_again(act, [bill["id"]])
    return Done()


def _since(act: Act) -> datetime:
    return act.business - timedelta(days=DAYS)


def _place(fields: Fields, scope: bytes, after: str | None) -> tuple[datetime | None, bytes | None]:
    if after is None:
        return None, None
    place = read_cursor(fields, scope, after)
    ticks = place.value if isinstance(place.value, int) else 0
    return _EPOCH + ticks * _TICK, place.id.bytes


def _cursor(fields: Fields, scope: bytes, row: Row) -> str:
    ticks = (row["since"] - _EPOCH) // _TICK
    return write_cursor(fields, scope, Place(id=UUID(bytes=row["key"]), value=ticks))


def _shown(fields: Fields, row: Row) -> ContactProblem:
    contact = open_contact(fields, row["id"], row["sealed_version"], row["contact"])
    is_email = row["kind"] == "email"
    return ContactProblem(
        bill_id=BillId(row["id"]),
        bill_number=row["number"],
        contact="email" if is_email else "phone",
        hint=email_hint(contact.email) if is_email else phone_hint(contact.phone),
        code=row["code"],
        since=row["since"],
        contracts=row["contracts"],
    )
