"""Data zone, stage "message": the values of deliveries, given once to the relay that sends them.

The only place where a recipient and a text leave the zone. The relay knows ids; a delivery is
given out only while it is handed out, once per hand-out, for the host of its own provider, and
only if its bill can still be paid and nobody has paused it. The link's secret is made here, at this
moment, and only its SHA-256 is kept. Anything else is refused per delivery, and what only an attack
or a bug explains is an incident.
"""

import secrets
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from portal.contract.message import (
    REDEEM_DELIVERIES,
    SLICE_MAX,
    RedeemDeliveries,
    Redeemed,
    RedeemedDelivery,
)
from portal.domain.contact import customer_hint
from portal.domain.errors import InvalidInput
from portal.domain.ids import DeliveryId
from portal.domain.message import LEFT_OUT, TOLD_BY_ADDRESS
from portal.domain.refund_message import CAMPAIGN as ACCOUNT_MESSAGE
from portal.domain.sending import SendingState
from portal.domain.sms import BillText
from portal.domain.template import occasion_of
from portal.kit.crypto import sha256
from portal.vault.act import Act
from portal.vault.call import NewCall, make_calls
from portal.vault.contact_faults import IS_FAULTY, return_token
from portal.vault.db import Row
from portal.vault.deliveries import COLUMNS, OPTED_OUT, Delivery, store, why_left_out
from portal.vault.fields import Fields
from portal.vault.ladder import held_campaigns, is_night
from portal.vault.message_values import VALUES, Values, account_values
from portal.vault.pause import OpenPauses, read_open
from portal.vault.push import CHANNEL as PUSH
from portal.vault.push import Subscription, note_subscriptions, push_values, read_subscriptions
from portal.vault.registry import operation
from portal.vault.sealed import open_contact
from portal.vault.sending import STOPPED, stopped_chunks
from portal.vault.stop_token import stop_token
from portal.vault.template import Wording, Wordings, read_wordings
from portal.vault.template_trial import redeem_trials
from portal.vault.unclear import why_not_again
from portal.vault.wording_tally import Tally
from portal.vault.wording_tally import keep as keep_tally

LINK_LIFE_DAYS: Final = 400
"""A link works until its bill is paid; a year and a bit covers what is dunned for long."""

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_CHARACTERS: Final = 22
"""22 characters of 62 carry 130 bits."""

_WHOSE: Final = """
select id, merchant_id from delivery where id = any($1::uuid[])
union all
select id, merchant_id from message_trial where id = any($1::uuid[])
"""
_CROSSING: Final = "select set_config('harai.crossing', $1, true)"
_TAKE: Final = f"""
select {COLUMNS}, d.chunk_id, d.channel, d.provider, d.campaign, d.created_at, b.lifecycle,
       b.settlement, b.language, b.period, b.due_on, b.sealed_version, b.contact, b.email_blind,
       m.name, m.code as merchant_code, m.phone, m.website,
       {IS_FAULTY.format(channel="d.channel")} as is_faulty, {OPTED_OUT},
       (select c.sender from merchant_channel c where c.merchant_id = $1 and c.channel = d.channel
        and c.provider = d.provider) as sender,
       (select c.says_amount from merchant_channel c where c.merchant_id = $1
        and c.channel = d.channel and c.provider = d.provider) as says_amount,
       b.amount_minor - coalesce((select p.paid_minor from part_paid p
                                  where p.merchant_id = $1 and p.bill_id = b.id), 0) as left_minor
from delivery d
join bill b on b.merchant_id = $1 and b.id = d.bill_id
join merchant m on m.id = $1
where d.merchant_id = $1 and d.id = any($2::uuid[]) order by d.id for update of d
"""  # noqa: S608  # constant columns
_LINKS: Final = """
insert into link (merchant_id, created_at, expires_at, secret_hash, bill_id, delivery_id)
select $1, $2, $3, l.* from unnest($4::bytea[], $5::uuid[], $6::uuid[]) as l
"""


@operation(
    REDEEM_DELIVERIES,
    callers=frozenset({"egress"}),
    kinds=frozenset({"caller"}),
    reveals=("phone", "message text", "push address"),
    rows_max=SLICE_MAX,
    audit="reveal",
)
async def redeem_deliveries(act: Act, request: RedeemDeliveries) -> Redeemed:
    """Give out recipient and text of deliveries about to go to ``host``.

    Refused per delivery: ``delivery_unknown``, ``delivery_not_handed``, ``delivery_redeemed``,
    ``host_wrong``, ``not_due``, ``paused``, ``no_contact`` (nothing of this channel reaches the
    payer), ``contact_faulty`` (nothing goes there any more), ``opted_out``, ``quiet_hours`` (it
    stays handed out and comes back), ``delivery_repeated`` (twice in one request).

    Raises: InvalidInput ``slice_size`` (param ``max``).
    """
    if not 0 < len(request.delivery_ids) <= SLICE_MAX:
        raise InvalidInput("slice_size", params={"max": SLICE_MAX})
    given: dict[UUID, RedeemedDelivery] = {}
    for merchant_id, ids in (await find_merchants(act, request.delivery_ids)).items():
        await act.act_for(merchant_id)
        given |= await _redeem(act, request.host, ids)
        others = [one for one in ids if one not in given]
        if others:
            given |= await redeem_trials(act, request.host, others)
    seen: set[UUID] = set()
    entries: list[RedeemedDelivery] = []
    for delivery_id in request.delivery_ids:
        if delivery_id in seen:
            entries.append(_refusal(delivery_id, "delivery_repeated"))
        else:
            entries.append(given.get(delivery_id) or _refuse_unknown(act, delivery_id))
        seen.add(delivery_id)
    return Redeemed(deliveries=tuple(entries))


