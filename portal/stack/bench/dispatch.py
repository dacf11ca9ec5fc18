"""Bench ``dispatch``: messages from due to accepted, through vault, worker and egress."""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from portal.stack.bench.bare_sender import Load
from portal.stack.bench.report import Report, machine, peak_memory_of_tree_mib, timed
from portal.stack.bench.spent import cpu_ms_each, cpu_seconds
from portal.stack.bench.town import Town, read_pieces, town, write_sample_file
from portal.stack.layout import SOURCE
from portal.stack.outside import Outside
from portal.stack.processes import run_to_end
from portal.stack.road import CHECKED, ISSUED

MESSAGES: Final = 10_000
_BARE: Final = 3_000
_TIMEOUT_S: Final = 3600.0
_ALL_S: Final = 24 * 3600.0
"""Three million at a slow provider's rate take most of a day."""

_TENTHS: Final = 10
_LOOK_S: Final = 0.05


async def run(messages: int = MESSAGES) -> Report:
    """Check a file, say send, and count what the carriers take until all is out.

    Figure: messages/s from the decision to the last one accepted, issuing of the bills included.
    Floor: bare requests under the worker's account through the same relay to the same sandbox,
    without vault, deliveries or books (inquiries: a worker may word no message).
    """
    async with town() as here:
        import_id = await _hand_in(here, messages)
        await here.merchant.wait_for_import(import_id, CHECKED, timeout_s=_ALL_S)
        before = cpu_seconds(here.stack)
        with timed() as watch:
            await here.merchant.decide(import_id)
            tenths_s = await _all_taken(here, messages)
        peaks = _peaks(here)
        spent = cpu_ms_each(before, cpu_seconds(here.stack), messages)
        await here.merchant.wait_for_import(import_id, ISSUED, timeout_s=_ALL_S)
        floor = await asyncio.to_thread(_bare, here)
        journal = (await here.phone.journal()).messages
    doubled = journal.effects - messages
    figure = messages / watch.seconds
    return Report(
        bench="dispatch",
        figure=round(figure),
        unit="messages/s",
        floor=round(floor),
        floor_is="bare requests through the same relay, without vault",
        ratio=round(figure / floor, 3),
        goal_first=1_000,
        goal=round(floor / 2),
        machine=machine(),
        load_before=here.load,
        details={
            "messages": messages,
            "doubled": doubled,
            "seconds": round(watch.seconds, 2),
            "per_s_by_tenth": _rates(messages, tenths_s),
            **peaks,
            **spent,
        },
    )


async def _hand_in(here: Town, messages: int) -> str:
    """Hand a file of good rows in that is never in memory as a whole; gives the import's id."""
    with tempfile.TemporaryDirectory(prefix="harai-dispatch-", dir="/var/tmp") as folder:
        path = Path(folder) / "bench.csv"
        size = await asyncio.to_thread(write_sample_file, path, messages, 1)
        return await here.merchant.hand_in_pieces(read_pieces(path), size, "bench.csv")


async def _all_taken(here: Town, wanted: int) -> list[float]:
    """Return once the carriers have taken every message; they are the ones who know.

    Gives the seconds, from now, at which each tenth of them was taken.
    """
    tenths: list[float] = []
    outside = Outside(here.stack.layout.browser_origin)
    try:
        with timed() as watch:
            async with asyncio.timeout(_ALL_S):
                while len(tenths) < _TENTHS:
                    taken = await outside.taken()
                    while taken * _TENTHS >= wanted * (len(tenths) + 1) and len(tenths) < _TENTHS:
                        tenths.append(watch.so_far())
                    await asyncio.sleep(_LOOK_S)
    finally:
        await outside.close()
    return tenths


def _rates(messages: int, tenths_s: list[float]) -> str:
    """Messages a second within each tenth, in order: flat when a message costs the same always."""
    began = (0.0, *tenths_s)
    part = messages / _TENTHS
    return " ".join(
        str(round(part / max(end - start, _LOOK_S)))
        for start, end in zip(began, tenths_s, strict=False)
    )


def _peaks(here: Town) -> dict[str, int]:
    """The most memory that each process, or one of its children, ever held: MiB."""
    return {
        f"peak_mib_{name}": round(peak_memory_of_tree_mib(one.pid))
        for name, one in here.stack.running.items()
        if one.pid is not None
    }


def _bare(here: Town) -> float:
    """Requests/s of the bare sender, in a process of the worker's account."""
    layout = here.stack.layout
    load = Load(socket=str(layout.socket("egress")), port=layout.ports.api, messages=_BARE)
    said = run_to_end(
        [sys.executable, "-m", "portal.stack.bench.bare_sender"],
        account=layout.accounts["work"],
        env={},
        cwd=SOURCE,
        stdin=msgspec.json.encode(load).decode(),
        timeout_s=_TIMEOUT_S,
    )
    return float(said)
