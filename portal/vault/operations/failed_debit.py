"""Data zone: a merchant's own debits that brought no money, set against the bills that are here.

Nothing is booked: a bill that is not paid stays what it is. Its timeline tells of the failure, and
its ladder does what the merchant's plan has for one, as after a debit that went out from here.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.failed_debit import (
    TAKE_FAILED_DEBITS,
    FailedDebitsTaken,
    FailedDebitTold,
    TakeFailedDebits,
)
from portal.domain.contact import normalise_customer_no
from portal.domain.errors import InvalidInput
from portal.domain.failed_debit import LINES_MAX, FailedLine, OwedBill, judge, numbers_of
from portal.vault import ladder
from portal.vault.act import Act
from portal.vault.attempt import find_all_live
from portal.vault.registry import operation
from portal.vault.share import left_of

EVENT: Final = "bill.debit_failed"
_TELLS_NOTHING: Final = frozenset({"unmatched", "unclear"})
"""Of whoever has a number."""

_ONCE: Final = "failed_debits"
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_CUSTOMERS: Final = """
select distinct customer_blind from bill
where merchant_id = $1 and customer_blind = any($2::bytea[])
"""
_OWED: Final = """
select id, number, customer_blind, due_on from bill
where merchant_id = $1 and customer_blind = any($2::bytea[]) and lifecycle in ('open', 'overdue')
      and settlement = 'unpaid'
order by id for update
"""
_KNOWN: Final = """
select distinct bill_id from bill_event
where merchant_id = $1 and bill_id = any($2::uuid[]) and code = $3
"""


@operation(
    TAKE_FAILED_DEBITS,
    callers=frozenset({"web"}),
    kinds=frozenset({"staff", "api_key"}),
    scope="bills:write",
    reveals=("customer number (that it is one)",),
    rows_max=LINES_MAX,
    audit="effect",
)
async def take_failed_debits(act: Act, request: TakeFailedDebits) -> FailedDebitsTaken:
    """Tell unpaid bills that a debit of theirs failed elsewhere; each bill is told once.

    Raises: InvalidInput ``file_malformed``, ``too_many_lines`` (param ``most``); Conflict
    ``idempotency_mismatch``.
    """
    if not _SHA256.fullmatch(request.sha256) or not request.lines:
        raise InvalidInput("file_malformed")
    if len(request.lines) > LINES_MAX:
        raise InvalidInput("too_many_lines", params={"most": LINES_MAX})
    key = f"{request.sha256}:{request.lines[0].record_no}"
    known = await act.once(_ONCE, key, msgspec.msgpack.encode(request.lines))
    if known is not None:
        lines = msgspec.msgpack.decode(known, type=tuple[FailedDebitTold, ...])
        return FailedDebitsTaken(lines=lines, seen_before=True)
    lines = await _tell(act, request.lines)
    await act.answer_once(_ONCE, key, msgspec.msgpack.encode(lines))
    return FailedDebitsTaken(lines=lines, seen_before=False)


async def _tell(act: Act, lines: Sequence[FailedLine]) -> tuple[FailedDebitTold, ...]:
    blinds = {line.record_no: await _blinds(act, line) for line in lines}
    every = [blind for found in blinds.values() for blind in found]
    rows = await act.db.fetch(_CUSTOMERS, act.merchant_id, every)
    customers = {row["customer_blind"] for row in rows}
    owed, numbers = await _owed(act, list(customers))
    told: list[FailedDebitTold] = []
    begun: list[UUID] = []
    meant: set[UUID] = set()
    for line in lines:
        found = [blind for blind in blinds[line.record_no] if blind in customers]
        bills = owed.get(found[0], []) if len(found) == 1 else []
        result, bill_id = judge(line, bills, meant, is_customer=len(found) == 1)
        if bill_id is not None:
            meant.add(bill_id)
        if bill_id is not None and result == "told":
            begun.append(bill_id)
            await act.emit(bill_id, EVENT, amount_minor=line.amount_minor)
        told.append(
            FailedDebitTold(
                record_no=line.record_no,
                result=result,
                amount_minor=line.amount_minor,
                bill_number=numbers[bill_id] if bill_id is not None else "",
            )
        )
    await ladder.failed(act, begun)
    # Who guesses numbers learns which are somebody's, as by the search for one.
    act.reveal(sum(one.result not in _TELLS_NOTHING for one in told))
    return tuple(told)


async def _blinds(act: Act, line: FailedLine) -> list[bytes]:
    """By which blind indexes a line's customer may be found."""
    fields = await act.fields()
    found: list[bytes] = []
    for number in numbers_of(line.customer_no):
        try:
            found.append(fields.blind("customer_no", normalise_customer_no(number)))
        except InvalidInput:
            continue  # no number of a customer can read so
    return found


async def _owed(
    act: Act, customers: list[bytes]
) -> tuple[Mapping[bytes, list[OwedBill]], Mapping[UUID, str]]:
    """Bills of these customers that are asked for, locked, those due first; and their numbers."""
    rows = await act.db.fetch(_OWED, act.merchant_id, customers)
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
