"""A bounded set of connections to PostgreSQL: the one used last is the next one used.

Data zone. The driver's own pool makes a task for every taking and giving back; here both are plain
steps, since they happen once a call. A connection that comes back closed, or with a transaction
still open, is never given out again: what is local to a transaction must not outlive it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from portal.kit import limits, log
from portal.vault.database import Connection

_log = log.get_logger()

_CLOSE_S: Final = 1.0


class Pool:
    """At most ``most`` connections, made by ``dial`` when they are first needed."""

    def __init__(self, dial: Callable[[], Awaitable[Connection]], *, most: int) -> None:
        """Nothing is connected yet."""
        self._dial = dial
        self._most = most
        self._all: set[Connection] = set()
        self._idle: list[Connection] = []
        self._dialling = 0
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()

    async def warm(self, count: int) -> None:
        """Connect ``count`` times ahead of need. Raises: as ``dial``."""
        for connection in [await self._open_one() for _ in range(count)]:
            self.release(connection)

    async def acquire(self) -> Connection:
        """A connection that is this caller's until :meth:`release`.

        Raises: TimeoutError after CONNECTION_WAIT_S when all stay in use; as ``dial``.
        """
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._all.discard(connection)
        if len(self._all) + self._dialling < self._most:
            return await self._open_one()
        return await self._wait()

    def release(self, connection: Connection) -> None:
        """Give a connection back; whoever waits longest gets it, or its place."""
        if not connection.is_closed() and connection.is_in_transaction():
            _log.error("connection.left_open")
            connection.terminate()
        if connection.is_closed():
            self._all.discard(connection)
            self._hand_on(None)
        elif not self._hand_on(connection):
            self._idle.append(connection)

    async def close(self) -> None:
        """End the sessions of all connections that are not in use; the others are dropped."""
        idle, self._idle = self._idle, []
        for connection in idle:
            self._all.discard(connection)
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await connection.close()
            connection.terminate()
        self.terminate()

    def terminate(self) -> None:
        """Drop all connections at once."""
        for connection in self._all:
            connection.terminate()
        self._all.clear()
        self._idle.clear()

    async def _open_one(self) -> Connection:
        self._dialling += 1
        try:
            connection = await self._dial()
        except BaseException:
            self._dialling -= 1
            self._hand_on(None)
            raise
        self._dialling -= 1
        self._all.add(connection)
        return connection

    async def _wait(self) -> Connection:
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(limits.CONNECTION_WAIT_S):
                connection = await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():  # handed over while we gave up
                self._pass_on(waiter.result())
            raise
        return connection or await self._open_one()

    def _pass_on(self, connection: Connection | None) -> None:
        if connection is None:
            self._hand_on(None)
        else:
            self.release(connection)

    def _hand_on(self, connection: Connection | None) -> bool:
        """Give a connection, or with None the place for a new one, to the first who waits."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False
