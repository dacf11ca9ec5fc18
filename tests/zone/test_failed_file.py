"""Files of a merchant's own failed debits: whole or not at all, told once, whatever dies between.

store_failed_lines, take_failed_file, drop_failed_file and tell_failed_file are each repeated here.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
import pytest

from portal.application.payment.failed_files import FailedFileIn, take_file, tell
from portal.contract.envelope import Authority
from portal.contract.failed_file import (
    DROP_FAILED_FILE,
    LIST_FAILED_FILES,
    LIST_FAILED_LINES,
    STORE_FAILED_LINES,
    TAKE_FAILED_FILE,
    TELL_FAILED_FILE,
    DropFailedFile,
    FailedFileView,
    FailedLinePage,
    ListFailedFiles,
    ListFailedLines,
    StoreFailedLines,
    TakeFailedFile,
    TellFailedFile,
)
from portal.contract.work import Leased
from portal.domain.errors import InvalidInput, LimitReached, NotFound, PortalError
from portal.domain.failed_debit import FailedLine
from portal.domain.ids import FailedFileId
from portal.vault import failed_file
from portal.vault.failed_debit import EVENT
from tests.make.debits import answer, debit, write
from tests.make.intake import Desk, line, new_desk
from tests.make.ladder import Steps
from tests.make.vault import Ground
from tests.make.vault_process import vault_process

STEP = 2
"""Lines that are told in a step."""

EVENTS = "select count(*) from bill_event where code = $1"
KEPT = "select count(*) from failed_line"


@pytest.fixture(autouse=True)
def short_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lines a call that stores them."""
    monkeypatch.setattr("portal.application.payment.failed_files.STORED_MAX", 2)


def told_by(*lines: tuple[int, int, str]) -> bytes:
    """A bank's file of lines, each with customer number, amount and code."""
    debits = [debit(number, amount) for number, amount, _ in lines]
    return answer(write(debits), lambda place: lines[place][2])


async def in_parts(raw: bytes, size: int = 500) -> AsyncIterator[bytes]:
    for start in range(0, len(raw), size):
        yield raw[start : start + size]


async def put(desk: Desk, raw: bytes, by: Authority | None = None) -> FailedFileIn:
    return await take_file(desk.web, by or desk.staff, in_parts(raw))


async def work_off(desk: Desk) -> int:
    """Do all tasks of these files that are due; lines told or forgotten."""
    leases = await desk.leases("debit.tell_failed")
    files = [(one.authority, FailedFileId(one.subject_id)) for one in leases]
    return sum([await tell(desk.work, lease, file, lambda: False) for lease, file in files])


async def files_of(desk: Desk) -> tuple[FailedFileView, ...]:
    request = ListFailedFiles(first=10, after=None)
    return (await desk.web.call(LIST_FAILED_FILES, request, desk.staff)).files


async def page_of(desk: Desk, file_id: FailedFileId, after: str | None = None) -> FailedLinePage:
    request = ListFailedLines(file_id=file_id, first=2, after=after)
    return await desk.web.call(LIST_FAILED_LINES, request, desk.staff)


BILLS = (
    line("E-1", customer_no="0048-1234"), line("E-2", customer_no="0048-1234"),
    line("E-3", customer_no="77"), line("E-4", customer_no="88", amount="900"),
)  # fmt: skip
FILE = told_by(
    (481234, 8420, "1"), (999, 1, "1"), (481234, 8420, "1"), (77, 8420, "0"), (88, 8420, "3"),
    (481234, 8420, "2"), (77, 8420, "9"),
)  # fmt: skip
"""Two bills of one customer fail, two steps apart; a third line means none that is left."""


