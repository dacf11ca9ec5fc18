"""A worker that sleeps through its lease: stopped while it holds one, woken when it lost it.

Stack only. A worker stopped at random mostly holds no lease, and proves nothing; so PostgreSQL is
asked who holds one. The other workers go on, which is the danger: one of them does the work again
while the sleeper still believes that it is his.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from portal.kit import limits
from portal.stack.drill.ground import Ground
from portal.stack.postgres import VAULT, Link

TRIES_S: Final = 60.0
"""How long a worker with a lease is looked for while messages go out."""

LOST_S: Final = limits.LEASE_LIFE_S + 30.0
"""A lease ends after LEASE_LIFE_S; then the relay has to ask for it."""

NOTICED_S: Final = 60.0
"""Whoever woke finds out at its next word to the vault, which it may only say after a time-out."""

_STILL_S: Final = 0.3
"""What a stopped process had said before is written by then."""

_HELD: Final = "select count(*) from task where state = 'leased' and worker like '%-' || $1::int"
"""Tasks leased to a process, by the end of its worker's name; see worker.child."""


async def sleep_through_lease(place: Ground) -> bool:
    """Let one worker that holds leases sleep until it lost them; whether it noticed, once awake.

    False too when none with a lease was found in TRIES_S, or when it did not lose it in LOST_S.
    """
    seen = leases_lost(place)
    async with _database(place) as database, _stopped_with_lease(place, database) as pid:
        if pid is None or not await _until_lost(database, pid):
            return False
    deadline = time.monotonic() + NOTICED_S
    while leases_lost(place) == seen and time.monotonic() < deadline:  # noqa: ASYNC110 - a log file
        await asyncio.sleep(0.1)
    return leases_lost(place) > seen


def leases_lost(place: Ground) -> int:
    """How often a worker has found a lease of its own gone, at a call or when giving it back."""
    log = (place.stack.layout.logs / "work.log").read_bytes().splitlines()
    return sum(b'"lease.lost"' in line or b'"lease_lost"' in line for line in log)


@asynccontextmanager
async def _database(place: Ground) -> AsyncGenerator[Link]:
    if place.stack.postgres is None:
        msg = "the stack is not started"
        raise RuntimeError(msg)
    link = await place.stack.postgres.connect(VAULT)
    try:
        yield link
    finally:
        await link.close()


@asynccontextmanager
async def _stopped_with_lease(place: Ground, database: Link) -> AsyncGenerator[int | None]:
    """The process id of a stopped worker that holds a lease; it goes on after the block."""
    deadline = time.monotonic() + TRIES_S
    while time.monotonic() < deadline:
        for pid in place.workers():
            async with _stopped(pid) as is_there:
                if is_there and await database.fetchval(_HELD, pid):
                    yield pid
                    return
        await asyncio.sleep(0.1)
    yield None


@asynccontextmanager
async def _stopped(pid: int) -> AsyncGenerator[bool]:
    """Stop a process for the length of the block; False when it is gone."""
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:
        yield False
        return
    try:
        await asyncio.sleep(_STILL_S)
        yield True
    finally:
        os.kill(pid, signal.SIGCONT)


async def _until_lost(database: Link, pid: int) -> bool:
    """Wait until no task is the stopped worker's any more."""
    deadline = time.monotonic() + LOST_S
    while await database.fetchval(_HELD, pid):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.2)
    return True
