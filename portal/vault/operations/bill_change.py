"""Data zone: what staff do to one bill: cancel it, or send its message once more.

Both are single-use effects by idempotency key and happen under the bill's lock.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.bills import (
    CANCEL_BILL,
    RESEND_MESSAGE,
    BillChanged,
    CancelBill,
    ResendMessage,
)
from portal.domain.bill import advance, check_cancelable, is_payable
from portal.domain.errors import Conflict, LimitReached, NotFound
from portal.domain.intake.cells import read_text
from portal.domain.message import RESENDS_PER_DAY_MAX, Channel
from portal.domain.pause import RELEASED, check_resend
from portal.vault import ladder
from portal.vault.act import Act
from portal.vault.bills import view_row
from portal.vault.call import check_call
from portal.vault.cancel import finish_cancel
from portal.vault.contact_faults import is_faulty, reachable_by
from portal.vault.db import Row
from portal.vault.messages import RESENT_MESSAGE, plan_resent_message
from portal.vault.pause import end_pauses, read_open
from portal.vault.registry import operation
from portal.vault.sealed import BILL_TABLE, open_billing, open_contact
from portal.vault.unwanted import ask_about_numbers

_WEB: Final = frozenset({"web"})
_MERCHANT: Final = frozenset({"staff", "api_key"})
_REVEALS: Final = ("payer name", "customer number", "phone hint")

_LOCK: Final = """
select id, version, lifecycle, settlement, sealed_version, contact, billing
from bill where merchant_id = $1 and id = $2 for update
"""
_MOVE: Final = """
update bill set lifecycle = $3, version = version + 1, sealed_version = $4, contact = $5,
    billing = $6, canceled_at = $7
where merchant_id = $1 and id = $2
"""
_RESENT: Final = """
select count(*) filter (where campaign = $3) as resent,
       count(*) filter (where campaign = $3 and created_at > $4) as lately,
       bool_or(state in ('planned', 'handed', 'redeemed')) as is_running
from delivery where merchant_id = $1 and bill_id = $2
"""
_PLANNED: Final = "update bill set message = 'planned' where merchant_id = $1 and id = $2"


@operation(
    CANCEL_BILL,
    callers=_WEB,
    kinds=_MERCHANT,
    scope="bills:write",
    reveals=_REVEALS,
    audit="effect",
)
async def cancel_bill(act: Act, request: CancelBill) -> BillChanged:
    """Cancel a bill; while a payment may still arrive it is ``canceling`` and stops being payable.

    What was paid of it in part is owed back then, and a case.

    Raises: Conflict ``stale_version`` (param ``version``), ``already_paid``, ``slip_announced``,
        ``bill_state``; InvalidInput for a reason that may not be stored; NotFound ``not_found``.
    """
    arguments = msgspec.msgpack.encode([request.bill_id, request.version, request.reason])
    if await act.once("cancel_bill", request.idempotency_key, arguments) is not None:
        return BillChanged(row=await view_row(act, request.bill_id))
    reason = read_text(request.reason)
    bill = await _lock(act, request.bill_id)
    if bill["version"] != request.version:
        raise Conflict("stale_version", params={"version": bill["version"]})
    check_cancelable(bill["lifecycle"], bill["settlement"])
    edge = advance(bill["lifecycle"], "cancel")
    await _store_cancel(act, bill, edge.state, reason)
    # Nobody breaks a promise to pay what is no longer asked for.
    await end_pauses(act, bill["id"], sorted(RELEASED), "released")
    await act.emit(bill["id"], edge.code)
    await ladder.end(act, [bill["id"]], "canceled")
    if edge.state == "canceling":
        if not await finish_cancel(act, bill["id"]):
            await ask_about_numbers(act, [bill["id"]])
        await act.write_now()  # what was paid in part is owed back: the reply says so, too
    return BillChanged(row=await view_row(act, bill["id"]))


@operation(
    RESEND_MESSAGE,
    callers=_WEB,
    kinds=_MERCHANT,
    scope="bills:write",
    reveals=_REVEALS,
    audit="effect",
)
async def resend_message(act: Act, request: ResendMessage) -> BillChanged:
    """Send the payer the link once more, ahead of all bulk sending.

    Raises: Conflict ``not_payable``, ``bill_held``, ``no_channel``, ``channel_unreachable``,
        ``contact_faulty``, ``message_running``, ``call_at_night``, ``calls_stopped``;
        LimitReached ``resent_too_often`` (params ``max``,
        ``hours``); NotFound ``not_found``.
    """
    by = () if request.channel == "sms" else (request.channel,)
    arguments = msgspec.msgpack.encode([request.bill_id, *by])
    if await act.once("resend_message", request.idempotency_key, arguments) is not None:
        return BillChanged(row=await view_row(act, request.bill_id))
    bill = await _lock(act, request.bill_id)
    if not is_payable(bill["lifecycle"], bill["settlement"]):
        raise Conflict("not_payable")
    pauses = await read_open(act, [bill["id"]])
    check_resend(pauses.of.get(bill["id"], ()), pauses.today)
    await _check_reach(act, bill["id"], request.channel)
    if request.channel == "voice":
        await check_call(act, bill["id"])
    day_ago = act.business - timedelta(hours=24)
    sent = await act.db.fetchrow(_RESENT, act.merchant_id, bill["id"], RESENT_MESSAGE, day_ago)
    if sent is not None and sent["is_running"]:
        raise Conflict("message_running")
    if sent is not None and sent["lately"] >= RESENDS_PER_DAY_MAX:
        raise LimitReached("resent_too_often", params={"max": RESENDS_PER_DAY_MAX, "hours": 24})
    step = sent["resent"] if sent is not None else 0
    await plan_resent_message(act, bill["id"], step, request.channel)
    await act.db.execute(_PLANNED, act.merchant_id, bill["id"])
    by_channel = {} if request.channel == "sms" else {"channel": request.channel}
    await act.emit(bill["id"], "message.resend_asked", **by_channel)
    return BillChanged(row=await view_row(act, bill["id"]))


async def _check_reach(act: Act, bill_id: UUID, channel: Channel) -> None:
    if channel in await reachable_by(act, bill_id):
        return
    if await is_faulty(act, bill_id, channel):
        raise Conflict("contact_faulty")
    raise Conflict("no_channel" if channel == "sms" else "channel_unreachable")


async def _lock(act: Act, bill_id: UUID) -> Row:
    row = await act.db.fetchrow(_LOCK, act.merchant_id, bill_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "bill"})
    return row


async def _store_cancel(act: Act, bill: Row, lifecycle: str, reason: str) -> None:
    """Move the bill and keep the reason with what is sealed of it, under a new row version."""
    fields = await act.fields()
    contact = open_contact(fields, bill["id"], bill["sealed_version"], bill["contact"])
    billing = open_billing(fields, bill["id"], bill["sealed_version"], bill["billing"])
    version = bill["sealed_version"] + 1
    told = msgspec.structs.replace(billing, cancel_reason=reason)
    await act.db.execute(
        _MOVE,
        act.merchant_id,
        bill["id"],
        lifecycle,
        version,
        fields.seal(BILL_TABLE, "contact", bill["id"], version, contact),
        fields.seal(BILL_TABLE, "billing", bill["id"], version, told),
        act.business if lifecycle == "canceled" else None,
    )
