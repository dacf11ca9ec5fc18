"""How far bench ``debits`` has come, tenth by tenth, and its floor: all asked of the database.

The screens count every line of every file when they are looked at; a file's own count of what is
written or booked is one row, so that looking costs nothing that is measured.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal, Protocol, cast
from uuid import UUID

import anyio

from portal.stack.bench.report import peak_memory_of_tree_mib, timed
from portal.stack.bench.spent import GENERATOR, cpu_seconds
from portal.stack.bench.town import Town
from portal.stack.postgres import MIGRATE
from portal.vault.database import Connection, connect

OURS: Final = ("vault", "web", "work", "egress", "dmz")
TENTHS: Final = 10
FLOOR_LINES_MAX: Final = 100_000
"""Lines of which the floor copies the rows."""

Passed = Literal["lines", "booked_to"]
"""A file's count of lines: those that are written, those that are booked."""

_LOOK_S: Final = 0.2
_LOOK_LONG_S: Final = 0.6
"""Looking goes through all processes of the machine, on one of its cores."""

_LOOK_SHORT_S: Final = 0.05
_TIMEOUT_S: Final = 7200.0
_LOUD_FROM: Final = 100_000
_TABLES: Final = ("ledger_transaction", "ledger_entry", "bill_event")
_BOOKED: Final = """
select d.id, d.bill_id from debit d where d.merchant_id = $1 and d.state = 'succeeded'
order by d.file_id, d.line_no limit $2
"""
_ROWS: Final[dict[str, str]] = {
    "ledger_transaction": "cause = 'attempt_succeeded' and cause_id in (select id from booked)",
    "ledger_entry": "attempt_id in (select id from booked)",
    "bill_event": "code <> 'debit.in_file' and bill_id in (select bill_id from booked)",
}
"""What booking adds for a line: one transaction, two entries, two events."""


@dataclass(frozen=True, slots=True)
class Mark:
    """So many lines were done by then. Units: seconds of the clock, and of processor time."""

    done: int
    seconds: float
    cpu_s: float


def tenths(marks: Iterable[Mark], lines: int) -> list[tuple[float, float]]:
    """Lines/s and microseconds of processor time a line, of each tenth of ``lines`` in turn.

    Between two marks everything is taken to go evenly. The first mark is the start, the last one
    the end.
    """
    known = list(marks)
    cuts = [_at(known, lines * place / TENTHS) for place in range(TENTHS + 1)]
    size = lines / TENTHS
    return [
        (size / max(after[0] - before[0], 1e-9), (after[1] - before[1]) * 1e6 / size)
        for before, after in pairwise(cuts)
    ]


def _at(marks: list[Mark], done: float) -> tuple[float, float]:
    """Seconds and processor time when so many lines were done; at the start none were."""
    if done <= 0:
        return marks[0].seconds, marks[0].cpu_s
    for before, after in pairwise(marks):
        if before.done <= done <= after.done and before.done < after.done:
            share = (done - before.done) / (after.done - before.done)
            return (
                before.seconds + share * (after.seconds - before.seconds),
                before.cpu_s + share * (after.cpu_s - before.cpu_s),
            )
    return marks[-1].seconds, marks[-1].cpu_s


@dataclass(slots=True)
class Course:
    """What was seen while a load went by; ``memory`` is each process' peak at its first tenth."""

    marks: list[Mark] = field(default_factory=list[Mark])
    memory: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def seconds(self) -> float:
        """From the start to the last line."""
        return self.marks[-1].seconds - self.marks[0].seconds

    def said(self, name: str, lines: int) -> dict[str, str]:
        """The tenths as details of a report."""
        each = tenths(self.marks, lines)
        return {
            f"{name}_tenths_per_s": " ".join(f"{rate:.0f}" for rate, _ in each),
            f"{name}_tenths_cpu_us": " ".join(f"{cost:.0f}" for _, cost in each),
        }


