"""The driver's edge: asyncpg has no types of its own, so what we use of it is written down here.

Data zone. Connections are made here and nowhere else. None is reset between acts, because every
setting that an operation makes is local to its transaction (a test looks for others).
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Protocol, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]  # the driver ships none

from portal.domain.errors import InvalidInput, InvariantBroken, PortalError, TryLater
from portal.kit import limits
from portal.kit.settings import read_secret
from portal.vault.db import Db


class Connection(Db, Protocol):
    """A connection that its owner may also listen on and must close."""

    async def add_listener(self, channel: str, callback: Callable[..., None]) -> None:
        """Call back for every NOTIFY on a channel."""
        ...

    def is_closed(self) -> bool:
        """Whether the link is gone."""
        ...

    def is_in_transaction(self) -> bool:
        """Whether a transaction is open, as the server said last."""
        ...

    def terminate(self) -> None:
        """Drop the link at once."""
        ...

    async def close(self) -> None:
        """End the session."""
        ...


_ARRAYS: Final = """
select null::uuid[], null::int[], null::bigint[], null::bytea[], null::bool[], null::date[],
       null::timestamptz[], null::smallint[]
"""
"""The driver asks the server what an array is made of when one first occurs on a connection; asked
for all at once it does so before anybody waits, and once."""

_connect: Final = cast(
    "Callable[..., Awaitable[Connection]]",
    asyncpg.connect,  # pyright: ignore[reportUnknownMemberType]  # see above
)
PostgresError: Final = cast("type[Exception]", asyncpg.PostgresError)
LINK_FAULTS: Final = (
    OSError,
    TimeoutError,
    cast("type[Exception]", asyncpg.InterfaceError),
    cast("type[Exception]", asyncpg.PostgresConnectionError),
    cast("type[Exception]", asyncpg.InternalClientError),
)
"""What the driver raises when the link, not the statement, is at fault; the last one when a session
is ended from outside while an operation of the driver's own is under way."""


def _settings(application: str) -> dict[str, str]:
    return {
        "application_name": application,
        "statement_timeout": str(limits.STATEMENT_TIMEOUT_MS),
        "lock_timeout": str(limits.LOCK_TIMEOUT_MS),
        "idle_in_transaction_session_timeout": str(limits.IDLE_IN_TRANSACTION_TIMEOUT_MS),
        "timezone": "UTC",
        "search_path": "public",
        "jit": "off",
        # Every statement reads by a key; a plan made while a table was empty would read all of it.
        "enable_seqscan": "off",
        "standard_conforming_strings": "on",  # portal.vault.closing writes bytes as '\\x...'
    }


async def connect(
    dsn: str, password_file: Path | None, application: str, *, prepare: str = ""
) -> Connection:
    """One connection of its own, on which ``prepare`` was run.

    Raises: TryLater ``database_away``.
    """
    password = read_secret(password_file) if password_file else None
    try:
        connection = await _connect(
            dsn,
            password=password,
            timeout=limits.CONNECTION_WAIT_S,
            server_settings=_settings(application),
        )
        if prepare:
            await connection.execute(prepare)
            await connection.fetchrow(_ARRAYS)
    except (*LINK_FAULTS, PostgresError) as fault:
        raise to_refusal(fault) from fault
    return connection


REPEATABLE: Final = frozenset({"40001", "40P01"})
"""Serialisation failure and deadlock: the same act may succeed when it runs again."""

_BUSY: Final = frozenset({"55P03", "57014", "53300", "25P03", "25P04"})
"""Lock not available, statement too long, too many connections, idle too long."""

_NOT_A_TEXT: Final = "22021"
"""Character not in repertoire: PostgreSQL keeps no NUL in a text, whoever sent one."""

_AWAY: Final = ("08", "57P", "53")
"""Connection failures, shutdown and start-up, no resources."""


def sqlstate(fault: BaseException) -> str:
    """The five characters of a server's error, or an empty text."""
    return str(getattr(fault, "sqlstate", "") or "")


def is_link_fault(fault: BaseException) -> bool:
    """Whether the link or the server broke, so that the last statement's fate is open."""
    if isinstance(fault, ValueError):  # asyncpg's DataError: a value of ours that does not fit
        return False
    return isinstance(fault, LINK_FAULTS) or sqlstate(fault).startswith(_AWAY)


def to_refusal(fault: BaseException) -> PortalError:
    """What a fault before the commit means to the caller: nothing happened, or we are wrong.

    A text with a NUL is the sender's mistake wherever it comes in: InvalidInput ``text_refused``.
    """
    state = sqlstate(fault)
    if state in _BUSY or state in REPEATABLE:
        return TryLater("vault_busy", context=state)
    if is_link_fault(fault):
        return TryLater("database_away", context=state or type(fault).__name__)
    if state == _NOT_A_TEXT:
        return InvalidInput("text_refused", context=state)
    constraint = str(getattr(fault, "constraint_name", "") or "")
    table = str(getattr(fault, "table_name", "") or "")
    kind = state or type(fault).__name__
    return InvariantBroken("database_refused", context=f"{kind} {table} {constraint}".strip())
