"""Data zone: the roads of a merchant's messages: which company carries a channel, as whom.

A road is chosen when a message is planned and stands with it; what is planned already goes on by
the road that it was given.
"""

from dataclasses import dataclass
from typing import Final

from portal.domain.errors import InvariantBroken
from portal.domain.message import Channel
from portal.vault.act import Act

_ROADS: Final = """
select provider, sender, share from merchant_channel
where merchant_id = $1 and channel = $2 and not is_off
union all
select m.sms_provider, m.sms_sender, 1 from merchant m where m.id = $1 and $2 = 'sms'
  and not exists (select from merchant_channel c where c.merchant_id = $1 and c.channel = 'sms'
                  and not c.is_off and (c.share > 0 or c.provider = m.sms_provider))
order by share desc, provider
"""
_SENDER: Final = """
select m.code, coalesce((select c.sender from merchant_channel c where c.merchant_id = m.id
                         and c.channel = $2 and c.provider = $3), m.sms_sender) as sender
from merchant m where m.id = $1
"""


@dataclass(frozen=True, slots=True)
class Road:
    """A company that carries a channel for the merchant, under ``sender``; ``share`` 0 to 100."""

    provider: str
    sender: str
    share: int


async def roads(act: Act, channel: Channel) -> list[Road]:
    """All roads of a channel, the one that carries most first; none: the merchant hasn't it."""
    rows = await act.db.fetch(_ROADS, act.merchant_id, channel)
    return [Road(row["provider"], row["sender"], row["share"]) for row in rows]


async def roads_to_plan(act: Act, channel: Channel) -> list[Road]:
    """All roads that new messages of a channel may take.

    Raises InvariantBroken ``channel_missing``: it was planned though the merchant hasn't it.
    """
    found = await roads(act, channel)
    if not found:
        raise InvariantBroken("channel_missing", context=f"no road for channel {channel}")
    return found


async def account_of(act: Act, channel: str, provider: str) -> tuple[str, str]:
    """The merchant's public code, and the number or name that its messages come from."""
    row = await act.db.fetchrow(_SENDER, act.merchant_id, channel, provider)
    return (row["code"], row["sender"]) if row else ("", "")
