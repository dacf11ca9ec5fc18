"""Every named crash point, hit for real: a process dies there, the stack goes on, nothing is lost.

One stack, files and payers all the time; then the outside's own journal against our books.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from portal.kit.crashpoint import CRASH_POINTS
from portal.stack.drill.books import Found
from portal.stack.drill.ground import ground
from portal.stack.drill.walk import NOT_WALKED, WALK, Step, walk

pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(900),
    pytest.mark.asyncio(loop_scope="module"),
]


@dataclass(frozen=True)
class Walked:
    steps: dict[str, Step]
    found: Found
    strays: list[str]
    payers: int
    imports: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def walked() -> AsyncIterator[Walked]:
    async with ground(seed=1, rows=12) as place:
        steps = await walk(place)
        found = await place.settle()
        yield Walked(
            steps={step.crash: step for step in steps},
            found=found,
            strays=place.arms.strays,
            payers=sum(seen == "paid" for seen in place.traffic.payers.values()),
            imports=len(place.traffic.files),
        )


@pytest.mark.parametrize("crash", [str(crash) for crash in WALK])
async def test_the_process_died_where_it_was_armed(walked: Walked, crash: str) -> None:
    assert walked.steps[crash].hit, f"nothing ever passed {crash}"


async def test_every_named_point_was_hit_and_nothing_ended_unasked(walked: Walked) -> None:
    hit = {crash.point for crash in WALK if walked.steps[str(crash)].hit}

    assert hit == set(CRASH_POINTS) - NOT_WALKED
    assert walked.strays == []


async def test_every_bill_is_there_once_and_every_message_was_sent_once(walked: Walked) -> None:
    found = walked.found

    assert (found.lost, found.doubled, found.imports_stuck) == (0, 0, 0)
    assert found.bills == 12 * walked.imports
    assert found.messages + found.ambiguous == found.bills
    assert found.messages > found.ambiguous


async def test_payments_are_those_of_the_card_companys_journal(walked: Walked) -> None:
    found = walked.found

    assert found.differences == []
    assert found.payments >= walked.payers > 0
    assert found.ledger_sum == 0
    assert found.audit_ok


async def test_no_task_is_left_open_and_nothing_waits_for_a_person(walked: Walked) -> None:
    assert (walked.found.tasks_due, walked.found.cases) == (0, 0)
    assert walked.found.faults == []
