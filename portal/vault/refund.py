"""Data zone: refunds as operations read and move them, always under their bill's lock.

Every change of state goes through :func:`step`, which books what portal.domain.refund says of it,
so no road leads past the ledger. What staff wrote is sealed.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.domain.errors import InvariantBroken, NotFound
from portal.domain.ids import to_public
from portal.domain.ledger import Return, booking_of, with_entries
from portal.domain.refund import (
    ENDED,
    HOLDING,
    RefundCase,
    RefundReason,
    RefundState,
    RefundWay,
    booked_with,
)
from portal.domain.transition import Edge
from portal.vault.act import Act
from portal.vault.attempt import Attempt, LockedBill, lock_bill, read_attempt
from portal.vault.db import Row
from portal.vault.ledger import post, settle, sums_of
from portal.vault.lost import open_lost_cases

REFUND_TABLE: Final = "refund"


class RefundWords(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed of a refund: what its asker wrote, and who recorded a transfer."""

    note: str = ""
    transfer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One row of the table with ``words`` opened."""

    id: UUID
    bill_id: UUID
    attempt_id: UUID
    provider: str
    reference: str
    state: RefundState
    version: int
    amount_minor: int
    owed_minor: int
    way: RefundWay
    reason: RefundReason
    words: RefundWords
    asked_by: str
    asked_at: datetime
    approval_id: UUID | None
    approve_until: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    finished_at: datetime | None
    transferred_on: date | None
    state_at: datetime
    doubt_at: datetime | None
    asked: int
    ask_at: datetime | None
    missing_at: datetime | None
    code: str | None
    provider_ref: str
    left_at: datetime | None
    payment_ref: str
    transfer_id: UUID | None = None
    returned_at: datetime | None = None

    @property
    def content(self) -> bytes:
        """What a second person approves: all that makes this refund another one."""
        return msgspec.msgpack.encode(
            [self.id, self.attempt_id, self.amount_minor, self.way, self.reason]
        )


_NAMES: Final = (
    "id", "bill_id", "attempt_id", "provider", "reference", "state", "version", "amount_minor",
    "owed_minor", "way", "reason", "words", "asked_by", "asked_at", "approval_id",
    "approve_until", "decided_by", "decided_at", "finished_at", "transferred_on", "state_at",
    "doubt_at", "asked", "ask_at", "missing_at", "code", "provider_ref", "left_at",
    "payment_ref", "transfer_id", "returned_at",
)  # fmt: skip
COLUMNS: Final = ", ".join(f"r.{name}" for name in _NAMES)
"""A refund's columns, as ``r``; see :func:`open_row`."""

_INSERT: Final = f"""
insert into refund (merchant_id, {", ".join(_NAMES)})
values ($1, {", ".join(f"${place}" for place in range(2, len(_NAMES) + 2))})
"""  # noqa: S608  constant columns
_CHANGING: Final = (
    "state", "version", "owed_minor", "words", "approval_id", "approve_until", "decided_by",
    "decided_at", "finished_at", "transferred_on", "state_at", "doubt_at", "asked", "ask_at",
    "missing_at", "code", "provider_ref", "left_at", "payment_ref", "transfer_id", "returned_at",
)  # fmt: skip
_STORE: Final = f"""
update refund set {", ".join(f"{name} = ${place}" for place, name in enumerate(_CHANGING, 3))}
where merchant_id = $1 and id = $2 and version = $4 - 1
"""  # noqa: S608  constant columns
_READ: Final = f"select {COLUMNS} from refund r where r.merchant_id = $1 and r.id = $2"  # noqa: S608  constant columns
_BILL_OF: Final = "select bill_id from refund where merchant_id = $1 and id = $2"
_HELD: Final = """
select coalesce(sum(amount_minor), 0)::bigint from refund
where merchant_id = $1 and attempt_id = $2 and bill_id = $4 and state = any($3::text[])
"""
_ZONE: Final = "select zone from merchant where id = $1"
_PART_BACK: Final = """
select exists (select from ledger_transaction c
               join ledger_transaction r on r.merchant_id = $1 and r.cause_id = $3
                    and r.cause = 'refund_reserved' and r.at <= c.at
               where c.merchant_id = $1 and c.cause_id = $2 and c.cause = 'part_owed_back')
"""
_LOCK_PAYMENT: Final = """
select id from attempt where merchant_id = $1 and id = $2 for no key update
"""
_UNAPPROVED: Final = """
select coalesce(sum(amount_minor), 0)::bigint from refund
where merchant_id = $1 and attempt_id = $2 and approval_id is null
      and state not in ('failed', 'withdrawn')
"""


async def lock_refund(act: Act, refund_id: UUID) -> tuple[LockedBill, Refund]:
    """Lock a refund's bill, then read the refund as it is now. Raises: NotFound ``not_found``."""
    bill_id: UUID | None = await act.db.fetchval(_BILL_OF, act.merchant_id, refund_id)
    if bill_id is None:
        raise NotFound("not_found", params={"kind": "refund"})
    return await lock_bill(act, bill_id), await read_refund(act, refund_id)


