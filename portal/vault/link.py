"""The vault's own connection: it holds the instance's name and listens to the other instances.

Apart from the pools, so that neither a long act nor a full pool stops the housekeeping.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from portal.domain.errors import InvariantBroken
from portal.vault.database import Connection, connect
from portal.vault.settings import VaultSettings
from portal.vault.signals import CHANNEL, WORK, Signals

TAKE_OVER_S: Final = 20.0
"""How long a new process waits for its killed predecessor's sessions to end."""


def application_name(instance: str) -> str:
    """Under which name an instance's pools appear in PostgreSQL's list of sessions."""
    return f"harai vault {instance}"


class Link:
    """One connection that is opened again when it was lost."""

    def __init__(self, settings: VaultSettings, signals: Signals) -> None:
        """Nothing is connected yet."""
        self._settings = settings
        self._signals = signals
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[Connection]:
        """The live connection for one user after another: it carries one statement at a time.

        Raises: as :meth:`live`.
        """
        async with self._turn:
            yield await self.live()

    async def live(self) -> Connection:
        """The connection, made anew if it broke.

        The first time it also becomes the one process of this instance and waits until no
        session of an earlier process can still commit: numbers of audit rows depend on it.
        Raises: InvariantBroken ``instance_taken``; TryLater ``database_away``.
        """
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._take_over()
        return self._connection

    def close(self) -> None:
        """Drop it; the name is free again."""
        if self._connection is not None:
            self._connection.terminate()

    async def _take_over(self) -> Connection:
        settings = self._settings
        name = f"harai link {settings.instance}"
        link = await connect(settings.database_url, settings.database_password_file, name)
        try:
            await self._wait_alone(link)
            await link.add_listener(CHANNEL, self._heard)
        except BaseException:
            link.terminate()
            raise
        return link

    async def _wait_alone(self, link: Connection) -> None:
        deadline = asyncio.get_running_loop().time() + TAKE_OVER_S
        while not await self._is_alone(link):
            if asyncio.get_running_loop().time() > deadline:
                raise InvariantBroken("instance_taken", context=self._settings.instance)
            await asyncio.sleep(0.1)

    async def _is_alone(self, link: Connection) -> bool:
        instance = self._settings.instance
        locked: bool = await link.fetchval(
            "select pg_try_advisory_lock(hashtextextended('harai instance ' || $1, 0))", instance
        )
        if not locked:
            return False
        if self._connection is not None:  # only this link broke: the pools' sessions are ours
            return True
        others: int = await link.fetchval(
            "select count(*) from pg_stat_activity where application_name = $1"
            " and datname = current_database()",
            application_name(instance),
        )
        return others == 0

    def _heard(self, _link: object, _pid: int, _channel: str, said: str) -> None:
        if said == WORK:
            self._signals.work_planned(here=False)
