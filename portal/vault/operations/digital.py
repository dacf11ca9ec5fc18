"""Data zone, stage "page": a payer looks at a bill, and how its contract is billed from now on.

Payers say it on the page, staff note what they hear. Said twice it is done once.
"""

from datetime import datetime, time
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.contract.digital import (
    CHOOSE_BILLING,
    LIST_BILLINGS,
    STEER_BILLING,
    VIEW_PAPER,
    BillingPage,
    BillingSet,
    BillingView,
    ChooseBilling,
    ContractCount,
    ListBillings,
    PaperFigures,
    SteerBilling,
)
from portal.contract.envelope import Done, Nothing
from portal.contract.page import MARK_OPENED
from portal.domain.digital import STAFF_REASONS, WORDS, Billing, DigitalEvent
from portal.domain.errors import InvalidInput
from portal.domain.ids import BillId
from portal.vault.act import Act
from portal.vault.cursor import Place, read_cursor, write_cursor
from portal.vault.digital import IS_VERIFIED, Said, lock_contract, note_read, state_of, step
from portal.vault.opening import verify
from portal.vault.operations.intake_view import check_page_size
from portal.vault.payer import bill_of
from portal.vault.registry import operation

PAGE_MAX: Final = 100
_WEB: Final = frozenset({"web"})
_PAYER: Final = frozenset({"payer"})
_STAFF: Final = frozenset({"staff", "api_key"})

_OPENED: Final = """
update bill set opened_at = $3 where merchant_id = $1 and id = $2 and opened_at is null
returning id
"""
LIST: Final = f"""
select c.bill_id, c.contract_blind, c.state, c.reason, c.seen, c.since, b.number,
       {IS_VERIFIED} as is_verified
from digital_contract c join bill b on b.merchant_id = $1 and b.id = c.bill_id
where c.merchant_id = $1 and c.state = $2
  and ($3::bytea is null or (c.since, c.contract_blind) < (
      (select p.since from digital_contract p
       where p.merchant_id = $1 and p.contract_blind = $3), $3))
order by c.since desc, c.contract_blind desc limit $4
"""  # noqa: S608  constant text

FIGURES: Final = """
select (select coalesce(sum(s.sheets), 0)::int from paper_saved s
        where s.merchant_id = $1 and s.on_date >= $2 and s.on_date <= $4) as saved_month,
       (select coalesce(sum(s.sheets), 0)::int from paper_saved s
        where s.merchant_id = $1 and s.on_date >= $3 and s.on_date <= $4) as saved_year,
       (select coalesce(sum(p.bills), 0)::int from print_batch p
        where p.merchant_id = $1 and p.made_at >= $5) as printed_month,
       (select count(*)::int from (
           select from paper_due w where w.merchant_id = $1 and w.reason = 'no_message'
                  and w.at >= $5 limit 10000) n) as unsaid_month,
       (select p.prices[1] from message_price p
        where p.merchant_id = $1 and p.channel = 'paper' and p.provider = 'paper') as letter_price
"""
CONTRACTS: Final = """
select count(*)::int from (
    select from digital_contract where merchant_id = $1 and state = $2 limit 100000) c
"""
_STATES: Final[tuple[Billing, ...]] = ("parallel", "digital", "paper")

_DONE: Final[dict[DigitalEvent, frozenset[Billing]]] = {
    "agree": frozenset({"parallel", "digital"}),
    "convert": frozenset({"digital"}),
    "take_back": frozenset({"paper"}),
}
"""Event → states in which what it asks for holds already."""


@operation(MARK_OPENED, callers=_WEB, kinds=_PAYER, audit="effect")
async def mark_opened(act: Act, request: Nothing) -> Done:
    """Note that a person looks at the bill; only the first time changes anything of it.

    The contact that the page's link went to is verified with that, and a parallel run that it was
    the last bill of is over.
    """
    del request
    bill_id = bill_of(act)
    is_first = await act.db.fetchval(_OPENED, act.merchant_id, bill_id, act.business)
    if await verify(act, bill_id) and is_first is not None:
        await note_read(act, bill_id)
    return Done()


