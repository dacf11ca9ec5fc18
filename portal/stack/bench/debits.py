"""Bench ``debits``: bills into a bank's files, and the banks' answers back into the books."""

import asyncio
import sys
import tempfile
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final

import anyio
import msgspec
from pyotp.totp import TOTP

from portal.contract.debit import OPEN_DEBIT_CONTRACT, OpenDebitContract
from portal.domain.ids import DebitContractId, from_public
from portal.stack.access import ticket_for
from portal.stack.bench.debits_bank import Answer, Debtors, Job
from portal.stack.bench.debits_course import Books, Course, books, memory, teller
from portal.stack.bench.report import Report, machine, timed
from portal.stack.bench.spent import cpu_ms_each, cpu_seconds
from portal.stack.bench.town import Town, read_pieces, town
from portal.stack.layout import SOURCE
from portal.stack.merchant import StaffSession
from portal.stack.processes import run_to_end

LINES: Final = 20_000
FILE_LINES_MAX: Final = 100_000
"""Lines of one file at most: more lines are more files, of which several are booked at a time."""

_FILES_MIN: Final = 2
_BANKS: Final = "0005"
_STEP_S: Final = 30
_LOOK_S: Final = 0.3
_LOOK_SHARE: Final = 10
_TIMEOUT_S: Final = 7200.0


@dataclass(frozen=True, slots=True)
class _Desk:
    """The two members of staff whom a file needs, at their browsers."""

    builder: StaffSession
    owner: StaffSession
    owner_secret: str

    async def codes(self) -> AsyncGenerator[str]:
        """The owner's codes, each step's once, as the vault wants them: waits when all are used."""
        step = 0
        while True:
            now = int(datetime.now(UTC).timestamp()) // _STEP_S
            step = max(step + 1, now - 1)
            while step > int(datetime.now(UTC).timestamp()) // _STEP_S + 1:  # noqa: ASYNC110 - a clock
                await asyncio.sleep(_LOOK_S)
            yield TOTP(self.owner_secret).at(step * _STEP_S)

    async def files(self) -> list[dict[str, Any]]:
        """All files, as the screen shows them."""
        shown = await self.owner.run("debits", {"first": 50, "after": None})
        return [dict(node) for node in shown["debitFiles"]["nodes"]]

    async def all_in(self, is_there: Callable[[Mapping[str, Any]], bool]) -> list[dict[str, Any]]:
        """Look until it is so of every file; looking counts lines, so the more the rarer."""
        async with asyncio.timeout(_TIMEOUT_S):
            while True:
                with timed() as watch:
                    files = await self.files()
                if all(map(is_there, files)):
                    return files
                await asyncio.sleep(max(_LOOK_S, _LOOK_SHARE * watch.seconds))


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
        async with _desk(here) as desk, books(here) as own:
            debit_on = await _settle_in(here, desk, lines, tell)
            written, spent_w = await _write(here, desk, own, lines, debit_on)
            await _decide(desk, tell)
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


@asynccontextmanager
async def _desk(here: Town) -> AsyncGenerator[_Desk]:
    """A clerk and an owner, each logged in."""
    roles = {person.role: person.email for person in here.access.staff}
    [secret] = [one.totp_secret for one in here.access.staff if one.role == "owner"]
    sessions = [StaffSession(here.access.portal) for _ in range(2)]
    try:
        async with here.stack.operator() as vault:
            for session, role in zip(sessions, ("clerk", "owner"), strict=True):
                await session.enter(await ticket_for(vault, roles[role]))
        yield _Desk(builder=sessions[0], owner=sessions[1], owner_secret=secret)
    finally:
        for session in sessions:
            await session.close()


async def _settle_in(here: Town, desk: _Desk, lines: int, tell: Callable[[str], None]) -> date:
    """A contract for each file, and its debtors; the day on which all are debited."""
    shown = await desk.owner.run("debits", {"first": 1, "after": None})
    [own] = shown["debitFiles"]["contracts"]
    debit_on = date.fromisoformat(own["nextDebitOn"])
    size = _file_lines(lines)
    for place, first in enumerate(range(0, lines, size)):
        contract_id = await _open(here, place, debit_on)
        job = Debtors(
            code=here.access.merchant_code, contract_id=contract_id, first=first,
            count=min(size, lines - first), due_on=debit_on,
        )  # fmt: skip
        await asyncio.to_thread(_as_vault, here, job)
        tell(f"payers with their bills: {first + job.count:,} of {lines:,}")
    return debit_on


