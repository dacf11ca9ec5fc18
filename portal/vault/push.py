"""Data zone: to which browser or device a payer's notification goes, and by which company.

A notification goes to the newest one alone: the telephone that a payer used last. A browser counts
only while the bill goes to the telephone of the bill on which it was said: numbers change hands,
and so do old links.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from portal.domain.message import Channel
from portal.domain.push import CARRIES, PushKind, render_push, topic_of
from portal.domain.sms import BillText
from portal.domain.template import Occasion
from portal.vault.act import Act
from portal.vault.app import OF_APP
from portal.vault.channels import roads
from portal.vault.db import Row
from portal.vault.fields import Fields
from portal.vault.message_values import Values

CHANNEL: Final[Channel] = "push"
TABLE: Final = "push_subscription"
SEALED_VERSION: Final = 1

OF_BILL: Final = f"""
s.merchant_id = $1 and s.customer_blind = b.customer_blind
and (s.kind <> 'web' or s.phone_blind is not distinct from b.phone_blind) and {OF_APP}
"""
"""SQL: whether the subscription ``s`` is one of the payer of the bill ``b``, by the merchant's app
as it is now."""

KINDS: Final = f"""
select b.id as bill_id, s.kind from bill b cross join lateral (
    select s.kind from push_subscription s where {OF_BILL} and s.kind = any($3::text[])
    order by s.id desc limit 1
) s
where b.merchant_id = $1 and b.id = any($2::uuid[])
"""  # noqa: S608  # constant texts
NEWEST: Final = f"""
select d.id as delivery_id, s.id, s.kind, s.contact, s.app
from unnest($2::uuid[], $3::uuid[], $4::text[]) as d (id, bill_id, kind)
join bill b on b.merchant_id = $1 and b.id = d.bill_id and b.id = any($3::uuid[])
cross join lateral (
    select s.id, s.kind, s.contact, s.app from push_subscription s
    where {OF_BILL} and s.kind = d.kind
    order by s.id desc limit 1
) s
"""  # noqa: S608  # constant texts
NOTE: Final = """
insert into push_delivery (merchant_id, delivery_id, subscription_id)
select $1, m.* from unnest($2::uuid[], $3::uuid[]) as m
on conflict (merchant_id, delivery_id) do update set subscription_id = excluded.subscription_id
"""


class PushContact(msgspec.Struct, frozen=True, array_like=True):
    """Where it is: a browser's address with its keys, or a device's token."""

    to: str
    p256dh: str = ""
    auth: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """The browser or device of one delivery; ``app`` is the name of the device's app."""

    id: UUID
    contact: PushContact
    app: str


async def providers_by_bill(act: Act, bill_ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """Bill → the company that reaches its payer's newest browser or device.

    Only companies by which the merchant sends count; who has nothing that one reaches is left out.
    """
    by_kind = {
        CARRIES[road.provider]: road.provider
        for road in reversed(await roads(act, CHANNEL))
        if road.provider in CARRIES
    }
    if not by_kind or not bill_ids:
        return {}
    found = await act.db.fetch(KINDS, act.merchant_id, list(bill_ids), list(by_kind))
    return {row["bill_id"]: by_kind[row["kind"]] for row in found}


async def read_subscriptions(
    act: Act, fields: Fields, rows: Sequence[Row]
) -> Mapping[UUID, Subscription]:
    """Delivery → where it goes, for those of ``rows`` that are pushed."""
    pushed = [row for row in rows if row["channel"] == CHANNEL and row["provider"] in CARRIES]
    if not pushed:
        return {}
    found = await act.db.fetch(
        NEWEST,
        act.merchant_id,
        [row["id"] for row in pushed],
        [row["bill_id"] for row in pushed],
        [CARRIES[row["provider"]] for row in pushed],
    )
    return {
        row["delivery_id"]: Subscription(row["id"], open_subscription(fields, row), row["app"])
        for row in found
    }


async def note_subscriptions(act: Act, used: Mapping[UUID, UUID]) -> None:
    """Keep which browser or device each redeemed delivery goes to."""
    if used:
        await act.db.execute(NOTE, act.merchant_id, list(used), list(used.values()))


def open_subscription(fields: Fields, row: Row) -> PushContact:
    """What a row's ``contact`` holds. Raises: InvariantBroken ``seal_broken``."""
    return fields.open(TABLE, "contact", row["id"], SEALED_VERSION, row["contact"], PushContact)


def blind_of(fields: Fields, kind: PushKind, contact: PushContact) -> bytes:
    """By which the same browser, under the same keys, or device is found again."""
    return fields.blind("push", f"{kind} {contact.to} {contact.p256dh} {contact.auth}")


def push_values(  # noqa: PLR0913  # the parts of one notification
    fields: Fields,
    found: Subscription | None,
    bill_id: UUID,
    bill: BillText,
    *,
    language: str,
    occasion: Occasion,
    says_amount: bool,
) -> Values | None:
    """What a notification carries; None where the payer has no browser or device."""
    if found is None:
        return None
    text = render_push(language, occasion, bill, says_amount=says_amount)
    contact = found.contact
    return Values(
        contact.to,
        text.body,
        is_own=text.is_own,
        subject=text.title,
        link=bill.link,
        topic=topic_of(fields.blind("push topic", bill_id.hex)),
        push_keys=f"{contact.p256dh} {contact.auth}" if contact.p256dh else "",
        push_app=found.app,
    )
