"""Data zone: what a task that was given up left standing still, and starting it again.

The task's row is gone, so what it stood for is read from the state of its subject: the parts of a
file that are not judged, an import that is not issued, messages that were not sent, an attempt
that nobody asks about, a day that was not gone through. Started again it is a new task with a new
id and fresh tries: a lease of the old one can write nothing any more. Every step is idempotent, so
an effect that the old task had before it died is not had twice. Callers hold the subject's lock.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from portal.domain.errors import NotFound
from portal.domain.task import TaskKind
from portal.vault.act import Act
from portal.vault.outbox import NewTask

_PARTS: Final = """
select k.import_id, k.chunk_no from import_chunk k
where k.merchant_id = $1 and k.import_id = any($2::uuid[]) and k.done_at is null
      and not exists (select from task t
                      where t.merchant_id = $1 and t.kind = 'intake.accept_chunk'
                            and t.subject_id = k.import_id and t.number = k.chunk_no)
"""
_COUNT_PARTS: Final = f"""
select p.import_id as id, count(*) as waiting from ({_PARTS}) p group by p.import_id
"""  # noqa: S608  # a constant
_COUNT_MESSAGES: Final = """
select chunk_id as id, count(*) as waiting from delivery
where merchant_id = $1 and chunk_id = any($2::uuid[])
      and state in ('planned', 'handed', 'redeemed')
group by chunk_id
"""
_HAS_TASK: Final = """
select exists (select from task where merchant_id = $1 and kind = $2 and subject_id = $3)
"""
_IS_SINGLE: Final = """
select import_id is null and deliveries = 1 from delivery_chunk where merchant_id = $1 and id = $2
"""
_ASKED: Final = "select asked from attempt where merchant_id = $1 and id = $2"
_IS_RESERVED: Final = """
select state = 'reserved' from refund where merchant_id = $1 and id = $2
"""
_ASK_OF_REFUND: Final = """
update refund set ask_at = $3 where merchant_id = $1 and id = $2 returning asked
"""
_ASK: Final = "update attempt set ask_at = $3 where merchant_id = $1 and id = $2"


async def count_parts(act: Act, import_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Parts of files that are neither judged nor anybody's task, by import."""
    return await _count(act, _COUNT_PARTS, import_ids)


async def count_messages(act: Act, chunk_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Messages that were not sent yet, by chunk."""
    return await _count(act, _COUNT_MESSAGES, chunk_ids)


async def _count(act: Act, statement: str, ids: Sequence[UUID]) -> dict[UUID, int]:
    if not ids:
        return {}
    rows = await act.db.fetch(statement, act.merchant_id, list(ids))
    return {row["id"]: row["waiting"] for row in rows}


async def has_task(act: Act, kind: TaskKind, subject_id: UUID) -> bool:
    """Whether a task of this kind for this subject waits or runs."""
    found: bool = await act.db.fetchval(_HAS_TASK, act.merchant_id, kind, subject_id)
    return found


async def start_again(act: Act, kind: TaskKind, subject_id: UUID) -> int:
    """Plan what a task of this kind left undone; how many tasks that took, 0 when none is missing.

    Raises: NotFound ``not_found`` when the subject is gone.
    """
    match kind:
        case "intake.accept_chunk":
            return await _judge_again(act, subject_id)
        case (
            "intake.issue_bills" | "intake.discard_bills" | "payment.pass_due" | "debit.fill"
            | "debit.book" | "debit.send" | "charge.choose" | "charge.send" | "mandate.ask"
            | "debit.fetch" | "transfer.advance" | "transfer.send" | "message.advance_ladders"
            | "settlement.write_results" | "message.switch_unopened" | "debit.tell_failed"
        ):  # fmt: skip
            return await _plan_missing(act, NewTask(act.new_id(), kind, subject_id))
        case "message.send_chunk":
            single = await act.db.fetchval(_IS_SINGLE, act.merchant_id, subject_id)
            lane = "urgent" if single else None
            return await _plan_missing(act, NewTask(act.new_id(), kind, subject_id, lane=lane))
        case "payment.inquire":
            return await ask_again(act, subject_id)
        case "payment.refund":
            is_held = await act.db.fetchval(_IS_RESERVED, act.merchant_id, subject_id)
            task = NewTask(act.new_id(), kind, subject_id)
            return await _plan_missing(act, task) if is_held else 0
        case "payment.refund_inquire":
            return await ask_of_refund(act, subject_id)


async def ask_again(act: Act, attempt_id: UUID) -> int:
    """Plan an inquiry about an attempt for now; always one.

    Raises: NotFound ``not_found``.
    """
    asked = await act.db.fetchval(_ASKED, act.merchant_id, attempt_id)
    if asked is None:
        raise NotFound("not_found", params={"kind": "attempt"})
    await act.db.execute(_ASK, act.merchant_id, attempt_id, act.now)
    await act.plan_task("payment.inquire", attempt_id, asked)
    return 1


async def ask_of_refund(act: Act, refund_id: UUID) -> int:
    """Plan an inquiry about a refund for now; always one.

    Raises: NotFound ``not_found``.
    """
    asked = await act.db.fetchval(_ASK_OF_REFUND, act.merchant_id, refund_id, act.now)
    if asked is None:
        raise NotFound("not_found", params={"kind": "refund"})
    await act.plan_task("payment.refund_inquire", refund_id, asked)
    return 1


async def _judge_again(act: Act, import_id: UUID) -> int:
    parts = await act.db.fetch(_PARTS, act.merchant_id, [import_id])
    tasks = [
        NewTask(act.new_id(), "intake.accept_chunk", import_id, part["chunk_no"]) for part in parts
    ]
    await act.plan_tasks(tasks)
    return len(tasks)


async def _plan_missing(act: Act, task: NewTask) -> int:
    """Plan a task unless one for the same thing waits already."""
    if await has_task(act, task.kind, task.subject_id):
        return 0
    await act.plan_tasks([task])
    return 1
