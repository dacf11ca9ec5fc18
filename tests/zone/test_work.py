import asyncio
from collections import Counter
from uuid import UUID, uuid4

import pytest

from portal.contract.client import VaultClient
from portal.contract.work import (
    AWAIT_WORK,
    EXTEND_LEASE,
    FAIL_TASK,
    FINISH_TASK,
    TAKE_LEASE,
    AwaitWork,
    ExtendLease,
    FailTask,
    FinishTask,
    Leased,
    TakeLease,
    TaskHint,
)
from portal.domain.errors import Conflict, InvalidInput, NotAllowed
from portal.domain.task import TaskKind
from portal.kit import limits
from portal.vault.outbox import NewTask
from portal.vault.server import VaultServer
from tests.make.acts import MERCHANT, OTHER_MERCHANT, acting
from tests.make.vault import ClientFor


@pytest.fixture
async def work(client_for: ClientFor) -> VaultClient:
    return await client_for("work")


async def plan(
    vault: VaultServer, count: int = 1, merchant: UUID = MERCHANT,
    kind: TaskKind = "message.send_chunk", due_in_s: float = 0,
) -> list[UUID]:  # fmt: skip
    async with acting(vault, merchant) as act:
        tasks = [
            NewTask(act.new_id(), kind, uuid4(), number, due_in_s=due_in_s)
            for number in range(count)
        ]
        await act.plan_tasks(tasks)
    return [task.id for task in tasks]


async def hints(work: VaultClient, wait_s: float = 0, at_most: int = 100) -> list[TaskHint]:
    return list((await work.call(AWAIT_WORK, AwaitWork(wait_s=wait_s, at_most=at_most))).tasks)


async def lease(work: VaultClient, hint: TaskHint) -> Leased:
    return await work.call(
        TAKE_LEASE, TakeLease(task_id=hint.id, attempt=hint.attempt, worker="w1")
    )


async def later(vault: VaultServer, seconds: float) -> None:
    """Let all tasks be older: what waiting does, without waiting."""
    async with acting(vault) as act:
        await act.db.execute(
            "update task set next_at = next_at - make_interval(secs => $1)", seconds
        )


async def test_a_planned_task_is_hinted_leased_and_gone_when_finished(
    vault: VaultServer, work: VaultClient
) -> None:
    async with acting(vault) as act:
        task_id = await act.plan_task("intake.accept_chunk", UUID(int=5), 3)

    (hint,) = await hints(work)
    leased = await lease(work, hint)
    closed = await work.call(FINISH_TASK, FinishTask(), leased.authority)

    assert (hint.id, hint.lane, hint.attempt) == (task_id, "bulk", 1)
    assert (leased.kind, leased.subject_id, leased.number) == (
        "intake.accept_chunk",
        UUID(int=5),
        3,
    )
    assert closed.gave_up is False
    await later(vault, 3600)
    assert await hints(work) == []


async def test_a_task_of_an_act_that_failed_does_not_exist(
    vault: VaultServer, work: VaultClient
) -> None:
    async def fail_after_planning() -> None:
        async with acting(vault) as act:
            await act.plan_task("payment.inquire", UUID(int=5))
            raise Conflict("stale_version")

    with pytest.raises(Conflict):
        await fail_after_planning()

    assert await hints(work) == []


async def test_waiting_ends_as_soon_as_a_task_is_planned(
    vault: VaultServer, work: VaultClient
) -> None:
    waiting = asyncio.create_task(hints(work, wait_s=20))
    await asyncio.sleep(0.3)

    await plan(vault)

    async with asyncio.timeout(15):
        assert len(await waiting) == 1


async def test_a_task_planned_at_another_instance_is_heard_of(
    vault: VaultServer, ground: object, work: VaultClient
) -> None:
    async with ground.vault(instance="two", socket=vault.settings.socket.parent / "2.sock") as two:  # type: ignore[attr-defined]
        waiting = asyncio.create_task(hints(work, wait_s=20))
        await asyncio.sleep(0.3)
        await plan(two)
        assert len(await waiting) == 1


async def test_waiting_ends_empty_when_the_time_is_up(work: VaultClient) -> None:
    assert await hints(work, wait_s=0.2) == []
    with pytest.raises(InvalidInput, match="wait_out_of_bounds"):
        await hints(work, wait_s=26)


async def test_a_task_due_later_is_not_hinted_before(vault: VaultServer, work: VaultClient) -> None:
    await plan(vault, due_in_s=60)

    assert await hints(work) == []
    await later(vault, 61)
    assert len(await hints(work)) == 1


async def test_a_hint_is_given_once_and_again_when_no_lease_followed(
    vault: VaultServer, work: VaultClient
) -> None:
    await plan(vault)

    assert len(await hints(work)) == 1
    assert await hints(work) == []
    await later(vault, limits.HINT_LIFE_S)
    (again,) = await hints(work)
    assert again.attempt == 1


async def test_of_many_workers_one_gets_the_lease(vault: VaultServer, work: VaultClient) -> None:
    await plan(vault)
    (hint,) = await hints(work)

    got = await asyncio.gather(*(lease(work, hint) for _ in range(10)), return_exceptions=True)

    assert sum(isinstance(one, Leased) for one in got) == 1
    assert {one.code for one in got if isinstance(one, Conflict)} == {"lease_taken"}


