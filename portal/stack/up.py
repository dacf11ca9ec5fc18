"""The embedded stack as one thing: start everything in order, keep it alive, stop it in order.

Stack only; used by demo, bench, drills and tests. A process that ends by itself is started again
after a growing pause, as an init system would; :meth:`Stack.kill` lets a drill do what a crash
does. Nothing survives :meth:`Stack.stop` but the data in the state folder.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import msgspec

from portal.contract.client import VaultClient
from portal.kit.clock import SystemClock
from portal.stack import logs
from portal.stack.buffers import buffers_for, memory_here
from portal.stack.certificates import write_private
from portal.stack.install import install
from portal.stack.layout import Layout
from portal.stack.postgres import MIGRATE, VAULT, Postgres, wheel_binaries
from portal.stack.processes import Program, Running, run_to_end
from portal.stack.programs import Programs
from portal.stack.users import UID_BASE_DEFAULT, Account, separate_accounts
from portal.stack.valkey import Valkey

PAUSE_MIN_S: Final = 0.2
PAUSE_MAX_S: Final = 10.0
STEADY_AFTER_S: Final = 30.0
"""A process that lived this long is started again after the shortest pause."""

Progress = Callable[[str, float | None], None]
"""Told the name of a step when it begins (None) and again with its seconds when it is done."""

STEPS: Final = (
    "keys", "postgres", "valkey", "sandbox", "migrations", "vault", "egress", "web", "work", "dmz",
)  # fmt: skip
"""Every step that ``Progress`` hears of, in order of beginning."""


def silent(_step: str, _seconds: float | None) -> None:
    """For whoever does not want to be told."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that ended by itself: ``code`` negative for a signal."""

    name: str
    code: int
    restart_in_s: float


class Drill:
    """What a drill may change of a stack: nothing here; portal.stack.drill has one that does.

    Units: ``pause_max_s`` bounds the growing pause before a process is started again.
    """

    pause_max_s: float = PAUSE_MAX_S

    def next_life(self, name: str) -> Mapping[str, str]:
        """Variables for the life of a process that begins now, beside its own."""
        del name
        return {}


