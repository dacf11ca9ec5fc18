"""Bench ``start``: from a cold clone by ``make`` to the first paid bill."""

import asyncio
import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
import msgspec

from portal.stack.access import Access
from portal.stack.bench.report import Report, machine, timed
from portal.stack.layout import SOURCE
from portal.stack.payers import APPROVE, Payer, Phone

_TIMEOUT_S: Final = 900.0
_LOOK_S: Final = 0.25


async def run() -> Report:
    """Clone what is committed here, type ``make demo`` there, pay the first bill that arrives.

    Figure: seconds, downloads of packages included (whatever the machine's cache has is used).
    Floor: the seconds that making the environment and installing alone take, from the same run.
    """
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="harai-start-", dir="/var/tmp") as folder:
        clone = Path(folder) / "harai"
        await asyncio.to_thread(clone.parent.chmod, 0o755)
        with timed() as watch:
            await asyncio.to_thread(_run, ["git", "clone", "--quiet", str(SOURCE), str(clone)])
            make = await asyncio.to_thread(_demo, clone)
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    installed_s, started_s = await _first_paid(clone, watch.so_far)
                total_s = watch.so_far()
            finally:
                await asyncio.to_thread(_stop, make)
    return Report(
        bench="start",
        figure=round(total_s, 1),
        unit="s from clone to the first paid bill",
        floor=round(installed_s, 1),
        floor_is="clone, virtual environment and packages alone",
        ratio=round(installed_s / total_s, 3),
        goal_first=180,
        goal=90,
        machine=machine(),
        load_before=load,
        details={"doors_open_s": round(started_s, 1)},
    )


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, timeout=_TIMEOUT_S)  # noqa: S603 - fixed words


def _demo(clone: Path) -> subprocess.Popen[bytes]:
    """``make demo`` in a session of its own, its screen in a file."""
    screen = (clone.parent / "screen.log").open("wb")
    return subprocess.Popen(
        ["make", "demo"],  # noqa: S607 - the words that a newcomer types
        cwd=clone,
        stdout=screen,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def _stop(make: subprocess.Popen[bytes]) -> None:
    """Ctrl-C, then patience, then an end."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(make.pid, signal.SIGINT)
    try:
        make.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(make.pid, signal.SIGKILL)
        make.wait(10)


async def _first_paid(clone: Path, so_far: Callable[[], float]) -> tuple[float, float]:
    """Pay the first message's bill; gives when packages and when doors were ready, in seconds."""
    program = clone / ".venv" / "bin" / "portal"
    while not program.exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(_LOOK_S)
    installed_s = so_far()
    file = clone / ".demo" / "access.json"
    while not file.exists():  # noqa: ASYNC110 - the same
        await asyncio.sleep(_LOOK_S)
    started_s = so_far()
    access = msgspec.json.decode(file.read_bytes(), type=Access)
    async with httpx.AsyncClient(timeout=60.0, trust_env=False) as client:
        phone = Phone(client, access.phone.removesuffix("/phone"))
        while not (arrived := [message.link for message in await phone.messages(limit=1)]):  # noqa: ASYNC110 - the same
            await asyncio.sleep(_LOOK_S)
    state = await Payer().pay(str(arrived[0]), APPROVE)
    if state != "paid":
        msg = f"the first payment ended as {state}"
        raise RuntimeError(msg)
    return installed_s, started_s
