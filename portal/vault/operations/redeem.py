"""Data zone, stage "message": the values of deliveries, given once to the relay that sends them.

The only place where a recipient and a text leave the zone. The relay knows ids; a delivery is
given out only while it is handed out, once per hand-out, for the host of its own provider, and
only if its bill can still be paid and nobody has paused it. The link's secret is made here, at this
moment, and only its SHA-256 is kept. Anything else is refused per delivery, and what only an attack
or a bug explains is an incident.
"""

import secrets
from collections.abc import Sequence
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
from portal.domain.message import LEFT_OUT
from portal.domain.sms import BillText
from portal.kit.crypto import sha256
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.deliveries import COLUMNS, Delivery, store, why_left_out
from portal.vault.fields import Fields
from portal.vault.message_values import VALUES, Values
from portal.vault.pause import OpenPauses, read_open
from portal.vault.registry import operation
from portal.vault.sealed import open_contact
from portal.vault.sending import STOPPED, stopped_chunks
from portal.vault.unclear import why_not_again

LINK_LIFE_DAYS: Final = 400
"""A link works until its bill is paid; a year and a bit covers what is dunned for long."""

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_CHARACTERS: Final = 22
"""22 characters of 62 carry 130 bits."""

_WHOSE: Final = "select id, merchant_id from delivery where id = any($1::uuid[])"
_CROSSING: Final = "select set_config('harai.crossing', $1, true)"
_TAKE: Final = f"""
select {COLUMNS}, d.chunk_id, d.channel, d.provider, d.campaign, d.created_at, b.lifecycle,
       b.settlement, b.language, b.period, b.due_on, b.sealed_version, b.contact, m.name,
       m.code as merchant_code,
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
    reveals=("phone", "message text"),
    rows_max=SLICE_MAX,
    audit="reveal",
)
async def redeem_deliveries(act: Act, request: RedeemDeliveries) -> Redeemed:
    """Give out recipient and text of deliveries about to go to ``host``.

    Refused per delivery: ``delivery_unknown``, ``delivery_not_handed``, ``delivery_redeemed``,
    ``host_wrong``, ``not_due``, ``paused``, ``no_contact`` (nothing of this channel reaches the
    payer), ``delivery_repeated`` (twice in one request).

    Raises: InvalidInput ``slice_size`` (param ``max``).
    """
    if not 0 < len(request.delivery_ids) <= SLICE_MAX:
        raise InvalidInput("slice_size", params={"max": SLICE_MAX})
    given: dict[UUID, RedeemedDelivery] = {}
    for merchant_id, ids in (await _find_merchants(act, request.delivery_ids)).items():
        await act.act_for(merchant_id)
        given |= await _redeem(act, request.host, ids)
    seen: set[UUID] = set()
    entries: list[RedeemedDelivery] = []
    for delivery_id in request.delivery_ids:
        if delivery_id in seen:
            entries.append(_refusal(delivery_id, "delivery_repeated"))
        else:
            entries.append(given.get(delivery_id) or _refuse_unknown(act, delivery_id))
        seen.add(delivery_id)
    return Redeemed(deliveries=tuple(entries))


async def _find_merchants(act: Act, ids: Sequence[DeliveryId]) -> dict[UUID, list[UUID]]:
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
    pauses = await read_open(act, [row["bill_id"] for row in rows])
    stopped = await stopped_chunks(act, [row["chunk_id"] for row in rows])
    given: dict[UUID, RedeemedDelivery] = {}
    moved: list[Delivery] = []
    links: list[tuple[bytes, Delivery]] = []
    for row in rows:
        delivery = Delivery.of(row)
        secret = "".join(secrets.choice(_BASE62) for _ in range(_SECRET_CHARACTERS))
        refused = _why_not(act, row, delivery, host, pauses) or STOPPED.get(
            stopped.get(row["chunk_id"], "going")
        )
        values = None if refused else _values(act, fields, row, secret)
        if values is None:
            refused = refused or "no_contact"
            given[delivery.id] = _refusal(DeliveryId(delivery.id), refused)
            if refused in LEFT_OUT and delivery.take("leave_out"):
                delivery.code = refused
                moved.append(delivery)
            continue
        delivery.take("redeem")
        moved.append(delivery)
        links.append((sha256(secret.encode()), delivery))
        given[delivery.id] = RedeemedDelivery(
            delivery_id=DeliveryId(delivery.id), to=values.to, body=values.body, refused=None
        )
    await store(act, moved)
    await _store_links(act, links, act.now)
    act.reveal(len(links))
    return given


def _why_not(act: Act, row: Row, delivery: Delivery, host: str, pauses: OpenPauses) -> str | None:
    """Why nothing is given out for a delivery; None when it is."""
    return (
        _refused(act, row, delivery, host) or why_left_out(row, pauses) or why_not_again(act, row)
    )


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


def _values(act: Act, fields: Fields, row: Row, secret: str) -> Values | None:
    contact = open_contact(fields, row["bill_id"], row["sealed_version"], row["contact"])
    bill = BillText(
        merchant_name=row["name"],
        period=row["period"],
        amount_minor=row["left_minor"],
        customer_hint=customer_hint(contact.customer_no),
        due_on=row["due_on"],
        link=f"{act.settings.public_origin}/p/{row['merchant_code']}/{secret}",
    )
    return VALUES[row["channel"]](contact, row["language"], bill)


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