class Stack:
    """All processes of one installation in one state folder, children of this process.

    Start and stop it from the same event loop, in a thread that lives as long as the stack does:
    the kernel ends the children when that thread ends. ``on_end`` hears of crashes.
    """

    def __init__(
        self,
        state: Path,
        *,
        uid_base: int | None = None,
        on_end: Callable[[Ended], None] = lambda _ended: None,
        drill: Drill | None = None,
    ) -> None:
        """Nothing is started. ``uid_base`` None: HARAI_UID_BASE or 61000."""
        base = uid_base or int(os.environ.get("HARAI_UID_BASE", UID_BASE_DEFAULT))
        self.layout = Layout(state, uid_base=base)
        self.running: dict[str, Running] = {}
        self.postgres: Postgres | None = None
        self._programs: Programs | None = None
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._on_end = on_end
        self._drill = drill or Drill()
        self._stopping = False

    async def start(self, progress: Progress = silent) -> None:
        """Start everything and return once every process answers a real request.

        Raises RuntimeError with the end of the log of what did not come up, StackBusyError when
        another stack uses the folder; nothing is left running then.
        """
        try:
            await self._start(progress)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop in order: first what lets requests in, last the database. Safe to repeat."""
        self._stopping = True
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        self._keepers.clear()
        for group in (("dmz",), ("web", "work"), ("egress", "sandbox"), ("vault", "valkey")):
            await asyncio.gather(*(self._stop_one(name) for name in group))
        await self._stop_one("postgres")
        self.layout.close()

    async def restart(self, name: str) -> None:
        """Stop a process gently and start it again; returns once it answers."""
        async with self._locks[name]:
            await self.running[name].stop()
            await self._begin(self.running[name])
            self._note()

    async def kill(self, name: str) -> None:
        """SIGKILL a process and wait until its successor answers."""
        pid = self.running[name].pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        await self.wait_for(name, other_than=pid)

    async def wait_for(self, name: str, *, other_than: int | None = None) -> int:
        """Wait until a process (another than the given pid) runs and answers; gives its pid."""
        async with asyncio.timeout(120.0):
            while True:
                async with self._locks[name]:
                    pid = self.running[name].pid
                    if pid is not None and pid != other_than:
                        return pid
                await asyncio.sleep(0.05)

    def zones(self) -> dict[str, dict[str, int | None]]:
        """Process name → pid and uid, as the kernel says it."""
        return {
            name: {"pid": running.pid, "uid": _uid_of(running.pid)}
            for name, running in self.running.items()
        }

    @contextlib.asynccontextmanager
    async def operator(self) -> AsyncGenerator[VaultClient]:
        """A channel to the vault with the operator's certificate."""
        if self._programs is None:
            msg = "the stack is not started"
            raise RuntimeError(msg)
        client = await self._programs.operator()
        try:
            yield client
        finally:
            await client.close()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def _start(self, progress: Progress) -> None:
        self._stopping = False
        await _timed(progress, "keys", self._prepare())
        self._keepers["logs"] = asyncio.create_task(self._mind_logs())
        layout = self.layout
        self.postgres = postgres = embedded_postgres(layout)
        valkey = Valkey(
            layout.state / "valkey",
            account=layout.accounts["valkey"],
            run_dir=layout.run / "valkey",
        )
        programs = self._programs = Programs(layout, postgres, valkey)

        async def data() -> None:
            await self._up(progress, postgres.program())
            await _timed(progress, "migrations", self._migrate(postgres))
            await self._up(progress, programs.vault())

        await _together(
            data(),
            self._up(progress, valkey.program()),
            self._up(progress, programs.sandbox()),
        )
        await _together(
            self._up(progress, programs.egress()),
            self._up(progress, programs.web()),
            self._up(progress, programs.work()),
        )
        await self._up(progress, programs.dmz())

    async def _prepare(self) -> None:
        await asyncio.to_thread(self.layout.open)
        await asyncio.to_thread(install, self.layout, SystemClock())

    async def _migrate(self, postgres: Postgres) -> None:
        """Bring the schema up to date in a process of its own, then hand the vault its password."""
        secrets_folder = postgres.folder / "secrets"
        await asyncio.to_thread(
            run_to_end,
            [sys.executable, "-m", "portal.cli", "migrate"],
            account=Account("migrate"),
            env={
                "PORTAL_MIGRATE_DATABASE_URL": postgres.dsn(MIGRATE),
                "PORTAL_MIGRATE_DATABASE_PASSWORD_FILE": str(secrets_folder / MIGRATE),
            },
            cwd=Path("/"),
            timeout_s=600.0,
        )
        write_private(
            self.layout.zone("vault") / "database.password",
            postgres.password(VAULT).encode(),
            self.layout.accounts["vault"],
        )

    async def _up(self, progress: Progress, program: Program) -> None:
        running = Running(program)
        self.running[program.name] = running
        self._locks[program.name] = asyncio.Lock()
        await _timed(progress, program.name, self._begin(running))
        self._note()
        self._keepers[program.name] = asyncio.create_task(self._keep(program.name))

    async def _begin(self, running: Running) -> None:
        """Start a process, with what a drill wants for this life of it and no other."""
        plain = running.program
        extra = self._drill.next_life(plain.name)
        running.program = replace(plain, env={**plain.env, **extra})
        try:
            await running.start()
        finally:
            running.program = plain

    async def _keep(self, name: str) -> None:
        """Start the process again whenever it ends by itself."""
        running = self.running[name]
        pause_s = PAUSE_MIN_S
        while not self._stopping:
            started = time.monotonic()
            code = await running.wait()
            async with self._locks[name]:
                if running.pid is not None:
                    continue  # somebody restarted it on purpose
                if time.monotonic() - started > STEADY_AFTER_S:
                    pause_s = PAUSE_MIN_S
                self._on_end(Ended(name, code, pause_s))
                await running.stop()  # whatever it left behind in its process group
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, self._drill.pause_max_s)
                with contextlib.suppress(RuntimeError):
                    # It did not come up: the pause grows and the next turn tries again.
                    await self._begin(running)
                self._note()

    async def _mind_logs(self) -> None:
        """Keep the processes' logs bounded."""
        while True:
            await asyncio.sleep(logs.LOOK_EVERY_S)
            for running in list(self.running.values()):
                with contextlib.suppress(OSError):
                    # A full disk: the next turn tries again, and doctor says what is full.
                    await asyncio.to_thread(logs.put_aside, running.program.log)

    def _note(self) -> None:
        """Leave word of who runs, for `portal doctor` and whoever looks."""
        pids = {name: running.pid for name, running in self.running.items() if running.pid}
        write_private(self.layout.state / "processes.json", msgspec.json.encode(pids), None)

    async def _stop_one(self, name: str) -> None:
        running = self.running.get(name)
        if running is not None:
            await running.stop()


def embedded_postgres(layout: Layout) -> Postgres:
    """The database of an opened layout, not started."""
    account = layout.accounts["postgres"]
    binaries = None
    if os.geteuid() == 0 and account.uid is None:
        # PostgreSQL refuses root, and another uid can't read the checkout: lend it a copy.
        account = separate_accounts()["postgres"]
        binaries = _lend_binaries(layout.run)
    return Postgres(
        layout.postgres,
        account=account,
        run_dir=layout.run / "postgres",
        binaries=binaries,
        buffers_mib=buffers_for(memory_here()),
    )


async def _timed(progress: Progress, step: str, work: Awaitable[None]) -> None:
    progress(step, None)
    started = time.monotonic()
    await work
    progress(step, time.monotonic() - started)


async def _together(*starts: Coroutine[None, None, None]) -> None:
    """Run starts at once; the first that fails cancels the others and is what is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for start in starts:
                group.create_task(start)
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None


def _uid_of(pid: int | None) -> int | None:
    if pid is None:
        return None
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    line = next(line for line in status.splitlines() if line.startswith("Uid:"))
    return int(line.split()[2])


def _lend_binaries(run: Path) -> Path:
    """Copy PostgreSQL's programs to a folder that another uid can read."""
    installed = wheel_binaries()
    lent = run / "lent" / installed.parent.name / installed.name
    shutil.copytree(installed, lent, symlinks=True)
    libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, run / "lent" / libraries.name)
    for folder in (run / "lent", run / "lent" / installed.parent.name):
        folder.chmod(0o755)
    return lent
