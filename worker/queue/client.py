"""The client of Valkey that the queue uses: what one of its pipelines held is always given back.

Application zone. redis-py lets go of a pipeline's connection only after it has taken its watches
back; whoever is cancelled meanwhile, or hears nothing, leaves the connection with the pipeline, and
it is for the garbage collector to find it, some time later, with a complaint.
"""

from typing import TYPE_CHECKING, cast

from arq import ArqRedis
from redis.asyncio.client import Pipeline

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool


class QueueClient(ArqRedis):
    """arq's client with pipelines that give back what they hold, whatever ends them."""

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:  # noqa: FBT001, FBT002 - as redis-py has it
        """See :meth:`redis.asyncio.Redis.pipeline`."""
        pool = cast("ConnectionPool", self.connection_pool)
        return _Pipeline(pool, self.response_callbacks, transaction, shard_hint)


class _Pipeline(Pipeline):
    async def reset(self) -> None:
        """Give the connection back; one whose watches could not be taken back is closed first."""
        try:
            await super().reset()
        finally:
            held, self.connection = self.connection, None
            if held is not None:
                await held.disconnect(nowait=True)
                await cast("ConnectionPool", self.connection_pool).release(held)
