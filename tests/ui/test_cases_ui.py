"""A part of a file that can't be read, in a running stack: the case, the screen, the way out.

The fault is a real one: the sealed part is taken out of the database, the workers try and give up,
the part is put back, and a person presses the button, in a browser without script.
Set HARAI_PICTURES=1 to write the pictures of docs/pictures anew.
"""

import asyncio
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from running_stack import START_TIMEOUT_S, sample_file

from portal.contract.case import SURVEY_TASKS
from portal.contract.envelope import Nothing
from portal.contract.operator import OPEN_MERCHANT, OpenMerchant
from portal.kit import limits
from portal.stack.access import Access, open_access
from portal.stack.up import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

Open = Callable[..., BrowserContext]
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
UID_BASE = 66_100
WIDE = {"width": 1280, "height": 900}
ASIDE = 100_000
"""Where the part is put meanwhile: a number that no file has."""

MOVE = """
with moved as (delete from file_part where part_no between $1 and $2 returning *)
insert into file_part (merchant_id, file_id, part_no, size_bytes, fingerprint, sealed, stored_at)
select merchant_id, file_id, part_no + $3, size_bytes, fingerprint, sealed, stored_at from moved
"""


@dataclass
class Site:
    """A running stack, and its own loop to do things in."""

    stack: Stack
    access: Access
    loop: asyncio.AbstractEventLoop

    def does(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - of whatever is asked
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def pause_workers(self, *, stop: bool) -> None:
        """Let the workers stand still, or go on; the whole family, children too."""
        pid = self.stack.running["work"].pid
        assert pid is not None
        os.killpg(pid, signal.SIGSTOP if stop else signal.SIGCONT)

    async def statement(self, text: str, *args: object) -> None:
        """As the vault's own role, for the demo's merchant."""
        async with self.stack.operator() as vault:
            code = self.access.merchant_code
            merchant = (await vault.call(OPEN_MERCHANT, OpenMerchant(code=code))).id
        assert self.stack.postgres is not None
        link = await self.stack.postgres.connect("harai_vault")
        try:
            await link.execute(f"set harai.merchant = '{merchant}'")
            await link.execute(text, *args)
        finally:
            await link.close()

    async def given_up(self) -> int:
        """How many cases of given-up tasks the operator sees."""
        async with self.stack.operator() as vault:
            return len((await vault.call(SURVEY_TASKS, Nothing())).given_up)


@contextmanager
def running_site() -> Iterator[Site]:
    """All zones up; the stack lives in a thread of its own, because its children end with it."""
    folder = Path(tempfile.mkdtemp(prefix="harai-cases-ui-"))
    folder.chmod(0o755)
    ready: Future[Site] = Future()
    stopping = threading.Event()

    async def live() -> None:
        async with Stack(folder / "state", uid_base=UID_BASE) as stack:
            access, _ = await open_access(stack)
            ready.set_result(Site(stack, access, asyncio.get_running_loop()))
            while not stopping.is_set():  # noqa: ASYNC110 - a thread's event can't be awaited
                await asyncio.sleep(0.1)

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=run, name="stack")
    thread.start()
    try:
        yield ready.result(START_TIMEOUT_S)
    finally:
        stopping.set()
        thread.join(60)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site() as given:
        yield given


def picture(page: Page, name: str) -> None:
    if os.environ.get("HARAI_PICTURES") == "1":
        page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def break_an_import(site: Site, page: Page) -> str:
    """A file is handed in whose part can't be read when its turn comes; its address."""
    site.pause_workers(stop=True)
    page.goto(f"{site.access.dashboard}/imports/new")
    file = {"name": "11月分.csv", "mimeType": "text/csv", "buffer": sample_file("S", 12)}
    page.set_input_files("#file", file)
    page.wait_for_url("**/d/imports/imp_*", timeout=20_000)
    site.does(site.statement(MOVE, 0, 10, ASIDE))
    site.does(site.statement("update task set tries = $1", limits.TASK_TRIES_MAX - 1))
    site.pause_workers(stop=False)
    for _ in range(300):
        if site.does(site.given_up()):
            return page.url
        page.wait_for_timeout(100)
    pytest.fail("the task was not given up")


def test_a_person_finds_what_stopped_and_starts_it_again_without_script(
    site: Site, browser: Browser, opened: Open
) -> None:
    context = browser.new_context(viewport=WIDE, locale="ja")
    desk = context.new_page()
    desk.goto(site.access.staff[0].one_click)
    import_page = break_an_import(site, desk)
    cookies = context.storage_state()
    plain = opened(
        viewport=WIDE, locale="ja", java_script_enabled=False, storage_state=cookies
    ).new_page()

    plain.goto(site.access.dashboard)
    expect(plain.locator(".tally")).to_have_text("1")
    plain.locator(".needs .is-cases a").click()
    expect(plain.get_by_role("row")).to_have_count(2)
    plain.get_by_role("link", name="ファイルの検査が止まっています").click()
    expect(plain.locator("main")).to_contain_text("ファイルの1か所")
    picture(plain, "case")
    site.does(site.statement(MOVE, ASIDE, 2 * ASIDE, -ASIDE))
    plain.get_by_role("button", name="もう一度始める").click()

    expect(plain.get_by_role("status")).to_contain_text("もう一度始めました")
    expect(plain.locator(".tally")).to_have_count(0)
    assert desk.url == import_page
    expect(desk.locator(".badge.is-checked")).to_be_visible(timeout=30_000)
    context.close()


def test_a_second_press_on_an_old_page_changes_nothing_and_says_so(
    site: Site, opened: Open
) -> None:
    cookies = site.access.staff[1].one_click
    context = opened(viewport=WIDE, locale="en")
    page = context.new_page()
    page.goto(cookies)
    break_an_import(site, page)
    page.goto(f"{site.access.dashboard}/cases")
    page.locator("tbody a").first.click()
    address = page.url
    other = context.new_page()
    other.goto(address)
    site.does(site.statement(MOVE, ASIDE, 2 * ASIDE, -ASIDE))

    page.get_by_role("button", name="Start it again").click()
    expect(page.get_by_role("status")).to_be_visible()
    other.get_by_role("button", name="Start it again").click()

    expect(other.get_by_role("alert")).to_contain_text("This case is settled already.")
    expect(other.locator("main")).to_contain_text("Started again")
