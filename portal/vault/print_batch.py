"""Data zone: which bills want a slip on paper, and what stands on it.

Bills are locked before they are read, and one that somebody else holds just now waits for the next
batch. What leaves in the end is only what a print shop has to set.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.print_batch import PrintBatchView, PrintRemark
from portal.domain.bill import PAYABLE
from portal.domain.errors import Conflict
from portal.domain.ids import PrintBatchId
from portal.domain.print_batch import (
    PAST_DAYS,
    UNREACHED,
    PrintedBill,
    RemarkReason,
    cap_of,
    carries,
)
from portal.domain.slip import SlipBill
from portal.domain.slip_number import SlipTerms
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.sealed import open_contact
from portal.vault.slip import read_terms, slip_for

REPORT_TABLE: Final = "print_batch"

_OPEN: Final = """
b.merchant_id = $1 and b.lifecycle = any($2::text[]) and b.settlement = 'unpaid'
  and not exists (select from attempt a where a.merchant_id = $1 and a.bill_id = b.id
                  and a.state in ('created', 'submitting', 'requires_action', 'processing',
                                  'unknown'))
  and not exists (select from attempt_share o
                  join attempt a on a.merchant_id = $1 and a.id = o.attempt_id
                  where o.merchant_id = $1 and o.bill_id = b.id
                    and a.state in ('created', 'submitting', 'requires_action', 'processing',
                                    'unknown'))
  and not exists (select from pause p where p.merchant_id = $1 and p.bill_id = b.id
                  and p.kind in ('hold', 'promise') and p.ended_at is null
                  and (p.until is null or p.until >= $3))
"""
# Who lets an account be debited or a card be charged gets paper only once that was tried, or would
# pay twice.
_UNTRIED: Final = f"""{_OPEN}
  and not exists (select from mandate x
                  where x.merchant_id = $1 and x.customer_blind = b.customer_blind
                    and x.state = 'active'
                    and not exists (select from debit d
                                    where d.merchant_id = $1 and d.bill_id = b.id))
  and not exists (select from card_on_file c
                  where c.merchant_id = $1 and c.contract_blind = b.contract_blind
                    and c.state = 'active' and c.enrolled_on < b.due_on
                    and not exists (select from card_charge h
                                    where h.merchant_id = $1 and h.bill_id = b.id
                                          and h.state <> 'left_out'))
  and b.has_address and b.due_on >= $4
  and not exists (select from print_bill o where o.merchant_id = $1 and o.bill_id = b.id)
"""  # noqa: S608  constant text
# A bill on a ladder wants paper when the ladder says so. These are the others: issued before there
# were ladders, at the end of theirs, or over what a slip on a screen can carry.
_WAITING: Final = f"""{_UNTRIED}
  and (b.amount_minor > $6
       or (b.phone_blind is null or b.message = any($5::text[])
           or (b.message = 'none' and exists (
               select from delivery n where n.merchant_id = $1 and n.bill_id = b.id
                                            and n.state = 'left_out' and n.code = 'no_contact')))
          and not exists (select from ladder l where l.merchant_id = $1 and l.bill_id = b.id
                          and l.ended = ''))
  and not exists (select from paper_due w where w.merchant_id = $1 and w.bill_id = b.id
                  and w.state = 'waiting')
  and (select c.state from digital_contract c
       where c.merchant_id = $1 and c.contract_blind = b.contract_blind) is distinct from 'digital'
"""  # noqa: S608  constant text
# Who has agreed to no paper meanwhile and is reached by message again wants none; why a bill of
# theirs may go all the same is that nothing else reaches them.
WANTED: Final = f"""
select b.id from paper_due w join bill b on b.merchant_id = $1 and b.id = w.bill_id
where w.merchant_id = $1 and w.state = 'waiting' and {_UNTRIED}
order by ($6 and b.amount_minor > $5), b.due_on, b.id limit $7
for no key update of b skip locked
"""  # noqa: S608  constant text
COUNT_WANTED: Final = f"""
select count(*) from (
    select from paper_due w join bill b on b.merchant_id = $1 and b.id = w.bill_id
    where w.merchant_id = $1 and w.state = 'waiting' and {_UNTRIED} limit $5) found
