"""Bench ``dispatch``: messages from due to accepted, through vault, worker and egress."""

import asyncio
import sys
from typing import Final

import msgspec

from portal.stack.bench.bare_sender import Load
from portal.stack.bench.report import Report, machine, timed
from portal.stack.bench.spent import cpu_ms_each, cpu_seconds
from portal.stack.bench.town import Town, sample_pieces, town
from portal.stack.layout import SOURCE
from portal.stack.processes import run_to_end
from portal.stack.road import CHECKED, ISSUED

MESSAGES: Final = 10_000
_BARE: Final = 3_000
_TIMEOUT_S: Final = 3600.0


async def run(messages: int = MESSAGES) -> Report:
    """Check a file, say send, and count what the carriers take until all is out.

    Figure: messages/s from the decision to the last one accepted, issuing of the bills included.
    Floor: bare requests under the worker's account through the same relay to the same sandbox,
    without vault, deliveries or books (inquiries: a worker may word no message).
    """
    async with town() as here:
        csv = b"".join(sample_pieces(messages, 1))
        import_id = await here.merchant.hand_in(csv, "bench.csv")
        await here.merchant.wait_for_import(import_id, CHECKED, timeout_s=_TIMEOUT_S)
        before = cpu_seconds(here.stack)
        with timed() as watch:
            await here.merchant.decide(import_id)
            await _all_taken(here, messages)
        spent = cpu_ms_each(before, cpu_seconds(here.stack), messages)
        await here.merchant.wait_for_import(import_id, ISSUED, timeout_s=_TIMEOUT_S)
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
            **spent,
        },
    )


async def _all_taken(here: Town, wanted: int) -> None:
    """Return once the carriers have taken every message; they are the ones who know."""
    async with asyncio.timeout(_TIMEOUT_S):
        while (await here.phone.journal()).messages.taken < wanted:  # noqa: ASYNC110 - another process counts
            await asyncio.sleep(0.05)


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
