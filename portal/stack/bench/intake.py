"""Bench ``intake``: CSV bytes at the public door to committed, sealed, indexed bills."""

import asyncio
import tempfile
from pathlib import Path
from typing import Final, Protocol, cast

import anyio

from portal.stack.bench.report import Report, machine, peak_memory_of_tree_mib, timed
from portal.stack.bench.town import Town, read_pieces, town, write_sample_file
from portal.stack.postgres import MIGRATE
from portal.stack.road import CHECKED
from portal.vault.database import connect

ROWS: Final = 100_000
OURS: Final = ("vault", "web", "work", "egress", "dmz")
_TIMEOUT_S: Final = 3600.0


async def run(rows: int = ROWS) -> Report:
    """Upload a file of good rows and wait until it is checked.

    Figure: rows/s from the first byte sent to the last row committed. Floor: COPY of the same file
    into a table without indexes, in the same database. Details: peak memory of each process.
    """
    with tempfile.TemporaryDirectory(prefix="harai-bench-") as folder:
        file = Path(folder) / "bills.csv"
        size = await asyncio.to_thread(write_sample_file, file, rows, 1)
        async with town() as here:
            with timed() as watch:
                import_id = await here.merchant.hand_in_pieces(read_pieces(file), size, "bench.csv")
                upload_s = watch.so_far()
                state = await here.merchant.wait_for_import(
                    import_id, CHECKED, timeout_s=_TIMEOUT_S
                )
            memory = _memory(here)
            floor_s = await _copy(here, file)
    taken = int(state["rowsGood"])
    if taken != rows:
        msg = f"{taken} of {rows} rows were taken: {dict(state)}"
        raise RuntimeError(msg)
    figure, floor = rows / watch.seconds, rows / floor_s
    return Report(
        bench="intake",
        figure=round(figure),
        unit="rows/s",
        floor=round(floor),
        floor_is="COPY of the same file into a bare table",
        ratio=round(figure / floor, 3),
        goal_first=5_000,
        goal=20_000,
        machine=machine(),
        load_before=here.load,
        details={
            "rows": rows,
            "megabytes": round(size / 1e6, 1),
            "upload_s": round(upload_s, 2),
            "seconds": round(watch.seconds, 2),
            **{f"peak_mib_{name}": round(mib, 1) for name, mib in memory.items()},
        },
    )


def _memory(here: Town) -> dict[str, float]:
    running = here.stack.running
    return {name: peak_memory_of_tree_mib(running[name].pid or 0) for name in OURS}


async def _copy(here: Town, file: Path) -> float:
    """Seconds that COPY needs for the file."""
    postgres = here.stack.postgres
    if postgres is None:
        msg = "the stack has no database"
        raise RuntimeError(msg)
    async with await anyio.open_file(file, encoding="utf-8-sig") as pieces:
        header = await pieces.readline()
    columns = ", ".join(f"c{place} text" for place in range(header.count(",") + 1))
    connection = await connect(
        postgres.dsn(MIGRATE), postgres.folder / "secrets" / MIGRATE, "bench"
    )
    try:
        await connection.execute("set statement_timeout = 0")
        await connection.execute(f"create temp table floor ({columns})")
        copying = cast("_Copying", connection)
        with timed() as watch:
            await copying.copy_to_table("floor", source=file, format="csv", header=True)
    finally:
        await connection.close()
    return watch.seconds


class _Copying(Protocol):
    """The driver's COPY from a file, which the vault has no use for."""

    async def copy_to_table(
        self,
        table_name: str,
        *,
        source: Path,
        format: str,  # noqa: A002 - the driver's own name
        header: bool,
    ) -> str:
        """COPY FROM STDIN."""
        ...
