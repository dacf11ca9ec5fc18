"""Data zone: messages of which nobody knows whether they were sent, and what becomes of them.

What the merchant wants is a word at each road (``merchant_channel.unclear``), how long a provider
knows a key again is in the operator's settings, and portal.domain.message decides by both.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, cast
from uuid import UUID

from portal.domain.message import REPEAT_AFTER_S, Unclear, key_lives_until, may_repeat
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.deliveries import Delivery

KEY_OVER: Final = "key_over"
"""Why a message in doubt goes no more: its provider may have forgotten the key by now."""

_CHUNK: Final = """
select k.provider, coalesce(c.unclear, 'same_key') as unclear
from delivery_chunk k
left join merchant_channel c on c.merchant_id = $1 and c.channel = k.channel
     and c.provider = k.provider
where k.merchant_id = $1 and k.id = $2
"""
_GIVEN_AT: Final = """
select delivery_id, min(created_at) as given_at from link
where merchant_id = $1 and bill_id = any($2::uuid[]) and delivery_id = any($3::uuid[])
group by delivery_id
"""


async def lose(act: Act, chunk_id: UUID, lost: Sequence[Delivery]) -> None:
    """Take each of these redeemed deliveries where nobody's answer leaves it: again, or ambiguous.

    The moment at which a recipient was first given out is that of its first link. Stores nothing.
    """
    if not lost:
        return
    chunk = await act.db.fetchrow(_CHUNK, act.merchant_id, chunk_id)
    provider, policy = (chunk["provider"], chunk["unclear"]) if chunk else ("", "leave")
    bills = [delivery.bill_id for delivery in lost]
    ids = [delivery.id for delivery in lost]
    given: dict[UUID, datetime] = {
        row["delivery_id"]: row["given_at"]
        for row in await act.db.fetch(_GIVEN_AT, act.merchant_id, bills, ids)
    }
    remembers_s = act.settings.remembers_s(provider)
    for delivery in lost:
        since = delivery.unclear_at or given.get(delivery.id)
        if since is not None and may_repeat(
            cast("Unclear", policy), delivery.tries, since, act.now, remembers_s=remembers_s
        ):
            delivery.take("repeat")
            delivery.tries += 1
            delivery.unclear_at = since
            delivery.not_before = act.now + timedelta(seconds=REPEAT_AFTER_S)
        else:
            delivery.take("lose")


def why_not_again(act: Act, row: Row) -> str | None:
    """Why a message in doubt may not go again after all; None for every other, and while it may.

    ``row`` has its provider and ``unclear_at``.
    """
    if row["unclear_at"] is None:
        return None
    until = key_lives_until(row["unclear_at"], act.settings.remembers_s(row["provider"]))
    return None if act.now < until else KEY_OVER
