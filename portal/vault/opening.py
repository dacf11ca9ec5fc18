"""Data zone: by what message a payer came to the page, and what that proves of its contact.

The authority of an opened link says by which channel the link went out; nothing that the browser
says can change that. A contact is verified when a person looks at the page, not when a link is
fetched: what looks ahead proves nothing.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from portal.domain.message import Channel
from portal.vault.act import Act

NUMBERS: Final[Mapping[Channel, int]] = MappingProxyType(
    {"sms": 1, "email": 2, "push": 3, "voice": 4}
)
"""Channel → its number in the authority of a link that went out by it; 0: by none that is known."""

_BY_NUMBER: Final[Mapping[int, Channel]] = MappingProxyType(
    {number: channel for channel, number in NUMBERS.items()}
)

CONTACT: Final = """
case {channel} when 'email' then b.email_blind when 'sms' then b.phone_blind
               when 'voice' then b.phone_blind end
"""
"""SQL: the keyed hash of the contact of the bill ``b`` that a channel goes to, if any."""

_VERIFY: Final = f"""
insert into contact_verified (merchant_id, contract_blind, contact, customer_blind, channel, at)
select $1, b.contract_blind, {CONTACT.format(channel="$3::text")}, b.customer_blind, $3, $4
from bill b
where b.merchant_id = $1 and b.id = $2 and {CONTACT.format(channel="$3::text")} is not null
on conflict (merchant_id, contract_blind, contact) do nothing
"""  # noqa: S608  constant texts


def channel_of(act: Act) -> Channel | None:
    """By which channel the link of this payer's authority went out, if that is known."""
    return _BY_NUMBER.get(act.capability.number)


async def verify(act: Act, bill_id: UUID) -> bool:
    """A person looks at the bill: the contact its link went to reaches them. Whether it came so."""
    channel = channel_of(act)
    if channel is None:
        return False
    await act.db.execute(_VERIFY, act.merchant_id, bill_id, channel, act.business)
    return True
