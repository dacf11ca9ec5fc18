"""Data zone: whether messages of a chunk may go, as the staff of its merchant left it.

Asked when messages are handed out and again when they are redeemed, so a hold is felt at once.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from portal.domain.sending import SendingState
from portal.vault.act import Act

PAUSED: Final = "sending_paused"
"""Why nothing is given out of messages that are held; they stay planned."""

CANCELED: Final = "sending_canceled"
"""Why messages whose sending was ended are left out."""

STOPPED: Final[Mapping[SendingState, str]] = MappingProxyType(
    {"paused": PAUSED, "canceled": CANCELED}
)
"""State → the refusal at redemption."""

HELD_S: Final = 900.0
"""Tasks of what is held sleep for so long at a time; letting go on wakes them."""

_OF_CHUNKS: Final = """
select k.id, i.sending from delivery_chunk k
join import i on i.merchant_id = $1 and i.id = k.import_id
where k.merchant_id = $1 and k.id = any($2::uuid[]) and i.sending <> 'going'
"""
_LOCKED: Final = """
select i.sending from delivery_chunk k
join import i on i.merchant_id = $1 and i.id = k.import_id
where k.merchant_id = $1 and k.id = $2
for share of i
"""
_WAKE: Final = """
update task t set next_at = $3
from delivery_chunk k
where t.merchant_id = $1 and t.kind = 'message.send_chunk' and t.state = 'open'
  and k.merchant_id = $1 and k.id = t.subject_id and k.import_id = $2
"""


async def stopped_chunks(act: Act, chunk_ids: Sequence[UUID]) -> dict[UUID, SendingState]:
    """Which of these chunks don't go now, and whether they are held or ended."""
    rows = await act.db.fetch(_OF_CHUNKS, act.merchant_id, list(set(chunk_ids)))
    return {row["id"]: row["sending"] for row in rows}


async def is_paused(act: Act, chunk_id: UUID) -> bool:
    """Whether a chunk is held; nobody lets it go on before this act ends."""
    return await act.db.fetchval(_LOCKED, act.merchant_id, chunk_id) == "paused"


async def move_tasks(act: Act, import_id: UUID, *, due_in_s: float) -> None:
    """Have the import's chunks that nobody works on come up then; at once for 0."""
    due = act.now + timedelta(seconds=due_in_s)
    await act.db.execute(_WAKE, act.merchant_id, import_id, due)
    act.tasks_planned = act.tasks_planned or due_in_s <= 0
