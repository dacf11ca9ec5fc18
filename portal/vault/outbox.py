"""Tasks: rows that a stage leaves in the transaction of its state change, leased to workers.

Every row is open or leased; a finished task is deleted with its last effect. ``next_at`` is when
the row wants attention: first when it is due, after a hint when the hint may have been lost, after
a lease when the worker may have died. ``attempt`` grows whenever a lease ends badly and fences:
what an older lease writes is refused. The table is process-wide (workers serve all merchants) and
holds ids only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from portal.contract.work import TaskHint
from portal.domain.errors import Conflict
from portal.domain.ids import TaskId
from portal.domain.task import LANES, Lane, TaskKind
from portal.kit import limits
from portal.vault.closing import Closing
from portal.vault.db import Db, Row


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to plan; ``lane`` None means the kind's own."""

    id: UUID
    kind: TaskKind
    subject_id: UUID
    number: int = 0
    lane: Lane | None = None
    due_in_s: float = 0


async def plan(db: Db, merchant_id: UUID, now: datetime, tasks: Sequence[NewTask]) -> None:
    """Insert tasks; they exist if and only if the transaction commits."""
    await db.execute(
        "insert into task (merchant_id, id, kind, lane, subject_id, number, planned_at, next_at)"
        " select $1, id, kind, lane, subject_id, number, $2, next_at from"
        " unnest($3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::int[], $8::timestamptz[])"
        " as t (id, kind, lane, subject_id, number, next_at)",
        merchant_id,
        now,
        [task.id for task in tasks],
        [task.kind for task in tasks],
        [task.lane or LANES[task.kind] for task in tasks],
        [task.subject_id for task in tasks],
        [task.number for task in tasks],
        [now + timedelta(seconds=task.due_in_s) for task in tasks],
    )


def plan_at_the_end(closing: Closing, merchant_id: UUID, now: datetime, task: NewTask) -> None:
    """The same for one task, together with the act's commit."""
    closing.add(
        "task",
        merchant_id,
        task.id,
        task.kind,
        task.lane or LANES[task.kind],
        task.subject_id,
        task.number,
        now,
        now + timedelta(seconds=task.due_in_s),
    )


_HINT: Final = """
with recursive merchants as (
    (select merchant_id from task where lane = $1 order by merchant_id limit 1)
    union all
    select (select t.merchant_id from task t where t.lane = $1 and t.merchant_id > m.merchant_id
            order by t.merchant_id limit 1)
    from merchants m where m.merchant_id is not null
), due as (
    select d.id, d.place + w.busy as place from merchants m cross join lateral (
        select count(*) as busy from (
            select from task b where b.lane = $1 and b.merchant_id = m.merchant_id
                   and b.next_at > $2 and b.next_at <= $2 + interval '30 seconds' limit 64
        ) as touched
    ) w cross join lateral (
        select t.id, t.next_at, row_number() over (order by t.next_at, t.id) as place
        from task t where t.lane = $1 and t.merchant_id = m.merchant_id and t.next_at <= $2
        order by t.next_at, t.id limit $3
    ) d order by d.place + w.busy, d.next_at limit $3
), locked as (
    select t.id, d.place from task t join due d on d.id = t.id where t.next_at <= $2
    for update of t skip locked
)
update task t set
    attempt = t.attempt + (t.state = 'leased')::int,
    tries = t.tries + (t.state = 'leased')::int,
    state = 'open', worker = null, next_at = $4
from locked where t.id = locked.id
returning t.id, t.kind, t.lane, t.attempt, t.tries, t.merchant_id, t.subject_id,
          locked.place = 1 as is_ahead
"""
"""Hint what is due in one lane, merchants in turn: each one's first, then each one's second.

Whoever has tasks under way already (hinted or leased: they want attention within half a minute)
stands behind by as many, so one place that becomes free goes to the merchant that has none, and its
hint goes ahead of those that wait in the queue.
"""


async def take_hints(db: Db, lane: Lane, now: datetime, at_most: int) -> list[Row]:
    """Mark up to ``at_most`` tasks of a lane as hinted: those due, lost by a hint or by a lease."""
    hinted_until = now + timedelta(seconds=limits.HINT_LIFE_S)
    return await db.fetch(_HINT, lane, now, at_most, hinted_until)


def to_hint(row: Row) -> TaskHint:
    """A row of :func:`take_hints` as it leaves the zone."""
    return TaskHint(
        id=TaskId(row["id"]),
        kind=row["kind"],
        lane=row["lane"],
        attempt=row["attempt"],
        is_ahead=row["is_ahead"],
    )


async def lease(db: Db, task_id: UUID, attempt: int, worker: str, now: datetime) -> Row:
    """Lease a task to a worker for LEASE_LIFE_S.

    Raises: Conflict ``lease_taken`` when it is leased, finished, or at another attempt.
    """
    row = await db.fetchrow(
        "update task set state = 'leased', worker = $3, next_at = $4 where id = $1"
        " and attempt = $2 and state = 'open'"
        " returning merchant_id, kind, subject_id, number, attempt",
        task_id,
        attempt,
        worker,
        now + timedelta(seconds=limits.LEASE_LIFE_S),
    )
    if row is None:
        raise Conflict("lease_taken")
    return row


async def renew(db: Db, task_id: UUID, fence: int, now: datetime) -> None:
    """Lock and renew the task of a lease: one act at a time, none under an older lease.

    Raises: Conflict ``lease_lost``.
    """
    renewed = await db.fetchval(
        "update task set next_at = $3 where id = $1 and attempt = $2 and state = 'leased'"
        " returning true",
        task_id,
        fence,
        now + timedelta(seconds=limits.LEASE_LIFE_S),
    )
    if not renewed:
        raise Conflict("lease_lost")


async def close(db: Db, task_id: UUID) -> None:
    """Delete a finished task; the fence was checked when the act began."""
    await db.execute("delete from task where id = $1", task_id)


async def put_back(
    db: Db, task_id: UUID, retry_in_s: float, now: datetime, *, counts: bool = True
) -> int:
    """Give a task back for another attempt; returns how many tries it has had.

    ``counts`` False: nothing failed, the task only has to wait, however often.
    ``retry_in_s`` is a wish, held between 0 and TASK_BACKOFF_MAX_S and never below an exponential
    floor, so that a worker in a loop can't burn through the tries in seconds.
    """
    tries: int = await db.fetchval(
        "update task set state = 'open', worker = null, attempt = attempt + 1,"
        " tries = tries + $5::int,"
        " next_at = $2::timestamptz + make_interval(secs => least($4::float8,"
        " greatest($3::float8, 0.5 * power(2, least(tries, 12)))))"
        " where id = $1 returning tries",
        task_id,
        now,
        max(retry_in_s, 0.0),
        limits.TASK_BACKOFF_MAX_S,
        int(counts),
    )
    return tries