"""  # noqa: S608  constant text
_CHOOSE: Final = f"""
select b.id from bill b where {_WAITING}
order by ($8 and b.amount_minor > $6), b.due_on, b.id limit $7
for no key update of b skip locked
"""  # noqa: S608  constant text
_COUNT: Final = f"""
select count(*) from (select from bill b where {_WAITING} limit $7) found
"""  # noqa: S608  constant text
_NAMED: Final = f"""
select b.id from bill b where {_OPEN} and b.id = any($4::uuid[]) order by b.id
for no key update of b
"""  # noqa: S608  constant text
# After the locks: whoever starts a payment, pauses a bill or prints it holds its lock, so what this
# statement does not see there is none.
_STILL: Final = f"""
select b.id from bill b where {_OPEN} and b.id = any($4::uuid[])
  and ($5 or not exists (select from print_bill o where o.merchant_id = $1 and o.bill_id = b.id))
"""  # noqa: S608  constant text
_READ: Final = """
select b.id, b.number, b.amount_minor - coalesce(p.paid_minor, 0) as amount_minor, b.tax_minor,
       b.due_on, b.sealed_version, b.contact
from bill b left join part_paid p on p.merchant_id = $1 and p.bill_id = b.id
where b.merchant_id = $1 and b.id = any($2::uuid[]) order by b.due_on, b.id
"""
_MERCHANT: Final = "select zone, lapse_after_days, transfer_text from merchant where id = $1"
_NUMBERS: Final = """
select id, number from bill where merchant_id = $1 and id = any($2::uuid[]) order by number
"""


class Report(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed of a batch beside its file: numbers with reasons and letters."""

    remarks: tuple[tuple[str, RemarkReason, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What makes the merchant's slips: its terms with an agency, its day, its text for transfers.

    ``terms`` None: it has no agency, or has no new slips made out.
    """

    terms: SlipTerms | None
    today: date
    lapse_after_days: int | None
    transfer_text: str


async def read_shop(act: Act) -> Shop:
    """The merchant as its slips need it."""
    row = await act.db.fetchrow(_MERCHANT, act.merchant_id)
    found = await read_terms(act)
    terms = found[0] if found is not None and found[1] else None
    zone = "Asia/Tokyo" if row is None else row["zone"]
    return Shop(
        terms=terms,
        today=act.clock.business_today(zone),
        lapse_after_days=None if row is None else row["lapse_after_days"],
        transfer_text="" if row is None else row["transfer_text"],
    )


def _scope(act: Act, shop: Shop, at_most: int) -> tuple[object, ...]:
    # What was due longer ago than this has lapsed: so the walk over paid bills stays short.
    lapses = PAST_DAYS if shop.lapse_after_days is None else shop.lapse_after_days + 1
    since = shop.today - timedelta(days=min(PAST_DAYS, lapses))
    unreached = list(UNREACHED)
    return (
        act.merchant_id, sorted(PAYABLE), shop.today, since, unreached, cap_of(shop.terms), at_most
    )  # fmt: skip


async def lock_waiting(act: Act, shop: Shop, at_most: int) -> list[UUID]:
    """Lock the bills that want paper, the first due ones; what others hold just now is left.

    Those of which nothing can be printed come last, or enough of them would keep all others out.
    """
    has_no_way = not shop.transfer_text
    scope = _scope(act, shop, at_most)
    rows = await act.db.fetch(WANTED, *scope[:4], cap_of(shop.terms), has_no_way, at_most)
    if len(rows) < at_most:
        rows += await act.db.fetch(_CHOOSE, *scope[:6], at_most - len(rows), has_no_way)
    return await _still(act, shop, [row["id"] for row in rows], is_again=False)


async def count_waiting(act: Act, shop: Shop, at_most: int) -> int:
    """How many bills want paper, counted up to ``at_most``."""
    scope = _scope(act, shop, at_most)
    wanted: int = await act.db.fetchval(COUNT_WANTED, *scope[:4], at_most)
    others: int = await act.db.fetchval(_COUNT, *scope)
    return min(wanted + others, at_most)


async def lock_named(act: Act, shop: Shop, bill_ids: Sequence[UUID]) -> list[UUID]:
    """Lock those of these bills that can be printed at all."""
    scope = (act.merchant_id, sorted(PAYABLE), shop.today, list(bill_ids))
    locked = [row["id"] for row in await act.db.fetch(_NAMED, *scope)]
    return await _still(act, shop, locked, is_again=True)


async def _still(act: Act, shop: Shop, locked: list[UUID], *, is_again: bool) -> list[UUID]:
    """Those of locked bills that are still to be printed, in their order."""
    scope = (act.merchant_id, sorted(PAYABLE), shop.today, locked, is_again)
    wanted = {row["id"] for row in await act.db.fetch(_STILL, *scope)}
    return [bill_id for bill_id in locked if bill_id in wanted]


async def number_of(act: Act, bill_ids: Sequence[UUID]) -> list[str]:
    """The numbers of bills of the act's merchant; of others nothing."""
    rows = await act.db.fetch(_NUMBERS, act.merchant_id, list(bill_ids))
    return [row["number"] for row in rows]


async def write_bills(
    act: Act, shop: Shop, bill_ids: Sequence[UUID]
) -> tuple[dict[UUID, PrintedBill], list[PrintRemark]]:
    """What stands on the paper of each of these locked bills, and which of them get none, and why.

    A slip is made out where the bill has none that is still good; its number is the page's, too.
    """
    printed: dict[UUID, PrintedBill] = {}
    remarks: list[PrintRemark] = []
    for row in await act.db.fetch(_READ, act.merchant_id, list(bill_ids)):
        bill = await _write(act, shop, row)
        if isinstance(bill, PrintedBill):
            printed[row["id"]] = bill
        else:
            remarks.append(PrintRemark(bill_number=row["number"], reason=bill))
    return printed, remarks


async def _write(act: Act, shop: Shop, row: Row) -> PrintedBill | RemarkReason:
    fields = await act.fields()
    contact = open_contact(fields, row["id"], row["sealed_version"], row["contact"])
    if not contact.address:
        return "no_address"
    bill = PrintedBill(
        postal_code=contact.postal_code,
        address=contact.address,
        name=contact.payer_name,
        customer_no=contact.customer_no,
        number=row["number"],
        amount_minor=row["amount_minor"],
        due_on=row["due_on"],
    )
    if shop.terms is None or not carries(shop.terms, row["amount_minor"]):
        return _by_transfer(shop, bill)
    wanted = SlipBill(
        bill_id=row["id"],
        amount_minor=row["amount_minor"],
        tax_minor=row["tax_minor"],
        due_on=row["due_on"],
    )
    try:
        slip = await slip_for(act, shop.terms, wanted, shop.today, shop.lapse_after_days)
    except Conflict:  # nothing was written: made out too often, or too late to be paid
        return "no_slip"
    return replace(
        bill,
        needs_stamp=slip.number.needs_stamp,
        digits=slip.number.digits(),
        lines=slip.number.lines(),
        pay_until=slip.pay_until,
    )


def _by_transfer(shop: Shop, bill: PrintedBill) -> PrintedBill | RemarkReason:
    """A bank gives its own receipt, so no stamp is due."""
    return replace(bill, transfer=shop.transfer_text) if shop.transfer_text else "no_way"


def to_view(row: Row, report: Report) -> PrintBatchView:
    """A batch as staff see it."""
    return PrintBatchView(
        id=PrintBatchId(row["id"]),
        charset=row["charset"],
        bills=row["bills"],
        with_bars=row["with_bars"],
        total_minor=row["total_minor"],
        made_by=row["made_by"],
        made_at=row["made_at"],
        taken_at=row["taken_at"],
        sha256="" if row["sha256"] is None else row["sha256"].hex(),
        handed_at=row["handed_at"],
        handed_by=row["handed_by"] or "",
        remarks=tuple(
            PrintRemark(bill_number=number, reason=reason, letters=letters)
            for number, reason, letters in report.remarks
        ),
        is_there=row["is_there"],
    )