async def _open(here: Town, place: int, debit_on: date) -> DebitContractId:
    contract = OpenDebitContract(
        merchant_code=here.access.merchant_code, collector_code=f"{place + 1:010d}",
        collector_name="アオゾラデンリヨク", bank_code=_BANKS, branch_code="001", account_kind="1",
        account_number="7654321", record_end="\r\n", has_blank_result=False, more_letters="",
        lines_max=FILE_LINES_MAX, day_of_month=debit_on.day, submit_days=4, submit_by=time(15),
        presents_again=True,
    )  # fmt: skip
    async with here.stack.operator() as vault:
        return (await vault.call(OPEN_DEBIT_CONTRACT, contract)).contract_id


async def _write(
    here: Town, desk: _Desk, own: Books, lines: int, debit_on: date
) -> tuple[Course, dict[str, float]]:
    """From the first file asked for to the last one sealed, and what that cost."""
    shown = await desk.builder.run("debits", {"first": 1, "after": None})
    contracts = [one["id"] for one in shown["debitFiles"]["contracts"]]
    before = cpu_seconds(here.stack)
    async with asyncio.TaskGroup() as both:
        watching = both.create_task(own.watch("lines", lines))
        for contract_id in contracts[1:]:
            wanted = {"contractId": contract_id, "debitOn": debit_on.isoformat()}
            await _done(desk.builder, "build", wanted)
    spent = cpu_ms_each(before, cpu_seconds(here.stack), lines)
    files = await desk.all_in(lambda one: one["state"] == "SEALED")
    if sum(one["count"] for one in files) != lines:
        msg = f"{[one['count'] for one in files]} lines are in the files, not {lines}"
        raise RuntimeError(msg)
    return watching.result(), spent


async def _decide(desk: _Desk, tell: Callable[[str], None]) -> None:
    codes = desk.codes()
    for count, one in enumerate(await desk.files(), 1):
        tell(f"approving file {count}: each takes a code of its own")
        wanted = {"id": one["id"], "decision": "APPROVE", "totp": await anext(codes)}
        await _done(desk.owner, "decide", wanted)


async def _done(session: StaffSession, act: str, wanted: Mapping[str, str]) -> None:
    variables = {"input": {**wanted, "idempotencyKey": str(uuid.uuid4())}}
    done = await session.run(f"debit_file_{act}", variables)
    if errors := done[f"debitFile{act.capitalize()}"]["errors"]:
        msg = f"no file: {errors[0]['message']}"
        raise RuntimeError(msg)


async def _bank(here: Town, desk: _Desk, answers: Path, tell: Callable[[str], None]) -> None:
    """Every file leaves; its answer lies in ``answers`` under the file's id."""
    for count, one in enumerate(await desk.files(), 1):
        tell(f"the bank answers file {count}")
        job = Answer(
            code=here.access.merchant_code,
            file_id=from_public("debit_file", one["id"]),
            into=str(answers / one["id"]),
        )
        await asyncio.to_thread(_as_vault, here, job)


async def _take_answers(
    here: Town, desk: _Desk, own: Books, lines: int, answers: Path
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


def _as_vault(here: Town, job: Debtors | Answer) -> str:
    """Run a job of portal.stack.bench.debits_bank beside the vault."""
    program = here.stack.running["vault"].program
    env = {name: text for name, text in program.env.items() if name.startswith("PORTAL_VAULT_")}
    return run_to_end(
        [sys.executable, "-m", "portal.stack.bench.debits_bank"],
        account=here.stack.layout.accounts["vault"],
        env=env,
        cwd=SOURCE,
        stdin=msgspec.json.encode(Job(job=job)).decode(),
        timeout_s=_TIMEOUT_S,
    )
