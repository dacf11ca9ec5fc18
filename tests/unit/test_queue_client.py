"""The queue's client of Valkey: a pipeline keeps no connection, whatever ends it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from redis.asyncio import ConnectionPool

from worker.queue.client import QueueClient


@asynccontextmanager
async def a_deaf_server(folder: Path, answers: int) -> AsyncGenerator[Path]:
    """Says OK so many times to whatever it is told, and nothing any more."""
    left = asyncio.Semaphore(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1_000):
            if not left.locked():
                await left.acquire()
                writer.write(b"+OK\r\n")
        writer.close()

    server = await asyncio.start_unix_server(serve, folder / "deaf.sock")
    try:
        yield folder / "deaf.sock"
    finally:
        server.close()
        await server.wait_closed()


async def test_one_who_is_cancelled_while_watches_are_taken_back_leaves_no_connection(
    tmp_path: Path,
) -> None:
    begun = asyncio.Event()
    async with a_deaf_server(tmp_path, answers=1) as socket:
        pool = ConnectionPool.from_url(f"unix://{socket}", client_name="", lib_name=None,  # pyright: ignore[reportUnknownMemberType]  # redis-py 5
                                       lib_version=None)  # fmt: skip
        client = QueueClient(pool)
        pipeline = client.pipeline()

        async def watch() -> None:
            async with pipeline:
                await pipeline.watch("k")
                begun.set()

        watching = asyncio.create_task(watch())
        await begun.wait()
        await asyncio.sleep(0)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching

        assert watching.cancelled()
        assert pipeline.connection is None
        await client.aclose(close_connection_pool=True)
