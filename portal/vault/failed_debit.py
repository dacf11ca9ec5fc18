"""Data zone: failed debits of the merchant's own, set against the bills that are here.

Nothing is booked: a bill that is not paid stays what it is. Its timeline tells of the failure, and
its ladder does what the merchant's plan has for one, as after a debit that went out from here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from portal.domain.contact import normalise_customer_no
from portal.domain.errors import InvalidInput
from portal.domain.failed_debit import FailedResult, OwedBill, judge, numbers_of
from portal.vault import ladder
from portal.vault.act import Act
from portal.vault.attempt import find_all_live
from portal.vault.fields import Fields
from portal.vault.share import left_of

EVENT: Final = "bill.debit_failed"

_CUSTOMERS: Final = """
select distinct customer_blind from bill
where merchant_id = $1 and customer_blind = any($2::bytea[])
"""
OWED: Final = """
select id, number, customer_blind, due_on from bill
where merchant_id = $1 and customer_blind = any($2::bytea[]) and lifecycle in ('open', 'overdue')
      and settlement = 'unpaid'
order by id for update
"""
_KNOWN: Final = """
select distinct bill_id from bill_event
where merchant_id = $1 and bill_id = any($2::uuid[]) and code = $3
"""
MEANT: Final = """
select distinct bill_id from failed_line
where merchant_id = $1 and file_id = $2 and bill_id = any($3::uuid[]) and bill_id is not null
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One failed debit, its customer by the blind indexes of what the number may be. Units: yen."""

    record_no: int
    amount_minor: int
    code: str
    blinds: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one; of which bill, if there is one, and that bill's number or ""."""

    record_no: int
    amount_minor: int
    result: FailedResult
    bill_id: UUID | None
    bill_number: str


def blinds_of(fields: Fields, customer_no: str) -> list[bytes]:
    """By which blind indexes the customer of a number in a file may be found."""
    found: list[bytes] = []
    for number in numbers_of(customer_no):
        try:
            found.append(fields.blind("customer_no", normalise_customer_no(number)))
        except InvalidInput:
            continue  # no number of a customer can read so
    return found


async def tell(
    act: Act,
    lines: Sequence[Failed],
    *,
    file_id: UUID | None = None,
    numbers_meant: Collection[str] = (),
) -> list[Verdict]:
    """Judge these lines in their order, and tell the bills that are to be told.

    ``file_id``: of whose lines earlier ones were told before, so that what those meant is taken.
    ``numbers_meant``: of bills that earlier lines meant of a file that is not stored.
    """
    every = list({blind for line in lines for blind in line.blinds})
    rows = await act.db.fetch(_CUSTOMERS, act.merchant_id, every)
    customers = {row["customer_blind"] for row in rows}
    owed, numbers = await _owed(act, list(customers))
    meant = {bill_id for bill_id, number in numbers.items() if number in numbers_meant}
    if file_id is not None:
        before = await act.db.fetch(MEANT, act.merchant_id, file_id, list(numbers))
        meant |= {row["bill_id"] for row in before}
    verdicts: list[Verdict] = []
    begun: list[UUID] = []
    for line in lines:
        found = [blind for blind in line.blinds if blind in customers]
        bills = owed.get(found[0], []) if len(found) == 1 else []
        result, bill_id = judge(line, bills, meant, is_customer=len(found) == 1)
        if bill_id is not None:
            meant.add(bill_id)
        if bill_id is not None and result == "told":
            begun.append(bill_id)
            await act.emit(bill_id, EVENT, amount_minor=line.amount_minor)
        verdicts.append(
            Verdict(
                record_no=line.record_no,
                amount_minor=line.amount_minor,
                result=result,
                bill_id=bill_id,
                bill_number=numbers[bill_id] if bill_id is not None else "",
            )
        )
    await ladder.failed(act, begun)
    return verdicts


async def _owed(
    act: Act, customers: list[bytes]
) -> tuple[Mapping[bytes, list[OwedBill]], Mapping[UUID, str]]:
    """Bills of these customers that are asked for, locked, those due first; and their numbers."""
    rows = await act.db.fetch(OWED, act.merchant_id, customers)
    ids = [row["id"] for row in rows]
    left = await left_of(act, ids)
    live = await find_all_live(act, ids)
    under_way = {bill_id for attempt in live for bill_id in attempt.parts}
    events = await act.db.fetch(_KNOWN, act.merchant_id, ids, EVENT)
    known = {row["bill_id"] for row in events}
    owed: dict[bytes, list[OwedBill]] = {}
    for row in sorted(rows, key=lambda row: (row["due_on"], row["id"])):
        bill = OwedBill(
            id=row["id"],
            left_minor=left[row["id"]],
            is_under_way=row["id"] in under_way,
            is_known=row["id"] in known,
        )
        owed.setdefault(row["customer_blind"], []).append(bill)
    return owed, {row["id"]: row["number"] for row in rows}
