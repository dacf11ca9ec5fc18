"""Data zone: staff and merchants' systems stop dunning for a bill, and let it go on.

Both are single-use effects by idempotency key and happen under the bill's lock. What is placed
stops messages that were planned before, at the next hand-out or redemption: see
portal.vault.operations.deliveries and redeem.
"""

from typing import Final
from uuid import UUID

import msgspec

from portal.contract.bills import BillChanged
from portal.contract.pause import (
    LIST_BILL_PAUSES,
    PLACE_PAUSE,
    RELEASE_PAUSE,
    SET_PAUSE_LIMITS,
    BillPauses,
    ListBillPauses,
    PauseLimitsSet,
    PlacePause,
    ReleasePause,
    SetPauseLimits,
)
from portal.domain import pause as rules
from portal.domain.bill import advance
from portal.domain.errors import InvalidInput, NotFound
from portal.domain.pause import LIMIT_DAYS_MAX, NOTE_CHARACTERS_MAX, RELEASED, REPLACES
from portal.vault import ladder
from portal.vault.act import Act
from portal.vault.bills import view_row
from portal.vault.db import Row
from portal.vault.due import share_day
from portal.vault.pause import (
    BILL,
    PAUSES_MAX,
    NewPause,
    bill_of_row,
    end_pauses,
    insert_pause,
    limits_of_row,
    read_open,
    view_pauses,
)
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation
from portal.vault.texts import read_note

_WEB: Final = frozenset({"web"})
_MERCHANT: Final = frozenset({"staff", "api_key"})
_REVEALS: Final = ("payer name", "customer number", "phone hint")

_LOCKED: Final = BILL + " for update of b"
_EXTEND: Final = """
update bill set lifecycle = $3, due_on = $4, version = version + 1
where merchant_id = $1 and id = $2
"""
_SET_LIMITS: Final = """
update merchant set promise_days_max = coalesce($2, promise_days_max),
    extension_days_max = coalesce($3, extension_days_max)
where id = $1 returning promise_days_max, extension_days_max
"""


@operation(
    PLACE_PAUSE,
    callers=_WEB,
    kinds=_MERCHANT,
    scope="bills:write",
    reveals=_REVEALS,
    audit="effect",
)
async def place_pause(act: Act, request: PlacePause) -> BillChanged:
    """Stop dunning for a bill: hold it, note the payer's promise, or extend its due date.

    Raises: Conflict ``not_pausable``, ``idempotency_mismatch``; NotAllowed ``hold_without_end``,
        ``endless_hold`` for one that only an owner may replace; InvalidInput
        ``pause_day_needed``, ``pause_day_past``, ``extension_shortens``, ``pause_too_long`` (param
        ``last``), or what is wrong with the note; NotFound.
    """
    until = None if request.until is None else request.until.isoformat()
    arguments = msgspec.msgpack.encode([request.bill_id, request.kind, until, request.note])
    if await act.once("place_pause", request.idempotency_key, arguments) is not None:
        return BillChanged(row=await view_row(act, request.bill_id))
    note = read_note(request.note, field="note", characters_max=NOTE_CHARACTERS_MAX)
    kind = request.kind
    begun = await share_day(act) if kind == "extension" else None
    bill = await _lock(act, request.bill_id)
    facts = bill_of_row(bill)
    role = act.capability.role
    rules.check_role(kind, request.until, role)
    rules.check_replaced(kind, (await read_open(act, [bill["id"]])).of.get(bill["id"], ()), role)
    rules.check_kind(kind, facts)
    today = act.clock.business_today(bill["zone"])
    if begun is not None:
        # A day that the walk along the due dates has passed would never make the bill late again.
        today = max(today, begun)
    rules.check_until(kind, request.until, facts, limits_of_row(bill), today)
    await end_pauses(act, bill["id"], sorted(REPLACES[kind]), "replaced")
    was_due_on = facts.due_on if kind == "extension" else None
    new = NewPause(
        bill_id=bill["id"], kind=kind, until=request.until, was_due_on=was_due_on, note=note
    )
    await insert_pause(act, new)
    if kind == "extension":
        # What was late is in time again.
        edge = advance(bill["lifecycle"], "extend")
        await act.db.execute(_EXTEND, act.merchant_id, bill["id"], edge.state, request.until)
        await ladder.revive(act, bill["id"])
    await ladder.look_again(act, [bill["id"]])
    if until is None:
        await act.emit(bill["id"], rules.HELD_OPEN)
    else:
        await act.emit(bill["id"], rules.EVENTS[kind], until=until)
    return BillChanged(row=await view_row(act, bill["id"]))