async def read_refund(act: Act, refund_id: UUID) -> Refund:
    """A refund of the act's merchant. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(_READ, act.merchant_id, refund_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "refund"})
    return await open_row(act, row)


async def open_row(act: Act, row: Row) -> Refund:
    """A row with COLUMNS as a value."""
    values = {name: row[name] for name in _NAMES}
    blob: bytes | None = values.pop("words")
    words = RefundWords()
    if blob is not None:
        fields = await act.fields()
        words = fields.open(REFUND_TABLE, "document", row["id"], row["version"], blob, RefundWords)
    return Refund(**values, words=words)


async def lock_payment(act: Act, attempt_id: UUID) -> Attempt:
    """Lock a payment itself, its bill being locked, and read it.

    Refunds of one payment for different bills don't meet at a bill: what is about all of them (who
    has to approve, which may be sent) is decided under this lock. Raises: NotFound.
    """
    await act.db.execute(_LOCK_PAYMENT, act.merchant_id, attempt_id)
    return await read_attempt(act, attempt_id)


async def room_of(act: Act, attempt: Attempt, bill_id: UUID) -> int:
    """What of a bill's part of a payment no refund holds or has given back. Units: minor units."""
    held: int = await act.db.fetchval(_HELD, act.merchant_id, attempt.id, list(HOLDING), bill_id)
    return attempt.parts[bill_id] - held


async def unapproved_of(act: Act, attempt_id: UUID) -> int:
    """What goes or went back of an attempt without a second person. Units: minor units."""
    unapproved: int = await act.db.fetchval(_UNAPPROVED, act.merchant_id, attempt_id)
    return unapproved


async def insert_refund(act: Act, refund: Refund) -> None:
    """Add a new refund; the database refuses one that exceeds what the attempt brought."""
    values = {name: getattr(refund, name) for name in _NAMES}
    values["words"] = await _seal(act, refund)
    await act.db.execute(_INSERT, act.merchant_id, *values.values())


async def store_refund(act: Act, refund: Refund) -> Refund:
    """Write a changed refund under the next version and seal its words anew."""
    stored = replace(refund, version=refund.version + 1)
    values = {name: getattr(stored, name) for name in _CHANGING}
    values["words"] = await _seal(act, stored)
    tag = await act.db.execute(_STORE, act.merchant_id, stored.id, *values.values())
    if tag != "UPDATE 1":
        raise InvariantBroken("refund_lock", context=f"refund {refund.id} moved unlocked")
    return stored


async def _seal(act: Act, refund: Refund) -> bytes | None:
    if refund.words == RefundWords():
        return None
    fields = await act.fields()
    return fields.seal(REFUND_TABLE, "document", refund.id, refund.version, refund.words)


async def step(
    act: Act, bill: LockedBill, refund: Refund, edge: Edge[RefundState], code: str | None = None
) -> Refund:
    """The refund after an edge: booked in the ledger and told on the timeline, not yet written.

    ``bill`` is locked. What is set aside is first what is owed back to the payer.
    """
    moved = replace(
        refund,
        state=edge.state,
        state_at=act.now,
        asked=0,
        code=code,
        finished_at=act.business if edge.state in ENDED else None,
    )
    cause = booked_with(refund.state, edge.state)
    if cause is not None:
        sums = await sums_of(act, bill.id)
        if refund.state not in HOLDING:
            moved = replace(moved, owed_minor=min(moved.amount_minor, -sums.overpayment))
        back = Return(
            refund_id=moved.id,
            bill_id=moved.bill_id,
            attempt_id=moved.attempt_id,
            amount_minor=moved.amount_minor,
            owed_minor=moved.owed_minor,
            transfer_id=moved.transfer_id,
        )
        transaction = booking_of(cause)(back)
        if not await post(act, [transaction]):
            raise InvariantBroken("refund_booked_twice", context=f"{cause} {moved.id}")
        after = await settle(
            act,
            bill.id,
            bill.settlement,
            with_entries(sums, transaction),
            told="bill.owed_back_again" if cause == "refund_returned" else "",
        )
        if after == "reversed" != bill.settlement:
            await open_lost_cases(act, bill.id)
    await _emit(act, moved, edge.code)
    return moved


async def merchant_today(act: Act) -> date:
    """The business day in the merchant's own time zone."""
    return act.clock.business_today(await act.db.fetchval(_ZONE, act.merchant_id))


async def was_canceled_in_part(act: Act, refund: Refund) -> bool:
    """Whether, after a refund was set aside, its part-paid bill was canceled (vault.cancel)."""
    found = await act.db.fetchval(_PART_BACK, act.merchant_id, refund.bill_id, refund.id)
    return bool(found)


async def plan_inquiry(act: Act, refund: Refund, in_s: float | None) -> Refund:
    """See to it that the refund is asked about within ``in_s`` seconds; None asks for nothing.

    An inquiry that is planned earlier and still to come is enough.
    """
    if in_s is None:
        return replace(refund, ask_at=None)
    due_at = act.now + timedelta(seconds=in_s)
    if refund.ask_at is not None and act.now < refund.ask_at <= due_at:
        return refund
    await act.plan_task("payment.refund_inquire", refund.id, refund.asked, due_in_s=in_s)
    return replace(refund, ask_at=due_at)


async def open_refund_case(act: Act, refund: Refund, case: RefundCase) -> None:
    """Put a refund that needs a person into the queue."""
    await act.open_case(
        case, refund.id, reference=refund.reference, amount_minor=refund.amount_minor
    )


async def _emit(act: Act, refund: Refund, code: str) -> None:
    params: dict[str, str | int] = {
        "refund": to_public("refund", refund.id), "amount_minor": refund.amount_minor
    }  # fmt: skip
    if refund.code is not None:
        params["decline_code"] = refund.code
    await act.emit(refund.bill_id, code, **params)