class Books:
    """A merchant's files and books as the database has them. Made by :func:`books`."""

    def __init__(self, here: Town, link: Connection, merchant_id: UUID) -> None:
        """``link`` has entered the merchant."""
        self._here = here
        self._link = link
        self._merchant_id = merchant_id

    async def watch(self, passed: Passed, lines: int) -> Course:
        """Look until all files together have passed so many lines."""
        course, is_long = Course(), lines >= _LOUD_FROM
        with timed() as watch:
            async with asyncio.timeout(_TIMEOUT_S):
                while True:
                    done = await self._passed(passed)
                    course.marks.append(Mark(done, watch.so_far(), self._spent()))
                    if done * TENTHS >= lines and not course.memory:
                        course.memory = memory(self._here)
                    if done >= lines:
                        return course
                    if is_long:
                        _tell(f"{passed} {done:,} of {lines:,} after {watch.so_far():.0f} s")
                    await asyncio.sleep(_LOOK_LONG_S if is_long else _LOOK_S)

    async def until(self, query: str, file_id: UUID, *wanted: str) -> None:
        """Look until the state that ``query`` gives for a file is one of ``wanted``."""
        async with asyncio.timeout(_TIMEOUT_S):
            while True:
                if await self._link.fetchval(query, self._merchant_id, file_id) in wanted:
                    return
                await asyncio.sleep(_LOOK_SHORT_S)

    async def row(self, query: str, file_id: UUID) -> tuple[object, ...]:
        """What ``query`` says of a file."""
        found = await self._link.fetchrow(query, self._merchant_id, file_id)
        return () if found is None else tuple(found.values())

    def _spent(self) -> float:
        spent = cpu_seconds(self._here.stack)
        return sum(spent.values()) - spent[GENERATOR]

    async def _passed(self, passed: Passed) -> int:
        query = f"select coalesce(sum({passed}), 0)::int from debit_file where merchant_id = $1"  # noqa: S608  one of two words
        return await self._link.fetchval(query, self._merchant_id)

    async def sum_minor(self) -> int:
        """What all entries add up to: nothing, if the books are right. Units: minor units."""
        query = (
            "select coalesce(sum(amount_minor), 0)::int8 from ledger_entry where merchant_id = $1"
        )
        return await self._link.fetchval(query, self._merchant_id)

    async def copy(self, lines: int) -> float:
        """Lines/s at which COPY writes the rows that booking added, into tables that are bare."""
        link, wanted = cast("_Copying", self._link), min(lines, FLOOR_LINES_MAX)
        await self._link.execute("create temp table booked (id uuid, bill_id uuid)")
        await self._link.execute(f"insert into booked {_BOOKED}", self._merchant_id, wanted)
        seconds = 0.0
        with tempfile.TemporaryDirectory(prefix="harai-bench-", dir="/var/tmp") as folder:
            for table in _TABLES:
                file = Path(folder) / table
                rows = f"select * from {table} where merchant_id = $1 and {_ROWS[table]}"  # noqa: S608  constants
                await link.copy_from_query(rows, self._merchant_id, output=file, format="binary")
                await self._link.execute(f"create table floor as table {table} with no data")
                with timed() as watch:
                    await link.copy_to_table("floor", source=file, format="binary")
                seconds += watch.seconds
                await self._link.execute("drop table floor")
                await anyio.Path(file).unlink()
        await self._link.execute("drop table booked")
        return wanted / seconds


@asynccontextmanager
async def books(here: Town) -> AsyncGenerator[Books]:
    """The books of the town's merchant, open beside everything that is measured."""
    postgres = here.stack.postgres
    if postgres is None:
        msg = "the stack has no database"
        raise RuntimeError(msg)
    link = await connect(postgres.dsn(MIGRATE), postgres.folder / "secrets" / MIGRATE, "bench")
    try:
        await link.execute("set statement_timeout = 0")
        merchant_id: UUID = await link.fetchval(
            "select merchant_id from merchant_code where code = $1", here.access.merchant_code
        )
        await link.execute("select set_config('harai.merchant', $1, false)", str(merchant_id))
        yield Books(here, link, merchant_id)
    finally:
        await link.close()


def memory(here: Town) -> dict[str, float]:
    """The most memory that each of our processes ever held. Units: MiB."""
    running = here.stack.running
    return {name: peak_memory_of_tree_mib(running[name].pid or 0) for name in OURS}


def teller(lines: int) -> Callable[[str], None]:
    """Says how far it is, where that takes so long that somebody wants to know."""
    return _tell if lines >= _LOUD_FROM else lambda _line: None


def _tell(line: str) -> None:
    sys.stderr.write(f"debits: {line}\n")


class _Copying(Protocol):
    """The driver's COPY to and from a file, which the vault has no use for."""

    async def copy_from_query(
        self,
        query: str,
        *args: object,
        output: Path,
        format: str,  # noqa: A002 - the driver's own name
    ) -> str:
        """COPY TO STDOUT."""
        ...

    async def copy_to_table(
        self,
        table_name: str,
        *,
        source: Path,
        format: str,  # noqa: A002 - the driver's own name
    ) -> str:
        """COPY FROM STDIN."""
        ...
