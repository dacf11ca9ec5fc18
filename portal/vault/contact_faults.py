"""Data zone: numbers and addresses that take no messages any more, by their keyed hash alone.

Noted when a provider says of a message that was really sent that its mailbox does not exist, or
that its reader complains; asked before anything is sent there again, by whatever bill.
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from portal.domain.errors import NotFound
from portal.domain.ids import DeliveryId, from_public, to_public
from portal.domain.message import Channel
from portal.domain.push import CARRIES
from portal.vault.act import Act
from portal.vault.app import OF_APP
from portal.vault.fields import Fields

BLIND: Final = """
case {channel} when 'email' then b.email_blind when 'push' then b.customer_blind
else b.phone_blind end
"""
"""SQL: the keyed hash of the contact that a channel uses, of the bill ``b``."""

_CARRIED: Final = ", ".join(f"('{company}', '{kind}')" for company, kind in CARRIES.items())
HAS_PUSH: Final = f"""
exists (select from push_subscription s
        join merchant_channel r on r.merchant_id = $1 and r.channel = 'push' and not r.is_off
             and (r.provider, s.kind) in ({_CARRIED})
        where s.merchant_id = $1 and s.customer_blind = b.customer_blind
        and (s.kind <> 'web' or s.phone_blind is not distinct from b.phone_blind) and {OF_APP})
"""  # noqa: S608  # constant texts
"""SQL: whether the payer of the bill ``b`` has a browser or device that takes notifications, by a
company that the merchant sends by. A browser counts while the bill goes to the telephone of the
bill on which it was said."""

IS_FAULTY: Final = f"""
((select f.cleared_at is null from contact_fault f where f.merchant_id = b.merchant_id
  and f.channel = {{channel}} and f.blind = {BLIND}) is true
 or (select w.why = 'denied' and w.cleared_at is null from contact_doubt w
     where w.merchant_id = b.merchant_id and w.contract_blind = b.contract_blind
           and w.contact = {BLIND}) is true)
"""  # noqa: S608  # constant texts
"""SQL: whether the contact of the bill ``b`` takes no more of the channel ``{channel}``, or none of
its contract: somebody there said that the bill is not theirs."""

NOTE: Final = f"""
insert into contact_fault as f (merchant_id, channel, blind, code, at)
select distinct on (2, 3) $1::uuid, d.channel, {BLIND.format(channel="d.channel")}, m.code, $2
from unnest($3::uuid[], $4::text[]) as m (id, code)
join delivery d on d.merchant_id = $1 and d.id = m.id and d.id = any($3::uuid[])
join bill b on b.merchant_id = $1 and b.id = d.bill_id
where {BLIND.format(channel="d.channel")} is not null
on conflict (merchant_id, channel, blind) do update
set code = excluded.code, at = excluded.at, cleared_at = null where f.cleared_at is not null
"""  # noqa: S608  # constant texts

_ASK: Final = f"""
select {IS_FAULTY.format(channel="$3::text")} from bill b where b.merchant_id = $1 and b.id = $2
"""  # noqa: S608  # constant texts

FAULTY: Final = f"""
select b.id, c.channel from bill b cross join unnest($3::text[]) as c (channel)
where b.merchant_id = $1 and b.id = any($2::uuid[])
      and {BLIND.format(channel="c.channel")} is not null
      and {IS_FAULTY.format(channel="c.channel")}
"""  # noqa: S608  # constant texts
_REACHED: Final = f"""
select c.channel from bill b cross join unnest($3::text[]) with ordinality as c (channel, place)
where b.merchant_id = $1 and b.id = $2 and {BLIND.format(channel="c.channel")} is not null
  and (c.channel = 'sms' or exists (select from merchant_channel r where r.merchant_id = $1
                                    and r.channel = c.channel and not r.is_off))
  and (c.channel <> 'push' or {HAS_PUSH})
  and not {IS_FAULTY.format(channel="c.channel")}
order by c.place
"""  # noqa: S608  # constant texts
WRITTEN: Final[tuple[Channel, ...]] = ("sms", "email", "push", "voice")
"""Channels by which staff may have a bill's message sent again."""

_RETURNED: Final = "returned message"
_PREFIX: Final = "dlv_"
_MAC_BYTES: Final = 12


async def note_faults(act: Act, said: Mapping[UUID, str]) -> None:
    """Deliveries → what was said of where they went; the first word about a contact stays.

    One that was cleared since is faulty again.
    """
    if said:
        await act.db.execute(NOTE, act.merchant_id, act.now, list(said), list(said.values()))


async def is_faulty(act: Act, bill_id: UUID, channel: Channel) -> bool:
    """Whether the bill's contact for the channel takes no messages any more."""
    return bool(await act.db.fetchval(_ASK, act.merchant_id, bill_id, channel))


async def read_faulty(act: Act, bill_ids: Sequence[UUID]) -> frozenset[tuple[str, UUID]]:
    """Channel and bill, of those whose contact for the channel takes no messages any more."""
    rows = await act.db.fetch(FAULTY, act.merchant_id, list(bill_ids), list(WRITTEN))
    return frozenset((row["channel"], row["id"]) for row in rows)


async def reachable_by(act: Act, bill_id: UUID) -> tuple[str, ...]:
    """By which written channels the bill's payer can be told: those that merchant and payer have.

    Not by one whose number or address takes no messages any more.
    """
    rows = await act.db.fetch(_REACHED, act.merchant_id, bill_id, list(WRITTEN))
    return tuple(row["channel"] for row in rows)


def return_token(fields: Fields, delivery_id: UUID) -> str:
    """What stands in the address that a mail comes back to: the delivery's id and a MAC of ours.

    Letters, digits and one dot, and no difference between capitals and small letters: what is
    between there and here may fold them. With ``bounce+`` before it, it is 58 characters long.
    Source: RFC 5321 §4.5.3.1.1 (a local part has at most 64).
    """
    name = to_public("delivery", DeliveryId(delivery_id))
    return f"{name.removeprefix(_PREFIX).lower()}.{_mac(fields, name)}"


def read_return_token(fields: Fields, text: str) -> UUID | None:
    """The delivery that a token speaks of, if the token was made here for this merchant."""
    letters, _, mac = text.lower().partition(".")
    name = _PREFIX + letters.upper()
    if not hmac.compare_digest(_mac(fields, name).encode(), mac.encode()):
        return None
    try:
        return from_public("delivery", name)
    except NotFound:
        return None


def _mac(fields: Fields, name: str) -> str:
    return fields.blind(_RETURNED, name)[:_MAC_BYTES].hex()
