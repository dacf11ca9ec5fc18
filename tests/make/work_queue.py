"""A real Valkey for tests of the worker's queue, and eyes on what lies in it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from portal.domain.task import Lane, TaskKind
from portal.stack.users import Account
from portal.stack.valkey import Valkey
from worker.queue import Job
from worker.queue.arq_queue import ArqQueue

KEY = bytes(range(32))
OTHER_KEY = bytes(32)
TASK = UUID(int=0x0193_0000_0000_7000_8000_0000_0000_0001)


@asynccontextmanager
async def a_valkey(folder: Path) -> AsyncGenerator[Valkey]:
    """The stack's own Valkey, as whoever runs the tests."""
    async with Valkey(folder / "valkey", account=Account(name="valkey")) as valkey:
        yield valkey


def a_queue(valkey: Valkey, *, key: bytes = KEY, slots: int = 4) -> ArqQueue:
    return ArqQueue(valkey.url, key, name="test", slots_total=slots)


def a_job(
    number: int = 1, attempt: int = 0, kind: TaskKind = "payment.inquire", lane: Lane = "urgent"
) -> Job:
    return Job(task_id=UUID(int=TASK.int + number), attempt=attempt, kind=kind, lane=lane)


async def dump(valkey: Valkey) -> dict[bytes, bytes]:
    """Every key of Valkey with its value as bytes, whatever its type."""
    found: dict[bytes, bytes] = {}
    async with Redis(unix_socket_path=str(valkey.socket)) as redis:
        async for key in redis.scan_iter():
            if await redis.type(key) == b"string":
                found[key] = await redis.get(key)
            else:
                found[key] = repr(await redis.zrange(key, 0, -1, withscores=True)).encode()
    return found


async def asked(valkey: Valkey, command: str) -> int:
    """How often Valkey was asked this so far."""
    async with Redis(unix_socket_path=str(valkey.socket)) as redis:
        lines = (await redis.execute_command("INFO", "commandstats")).items()  # pyright: ignore[reportUnknownMemberType]  # redis-py 5
    return dict(lines).get(f"cmdstat_{command}", {"calls": 0})["calls"]


async def lose_everything(valkey: Valkey) -> None:
    """What FLUSHALL would do, were it allowed on this server."""
    async with Redis(unix_socket_path=str(valkey.socket)) as redis:
        async for key in redis.scan_iter():
            await redis.delete(key)


async def until(is_so: Callable[[], bool], within_s: float = 15.0) -> None:
    """Wait for a state; TimeoutError when it does not come."""
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110 - what is waited for is seen from outside only
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(queue: ArqQueue, run: Callable[[Job], Any]) -> AsyncGenerator[asyncio.Event]:
    """The queue's slots at work until the block ends."""
    stop = asyncio.Event()
    task = asyncio.create_task(queue.serve({"urgent": 4, "bulk": 2}, run, stop))
    try:
        yield stop
    finally:
        stop.set()
        await task
        await queue.close()
