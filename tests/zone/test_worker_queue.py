"""The queue against a real Valkey: hints run, doubles and forgeries don't, an outage loses none."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from tests.make.work_queue import (
    KEY,
    OTHER_KEY,
    a_job,
    a_queue,
    a_valkey,
    asked,
    dump,
    lose_everything,
    serving,
    until,
)
from worker.queue import Job, QueueAway
from worker.queue.arq_queue import HINT_EXPIRES_S
from worker.queue.body import BodySeal

QUEUE = "harai:test:urgent"


class Runs:
    """What the queue ran, in order."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    async def __call__(self, job: Job) -> None:
        self.jobs.append(job)


async def test_offered_hints_run_once_each_in_their_own_lane(tmp_path: Path) -> None:
    jobs = [a_job(1), a_job(2, attempt=3), a_job(3, kind="message.send_chunk", lane="bulk")]
    runs = Runs()
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        async with serving(queue, runs):
            assert await queue.offer(jobs) == 3
            await until(lambda: len(runs.jobs) == 3)
            await asyncio.sleep(0.2)

    assert sorted(runs.jobs, key=lambda job: job.id) == jobs


async def test_hint_that_waits_already_is_not_put_in_twice(tmp_path: Path) -> None:
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)

        assert await queue.offer([a_job(), a_job()]) == 1
        assert await queue.offer([a_job(2)]) == 1
        assert (await queue.pending("urgent"), await queue.pending("bulk")) == (2, 0)
        await queue.close()


async def test_hint_of_a_later_attempt_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    runs = Runs()
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        # The one before waits, and, with a dead worker, is marked as running.
        await queue.offer([a_job(1), a_job(2)])
        async with Redis(unix_socket_path=str(valkey.socket)) as redis:
            await redis.set(f"arq:in-progress:{a_job(2).id}", b"1", px=900_000)

        again = [a_job(1, attempt=1), a_job(2, attempt=1)]
        assert await queue.offer(again) == 2
        assert await queue.pending("urgent") == 2
        async with serving(queue, runs):
            await until(lambda: len(runs.jobs) == 2)

    assert sorted(runs.jobs, key=lambda job: job.id) == again


async def test_hint_whose_taker_died_before_it_had_a_lease_is_run_when_it_comes_again(
    tmp_path: Path,
) -> None:
    runs = Runs()
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        await queue.offer([a_job(1), a_job(2)])
        async with Redis(unix_socket_path=str(valkey.socket)) as redis:
            await redis.set(f"arq:in-progress:{a_job(1).id}", b"1", px=880_000)
            await redis.set(f"arq:in-progress:{a_job(2).id}", b"1", px=910_000)

            assert await queue.offer([a_job(1), a_job(2)]) == 0

            # Whoever has taken the other just now may be about to lease its task.
            assert await redis.exists(f"arq:in-progress:{a_job(2).id}")
        async with serving(queue, runs):
            await until(lambda: runs.jobs == [a_job(1)])


async def test_hint_that_goes_ahead_is_run_before_those_that_wait_and_takes_room_as_they_do(
    tmp_path: Path,
) -> None:
    runs = Runs()
    waiting = [a_job(number, kind="message.send_chunk", lane="bulk") for number in range(1, 9)]
    ahead = a_job(9, kind="intake.issue_bills", lane="bulk")
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        await queue.offer(waiting)
        assert await queue.offer([replace(ahead, is_ahead=True)]) == 1
        assert await queue.offer([ahead]) == 0
        assert await queue.pending("bulk") == 9
        async with serving(queue, runs):
            await until(lambda: len(runs.jobs) == 9)

    assert runs.jobs[0] == ahead


async def test_what_a_dead_worker_left_long_ago_takes_no_room(tmp_path: Path) -> None:
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        await queue.offer([a_job(1)])
        async with Redis(unix_socket_path=str(valkey.socket)) as redis:
            await redis.zadd(QUEUE, {a_job(2).id: (time.time() - HINT_EXPIRES_S - 1) * 1000})

        assert await queue.pending("urgent") == 1
        await queue.close()


async def test_one_who_still_runs_the_attempt_before_ends_undisturbed(tmp_path: Path) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    runs = Runs()

    async def run(job: Job) -> None:
        begun.set()
        if not job.attempt:
            await may_end.wait()
        await runs(job)

    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        async with serving(queue, run):
            await queue.offer([a_job()])
            await begun.wait()
            await queue.offer([a_job(attempt=1)])
            await until(lambda: runs.jobs == [a_job(attempt=1)])
            may_end.set()
            await until(lambda: runs.jobs == [a_job(attempt=1), a_job()])
            while await queue.pending("urgent"):  # noqa: ASYNC110 - known to Valkey only
                await asyncio.sleep(0.01)
            left = {key for key in await dump(valkey) if not key.endswith(b"health-check")}

    assert left == set()


async def test_finished_hint_may_come_again_and_leaves_nothing_behind(tmp_path: Path) -> None:
    runs = Runs()
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        async with serving(queue, runs):
            await queue.offer([a_job()])
            await until(lambda: len(runs.jobs) == 1)
            while await queue.pending("urgent"):  # noqa: ASYNC110 - known to Valkey only
                await asyncio.sleep(0.01)
            left = {key for key in await dump(valkey) if not key.endswith(b"health-check")}
            assert left == set()
            assert await queue.offer([a_job()]) == 1
            await until(lambda: len(runs.jobs) == 2)


