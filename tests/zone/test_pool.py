"""The vault's connections: bounded, healed, and never given out with a transaction still open."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import pytest

from portal.domain.errors import TryLater
from portal.stack.postgres import VAULT
from portal.vault import pool as module
from portal.vault.database import Connection, connect
from portal.vault.pool import Pool
from tests.make.vault import Ground

MOST = 3


@pytest.fixture
async def pool(ground: Ground) -> AsyncGenerator[Pool]:
    async def dial() -> Connection:
        dsn = ground.cluster.postgres.dsn(VAULT, ground.database)
        return await connect(dsn, ground.cluster.password_file(VAULT), "pool test")

    made = Pool(dial, most=MOST)
    yield made
    await made.close()


async def pid(connection: Connection) -> int:
    number: int = await connection.fetchval("select pg_backend_pid()")
    return number


async def test_there_are_at_most_so_many_and_everyone_gets_a_turn(pool: Pool) -> None:
    seen: set[int] = set()
    now = most = 0

    async def use() -> None:
        nonlocal now, most
        connection = await pool.acquire()
        now += 1
        most = max(most, now)
        seen.add(await pid(connection))
        now -= 1
        pool.release(connection)

    await pool.warm(MOST)  # else whoever is quick is done before the last was connected
    await asyncio.gather(*(use() for _ in range(50)))

    assert most == len(seen) == MOST


async def test_the_one_used_last_is_the_next_one_used(pool: Pool) -> None:
    await pool.warm(MOST)
    first, second = await pool.acquire(), await pool.acquire()
    pool.release(second)
    pool.release(first)

    assert await pool.acquire() is first


async def test_who_waits_too_long_is_told_and_holds_up_nobody(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.limits, "CONNECTION_WAIT_S", 0.05)
    held = [await pool.acquire() for _ in range(MOST)]
    with pytest.raises(TimeoutError):
        await pool.acquire()

    pool.release(held[0])
    assert await pool.acquire() is held[0]


async def test_a_connection_handed_to_one_who_just_gave_up_goes_to_the_next(pool: Pool) -> None:
    held = [await pool.acquire() for _ in range(MOST)]
    quitter, patient = (asyncio.ensure_future(pool.acquire()) for _ in range(2))
    await asyncio.sleep(0)

    pool.release(held[0])
    quitter.cancel()

    assert await patient is held[0]
    assert quitter.cancelled()


async def test_a_transaction_left_open_is_never_found_by_the_next(pool: Pool) -> None:
    connection = await pool.acquire()
    await connection.execute(
        "begin; set local harai.merchant = '00000000-0000-0000-0000-00000000000a'"
    )
    control = await connection.fetchval("select current_setting('harai.merchant', true)")
    pool.release(connection)

    again = await pool.acquire()
    assert control.endswith("a")
    assert again is not connection
    assert not again.is_in_transaction()
    assert not await again.fetchval("select current_setting('harai.merchant', true)")


async def test_a_lost_connections_place_goes_to_who_waits(pool: Pool) -> None:
    held = [await pool.acquire() for _ in range(MOST)]
    lost = await pid(held[0])
    waiting = asyncio.ensure_future(pool.acquire())
    await asyncio.sleep(0)

    held[0].terminate()
    pool.release(held[0])

    assert await pid(await waiting) != lost


async def test_sessions_that_the_server_ended_are_replaced(pool: Pool, ground: Ground) -> None:
    await pool.warm(MOST)
    await ground.cluster.end_sessions(ground.database)
    await asyncio.sleep(0.1)

    for _ in range(MOST):
        assert await pid(await pool.acquire())


async def test_a_dial_that_fails_gives_its_place_back() -> None:
    async def dial() -> Connection:
        await asyncio.sleep(0)
        raise TryLater("database_away")

    pool = Pool(dial, most=1)
    for _ in range(3):
        tries = [pool.acquire() for _ in range(4)]
        got = await asyncio.gather(*tries, return_exceptions=True)
        assert {type(one) for one in got} == {TryLater}
    with contextlib.suppress(TryLater):
        await pool.warm(1)
    await pool.close()
