"""Children of the stack: started under their own account, ended with everything they started.

Stack only. A child gets its own session, no core files, no way to gain privileges, only the
environment it is given, and a signal from the kernel when the stack dies. This module knows no
zone, and does not decide what to do when a child ends: portal.stack.up does.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from portal.stack.users import Account

PATH: Final = "/usr/local/bin:/usr/bin:/bin"
"""What every child finds programs by; nothing of the caller's environment is inherited."""

_LAUNCHER: Final = """
import ctypes, os, resource, sys
parent, death_signal = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
if sys.platform == "linux":
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(38, 1, 0, 0, 0) or prctl(1, death_signal, 0, 0, 0):
        sys.exit("prctl refused: " + os.strerror(ctypes.get_errno()))
    if os.getppid() != parent:
        sys.exit("the stack is gone")
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Runs between fork and the program: PR_SET_NO_NEW_PRIVS and PR_SET_PDEATHSIG survive execve, but
the latter is cleared by a change of uid, so it can't be set before. A launcher instead of
``preexec_fn``, which is unsafe in a process with threads. prctl(2), credentials(7)."""


async def _nothing() -> None:
    """Nothing to prepare."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """How to start one process, how to see that it serves, how to ask it to stop.

    ``prepare`` runs before every start; ``probe`` returns once the process answers a real request
    and raises whatever it met while it does not. Units: ``ready_s`` and ``stop_s`` in seconds.
    """

    name: str
    account: Account
    argv: Sequence[str]
    log: Path
    cwd: Path
    probe: Callable[[], Awaitable[None]]
    prepare: Callable[[], Awaitable[None]] = _nothing
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    umask: int = 0o077
    stop: signal.Signals = signal.SIGTERM
    ready_s: float = 60.0
    stop_s: float = 20.0


def base_python() -> str:
    """The interpreter below the virtual environment: executable by other uids more often."""
    return str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())


def spawn(program: Program) -> subprocess.Popen[bytes]:
    """Start a program under its account; its output is appended to its log.

    The kernel sends ``program.stop`` when the calling thread ends, so call this from a thread that
    lives as long as the stack. Raises OSError when the program can't be started.
    """
    account = program.account
    command = [base_python(), "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), str(int(program.stop))]
    program.log.touch(mode=0o600)
    with program.log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - the stack's own programs, no shell
            [*command, str(Path(program.argv[0]).absolute()), *program.argv[1:]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=program.cwd,
            env={"PATH": PATH, "LANG": "C.UTF-8", **program.env},
            user=account.uid,
            group=account.gid,
            extra_groups=None if account.uid is None else account.groups,
            umask=program.umask,
            start_new_session=True,
        )


async def ended(child: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """Wait until the child has ended; False when it still runs after ``timeout_s`` seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await _until_gone(child)
    return child.poll() is not None


