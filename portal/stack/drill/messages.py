"""`portal drill crash --of messages`: thousands of messages go out while everything is killed.

Stack only. Two storms: the first over a company that takes a repeated reference once, the second
over one that takes it for another message. In each kill -9 in a seeded order, a queue that loses
all it had, a worker frozen past its lease and woken, and a company that is slow, busy or down, or
does what it was asked and never says so. Afterwards its journal is held against every bill. Prints
one JSON object; exit code 0 only if nothing was lost or doubled anywhere, and nothing was left in
doubt where a key is honoured.
"""

import asyncio
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import orjson

from portal.contract.message import SET_CHANNEL, SetChannel
from portal.stack.access import CODE
from portal.stack.drill.asleep import leases_lost, sleep_through_lease
from portal.stack.drill.books import Found
from portal.stack.drill.crash import kill
from portal.stack.drill.ground import Ground, ground
from portal.stack.drill.patience import persist
from portal.stack.drill.told import BillTold, ToldTally, weigh_told
from portal.stack.drill.traffic import File
from portal.stack.drill_file import telephone_of_bill
from portal.stack.outside import Outside

ROWS: Final = 400
FEW: Final = 20
"""Rows of a file while most are sent, and when there were enough: messages go on through all blows,
and there are no more of them on a fast machine than the witness shows at once."""

FLOWS: Final = 2
"""Files under way at once."""

_PAUSE_MIN_S: Final = 0.3
_PAUSE_MAX_S: Final = 1.5
_MOOD_S: Final = 2.0
_SLOW_S: Final = 30.0
"""Long enough for a worker to be caught with a lease in hand."""


MOODS: Final = ("slow", "busy", "down", "error", "drop", "hang")
"""What a company goes through in each storm, once each; see portal.sandbox.moods."""

FLUSH: Final = "flush"


@dataclass(frozen=True, slots=True)
class Storm:
    """What happens while messages go out by one company.

    ``blows``: whom kill -9 hits how often; ``is_safe``: the company honours keys.
    """

    company: str
    is_safe: bool
    messages_min: int
    blows: tuple[str, ...]


STORMS: Final = (
    Storm(
        company="sandbox_sms",
        is_safe=True,
        messages_min=5_000,
        blows=(
            *("worker",) * 5, *("egress",) * 5, *("vault",) * 4, *("postgres",) * 3, "valkey",
            "work", FLUSH,
        ),
    ),
    Storm(
        company="sandbox_sms2",
        is_safe=False,
        messages_min=1_600,
        blows=(*("worker",) * 3, *("egress",) * 3, *("vault",) * 2, "postgres", FLUSH),
    ),
)  # fmt: skip


class CompanyReport(msgspec.Struct, kw_only=True):
    """What became of the messages of one company; see ToldTally."""

    company: str
    honours_keys: bool
    due: int
    messages: int
    lost: int
    doubled: int
    ambiguous: int
    ambiguous_unsent: int


class Report(msgspec.Struct, kw_only=True):
    """What is printed: sums over both companies, then each.

    ``frozen`` workers slept through a lease and noticed it; ``leases_lost`` are all that workers
    found gone.
    """

    seed: int
    messages: int
    kills: int
    killed: dict[str, int]
    frozen: int
    leases_lost: int
    moods: list[str]
    lost: int
    doubled: int
    ambiguous: int
    companies: list[CompanyReport]
    differences: list[str]
    audit_ok: bool
    seconds: float
    faults: list[str]


@dataclass(slots=True)
class _Log:
    """What was done to the stack so far."""

    kills: Counter[str] = field(default_factory=Counter[str])
    frozen: int = 0
    moods: list[str] = field(default_factory=list[str])
    differences: list[str] = field(default_factory=list[str])


def run_messages(*, seed: int, as_json: bool) -> int:
    """Drill in a fresh folder that is gone after; 0 only if all is right."""
    report = asyncio.run(drill(seed=seed, loud=not as_json))
    shape = orjson.OPT_INDENT_2 if not as_json else None
    sys.stdout.write(orjson.dumps(msgspec.to_builtins(report), option=shape).decode() + "\n")
    return 1 if report.faults else 0


async def drill(*, seed: int, storms: Sequence[Storm] = STORMS, loud: bool = False) -> Report:
    """One storm after the other, each until the company's messages came to rest."""
    began = time.monotonic()
    chance = random.Random(seed)  # noqa: S311 - a sequence to repeat, no secret
    log = _Log()
    companies: list[CompanyReport] = []
    async with ground(seed=seed, rows=ROWS) as place:
        outside = Outside(place.stack.layout.browser_origin)
        try:
            for storm in storms:
                await choose_company(place, storm.company)
                before = len(place.traffic.files)
                await _rage(place, outside, storm, chance, log)
                await place.settle()
                tally = await weigh_files(place, place.traffic.files[before:])
                log.differences += tally.differences
                companies.append(_company(storm, place.traffic.files[before:], tally))
                if loud:
                    sys.stderr.write(f"  {companies[-1]}\n")
        finally:
            await outside.close()
        found = await place.settle()
        found.faults += place.arms.strays
        lost = leases_lost(place)
    return _report(seed, log, companies, found, lost, time.monotonic() - began)