async def test_an_expired_lease_is_taken_over_and_the_old_one_can_write_nothing(
    vault: VaultServer, work: VaultClient
) -> None:
    await plan(vault)
    (hint,) = await hints(work)
    dead = await lease(work, hint)
    assert await hints(work) == []
    await later(vault, limits.LEASE_LIFE_S)

    (second,) = await hints(work)
    alive = await lease(work, second)

    assert second.attempt == hint.attempt + 1
    for operation, request in (
        (FINISH_TASK, FinishTask()),
        (EXTEND_LEASE, ExtendLease()),
        (FAIL_TASK, FailTask(code="x", retry_in_s=0)),
    ):
        with pytest.raises(Conflict, match="lease_lost"):
            await work.call(operation, request, dead.authority)  # type: ignore[arg-type]
    await work.call(FINISH_TASK, FinishTask(), alive.authority)


async def test_an_extended_lease_is_not_taken_over(vault: VaultServer, work: VaultClient) -> None:
    await plan(vault)
    (hint,) = await hints(work)
    leased = await lease(work, hint)
    await later(vault, limits.LEASE_LIFE_S - 1)

    await work.call(EXTEND_LEASE, ExtendLease(), leased.authority)
    await later(vault, limits.LEASE_LIFE_S - 1)

    assert await hints(work) == []


async def test_a_failed_task_comes_back_after_a_pause_with_a_new_attempt(
    vault: VaultServer, work: VaultClient
) -> None:
    await plan(vault)
    (hint,) = await hints(work)
    leased = await lease(work, hint)

    closed = await work.call(
        FAIL_TASK, FailTask(code="provider_busy", retry_in_s=30), leased.authority
    )

    assert closed.gave_up is False
    assert await hints(work) == []
    await later(vault, 31)
    (again,) = await hints(work)
    assert again.attempt == 2


async def test_a_task_that_fails_too_often_becomes_a_case(
    vault: VaultServer, work: VaultClient
) -> None:
    await plan(vault)
    gave_up = False
    for _ in range(limits.TASK_TRIES_MAX):
        assert not gave_up
        (hint,) = await hints(work)
        leased = await lease(work, hint)
        closed = await work.call(
            FAIL_TASK, FailTask(code="provider_busy", retry_in_s=0), leased.authority
        )
        gave_up = closed.gave_up
        await later(vault, limits.TASK_BACKOFF_MAX_S)

    assert gave_up
    assert await hints(work) == []
    async with acting(vault) as act:
        cases = await act.db.fetch("select kind, params from case_")
    assert [(case["kind"], case["params"]) for case in cases] == [
        ("task.message.send_chunk", '{"code": "provider_busy"}')
    ]


async def test_a_task_whose_workers_keep_dying_becomes_a_case(
    vault: VaultServer, work: VaultClient
) -> None:
    await plan(vault)
    for _ in range(limits.TASK_TRIES_MAX):
        (hint,) = await hints(work)
        await lease(work, hint)
        await later(vault, limits.LEASE_LIFE_S)

    assert await hints(work) == []
    async with acting(vault) as act:
        assert await act.db.fetchval("select params from case_") == '{"code": "workers_lost"}'
        assert await act.db.fetchval("select count(*) from task") == 0


async def test_merchants_take_turns_however_much_one_has_planned(
    vault: VaultServer, work: VaultClient
) -> None:
    await plan(vault, 50)
    few = set(await plan(vault, 3, OTHER_MERCHANT))

    first = await hints(work, at_most=8)
    second = await hints(work, at_most=8)

    assert few <= {hint.id for hint in first}
    # Who has none under way goes ahead in the queue too: each one's first, and nothing after it.
    ahead = [hint.id in few for hint in first if hint.is_ahead]
    assert sorted(ahead) == [False, True]
    assert second
    assert not any(hint.is_ahead for hint in second)


async def test_urgent_tasks_come_first_and_bulk_ones_still_get_room(
    vault: VaultServer, work: VaultClient
) -> None:
    await plan(vault, 20)
    await plan(vault, 20, kind="payment.inquire")

    lanes = [hint.lane for hint in await hints(work, at_most=8)]

    assert lanes[0] == "urgent"
    assert Counter(lanes) == {"urgent": 6, "bulk": 2}


async def test_relays_at_once_get_each_task_once(vault: VaultServer, work: VaultClient) -> None:
    planned = await plan(vault, 200)

    answers = await asyncio.gather(*(hints(work, at_most=50) for _ in range(8)))

    seen = Counter(hint.id for answer in answers for hint in answer)
    assert set(seen) <= set(planned)
    assert max(seen.values()) == 1


async def test_a_lease_covers_its_own_operations_only(
    vault: VaultServer, work: VaultClient
) -> None:
    from portal.contract.intake import ACCEPT_CHUNK, AcceptChunk  # noqa: PLC0415
    from portal.domain.ids import ImportId  # noqa: PLC0415

    await plan(vault)
    (hint,) = await hints(work)
    leased = await lease(work, hint)

    with pytest.raises(NotAllowed):
        await work.call(
            ACCEPT_CHUNK,
            AcceptChunk(import_id=ImportId(leased.subject_id), chunk_no=0),
            leased.authority,
        )
    with pytest.raises(NotAllowed):
        await work.call(AWAIT_WORK, AwaitWork(wait_s=0, at_most=1), leased.authority)


async def test_hints_are_as_many_as_asked_for_with_many_tasks_of_many_merchants(
    vault: VaultServer, work: VaultClient
) -> None:
    for merchant in range(1, 41):
        await plan(vault, 500, UUID(int=merchant))

    first = await hints(work, at_most=100)

    assert len(first) == 100