async def test_a_whole_file_is_told_once_over_all_its_steps(ground: Ground) -> None:
    async with ground.vault(debit_step_lines=STEP) as server:
        desk = await new_desk(server, ground.client)
        world = Steps(desk).world
        await desk.issued(*BILLS)

        taken = await put(desk, FILE)
        assert (taken.failed, taken.succeeded, taken.seen_before) == (6, 1, False)
        assert await world.value(EVENTS, EVENT) == 0
        assert (await files_of(desk))[0].state == "telling"
        row = await world.value("select string_agg(l::text, ' ') from failed_line l")
        assert "1234" not in row, "no customer's number is stored"
        assert await work_off(desk) == 6

        [shown] = await files_of(desk)
        assert shown.id == taken.file_id
        counts = (shown.told, shown.known, shown.not_owed, shown.unmatched, shown.unclear)
        assert (shown.state, shown.lines, counts) == ("told", 6, (2, 0, 2, 1, 1))
        assert await world.value(EVENTS, EVENT) == 2
        assert await world.value("select sum(cardinality(blinds)) from failed_line") == 0
        first = await page_of(desk, shown.id)
        rest = await page_of(desk, shown.id, first.end_cursor)
        seen = [(one.record_no, one.result) for one in (*first.lines, *rest.lines)]
        assert (first.has_next, rest.has_next) == (True, False)
        assert seen == [(3, "unmatched"), (6, "not_owed"), (7, "not_owed"), (8, "unclear")]
        # Whoever looks pays for the file's word, and for each line that is a customer's.
        assert await world.value(
            "select array_agg(rows order by at) from audit where operation = 'list_failed_lines'"
        ) == [2, 2]  # fmt: skip

        once, again = await asyncio.gather(put(desk, FILE), put(desk, FILE))
        assert [(one.file_id, one.seen_before) for one in (once, again)] == [(shown.id, True)] * 2
        other = FILE.replace(b"\r\n", b"")
        both = await asyncio.gather(put(desk, other), put(desk, other))
        assert sorted(one.seen_before for one in both) == [False, True]
        await work_off(desk)
        assert await world.value(EVENTS, EVENT) == 2, "a bill is told once in its life"
        assert [(one.told, one.known) for one in await files_of(desk)] == [(0, 2), (2, 0)]
        assert await world.value(KEPT) == 12, "what came twice left nothing behind"

        theirs = await new_desk(server, ground.client, "kansai")
        assert await files_of(theirs) == ()
        with pytest.raises(NotFound):
            await page_of(theirs, shown.id)
        with pytest.raises(InvalidInput, match="cursor_invalid"):
            await page_of(desk, both[0].file_id, first.end_cursor)


async def test_a_file_in_doubt_tells_nothing_and_leaves_nothing(ground: Ground) -> None:
    async with ground.vault(debit_step_lines=STEP) as server:
        desk = await new_desk(server, ground.client)
        world = Steps(desk).world
        await desk.issued(*BILLS)
        raw = told_by(*[(481234, 8420, "1")] * 40)
        wrong = raw.replace(b"000040", b"000039").replace(b"000039", b"000040", 1)

        async def broken() -> AsyncIterator[bytes]:
            yield raw[:2_000]
            raise ConnectionError

        async def kept_meanwhile() -> AsyncIterator[bytes]:
            async for part in in_parts(wrong):
                yield part
            assert await world.value(KEPT) > 30, "stored, and not told"

        with pytest.raises(InvalidInput, match="trailer_failed"):
            await take_file(desk.web, desk.staff, kept_meanwhile())
        with pytest.raises(InvalidInput, match="record_length") as doubt:
            await put(desk, raw[:1_000] + raw[1_001:])
        assert doubt.value.params["record"] == 9
        with pytest.raises(InvalidInput, match="file_empty"):
            await put(desk, b"\r\n \r\n")
        with pytest.raises(ConnectionError):
            await take_file(desk.web, desk.staff, broken())
        assert await files_of(desk) == ()
        assert await work_off(desk) > 40
        begun = StoreFailedLines(file_id=None, lines=())
        await desk.web.call(STORE_FAILED_LINES, begun, desk.staff)
        assert await work_off(desk) == 0, "it may still come"
        async with world.act() as act:
            await act.db.execute("update task set next_at = now()")
        await work_off(desk)

        assert await world.value("select count(*) from failed_file") == 0
        assert await world.value(KEPT) == 0
        assert await world.value(EVENTS, EVENT) == 0
        assert await world.value("select count(*) from task where kind = 'debit.tell_failed'") == 0


