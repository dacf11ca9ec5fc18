"""Bench ``data-api``: one-row reads over the channel, beside the same SQL by the driver alone."""

import asyncio
import os
import time
from typing import Final

from portal.contract.client import VaultClient
from portal.contract.operator import FOUND_MERCHANT, OPEN_MERCHANT, FoundMerchant, OpenMerchant
from portal.stack.bench.report import Report, fresh_folder, machine, percentile, timed
from portal.stack.bench.spent import cpu_ms_each, cpu_seconds
from portal.stack.postgres import VAULT
from portal.stack.up import Stack
from portal.vault.database import connect

IN_FLIGHT: Final = 16
CALLS: Final = 20_000
CALLS_ALONE: Final = 2_000
WARM_UP: Final = 500
CODE: Final = "bench"

_SAME_SQL: Final = (
    "select m.id, m.code, m.name, m.zone, m.sms_sender, m.phone, m.website"
    " from merchant_code c join merchant m on m.id = c.merchant_id where c.code = $1"
)


async def run(calls: int = CALLS) -> Report:
    """Start a stack of its own, measure, stop it.

    Figure: reads/s at 16 in flight through TLS, one-time parameter, budget, transaction and audit
    row. Floor: the same statement by asyncpg on as many connections, without any of them.
    """
    load = os.getloadavg()[0]
    with fresh_folder() as folder:
        async with Stack(folder) as stack, stack.operator() as client:
            await client.call(FOUND_MERCHANT, _merchant())
            await _reads(client, WARM_UP)
            before = cpu_seconds(stack)
            figure = await _reads(client, calls)
            spent = cpu_ms_each(before, cpu_seconds(stack), calls)
            alone_s = await _alone(client)
            floor = await _floor(stack, calls)
    return Report(
        bench="data-api",
        figure=round(figure),
        unit="reads/s at 16 in flight",
        floor=round(floor),
        floor_is="the same SQL by asyncpg alone, 16 connections",
        ratio=round(figure / floor, 3),
        goal_first=3_000,
        goal=8_000,
        machine=machine(),
        load_before=load,
        details={
            "calls": calls,
            "p50_alone_ms": round(percentile(alone_s, 0.5) * 1000, 3),
            "p99_alone_ms": round(percentile(alone_s, 0.99) * 1000, 3),
            **spent,
        },
    )


def _merchant() -> FoundMerchant:
    return FoundMerchant(
        code=CODE,
        name="ベンチ電力",
        zone="Asia/Tokyo",
        sms_sender="0005-0000-0000",
        sms_provider="sandbox_sms",
        card_provider="sandbox_card",
        phone="0120-000-000",
        website="https://bench.example",
    )


async def _reads(client: VaultClient, calls: int) -> float:
    """Calls per second with IN_FLIGHT callers that each wait for their answer."""

    async def read(count: int) -> None:
        for _ in range(count):
            await client.call(OPEN_MERCHANT, OpenMerchant(code=CODE))

    with timed() as watch:
        await asyncio.gather(*(read(calls // IN_FLIGHT) for _ in range(IN_FLIGHT)))
    return calls // IN_FLIGHT * IN_FLIGHT / watch.seconds


async def _alone(client: VaultClient) -> list[float]:
    """Seconds of each call when only one is under way."""
    taken: list[float] = []
    for _ in range(CALLS_ALONE):
        start = time.perf_counter()
        await client.call(OPEN_MERCHANT, OpenMerchant(code=CODE))
        taken.append(time.perf_counter() - start)
    return taken


async def _floor(stack: Stack, calls: int) -> float:
    postgres = stack.postgres
    if postgres is None:
        msg = "the stack has no database"
        raise RuntimeError(msg)

    password_file = postgres.folder / "secrets" / VAULT

    async def read(count: int) -> None:
        connection = await connect(postgres.dsn(VAULT), password_file, "bench")
        try:
            merchant = "select merchant_id::text from merchant_code where code = $1"
            found = await connection.fetchval(merchant, CODE)
            await connection.execute("select set_config('harai.merchant', $1, false)", found)
            for _ in range(count):
                await connection.fetchrow(_SAME_SQL, CODE)
        finally:
            await connection.close()

    with timed() as watch:
        await asyncio.gather(*(read(calls // IN_FLIGHT) for _ in range(IN_FLIGHT)))
    return calls // IN_FLIGHT * IN_FLIGHT / watch.seconds
