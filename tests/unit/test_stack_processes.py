import asyncio
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from portal.stack.processes import ended


def a_child() -> subprocess.Popen[bytes]:
    """Runs until its standard input is closed."""
    return subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE)


def let_go(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    child.stdin.close()


def watched() -> int:
    """How many processes this one has the kernel tell it of."""
    links: list[str] = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the listing's own is gone already
            links.append(str(entry.readlink()))
    return sum("pidfd" in link for link in links)


async def test_all_who_wait_for_a_child_hear_of_its_end() -> None:
    child = a_child()
    assert not await ended(child, 0)

    waiting = [asyncio.create_task(ended(child, 60)) for _ in range(3)]
    await asyncio.sleep(0)
    let_go(child)

    assert await asyncio.gather(*waiting) == [True] * 3
    assert await ended(child, 0)
    assert child.returncode == 0


async def test_whoever_stops_waiting_for_a_child_leaves_nothing_open() -> None:
    child = a_child()
    before = watched()
    waiting = asyncio.create_task(ended(child, 60))
    await asyncio.sleep(0)
    assert watched() == before + 1

    waiting.cancel()
    await asyncio.wait([waiting])
    assert not await ended(child, 0)

    assert watched() == before
    let_go(child)
    assert await ended(child, 60)


async def test_a_child_is_looked_at_where_the_kernel_does_not_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(pid: int) -> int:
        raise PermissionError(pid)

    monkeypatch.setattr(os, "pidfd_open", refused)
    child = a_child()

    assert not await ended(child, 0)
    let_go(child)
    assert await ended(child, 60)