async def test_valkey_holds_ids_and_codes_only(tmp_path: Path) -> None:
    job = a_job()
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        await queue.offer([job])
        held = await dump(valkey)
        await queue.close()

    body = held.pop(f"arq:job:{job.id}".encode())
    assert set(held) == {QUEUE.encode()}
    assert BodySeal(KEY).unpack(body)["a"] == (job.task_id, job.attempt)
    assert set(msgspec.msgpack.decode(body[32:])) == {"t", "f", "a", "k", "et"}


async def _put(valkey_socket: Path, job_id: str, body: bytes) -> None:
    """What whoever owns Valkey can do: a body and a place in the queue."""
    async with Redis(unix_socket_path=str(valkey_socket)) as redis:
        await redis.set(f"arq:job:{job_id}", body, px=60_000)
        await redis.zadd(QUEUE, {job_id: int(time.time() * 1000)})


async def test_forged_bodies_are_refused_and_counted_while_true_ones_run(tmp_path: Path) -> None:
    job = {"t": None, "f": "payment.inquire", "a": (a_job().task_id, 0), "k": {}, "et": 1}
    other = BodySeal(OTHER_KEY).pack(job)
    runs = Runs()
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        async with serving(queue, runs):
            for number, body in enumerate([b"", b"cos\nsystem\n(S'id'\ntR.", other, other[32:]]):
                await _put(valkey.socket, f"forged:{number}", body)
            await until(lambda: queue.refused() == 3)
            await queue.offer([a_job(9)])
            await until(lambda: runs.jobs == [a_job(9)])
            assert await queue.pending("urgent") <= 1

    assert queue.refused() == 3


async def test_true_body_copied_under_another_id_is_refused(tmp_path: Path) -> None:
    runs = Runs()
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        await queue.offer([a_job()])
        body = (await dump(valkey))[f"arq:job:{a_job().id}".encode()]
        await _put(valkey.socket, "copied:1", body)
        async with serving(queue, runs):
            await until(lambda: queue.refused() == 1)
            await until(lambda: runs.jobs == [a_job()])


async def test_valkeys_absence_is_told_to_who_offers(tmp_path: Path) -> None:
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        await queue.offer([a_job(1)])
        await valkey.running.kill()

        with pytest.raises(QueueAway):
            await queue.offer([a_job(2)])
        with pytest.raises(QueueAway):
            await queue.pending("urgent")

        await valkey.running.start()
        assert await queue.offer([a_job(2)]) == 1
        await queue.close()


async def test_slots_outlive_valkey_and_running_jobs_go_on(tmp_path: Path) -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
    runs = Runs()

    async def run(job: Job) -> None:
        await runs(job)
        if job == a_job(1):
            begun.set()
            await may_end.wait()
            ended.set()

    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        async with serving(queue, run):
            await queue.offer([a_job(1)])
            await begun.wait()
            await valkey.running.kill()
            await asyncio.sleep(0.5)
            may_end.set()
            await ended.wait()
            await valkey.running.start()
            await queue.offer([a_job(2)])
            await until(lambda: a_job(2) in runs.jobs)

    # What was killed may have forgotten that a hint was taken: it comes again, the lease judges.
    assert runs.jobs[0] == a_job(1)
    assert set(runs.jobs) == {a_job(1), a_job(2)}


async def test_losing_all_of_valkey_costs_no_more_than_giving_hints_again(tmp_path: Path) -> None:
    runs = Runs()
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        await queue.offer([a_job(1)])
        await lose_everything(valkey)
        async with serving(queue, runs):
            await asyncio.sleep(0.2)
            assert runs.jobs == []
            assert await queue.offer([a_job(1)]) == 1
            await until(lambda: runs.jobs == [a_job(1)])


async def test_stop_lets_running_jobs_end_and_takes_no_new_ones(tmp_path: Path) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    runs = Runs()

    async def run(job: Job) -> None:
        begun.set()
        await may_end.wait()
        await runs(job)

    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        async with serving(queue, run) as stop:
            await queue.offer([a_job(1)])
            await begun.wait()
            stop.set()
            await asyncio.sleep(0.1)
            await queue.offer([a_job(2)])
            await asyncio.sleep(0.2)
            assert runs.jobs == []
            may_end.set()

    assert runs.jobs == [a_job(1)]


async def test_jobs_that_run_long_are_not_asked_about_one_by_one(tmp_path: Path) -> None:
    begun, may_end = set[str](), asyncio.Event()

    async def run(job: Job) -> None:
        begun.add(job.id)
        await may_end.wait()

    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        async with serving(queue, run):
            await queue.offer([a_job(number) for number in range(3)])
            await until(lambda: len(begun) == 3)
            before = await asked(valkey, "zscore")
            looks = await asked(valkey, "zrangebyscore") + 10
            while await asked(valkey, "zrangebyscore") < looks:
                pass
            assert await asked(valkey, "zscore") == before
            may_end.set()


async def test_more_hints_than_one_read_reaches_still_all_run(tmp_path: Path) -> None:
    runs = Runs()
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey, slots=2)
        jobs = [a_job(number) for number in range(60)]
        await queue.offer(jobs)
        async with serving(queue, runs):
            await until(lambda: len(runs.jobs) == 60)

    assert {job.id for job in runs.jobs} == {job.id for job in jobs}