async def find_merchants(act: Act, ids: Sequence[DeliveryId]) -> dict[UUID, list[UUID]]:
    """Whose the deliveries are. Only this look-up crosses merchants, and it reads ids alone."""
    await act.db.execute(_CROSSING, "redeem_deliveries")
    await act.db.execute("select set_config('harai.merchant', $1, true)", str(UUID(int=0)))
    rows = await act.db.fetch(_WHOSE, list(set(ids)))
    await act.db.execute(_CROSSING, "")
    found: dict[UUID, list[UUID]] = {}
    for row in sorted(rows, key=lambda row: (row["merchant_id"], row["id"])):
        found.setdefault(row["merchant_id"], []).append(row["id"])
    return found


async def _redeem(act: Act, host: str, ids: Sequence[UUID]) -> dict[UUID, RedeemedDelivery]:
    """One merchant's deliveries: values for those that may go, a code for the others."""
    rows = await act.db.fetch(_TAKE, act.merchant_id, ids)
    fields = await act.fields()
    wordings = await read_wordings(act, fields, sorted({row["channel"] for row in rows}))
    standing = await _read_standing(act, host, rows)
    pushed = await read_subscriptions(act, fields, rows)
    given: dict[UUID, RedeemedDelivery] = {}
    moved: list[Delivery] = []
    links: list[tuple[bytes, Delivery]] = []
    calls: list[NewCall] = []
    tally = Tally()
    for row in rows:
        delivery = Delivery.of(row)
        secret = "".join(secrets.choice(_BASE62) for _ in range(_SECRET_CHARACTERS))
        refused = _why_not(act, row, delivery, standing)
        own = _own(wordings, row)
        values = None if refused else _values(act, fields, row, secret, own, pushed)
        if values is None:
            refused = refused or "no_contact"
            given[delivery.id] = _refusal(DeliveryId(delivery.id), refused)
            if refused in LEFT_OUT and delivery.take("leave_out"):
                delivery.code = refused
                moved.append(delivery)
            continue
        delivery.take("redeem")
        moved.append(delivery)
        if row["channel"] == "voice":
            calls.append(_call(row, secret, own if values.is_own else None))
        elif row["campaign"] != ACCOUNT_MESSAGE:  # which carries no link
            links.append((sha256(secret.encode()), delivery))
        if own is not None:
            tally.add(delivery.id, row["chunk_id"], own.id, is_own=values.is_own)
        given[delivery.id] = _given(act, fields, row, values, secret)
    await store(act, moved)
    await _store_links(act, links, act.now)
    await make_calls(act, calls)
    await keep_tally(act, tally)
    await note_subscriptions(
        act, {one.id: pushed[one.id].id for _, one in links if one.id in pushed}
    )
    act.reveal(sum(one.refused is None for one in given.values()))
    return given


@dataclass(frozen=True, slots=True)
class _Standing:
    """What holds for all deliveries of one merchant that are asked for together.

    ``stopped``: chunks that staff hold or ended; ``held``: campaigns that rest at this hour.
    ``is_night``: no telephone may ring.
    """

    host: str
    pauses: OpenPauses
    stopped: Mapping[UUID, SendingState]
    held: Container[str]
    is_night: bool


async def _read_standing(act: Act, host: str, rows: Sequence[Row]) -> _Standing:
    return _Standing(
        host,
        await read_open(act, [row["bill_id"] for row in rows]),
        await stopped_chunks(act, [row["chunk_id"] for row in rows]),
        await held_campaigns(act, {row["campaign"] for row in rows}),
        any(row["channel"] == "voice" for row in rows) and await is_night(act),
    )


def _why_not(act: Act, row: Row, delivery: Delivery, standing: _Standing) -> str | None:
    """Why nothing is given out for a delivery; None when it is."""
    refused = _refused(act, row, delivery, standing.host) or why_left_out(row, standing.pauses)
    if refused is not None:
        return refused
    if row["is_faulty"]:
        return "contact_faulty"
    again = why_not_again(act, row)
    if again is not None:
        return again
    if row["chunk_id"] in standing.stopped:
        return STOPPED[standing.stopped[row["chunk_id"]]]
    is_held = row["campaign"] in standing.held or (standing.is_night and row["channel"] == "voice")
    return "quiet_hours" if is_held else None


