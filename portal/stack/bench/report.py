"""What every bench prints: a figure beside its floor, from one run, with machine and load."""

import os
import platform
import tempfile
import time
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Generator

_KIB_PER_MIB: Final = 1024


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A measured figure. ``ratio`` is figure / floor where more is better, floor / figure else.

    ``goal_first`` is what the first capable version must reach and ``goal`` what we are after, in
    the figure's unit; None where the floor is the whole comparison. ``details`` are further
    readings of the same run.
    """

    bench: str
    figure: float
    unit: str
    floor: float
    floor_is: str
    ratio: float
    goal_first: float | None
    goal: float | None
    machine: str
    load_before: float
    details: dict[str, float | int | str]


def machine() -> str:
    """Processor count, memory and interpreter of this host, for the reader of a figure."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{os.cpu_count()} cores, {pages >> 30} GiB, Python {platform.python_version()}"


@contextmanager
def fresh_folder() -> "Generator[Path]":
    """A state folder for one run, gone after it; passable, so that zones can have uids."""
    with tempfile.TemporaryDirectory(prefix="harai-bench-", dir="/var/tmp") as outer:
        Path(outer).chmod(0o711)
        yield Path(outer) / "state"


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which ``share`` of the values lie (nearest rank); 0.0 for none."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Stopwatch:
    """Seconds spent inside :func:`timed`."""

    def __init__(self) -> None:
        """Start."""
        self._start = time.perf_counter()
        self.seconds = 0.0

    def so_far(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start


@contextmanager
def timed() -> "Generator[Stopwatch]":
    """Measure a block by the monotonic clock."""
    watch = Stopwatch()
    try:
        yield watch
    finally:
        watch.seconds = watch.so_far()


def peak_memory_mib(pid: int) -> float:
    """The most memory a process ever held, in MiB (VmHWM); 0.0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / _KIB_PER_MIB
    return 0.0


def peak_memory_of_tree_mib(pid: int) -> float:
    """The largest peak among a process and its descendants, in MiB."""
    peaks = [peak_memory_mib(pid)]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            peaks.append(peak_memory_of_tree_mib(int(stat.parent.name)))
    return max(peaks)
