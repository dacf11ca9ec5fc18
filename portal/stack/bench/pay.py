"""Bench ``pay``: whole payments by people with browsers, from the opened link to the ledger."""

import asyncio
from pathlib import Path
from typing import Final

from portal.contract.envelope import Nothing
from portal.contract.operator import INSPECT
from portal.kit.memory import settle_memory
from portal.stack.bench.report import Report, machine, percentile, timed
from portal.stack.bench.spent import cpu_ms_each, cpu_seconds
from portal.stack.bench.town import Town, sample_pieces, town
from portal.stack.payers import APPROVE, Payer
from portal.stack.postgres import MIGRATE, wheel_binaries
from portal.stack.processes import run_to_end
from portal.stack.road import send_file
from portal.stack.users import Account

PAYMENTS: Final = 300
AT_ONCE: Final = 16
_FLOOR_S: Final = 5


async def run(payments: int = PAYMENTS) -> Report:
    """Send bills, then let payers open, press, type the card, come back and read the receipt.

    Figure: payments/s, every page of both sides included (the sandbox's share the cores). Floor:
    pgbench's TPC-B on the same server.
    """
    async with town() as here:
        csv = b"".join(sample_pieces(payments, 1))
        await send_file(here.merchant, here.phone, csv, rows=payments)
        links = [message.link for message in await here.phone.messages() if message.link]
        waiting = iter(links)
        taken_s: list[float] = []

        async def people() -> None:
            for link in waiting:
                with timed() as one:
                    state = await Payer().pay(link, APPROVE)
                if state != "paid":
                    msg = f"a payment ended as {state}"
                    raise RuntimeError(msg)
                taken_s.append(one.seconds)

        settle_memory()
        before = cpu_seconds(here.stack)
        with timed() as watch:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(people())
        spent = cpu_ms_each(before, cpu_seconds(here.stack), payments)
        async with here.stack.operator() as vault:
            found = await vault.call(INSPECT, Nothing())
        floor = await asyncio.to_thread(_pgbench, here)
    if found.ledger_sum != 0 or found.bills_paid != payments:
        msg = f"{found.bills_paid} of {payments} paid, ledger sum {found.ledger_sum}"
        raise RuntimeError(msg)
    figure = payments / watch.seconds
    return Report(
        bench="pay",
        figure=round(figure, 1),
        unit="payments/s",
        floor=round(floor),
        floor_is="pgbench TPC-B, 8 clients, same server",
        ratio=round(figure / floor, 4),
        goal_first=50,
        goal=150,
        machine=machine(),
        load_before=here.load,
        details={
            "payments": payments,
            "at_once": AT_ONCE,
            "p50_ms": round(percentile(taken_s, 0.5) * 1000),
            "p99_ms": round(percentile(taken_s, 0.99) * 1000),
            "ledger_sum": found.ledger_sum,
            **spent,
        },
    )


def _pgbench(here: Town) -> float:
    """Transactions/s of pgbench on the stack's own server."""
    postgres = here.stack.postgres
    if postgres is None:
        msg = "the stack has no database"
        raise RuntimeError(msg)
    program = str(wheel_binaries() / "bin" / "pgbench")
    env = {"PGPASSWORD": (postgres.folder / "secrets" / MIGRATE).read_text(encoding="ascii")}
    dsn = postgres.dsn(MIGRATE)

    def bench(*options: str) -> str:
        return run_to_end(
            [program, *options, dsn],
            account=Account("bench"),
            env=env,
            cwd=Path("/"),
            timeout_s=120.0,
        )

    bench("--initialize", "--quiet", "--scale=10")
    said = bench("--no-vacuum", "--client=8", f"--time={_FLOOR_S}")
    line = next(line for line in said.splitlines() if line.startswith("tps ="))
    return float(line.split()[2])
