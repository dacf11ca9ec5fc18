"""The walk through every crash point: which process dies where, one after another, under traffic.

Stack only. A promise test holds this list against the registry of crash points and against every
call that writes; a journey walks it.
"""

import asyncio
import time
from typing import Final

import msgspec

from portal.kit.crashpoint import EXIT_CODE
from portal.stack.drill.arms import Crash
from portal.stack.drill.ground import Ground

HIT_S: Final = 120.0
"""By then traffic has passed every point; one that was not hit is a finding."""


def _all(process: str, point: str, *operations: str) -> tuple[Crash, ...]:
    return tuple(Crash(process, point, operation) for operation in operations or ("",))


WALK: Final[tuple[Crash, ...]] = (
    *_all("web", "web.before_notice"),
    *_all("web", "caller.after_call", "record_notice"),
    *_all("web", "web.after_store_part"),
    *_all("web", "web.before_finish_upload"),
    *_all("web", "web.before_submission"),
    *_all("web", "web.after_submission"),
    *_all("web", "web.after_inquiry"),
    *_all("web", "caller.before_call", "create_import", "decide_import", "start_payment"),
    *_all(
        "web", "caller.after_call", "create_import", "finish_upload", "decide_import",
        "open_link", "mark_opened", "record_submission", "view_return",
    ),
    *_all("vault", "vault.after_commit", "record_notice"),
    *_all("vault", "vault.before_commit", "issue_bills", "report_and_next", "redeem_deliveries"),
    *_all(
        "vault", "vault.after_commit", "create_import", "store_part", "finish_upload",
        "accept_chunk", "decide_import", "issue_bills", "take_lease", "report_and_next",
        "redeem_deliveries", "open_link", "start_payment", "record_submission", "view_return",
        "deposit_payment_answer", "record_inquiry",
    ),
    *_all("vault", "vault.before_upkeep"),
    *_all("vault", "vault.after_upkeep"),
    *_all("egress", "caller.before_call", "redeem_deliveries", "deposit_payment_answer"),
    *_all("egress", "caller.after_call", "redeem_deliveries", "deposit_payment_answer"),
    *_all("egress", "egress.after_redeem"),
    *_all("egress", "egress.after_send"),
    *_all("egress", "egress.after_deposit"),
    *_all("work", "worker.after_lease", "intake.accept_chunk", "message.send_chunk"),
    *_all("work", "worker.before_send"),
    *_all("work", "worker.before_report"),
    *_all("work", "worker.after_inquiry"),
    *_all(
        "work", "caller.after_call", "take_lease", "accept_chunk", "issue_bills",
        "report_and_next", "record_inquiry",
    ),
)  # fmt: skip
"""Every named point at least once. Points that many operations pass are walked by operation."""

NOT_WALKED: Final = frozenset(
    {
        "worker.before_refund",
        "worker.after_refund",
        "worker.after_refund_inquiry",
        "worker.before_handover",
        "worker.after_handover",
        "worker.before_charge",
        "worker.after_charge",
        "worker.before_fetch",
        "worker.after_fetch",
        "web.after_withdrawal",
        "worker.after_withdrawal",
        "web.before_mandate",
        "web.after_mandate",
        "web.after_mandate_question",
        "worker.after_mandate_question",
    }
)
"""Points that the drill's traffic does not pass: a refund that its company never received is known
to be so after 17 minutes, and no drill waits that long. A process dies at each of them in
tests/zone/test_refund_crash.py. A debit file is sent once a month and needs two people: a
process dies at its points, and at its answer's, in tests/zone/test_debit_line.py and
tests/zone/test_debit_fetch.py. Cards on file are charged when a day begins, and a drill has one:
tests/zone/test_card_on_file.py. No payer of the drill gives a mandate: in
tests/zone/test_mandate_redirect.py processes die at these points. Nor has one a store's number,
which is withdrawn, by its payer and by a worker, in tests/zone/test_number_made.py."""


class Step(msgspec.Struct, kw_only=True):
    """One point of the walk: whether the process died there, and after how long."""

    crash: str
    hit: bool
    seconds: float


async def walk(ground: Ground) -> list[Step]:
    """Kill processes at every point of WALK, two at a time, with files and payers all the time.

    Notices come first in their chains: the sandbox's patience grows with every failure.
    """
    steps: list[Step] = []
    async with ground.traffic.flowing(sends=2, payers=3):
        for pair in (
            (_chain(ground, "web"), _workers(ground)),
            (_chain(ground, "vault"), _chain(ground, "egress")),
        ):
            for found in await asyncio.gather(*pair):
                steps += found
    return steps


async def _chain(ground: Ground, process: str) -> list[Step]:
    """One process dies at one point after another; each life is armed with the next."""
    crashes = [crash for crash in WALK if crash.process == process]
    ground.arms.plan(crashes)
    await ground.stack.kill(process)
    steps: list[Step] = []
    for crash in crashes:
        began = time.monotonic()
        hit = await ground.arms.until_hit(crash, HIT_S)
        if not hit:
            await ground.stack.kill(process)  # go on with the next
        steps.append(_step(crash, began, hit=hit))
    await ground.stack.wait_for(process)
    return steps


async def _workers(ground: Ground) -> list[Step]:
    """Workers inherit what their supervisor was armed with, so each point needs a new one."""
    steps: list[Step] = []
    for crash in WALK:
        if crash.process != "work":
            continue
        began = time.monotonic()
        ground.arms.plan([crash])
        before = len(ground.worker_deaths())
        await ground.stack.kill("work")
        hit = await ground.until_worker_died(before, EXIT_CODE, HIT_S)
        if hit:
            ground.arms.note(crash)
        steps.append(_step(crash, began, hit=hit))
    await ground.stack.kill("work")
    return steps


def _step(crash: Crash, began: float, *, hit: bool) -> Step:
    return Step(crash=str(crash), hit=hit, seconds=round(time.monotonic() - began, 1))
