"""Bench ``debits``: bills into a bank's files, and the banks' answers back into the books."""

import asyncio
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

import anyio

from portal.domain.ids import from_public
from portal.stack.bench.debits_bank import Answer, Debtors
from portal.stack.bench.debits_course import Books, Course, books, memory, teller
from portal.stack.bench.debits_desk import Desk, desk_of, open_contract, run_as_vault
from portal.stack.bench.report import Report, machine, timed
from portal.stack.bench.spent import cpu_ms_each, cpu_seconds
from portal.stack.bench.town import Town, read_pieces, town

LINES: Final = 20_000
FILE_LINES_MAX: Final = 100_000
"""Lines of one file at most: more lines are more files, of which several are booked at a time."""

_FILES_MIN: Final = 2


async def run(lines: int = LINES) -> Report:
    """Start a town, and measure there; see :func:`measure`."""
    async with town() as here:
        return await measure(here, lines)


async def measure(here: Town, lines: int) -> Report:
    """Write bills into files, let the bank answer 0 to every line, and book the answers.

    Figure: lines/s from the first byte of the answers that is put up to the last line booked; a
    file is booked while the next one is put up. Floor: COPY of the rows that this added into bare
    tables of the same database, without index, trigger or row-level security. Details: the same
    for writing; both by tenths, which shows whether a line costs more the more there are; processor
    time a line; each process' peak memory, after the first tenth and at the end.

    Raises: RuntimeError when a line is missing, was booked otherwise, or the books don't balance.
    """
    tell = teller(lines)
    with tempfile.TemporaryDirectory(prefix="harai-bench-", dir="/var/tmp") as folder:
        answers = Path(folder)
        # The bank writes as the vault's account, and this process reads.
        await anyio.Path(folder).chmod(0o777)
        async with desk_of(here) as desk, books(here) as own:
            debit_on = await _settle_in(here, desk, lines, tell)
            written, spent_w = await _write(here, desk, own, lines, debit_on)
            await desk.approve_all(tell)
            await _bank(here, desk, answers, tell)
            read_s, booked, spent_b = await _take_answers(here, desk, own, lines, answers)
            at_end = memory(here)
            floor = await own.copy(lines)
    figure = lines / booked.seconds
    return Report(
        bench="debits",
        figure=round(figure),
        unit="lines/s read and booked",
        floor=round(floor),
        floor_is="COPY of the rows that booking adds into bare tables",
        ratio=round(figure / floor, 4),
        goal_first=1_000,
        goal=20_000,
        machine=machine(),
        load_before=here.load,
        details={
            "lines": lines,
            "files": -(-lines // _file_lines(lines)),
            "written_per_s": round(lines / written.seconds),
            "read_per_s": round(lines / read_s),
            **written.said("written", lines),
            **booked.said("booked", lines),
            **{f"written_{name}": value for name, value in spent_w.items()},
            **{f"booked_{name}": value for name, value in spent_b.items()},
            **{f"tenth_mib_{name}": round(mib, 1) for name, mib in written.memory.items()},
            **{f"peak_mib_{name}": round(mib, 1) for name, mib in at_end.items()},
        },
    )


def _file_lines(lines: int) -> int:
    """Lines of each file: at least two files, so that two workers can work."""
    return min(FILE_LINES_MAX, -(-lines // _FILES_MIN))


async def _settle_in(here: Town, desk: Desk, lines: int, tell: Callable[[str], None]) -> date:
    """A contract for each file, and its debtors; the day on which all are debited."""
    [own] = await desk.contracts()
    debit_on = date.fromisoformat(own["nextDebitOn"])
    size = _file_lines(lines)
    for place, first in enumerate(range(0, lines, size)):
        contract_id = await open_contract(here, place, debit_on, FILE_LINES_MAX)
        job = Debtors(
            code=here.access.merchant_code, contract_id=contract_id, first=first,
            count=min(size, lines - first), due_on=debit_on,
        )  # fmt: skip
        await asyncio.to_thread(run_as_vault, here, job)
        tell(f"payers with their bills: {first + job.count:,} of {lines:,}")
    return debit_on


async def _write(
    here: Town, desk: Desk, own: Books, lines: int, debit_on: date
) -> tuple[Course, dict[str, float]]:
    """From the first file asked for to the last one sealed, and what that cost."""
    contracts = [one["id"] for one in await desk.contracts()]
    before = cpu_seconds(here.stack)
    async with asyncio.TaskGroup() as both:
        watching = both.create_task(own.watch("lines", lines))
        for contract_id in contracts[1:]:
            await desk.build(contract_id, debit_on)
    spent = cpu_ms_each(before, cpu_seconds(here.stack), lines)
    files = await desk.all_in(lambda one: one["state"] == "SEALED")
    if sum(one["count"] for one in files) != lines:
        msg = f"{[one['count'] for one in files]} lines are in the files, not {lines}"
        raise RuntimeError(msg)
    return watching.result(), spent


async def _bank(here: Town, desk: Desk, answers: Path, tell: Callable[[str], None]) -> None:
    """Every file leaves; its answer lies in ``answers`` under the file's id."""
    for count, one in enumerate(await desk.files(), 1):
        tell(f"the bank answers file {count}")
        job = Answer(
            code=here.access.merchant_code,
            file_id=from_public("debit_file", one["id"]),
            into=str(answers / one["id"]),
        )
        await asyncio.to_thread(run_as_vault, here, job)


async def _take_answers(
    here: Town, desk: Desk, own: Books, lines: int, answers: Path
) -> tuple[float, Course, dict[str, float]]:
    """Seconds until all answers were put up; how all were booked, and what both cost.

    Short answers are read by then, long ones are read by whoever books them.
    """
    files = await desk.files()
    before = cpu_seconds(here.stack)
    async with asyncio.TaskGroup() as both:
        watching = both.create_task(own.watch("booked_to", lines))
        with timed() as reading:
            for one in files:
                said = await desk.owner.put(one["resultUrl"], read_pieces(answers / one["id"]))
                if said["state"] == "refused" or said["unknown"] or said["unexpected"]:
                    msg = f"an answer was not taken: {said}"
                    raise RuntimeError(msg)
    spent = cpu_ms_each(before, cpu_seconds(here.stack), lines)
    files = await desk.all_in(lambda one: not one["outcomes"]["waiting"])
    if sum(one["outcomes"]["succeeded"] for one in files) != lines:
        msg = f"not every line was booked: {[one['outcomes'] for one in files]}"
        raise RuntimeError(msg)
    if left := await own.sum_minor():
        msg = f"the books are out by {left}"
        raise RuntimeError(msg)
    return reading.seconds, watching.result(), spent
