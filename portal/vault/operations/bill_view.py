"""Data zone: one bill with all that happened to it.

The timeline joins what is written as events with what columns tell already: that the bill came,
was issued and opened, and what became of each message.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.contract.bills import (
    VIEW_BILL,
    AttemptRow,
    AttemptShareRow,
    BillDetail,
    BillEvent,
    BillLine,
    ViewBill,
)
from portal.domain.contact import email_hint, write_check_code
from portal.domain.errors import NotFound
from portal.domain.ids import AttemptId, BillId
from portal.vault import ladder, paper
from portal.vault.act import Act
from portal.vault.attempt import OF_BILL
from portal.vault.bill_messages import messages_of
from portal.vault.bills import BILLS, ROW_COLUMNS, to_bill_row
from portal.vault.card_on_file import ChargedBill, show_card
from portal.vault.contact_faults import reachable_by
from portal.vault.db import Row
from portal.vault.pause import read_missed
from portal.vault.registry import operation
from portal.vault.sealed import BillBilling, open_billing, open_contact
from portal.vault.timeline import params_of

EVENTS_MAX: Final = 200
ATTEMPTS_MAX: Final = 50

_BILL: Final = f"""
select {ROW_COLUMNS}, b.billing, b.tax_minor, b.check_code, b.issued_at, i.created_by
from {BILLS} left join import i on i.merchant_id = $1 and i.id = b.import_id
where b.merchant_id = $1 and b.id = $2
"""  # noqa: S608  # constant columns
_EVENTS: Final = """
select at, code, actor, params, attempt_id, amount_minor from bill_event
where merchant_id = $1 and bill_id = $2
order by id desc limit $3
"""
_DELIVERIES: Final = """
select d.campaign, d.channel, d.state, d.code, d.created_at, d.changed_at, t.number as template
from delivery d
left join delivery_wording w on w.merchant_id = $1 and w.delivery_id = d.id
left join message_template t on t.merchant_id = $1 and t.id = w.template_id
where d.merchant_id = $1 and d.bill_id = $2 order by d.id desc limit $3
"""
_ATTEMPTS: Final = f"""
select a.id, a.method, a.provider, a.state, a.reference, a.decline_code, a.created_at,
       a.amount_minor as payment_minor, coalesce(s.amount_minor, a.amount_minor) as amount_minor
from ({OF_BILL}) a
left join attempt_share s on s.merchant_id = $1 and s.attempt_id = a.id and s.bill_id = $2
order by a.id desc limit $3
"""  # noqa: S608  # a constant
_SHARES: Final = """
select s.attempt_id, s.bill_id, s.amount_minor, b.number from attempt_share s
join bill b on b.merchant_id = $1 and b.id = s.bill_id
where s.merchant_id = $1 and s.attempt_id = any($2::uuid[]) order by b.due_on, b.id
"""


@operation(
    VIEW_BILL,
    callers=frozenset({"web"}),
    kinds=frozenset({"staff", "api_key"}),
    scope="bills:read",
    reveals=(
        "payer name",
        "customer number",
        "contract number",
        "contact hints",
        "line items",
        "card (last 4)",
    ),
    audit="reveal",
)
async def view_bill(act: Act, request: ViewBill) -> BillDetail:
    """One bill of the merchant. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(_BILL, act.merchant_id, request.bill_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "bill"})
    act.reveal(1)
    fields = await act.fields()
    contact = open_contact(fields, row["id"], row["sealed_version"], row["contact"])
    billing = open_billing(fields, row["id"], row["sealed_version"], row["billing"])
    return BillDetail(
        row=to_bill_row(fields, row, act.clock),
        contract_no=contact.contract_no,
        email_hint=email_hint(contact.email),
        check_code=write_check_code(row["check_code"]),
        lines=tuple(
            BillLine(
                label=item.label,
                amount_minor=item.amount_minor,
                tax_rate_percent=item.tax_rate_percent,
            )
            for item in billing.lines
        ),
        tax_minor=row["tax_minor"],
        attempts=await _read_attempts(act, row),
        events=await _read_events(act, row, billing),
        card=await show_card(
            act,
            ChargedBill(
                id=row["id"],
                lifecycle=row["lifecycle"],
                settlement=row["settlement"],
                due_on=row["due_on"],
            ),
        ),
        resend_channels=await reachable_by(act, row["id"]),
        messages=await messages_of(act, row),
    )