@operation(CHOOSE_BILLING, callers=_WEB, kinds=_PAYER, audit="effect")
async def choose_billing(act: Act, request: ChooseBilling) -> BillingSet:
    """Bill the contract of this page digitally, or on paper again, as its payer says.

    Raises: InvalidInput ``words_unknown`` for a page that showed other words; Conflict
    ``billing_state``.
    """
    if request.words != WORDS:
        raise InvalidInput("words_unknown")
    event: DigitalEvent = "agree" if request.is_digital else "take_back"
    reason = "" if request.is_digital else "asked"
    said = Said(source="page", words=f"page {request.words}", reason=reason)
    return BillingSet(billing=await _say(act, bill_of(act), event, said))


@operation(
    STEER_BILLING, callers=_WEB, kinds=_STAFF, scope="bills:write", audit="effect"
)  # fmt: skip
async def steer_billing(act: Act, request: SteerBilling) -> BillingSet:
    """Note what the payer of a bill said, end the parallel run, or bill on paper again.

    Raises: InvalidInput ``reason_needed``; Conflict ``billing_state``, ``billing_unverified``;
    NotFound ``not_found``.
    """
    is_back = request.act == "take_back"
    if is_back and request.reason not in STAFF_REASONS:
        raise InvalidInput("reason_needed", params={"field": "reason"})
    said = Said(source=request.source, reason=(request.reason or "") if is_back else "")
    return BillingSet(billing=await _say(act, request.bill_id, request.act, said))


async def _say(act: Act, bill_id: UUID, event: DigitalEvent, said: Said) -> Billing:
    bill = await lock_contract(act, bill_id)
    state = await state_of(act, bill["contract_blind"])
    return state if state in _DONE[event] else await step(act, bill, event, said, state)


@operation(
    LIST_BILLINGS,
    callers=_WEB,
    kinds=_STAFF,
    scope="bills:read",
    rows_max=PAGE_MAX,
    audit="none",
)
async def list_billings(act: Act, request: ListBillings) -> BillingPage:
    """One page of the contracts that are billed so, by the number of one of their bills.

    Raises: InvalidInput ``page_size`` (param ``max``), ``cursor_invalid``.
    """
    check_page_size(request.first, PAGE_MAX)
    fields = await act.fields()
    scope = b"billings|" + request.billing.encode()
    after = None if request.after is None else read_cursor(fields, scope, request.after).id.bytes
    rows = await act.db.fetch(LIST, act.merchant_id, request.billing, after, request.first + 1)
    shown = rows[: request.first]
    last = UUID(bytes=shown[-1]["contract_blind"]) if shown else None
    return BillingPage(
        contracts=tuple(
            BillingView(
                bill_id=BillId(row["bill_id"]), bill_number=row["number"], billing=row["state"],
                reason=row["reason"], seen=row["seen"], since=row["since"],
                is_verified=row["is_verified"],
            )
            for row in shown
        ),
        end_cursor=None if last is None else write_cursor(fields, scope, Place(id=last)),
        has_next=len(rows) > len(shown),
    )  # fmt: skip


@operation(VIEW_PAPER, callers=_WEB, kinds=_STAFF, scope="bills:read", audit="none")
async def view_paper(act: Act, request: Nothing) -> PaperFigures:
    """Paper saved this month and this year, and how many contracts are billed how."""
    del request
    zone: str = await act.db.fetchval("select zone from merchant where id = $1", act.merchant_id)
    today = act.clock.business_today(zone)
    month = today.replace(day=1)
    began = datetime.combine(month, time(), tzinfo=ZoneInfo(zone))
    row = await act.db.fetchrow(
        FIGURES, act.merchant_id, month, month.replace(month=1), today, began
    )
    counts = [
        ContractCount(
            billing=state, contracts=await act.db.fetchval(CONTRACTS, act.merchant_id, state)
        )
        for state in _STATES
    ]
    return PaperFigures(**(row or {}), contracts=tuple(counts))
