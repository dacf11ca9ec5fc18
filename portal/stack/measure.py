"""`portal bench`: run benches one after another and print what each found.

Stack only. One JSON object a line with ``--json``, a short table without.
"""

import sys

import msgspec
import orjson
from rich.console import Console
from rich.table import Table

from portal.kit.loop import run_quickly
from portal.stack.bench import BENCHES
from portal.stack.bench.report import Report

ALL = "all"


def run_bench(name: str, *, size: int | None, as_json: bool) -> int:
    """Run one bench, or ``all``; 1 when a figure misses what the first version must reach.

    ``size`` is the load in the bench's own unit (rows, messages, payments, lines,
    calls); None: its own.
    """
    if name != ALL and name not in BENCHES:
        sys.stderr.write(f"no bench {name}: there are {', '.join(BENCHES)} and {ALL}\n")
        return 2
    missed = False
    for one in BENCHES if name == ALL else (name,):
        report = run_quickly(_measure(one, size))
        missed = missed or not _reaches(report)
        if as_json:
            line = orjson.dumps(msgspec.to_builtins(report)).decode()
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        else:
            _show(report)
    return int(missed)


async def _measure(name: str, size: int | None) -> Report:
    bench = BENCHES[name]
    return await (bench() if size is None or name == "start" else bench(size))


def _reaches(report: Report) -> bool:
    """Whether the figure reaches its first goal; less is better where the unit is time."""
    if report.goal_first is None:
        return True
    if report.unit in {"s", "ms"}:
        return report.figure <= report.goal_first
    return report.figure >= report.goal_first


def _show(report: Report) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_row("figure", f"{report.figure:,.1f} {report.unit}")
    table.add_row("floor", f"{report.floor:,.1f} {report.unit} ({report.floor_is})")
    table.add_row("ratio", f"{report.ratio:.2f}")
    for label, goal in (("first", report.goal_first), ("goal", report.goal)):
        if goal is not None:
            table.add_row(label, f"{goal:,.1f} {report.unit}")
    for label, value in report.details.items():
        table.add_row(label, str(value))
    table.add_row("machine", f"{report.machine}, load {report.load_before:.1f} before")
    console = Console(highlight=False)
    console.print(f"\n[bold]{report.bench}[/]")
    console.print(table)
