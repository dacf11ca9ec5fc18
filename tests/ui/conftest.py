"""A real Chromium for the browser tests; where there is none they say so, and fail in CI."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from starlette.applications import Starlette

sys.path.insert(0, str(Path(__file__).parent))

CHROMIUMS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
"""The same engine; the shell draws no window of its own, which costs a third of the time."""

MISSING = "no Chromium here: apt-get install chromium-headless-shell fonts-noto-cjk (or chromium)"
ARGS = (
    "--no-sandbox",  # tests run as root, where Chromium's own sandbox can't
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

Gallery = tuple[str, Starlette]
OpenContext = Callable[..., BrowserContext]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.ui)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module: while Playwright is open its loop runs in this thread, so left open
    for the session it would forbid the loop of every asynchronous test that comes after.
    """
    chromium = next((path for path in CHROMIUMS if path.exists()), None)
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(chromium), args=list(ARGS))
        yield running
        running.close()


@pytest.fixture(scope="session")
def gallery() -> Iterator[Gallery]:
    import gallery as screens  # noqa: PLC0415 - found by the path that this module adds

    with screens.serve() as served:
        yield served


@pytest.fixture
def opened(browser: Browser) -> Iterator[OpenContext]:
    """Contexts of one test, closed after it."""
    contexts: list[BrowserContext] = []

    def open_context(**options: object) -> BrowserContext:
        contexts.append(browser.new_context(**options))  # type: ignore[arg-type]
        return contexts[-1]

    yield open_context
    for context in contexts:
        context.close()
