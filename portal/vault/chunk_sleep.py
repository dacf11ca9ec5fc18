"""Data zone: for how long a chunk of messages sleeps that is given back because it has to wait.

What its worker was told may be over by now: whoever ends a stop wakes the chunks that sleep, and
not one that is in somebody's hands. So it is asked once more here, under a lock that lets nobody
end the stop in between.
"""

from typing import Final
from uuid import UUID

from portal.vault import sender_hold
from portal.vault.act import Act
from portal.vault.ladder import is_chunk_held

NOT_DUE: Final = "deliveries_not_due"
"""Why a worker gives back what it got nothing of."""

SHORT_S: Final = 20.0
"""Nobody needs to be woken from a sleep so short."""


async def sleep_s(act: Act, chunk_id: UUID, planned_s: float) -> float:
    """For how long a chunk of which nothing was handed out sleeps now. Units: seconds."""
    if planned_s <= SHORT_S:
        return planned_s
    wait_s = await sender_hold.wait_s(act, chunk_id)
    if wait_s is not None:
        return min(planned_s, wait_s)
    return planned_s if await is_chunk_held(act, chunk_id) else 0.0
