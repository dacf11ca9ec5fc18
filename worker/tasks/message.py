"""The message stage's task: see portal.application.message.send. The last report ends it."""

from portal.application.message.send import send_chunk as send
from portal.contract.work import Leased
from portal.domain.ids import ChunkId
from worker.lanes import MessageChunk, MessagesSent
from worker.tasks.workbench import Workbench


async def send_chunk(work: Workbench, leased: Leased) -> MessagesSent:
    """One chunk of messages."""
    params = MessageChunk(ChunkId(leased.subject_id))
    sent = (await send(work.send, leased.authority, params.chunk_id)).outcomes
    return MessagesSent(sent["accepted"], sent["rejected"], sent["busy"], sent["unknown"])
