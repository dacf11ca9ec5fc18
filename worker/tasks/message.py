"""The message stage's tasks: see portal.application.message.send and ladder.

The last report, or the last step, ends a task.
"""

from portal.application.message.ladder import advance_ladders as advance
from portal.application.message.send import send_chunk as send
from portal.application.message.switch import switch_unopened as switch
from portal.contract.work import Leased
from portal.domain.ids import ChunkId
from worker.lanes import LaddersMoved, MessageChunk, MessagesSent
from worker.tasks.workbench import Workbench


async def send_chunk(work: Workbench, leased: Leased) -> MessagesSent:
    """One chunk of messages."""
    params = MessageChunk(ChunkId(leased.subject_id))
    sent = (await send(work.send, leased.authority, params.chunk_id)).outcomes
    return MessagesSent(sent["accepted"], sent["rejected"], sent["busy"], sent["unknown"])


async def advance_ladders(work: Workbench, leased: Leased) -> LaddersMoved:
    """All bills of one merchant that are due to be looked at; the vault ends the task."""
    return LaddersMoved(await advance(work.vault, leased.authority, work.is_stopping))


async def switch_unopened(work: Workbench, leased: Leased) -> LaddersMoved:
    """All bills of one merchant that nobody looked at, told by another channel."""
    return LaddersMoved(await switch(work.vault, leased.authority, work.is_stopping))
