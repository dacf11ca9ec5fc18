"""Processor time that each process of a stack spends on a load: what a figure is made of.

Stack only; reads what the kernel counts (/proc), loads nothing. Unlike a rate it hardly depends on
who else uses the machine, so it is what one compares from change to change.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from portal.stack.up import Stack

GENERATOR: Final = "bench"
"""The name under which this process, the load's own generator, is counted."""

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PARENT, _TIMES = 1, slice(11, 15)
"""Places in /proc/PID/stat behind the name: ppid; utime, stime, cutime, cstime. proc_pid_stat(5)"""


def cpu_seconds(stack: Stack) -> dict[str, float]:
    """Seconds of processor time, user and system, by process with all it started, so far."""
    children, spent = _all_processes()

    def family(pid: int) -> float:
        return spent.get(pid, 0.0) + sum(family(child) for child in children.get(pid, ()))

    own = os.times()
    return {
        **{name: family(one.pid) for name, one in stack.running.items() if one.pid is not None},
        GENERATOR: own.user + own.system,
    }


def cpu_ms_each(
    before: Mapping[str, float], after: Mapping[str, float], items: int
) -> dict[str, float]:
    """Milliseconds of processor time an item, by ``cpu_ms_<process>``, and in all."""
    each = {
        name: (after[name] - before.get(name, 0.0)) * 1000 / items
        for name in after
        if name in before
    }
    named = {f"cpu_ms_{name}": round(value, 3) for name, value in each.items()}
    return {**named, "cpu_ms_all": round(sum(each.values()), 3)}


def _all_processes() -> tuple[dict[int, list[int]], dict[int, float]]:
    """Children by parent, and seconds by process with those of its children that have ended."""
    children: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        pid = int(stat.parent.name)
        children.setdefault(int(fields[_PARENT]), []).append(pid)
        spent[pid] = sum(map(int, fields[_TIMES])) / _TICKS_PER_S
    return children, spent