async def _until_gone(child: subprocess.Popen[bytes]) -> None:
    """Let the kernel say when: a stack that waits for eight processes need not look all the time.

    Where the kernel can't (pidfd_open(2): before Linux 5.3, or forbidden), it is looked after all.
    """
    if child.poll() is not None:
        return
    try:
        process = os.pidfd_open(child.pid)
    except (AttributeError, OSError):
        while child.poll() is None:  # noqa: ASYNC110 - nobody else could tell
            await asyncio.sleep(0.02)
        return
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    loop.add_reader(process, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(process)
        os.close(process)


def is_alive(pid: int) -> bool:
    """Whether a process of that number runs, whosever it is; a zombie does not."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return after_name.split()[0] not in {"Z", "X"}


async def ended_pid(pid: int, timeout_s: float) -> bool:
    """Wait until a process that is not our child is gone; False when it still is there."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while is_alive(pid):
        if asyncio.get_running_loop().time() >= deadline:
            return False
        await asyncio.sleep(0.05)
    return True


def kill_family(child: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the child and to whatever it left behind in its session's process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


async def end(child: subprocess.Popen[bytes], stop: signal.Signals, *, timeout_s: float) -> bool:
    """Ask the child to stop, then insist; True when it went by itself in time.

    Whatever happens, nothing of its process group is left when this returns.
    """
    if child.poll() is None:
        child.send_signal(stop)
    gently = await ended(child, timeout_s)
    kill_family(child)
    await ended(child, 10.0)
    return gently


def run_to_end(
    argv: Sequence[str],
    *,
    account: Account,
    env: Mapping[str, str],
    cwd: Path,
    stdin: str = "",
    timeout_s: float = 60.0,
) -> str:
    """Run a program as ``account`` and give back what it wrote.

    Raises RuntimeError with the program's last words when it fails, TimeoutError when it hangs.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the stack's own programs, no shell
            argv,
            input=stdin,
            capture_output=True,
            text=True,
            cwd=cwd,
            env={"PATH": PATH, "LANG": "C.UTF-8", **env},
            user=account.uid,
            group=account.gid,
            extra_groups=None if account.uid is None else account.groups,
            umask=0o077,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        msg = f"{Path(argv[0]).name} did not end within {timeout_s:.0f} s"
        raise TimeoutError(msg) from error
    if done.returncode != 0:
        msg = f"{Path(argv[0]).name} ended with {done.returncode}: {done.stderr.strip()[-2000:]}"
        raise RuntimeError(msg)
    return done.stdout


class Running:
    """One program's process from start to end; may be started again after it ended."""

    def __init__(self, program: Program) -> None:
        """Nothing runs yet."""
        self.program = program
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Of the process while it lives, else None."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    async def start(self) -> None:
        """Start the process and wait until it answers.

        Raises RuntimeError with the end of its log when it ends instead or does not answer in
        time; nothing of it is left running then.
        """
        program = self.program
        await program.prepare()
        log_from = program.log.stat().st_size if program.log.exists() else 0
        self._child = child = spawn(program)
        trouble = await _answers(child, program)
        if trouble:
            kill_family(child)
            await ended(child, 10.0)
            words = last_words(program.log, log_from)
            msg = f"{program.name} {trouble}; its log ({program.log}) ends: {words}"
            raise RuntimeError(msg)

    async def stop(self) -> None:
        """Ask it to stop, insist after ``stop_s``; nothing of its family is left after."""
        child, self._child = self._child, None
        if child is not None:
            await end(child, self.program.stop, timeout_s=self.program.stop_s)

    async def kill(self) -> None:
        """SIGKILL, as a crash would: the process alone, its family only once it is gone."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            await ended(child, 10.0)
            kill_family(child)

    async def wait(self) -> int:
        """Wait until the process ends by itself and give its exit code (negative: a signal)."""
        child = self._child
        if child is None:
            return 0
        while not await ended(child, 3600.0):
            pass
        return child.returncode


async def _answers(child: subprocess.Popen[bytes], program: Program) -> str:
    """Probe until it works: empty when it does, else what is wrong."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + program.ready_s
    seen = "no answer yet"
    while loop.time() < deadline:
        if (code := child.poll()) is not None:
            return f"ended with {code} before it answered"
        try:
            async with asyncio.timeout(10.0):
                await program.probe()
        except Exception as error:  # noqa: BLE001 - whatever the probe met, the process is not up
            seen = f"{type(error).__name__}: {error}"
            await asyncio.sleep(0.05)
        else:
            return ""
    return f"did not answer within {program.ready_s:.0f} s ({seen})"


def last_words(log: Path, offset: int = 0, lines: int = 3) -> str:
    """The last lines that were written to ``log`` after ``offset``, on one line."""
    if not log.exists():
        return "(nothing)"
    size = log.stat().st_size
    begins = offset if offset <= size else 0  # put aside meanwhile, and begun anew
    with log.open("rb") as source:
        source.seek(max(begins, size - 8192))
        text = source.read().decode("utf-8", "replace")
    return " | ".join(text.strip().splitlines()[-lines:]) or "(nothing)"