@operation(
    RELEASE_PAUSE,
    callers=_WEB,
    kinds=_MERCHANT,
    scope="bills:write",
    reveals=_REVEALS,
    audit="effect",
)
async def release_pause(act: Act, request: ReleasePause) -> BillChanged:
    """End a bill's hold or promise, so that dunning goes on; what was left out stays unsent.

    Raises: Conflict ``not_paused``, ``idempotency_mismatch``; NotAllowed ``endless_hold`` for a
    hold without an end, which only an owner may release; NotFound ``not_found``.
    """
    arguments = msgspec.msgpack.encode([request.bill_id])
    if await act.once("release_pause", request.idempotency_key, arguments) is not None:
        return BillChanged(row=await view_row(act, request.bill_id))
    bill = await _lock(act, request.bill_id)
    pauses = (await read_open(act, [bill["id"]])).of.get(bill["id"], ())
    rules.check_released(pauses, act.capability.role)
    await end_pauses(act, bill["id"], sorted(RELEASED), "released")
    await ladder.look_again(act, [bill["id"]])
    await act.emit(bill["id"], "pause.released")
    return BillChanged(row=await view_row(act, bill["id"]))


@operation(
    LIST_BILL_PAUSES,
    callers=_WEB,
    kinds=_MERCHANT,
    scope="bills:read",
    reveals=("note of staff",),
    rows_max=PAUSES_MAX,
    audit="reveal",
)
async def list_bill_pauses(act: Act, request: ListBillPauses) -> BillPauses:
    """All that ever stopped dunning for a bill, and what can be done now. Raises: NotFound."""
    bill = await _read(act, BILL, request.bill_id)
    facts, limits = bill_of_row(bill), limits_of_row(bill)
    today = act.clock.business_today(bill["zone"])
    pauses = (await read_open(act, [bill["id"]])).of.get(bill["id"], [])
    return BillPauses(
        pauses=await view_pauses(act, bill),
        choices=rules.choices_of(facts, pauses, limits, today, act.capability.role),
        first_due_on=facts.first_due_on,
        latest_hold=rules.latest("hold", facts, limits, today),
        latest_promise=rules.latest("promise", facts, limits, today),
        latest_extension=rules.latest("extension", facts, limits, today),
    )


@operation(
    SET_PAUSE_LIMITS,
    callers=frozenset({"operator"}),
    kinds=frozenset({"caller"}),
    audit="effect",
)
async def set_pause_limits(act: Act, request: SetPauseLimits) -> PauseLimitsSet:
    """Set how long promises and extensions of a merchant's bills may be, from now on.

    Raises: InvalidInput ``pause_limit_out_of_bounds`` (param ``max``); NotFound
    ``merchant_unknown``.
    """
    for days in (request.promise_days, request.extension_days):
        if days is not None and not 0 <= days <= LIMIT_DAYS_MAX:
            raise InvalidInput("pause_limit_out_of_bounds", params={"max": LIMIT_DAYS_MAX})
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    row = await act.db.fetchrow(
        _SET_LIMITS, act.merchant_id, request.promise_days, request.extension_days
    )
    if row is None:
        raise NotFound("merchant_unknown")
    return PauseLimitsSet(
        promise_days=row["promise_days_max"], extension_days=row["extension_days_max"]
    )


async def _lock(act: Act, bill_id: UUID) -> Row:
    """The bill as it is once nobody else changes it; read again after the lock was had."""
    await _read(act, _LOCKED, bill_id)
    return await _read(act, BILL, bill_id)


async def _read(act: Act, statement: str, bill_id: UUID) -> Row:
    row = await act.db.fetchrow(statement, act.merchant_id, bill_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "bill"})
    return row