def _given(act: Act, fields: Fields, row: Row, values: Values, secret: str) -> RedeemedDelivery:
    """What the relay gets of a delivery; a mail alone says who it is from and how it comes back."""
    is_mail = row["channel"] == "email"
    return RedeemedDelivery(
        delivery_id=DeliveryId(row["id"]),
        to=values.to,
        body=values.body,
        refused=None,
        subject=values.subject,
        html=values.html,
        sender=(row["sender"] or "") if is_mail else "",
        sender_name=row["name"] if is_mail else "",
        return_token=return_token(fields, row["id"]) if is_mail else "",
        callback=_callback(act, fields, row, secret),
        stop_url=values.stop_url,
        link=values.link,
        topic=values.topic,
        push_keys=values.push_keys,
        push_app=values.push_app,
    )


def _callback(act: Act, fields: Fields, row: Row, secret: str) -> str:
    """Where a company asks for a call's words, or tells what became of a message, if it does."""
    whose = f"{row['provider']}/{row['merchant_code']}"
    if row["channel"] == "voice":
        return f"{act.settings.public_origin}/calls/{whose}/{secret}"
    if row["provider"] in TOLD_BY_ADDRESS:
        token = return_token(fields, row["id"])
        return f"{act.settings.public_origin}/notices/{whose}/{token}"
    return ""


def _refused(act: Act, row: Row, delivery: Delivery, host: str) -> str | None:
    """Why a delivery may not be asked for like this; None when it may."""
    if act.settings.provider_host(row["provider"]) != host:
        act.note_incident("delivery_host", delivery.id)
        return "host_wrong"
    if delivery.state != "handed":
        code = "delivery_not_handed" if delivery.state == "planned" else "delivery_redeemed"
        act.note_incident(code, delivery.id)
        return code
    return None


def _call(row: Row, secret: str, own: Wording | None) -> NewCall:
    """The call that a company is about to be asked for, bound to the words that it will say."""
    return NewCall(
        secret_hash=sha256(secret.encode()),
        delivery_id=row["id"],
        bill_id=row["bill_id"],
        provider=row["provider"],
        template_id=own.id if own is not None else None,
    )


def _own(wordings: Wordings, row: Row) -> Wording | None:
    """The merchant's own wording for what this message is about."""
    if not wordings or row["campaign"] == ACCOUNT_MESSAGE:
        return None
    occasion = occasion_of(row["campaign"], row["lifecycle"])
    return wordings.get((row["channel"], row["language"], occasion))


def _values(  # what was read for one message
    act: Act,
    fields: Fields,
    row: Row,
    secret: str,
    own: Wording | None,
    pushed: Mapping[UUID, Subscription],
) -> Values | None:
    contact = open_contact(fields, row["bill_id"], row["sealed_version"], row["contact"])
    if row["campaign"] == ACCOUNT_MESSAGE:
        stop = _stop_link(act, fields, row)
        merchant, phone = row["name"], row["phone"]
        return account_values(contact, row["channel"], row["language"], merchant, phone, stop)
    bill = BillText(
        merchant_name=row["name"],
        period=row["period"],
        amount_minor=row["left_minor"],
        customer_hint=customer_hint(contact.customer_no),
        due_on=row["due_on"],
        phone=row["phone"],
        website=row["website"],
        link=f"{act.settings.public_origin}/p/{row['merchant_code']}/{secret}",
        stop_link=_stop_link(act, fields, row),
    )
    bill = bill if own is None else own.words.of(bill)
    if row["channel"] == PUSH:
        return push_values(
            fields,
            pushed.get(row["id"]),
            row["bill_id"],
            bill,
            language=row["language"],
            occasion=occasion_of(row["campaign"], row["lifecycle"]),
            says_amount=bool(row["says_amount"]),
        )
    return VALUES[row["channel"]](contact, row["language"], bill)


def _stop_link(act: Act, fields: Fields, row: Row) -> str:
    """Where the reader of a mail stops further ones; empty for what is no mail."""
    if row["channel"] != "email" or row["email_blind"] is None:
        return ""
    token = stop_token(fields, row["id"], row["email_blind"])
    return f"{act.settings.public_origin}/stop/{row['merchant_code']}/{token}"


async def _store_links(act: Act, links: Sequence[tuple[bytes, Delivery]], now: datetime) -> None:
    if not links:
        return
    await act.db.execute(
        _LINKS,
        act.merchant_id,
        now,
        now + timedelta(days=LINK_LIFE_DAYS),
        [secret_hash for secret_hash, _ in links],
        [delivery.bill_id for _, delivery in links],
        [delivery.id for _, delivery in links],
    )


def _refuse_unknown(act: Act, delivery_id: DeliveryId) -> RedeemedDelivery:
    act.note_incident("delivery_unknown", delivery_id)
    return _refusal(delivery_id, "delivery_unknown")


def _refusal(delivery_id: DeliveryId, code: str) -> RedeemedDelivery:
    return RedeemedDelivery(delivery_id=delivery_id, to="", body="", refused=code)
