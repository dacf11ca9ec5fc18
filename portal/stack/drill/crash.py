"""`portal drill crash`: every process killed by a seed, during imports, sending and payments.

Stack only. kill -9 of web, vault, egress, nginx, Valkey, PostgreSQL, the supervisor and single
workers in a seeded order, in three phases; afterwards the outside's journal is held against our
books. Prints one JSON object; exit code 0 only if nothing was lost, doubled or left.
"""

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from typing import Final

import msgspec
import orjson

from portal.stack.drill.books import Found
from portal.stack.drill.ground import Ground, ground

PROCESSES: Final = (
    "web", "vault", "egress", "dmz", "valkey", "postgres", "work", "worker",
)  # fmt: skip
"""Whom the seed kills: all of the stack but the witness, and a worker under its supervisor."""

PHASES: Final[dict[str, dict[str, int]]] = {
    "import": {"imports": 2},
    "sending": {"sends": 2},
    "payment": {"payers": 4, "clerks": 1},
}
"""What goes on while they die; see Traffic.flowing."""

ROWS: Final = 300
_PAUSE_MIN_S: Final = 0.2
_PAUSE_MAX_S: Final = 1.2


class Report(msgspec.Struct, kw_only=True):
    """What is printed: the kills of each process, and what was found after them."""

    seed: int
    kills: dict[str, int]
    bills: int
    messages: int
    payments: int
    lost: int
    doubled: int
    ambiguous: int
    unresolved: int
    differences: list[str]
    ledger_sum: int
    audit_ok: bool
    seconds: float
    faults: list[str]


def run_crash(*, seed: int, rounds: int, as_json: bool) -> int:
    """Drill in a fresh folder that is gone after; 0 only if all is right."""
    report = asyncio.run(drill(seed=seed, rounds=rounds, loud=not as_json))
    shape = orjson.OPT_INDENT_2 if not as_json else None
    sys.stdout.write(orjson.dumps(msgspec.to_builtins(report), option=shape).decode() + "\n")
    return 1 if report.faults else 0


async def drill(*, seed: int, rounds: int = 1, loud: bool = False) -> Report:
    """Kill everything ``rounds`` times in every phase, then compare."""
    began = time.monotonic()
    chance = random.Random(seed)  # noqa: S311 - a sequence to repeat, no secret
    kills: dict[str, int] = dict.fromkeys(PROCESSES, 0)
    async with ground(seed=seed, rows=ROWS) as place:
        for phase in PHASES:
            for name in await kill_all(place, phase, chance, rounds):
                kills[name] += 1
            if loud:
                sys.stderr.write(f"  {phase}: {sum(kills.values())} kills so far\n")
        found = await place.settle()
        found.faults += place.arms.strays
    return _report(seed, kills, found, time.monotonic() - began)


async def kill_all(place: Ground, phase: str, chance: random.Random, rounds: int = 1) -> list[str]:
    """Kill every process ``rounds`` times, in an order of chance, while the phase goes on."""
    order = [name for _ in range(rounds) for name in chance.sample(PROCESSES, len(PROCESSES))]
    async with place.traffic.flowing(**PHASES[phase]):
        for name in order:
            await asyncio.sleep(chance.uniform(_PAUSE_MIN_S, _PAUSE_MAX_S))
            await kill(place, name, chance)
    return order


async def kill(place: Ground, name: str, chance: random.Random) -> None:
    """Send SIGKILL, and wait until the successor answers; a worker's comes by itself."""
    if name != "worker":
        await place.stack.kill(name)
        return
    workers = sorted(place.workers())
    if workers:
        with contextlib.suppress(ProcessLookupError):  # it ended meanwhile: as good
            os.kill(chance.choice(workers), signal.SIGKILL)


def _report(seed: int, kills: dict[str, int], found: Found, seconds: float) -> Report:
    return Report(
        seed=seed,
        kills=kills,
        bills=found.bills,
        messages=found.messages,
        payments=found.payments,
        lost=found.lost,
        doubled=found.doubled,
        ambiguous=found.ambiguous,
        unresolved=found.unresolved,
        differences=found.differences,
        ledger_sum=found.ledger_sum,
        audit_ok=found.audit_ok,
        seconds=round(seconds, 1),
        faults=found.faults,
    )
