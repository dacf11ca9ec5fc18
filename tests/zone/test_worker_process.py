"""`portal work` as processes: it survives its children, its queue and its signals."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from portal.stack.drill.ground import children_of
from portal.stack.valkey import Valkey
from portal.vault.server import VaultServer
from tests.make.vault import Ground
from tests.make.work_queue import a_valkey, lose_everything
from tests.make.workshop import Workshop, a_workshop, environment, phones

BILLS = 1500


class Running:
    """One `portal work` with its log."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.log = log

    def events(self, name: str) -> list[dict[str, object]]:
        lines = self.log.read_bytes().splitlines()
        found = [msgspec.json.decode(line) for line in lines if line.startswith(b"{")]
        return [event for event in found if event["event"] == name]

    def children(self) -> list[int]:
        """Process ids of the workers that live now."""
        return children_of(self.process.pid)

    async def until_working(self, workers: int = 2) -> None:
        async with asyncio.timeout(30):
            while len(self.events("worker.started")) < workers:
                assert self.process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.05)

    async def end(self) -> int:
        if self.process.returncode is None:
            self.process.terminate()
        async with asyncio.timeout(60):
            return await self.process.wait()


@asynccontextmanager
async def running_work(shop: Workshop, valkey: Valkey) -> AsyncGenerator[Running]:
    settings = shop.settings.model_copy(update={"valkey_url": valkey.url})
    log = shop.ground.folder / "work.log"
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "worker.main", env=environment(settings), stderr=sink
        )
    running = Running(process, log)
    try:
        yield running
    finally:
        await running.end()


@pytest.fixture
async def shop(ground: Ground, vault: VaultServer) -> AsyncGenerator[Workshop]:
    del vault
    async with a_workshop(ground) as made:
        yield made


async def sent(shop: Workshop, count: int, within_s: float = 100.0) -> None:
    async with asyncio.timeout(within_s):
        while len(shop.texts()) < count:  # noqa: ASYNC110 - the companies' journal tells
            await asyncio.sleep(0.05)


async def checked(shop: Workshop, bills: int, first: int = 0) -> None:
    """A file handed in, read by the running workers, and sent."""
    import_id = await shop.imported(phones(bills, first))
    async with asyncio.timeout(60):
        while (await shop.view(import_id)).state != "checked":  # noqa: ASYNC110 - the vault tells
            await asyncio.sleep(0.05)
    await shop.decide(import_id)


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def no_one_told_twice(shop: Workshop) -> bool:
    return set(Counter(row["recipient"] for row in shop.texts()).values()) == {1}


async def test_a_file_becomes_messages_and_sigterm_ends_everything(
    shop: Workshop, tmp_path: Path
) -> None:
    async with a_valkey(tmp_path) as valkey, running_work(shop, valkey) as work:
        await work.until_working()
        await checked(shop, BILLS)
        await sent(shop, BILLS)
        children = work.children()

        assert len(children) == 2
        assert await work.end() == 0

    assert no_one_told_twice(shop)
    assert not any(is_alive(pid) for pid in children)
    assert work.events("worker.died") == []
    assert work.events("task.broke") == []


async def test_killed_children_are_replaced_and_nothing_is_lost_or_doubled(
    shop: Workshop, tmp_path: Path
) -> None:
    async with a_valkey(tmp_path) as valkey, running_work(shop, valkey) as work:
        await work.until_working()
        await checked(shop, BILLS)
        await sent(shop, 100)
        for pid in work.children():
            os.kill(pid, signal.SIGKILL)
        await work.until_working(4)
        async with asyncio.timeout(60):
            while await shop.rows("select 1 from task"):
                await shop.be_due_but_for(work.children())
                await asyncio.sleep(1)

    assert no_one_told_twice(shop)
    assert {event["exit_code"] for event in work.events("worker.died")} == {-signal.SIGKILL}
    assert len(shop.texts()) == BILLS


async def test_valkey_may_be_emptied_and_killed_in_the_middle(
    shop: Workshop, tmp_path: Path
) -> None:
    async with a_valkey(tmp_path) as valkey, running_work(shop, valkey) as work:
        await work.until_working()
        await checked(shop, BILLS)
        await sent(shop, 50)
        await lose_everything(valkey)
        await sent(shop, 200)
        await valkey.running.kill()
        await sent(shop, BILLS)
        assert work.process.returncode is None
        await valkey.running.start()
        await checked(shop, 100, first=BILLS)
        await sent(shop, BILLS + 100)

    assert no_one_told_twice(shop)
    assert work.events("queue.went_away")


async def test_work_goes_on_while_there_is_no_queue_at_all(shop: Workshop, tmp_path: Path) -> None:
    async with a_valkey(tmp_path) as valkey:
        await valkey.running.kill()
        async with running_work(shop, valkey) as work:
            await checked(shop, 300)
            await sent(shop, 300)
            assert await work.end() == 0

    assert no_one_told_twice(shop)


async def test_children_end_when_their_supervisor_is_killed(shop: Workshop, tmp_path: Path) -> None:
    async with a_valkey(tmp_path) as valkey, running_work(shop, valkey) as work:
        await work.until_working()
        children = work.children()
        work.process.kill()
        await work.process.wait()
        async with asyncio.timeout(20):
            while any(is_alive(pid) for pid in children):  # noqa: ASYNC110 - orphans tell nobody
                await asyncio.sleep(0.05)

    assert len(children) == 2