async def _read_attempts(act: Act, row: Row) -> tuple[AttemptRow, ...]:
    found = await act.db.fetch(_ATTEMPTS, act.merchant_id, row["id"], ATTEMPTS_MAX)
    shares = await _read_shares(act, [attempt["id"] for attempt in found])
    return tuple(
        AttemptRow(
            id=AttemptId(attempt["id"]),
            method=attempt["method"],
            provider=attempt["provider"],
            state=attempt["state"],
            amount_minor=attempt["amount_minor"],
            reference=attempt["reference"],
            decline_code=attempt["decline_code"],
            created_at=attempt["created_at"],
            payment_minor=attempt["payment_minor"],
            shares=tuple(shares.get(attempt["id"], ())),
        )
        for attempt in found
    )


async def _read_shares(act: Act, attempt_ids: Sequence[UUID]) -> dict[UUID, list[AttemptShareRow]]:
    """What each bill gets, of those of the attempts that pay several."""
    found: dict[UUID, list[AttemptShareRow]] = {}
    if not attempt_ids:
        return found
    for row in await act.db.fetch(_SHARES, act.merchant_id, attempt_ids):
        found.setdefault(row["attempt_id"], []).append(
            AttemptShareRow(
                bill_id=BillId(row["bill_id"]),
                bill_number=row["number"],
                amount_minor=row["amount_minor"],
            )
        )
    return found


async def _read_events(act: Act, row: Row, billing: BillBilling) -> tuple[BillEvent, ...]:
    """Newest first, at most EVENTS_MAX; what one transaction did at one moment keeps its order."""
    events = _events_of_columns(row)
    for delivery in await act.db.fetch(_DELIVERIES, act.merchant_id, row["id"], EVENTS_MAX):
        events += _events_of_delivery(delivery)
    written = await act.db.fetch(_EVENTS, act.merchant_id, row["id"], EVENTS_MAX)
    for event in reversed(written):
        params = params_of(event)
        if event["code"] in {"bill.cancel_requested", "bill.canceled"} and billing.cancel_reason:
            params["reason"] = billing.cancel_reason
        events.append(
            BillEvent(at=event["at"], code=event["code"], actor=event["actor"], params=params)
        )
    events += await _events_of_promises(act, row)
    events += await ladder.events_of(act, row["id"])
    events += await paper.events_of(act, row["id"])
    events.sort(key=lambda event: event.at)
    return tuple(reversed(events[-EVENTS_MAX:]))


def _events_of_columns(row: Row) -> list[BillEvent]:
    known: tuple[tuple[datetime | None, str, str], ...] = (
        (row["created_at"], "bill.accepted", row["created_by"] or "system"),
        (row["issued_at"], "bill.issued", "system"),
        (row["opened_at"], "bill.opened", "payer"),
    )
    return [
        BillEvent(at=at, code=code, actor=actor, params={})
        for at, code, actor in known
        if at is not None
    ]


async def _events_of_promises(act: Act, row: Row) -> list[BillEvent]:
    """That a promise was missed: no act says so, its day just passed."""
    zone = ZoneInfo(row["zone"])
    return [
        BillEvent(
            at=datetime.combine(until + timedelta(days=1), time(), tzinfo=zone),
            code="pause.missed",
            actor="system",
            params={"until": until.isoformat()},
        )
        for until in await read_missed(act, row["id"], row["zone"], row["paid_at"])
    ]


def _events_of_delivery(delivery: Row) -> list[BillEvent]:
    """That a message was planned, and what it has come to since."""
    params: dict[str, str | int] = {
        "channel": delivery["channel"], "campaign": delivery["campaign"]
    }  # fmt: skip
    events = [
        BillEvent(at=delivery["created_at"], code="message.planned", actor="system", params=params)
    ]
    if delivery["state"] not in {"planned", "handed", "redeemed"}:
        why: dict[str, str | int] = {"code": delivery["code"]} if delivery["code"] else {}
        if delivery["template"] is not None:
            why["template"] = delivery["template"]
        events.append(
            BillEvent(
                at=delivery["changed_at"],
                code=f"message.{delivery['state']}",
                actor="system",
                params=params | why,
            )
        )
    return events