async def test_lines_come_in_their_order_and_a_taken_file_is_closed(ground: Ground) -> None:
    async with ground.vault(debit_step_lines=STEP) as server:
        desk = await new_desk(server, ground.client)
        theirs = await new_desk(server, ground.client, "kansai")
        one = FailedLine(record_no=2, customer_no="1", amount_minor=1, code="1")
        begun = StoreFailedLines(file_id=None, lines=(one,))
        file_id = (await desk.web.call(STORE_FAILED_LINES, begun, desk.staff)).file_id
        change = msgspec.structs.replace
        for lines, code in (
            ((one,), "file_malformed"),
            ((change(one, record_no=3), change(one, record_no=3)), "file_malformed"),
            ((change(one, record_no=1_000_001),), "file_malformed"),
            ((change(one, record_no=3, code="12"),), "file_malformed"),
            ((change(one, record_no=3, customer_no="4" * 21),), "file_malformed"),
            ((one,) * 2_001, "too_many_lines"),
        ):
            request = StoreFailedLines(file_id=file_id, lines=lines)
            with pytest.raises(InvalidInput, match=code):
                await desk.web.call(STORE_FAILED_LINES, request, desk.staff)
        take = TakeFailedFile(file_id=file_id, sha256="a" * 64, failed=1, succeeded=0)
        drop = DropFailedFile(file_id=file_id)
        with pytest.raises(NotFound):
            await theirs.web.call(TAKE_FAILED_FILE, take, theirs.staff)
        await theirs.web.call(DROP_FAILED_FILE, drop, theirs.staff)
        for wrong in (
            change(take, failed=0), change(take, sha256="x"), change(take, succeeded=999_999)
        ):  # fmt: skip
            with pytest.raises(InvalidInput, match="file_malformed"):
                await desk.web.call(TAKE_FAILED_FILE, wrong, desk.staff)

        assert not (await desk.web.call(TAKE_FAILED_FILE, take, desk.staff)).seen_before

        for _ in range(2):
            await desk.web.call(DROP_FAILED_FILE, drop, desk.staff)  # too late: it was taken
            with pytest.raises(NotFound):
                await desk.web.call(TAKE_FAILED_FILE, take, desk.staff)
            more = StoreFailedLines(file_id=file_id, lines=(change(one, record_no=3),))
            with pytest.raises(NotFound):
                await desk.web.call(STORE_FAILED_LINES, more, desk.staff)
        assert await work_off(desk) == 1
        assert (await files_of(desk))[0].unmatched == 1
        begun = StoreFailedLines(file_id=None, lines=())
        for _ in range(failed_file.AT_ONCE_MAX):
            await desk.web.call(STORE_FAILED_LINES, begun, desk.staff)
        with pytest.raises(LimitReached, match="uploads_at_once"):
            await desk.web.call(STORE_FAILED_LINES, begun, desk.staff)


async def test_a_worker_killed_in_mid_file_leaves_the_rest_to_the_next(ground: Ground) -> None:
    async with ground.vault(debit_step_lines=STEP) as server:
        desk = await new_desk(server, ground.client)
        await desk.issued(*BILLS)
        await put(desk, FILE)
        [lease] = await desk.leases("debit.tell_failed")
        await ground.close()

    crash = {
        "HARAI_CRASH_POINT": "vault.after_commit", "HARAI_CRASH_OPERATION": "tell_failed_file",
        "PORTAL_VAULT_DEBIT_STEP_LINES": str(STEP),
    }  # fmt: skip
    async with vault_process(ground, **crash) as process:
        work = await ground.client("work")
        with pytest.raises(PortalError, match=r"vault_lost|vault_away"):
            await step(replace(desk, work=work), lease)
        assert await process.wait() == 137
        await work.close()

    async with ground.vault(debit_step_lines=STEP) as server:
        desk = replace(
            desk, server=server, work=await ground.client("work"), web=await ground.client("web")
        )
        [before] = await files_of(desk)
        assert (before.told, before.unmatched, before.state) == (1, 1, "telling")
        while await step(desk, lease):
            pass

        [shown] = await files_of(desk)
        counts = (shown.told, shown.known, shown.not_owed, shown.unmatched, shown.unclear)
        assert (shown.state, counts) == ("told", (2, 0, 2, 1, 1))
        assert await Steps(desk).world.value(EVENTS, EVENT) == 2


async def step(desk: Desk, lease: Leased) -> bool:
    """One step of a worker; whether more may be left."""
    request = TellFailedFile(file_id=FailedFileId(lease.subject_id))
    return (await desk.work.call(TELL_FAILED_FILE, request, lease.authority)).remaining