async def choose_company(place: Ground, company: str) -> None:
    """Every new message goes by this company from now on."""
    async with place.stack.operator() as vault:
        for one in {storm.company for storm in STORMS} - {company}:
            wanted = SetChannel(
                merchant_code=CODE, channel="sms", provider=one, sender="0005000123", share=None
            )
            await vault.call(SET_CHANNEL, wanted)
        wanted = SetChannel(
            merchant_code=CODE, channel="sms", provider=company, sender="0005000123", share=100
        )
        await vault.call(SET_CHANNEL, wanted)


async def weigh_files(place: Ground, files: Sequence[File]) -> ToldTally:
    """Hold the carriers' book against every bill of these files."""
    told = await place.phone.told()
    bills: list[BillTold] = []
    for file in files:
        if file.is_sent:
            shown = await persist(lambda file=file: place.merchant.messages(file.import_id))
            bills += [
                BillTold(number, telephone_of_bill(number), state)
                for number, state in shown.items()
            ]
    return weigh_told(bills, _rows(files), told)


async def _rage(
    place: Ground, outside: Outside, storm: Storm, chance: random.Random, log: _Log
) -> None:
    """Blow after blow while files go in and out; then on until there were enough messages."""
    blows: list[str] = [*storm.blows, *MOODS]
    chance.shuffle(blows)
    before = len(place.traffic.files)
    async with place.traffic.flowing(sends=FLOWS):
        for blow in blows:
            is_enough = _rows(place.traffic.files[before:]) >= storm.messages_min
            place.traffic.rows = FEW if is_enough else ROWS
            await asyncio.sleep(chance.uniform(_PAUSE_MIN_S, _PAUSE_MAX_S))
            if blow in MOODS:
                await outside.set_mood(storm.company, blow, _MOOD_S)
                log.moods.append(blow)
            elif blow == FLUSH:
                await lose_queue(place)
                log.kills["valkey"] += 1
            else:
                await kill(place, blow, chance)
                log.kills[blow] += 1
        place.traffic.rows = ROWS
        await outside.set_mood(storm.company, "slow", _SLOW_S)
        log.frozen += await sleep_through_lease(place)
        while _rows(place.traffic.files[before:]) < storm.messages_min:  # noqa: ASYNC110 - traffic
            await asyncio.sleep(_PAUSE_MIN_S)


def _rows(files: Sequence[File]) -> int:
    """Rows of files that were decided to be sent."""
    return sum(file.rows for file in files if file.is_sent)


async def lose_queue(place: Ground) -> None:
    """FLUSHALL, and no way back: stopped, emptied on disk, killed, started again."""
    data = place.stack.layout.state / "valkey" / "data"
    pid = place.stack.running["valkey"].pid
    if pid is not None:
        os.kill(pid, signal.SIGSTOP)  # so that it can't come back before its data are gone
    await asyncio.to_thread(_empty, data)
    await place.stack.kill("valkey")


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _company(storm: Storm, files: Sequence[File], tally: ToldTally) -> CompanyReport:
    return CompanyReport(
        company=storm.company,
        honours_keys=storm.is_safe,
        due=_rows(files),
        messages=tally.messages,
        lost=len(tally.lost),
        doubled=tally.doubled,
        ambiguous=tally.ambiguous,
        ambiguous_unsent=tally.ambiguous_unsent,
    )


def _report(
    seed: int,
    log: _Log,
    companies: list[CompanyReport],
    found: Found,
    leases_lost: int,
    seconds: float,
) -> Report:
    report = Report(
        seed=seed,
        messages=sum(one.messages for one in companies),
        kills=log.kills.total(),
        killed=dict(sorted(log.kills.items())),
        frozen=log.frozen,
        leases_lost=leases_lost,
        moods=log.moods,
        lost=sum(one.lost for one in companies),
        doubled=sum(one.doubled for one in companies),
        ambiguous=sum(one.ambiguous for one in companies),
        companies=companies,
        differences=log.differences,
        audit_ok=found.audit_ok,
        seconds=round(seconds, 1),
        faults=[*found.faults],
    )
    report.faults += faults_of(report)
    return report


def faults_of(report: Report) -> list[str]:
    """Everything that is not as it must be, in words."""
    faults = [
        f"{name} is {many}, must be 0"
        for name, many in (("lost", report.lost), ("doubled", report.doubled))
        if many
    ]
    faults += [
        f"{one.ambiguous} messages are in doubt at {one.company}, which honours keys"
        for one in report.companies
        if one.honours_keys and one.ambiguous
    ]
    if report.frozen < len(report.companies):
        faults.append("a frozen worker did not sleep through a lease, or did not notice it")
    return faults + report.differences
