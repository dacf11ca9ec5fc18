"""Data zone: handing out tasks. Waiting for work, leasing it, and ending it well or badly."""

import asyncio
from typing import Final
from uuid import UUID

from portal.contract.envelope import Done
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
    TaskClosed,
    TaskHint,
    Work,
)
from portal.domain.errors import InvalidInput
from portal.domain.task import Lane, TaskKind
from portal.kit import limits
from portal.vault import outbox
from portal.vault.act import Act
from portal.vault.chunk_sleep import NOT_DUE, sleep_s
from portal.vault.registry import operation, standing_operation
from portal.vault.sending import PAUSED, is_paused
from portal.vault.standing import Standing

_WORK: Final = frozenset({"work"})
_CALLER: Final = frozenset({"caller"})
_LEASE: Final = frozenset({"lease"})
_CODE_CHARACTERS_MAX: Final = 100

_ENDS: Final = ("extend_lease", "finish_task", "fail_task")
LEASE_OPERATIONS: Final[dict[TaskKind, tuple[str, ...]]] = {
    "intake.accept_chunk": ("accept_chunk", *_ENDS),
    "intake.issue_bills": ("issue_bills", *_ENDS),
    "intake.discard_bills": ("discard_bills", *_ENDS),
    "message.send_chunk": ("report_and_next", *_ENDS),
    "message.advance_ladders": ("advance_ladders", *_ENDS),
    "payment.inquire": ("view_inquiry", "record_inquiry", *_ENDS),
    "payment.pass_due": ("pass_due_bills", *_ENDS),
    "payment.refund": ("begin_refund", "record_refund_submission", *_ENDS),
    "payment.refund_inquire": ("view_refund", "record_refund_finding", *_ENDS),
    "debit.fill": ("fill_debit_file", *_ENDS),
    "debit.book": ("book_debits", *_ENDS),
    "debit.send": ("begin_debit_handover", "record_debit_handover", *_ENDS),
    "transfer.advance": ("advance_transfer_file", *_ENDS),
    "transfer.send": ("begin_debit_handover", "record_debit_handover", *_ENDS),
    "charge.choose": ("choose_charges", *_ENDS),
    "charge.send": ("begin_charge", "record_charge", *_ENDS),
    "mandate.ask": ("begin_mandate_asking", "record_mandate_asking", *_ENDS),
    "debit.tell_failed": ("tell_failed_file", *_ENDS),
    "debit.fetch": ("begin_debit_fetch", "record_debit_fetch", *_ENDS),
    "settlement.write_results": ("write_results", *_ENDS),
    "message.switch_unopened": ("step_switch", *_ENDS),
}
"""What the lease of a task covers, and nothing else."""

WAITING: Final = frozenset({"provider_paused", NOT_DUE, "worker_stopping", "refund_waits", PAUSED})
"""Codes with which a task is given back because it has to wait: an outage of a provider that
lasts longer than all tries together must not end what is still to be sent."""

WORKERS_LOST: Final = "workers_lost"
"""What a task is given up for when nobody came back from its leases."""

_LANES: Final[tuple[Lane, ...]] = ("urgent", "bulk")


@standing_operation(AWAIT_WORK, callers=_WORK, kinds=_CALLER, audit="none")
async def await_work(standing: Standing, request: AwaitWork) -> Work:
    """Wait until tasks of the lanes asked for are due and hint them, merchants in turn.

    When both lanes are asked for, both get room: urgent tasks take at most three quarters of an
    answer while bulk ones wait, so neither lane stops the other.

    Raises: InvalidInput ``wait_out_of_bounds``.
    """
    if not 0 <= request.wait_s <= limits.AWAIT_WORK_MAX_S or request.at_most < 1:
        raise InvalidInput("wait_out_of_bounds", params={"most": int(limits.AWAIT_WORK_MAX_S)})
    at_most = min(request.at_most, limits.HINTS_MAX)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + request.wait_s
    while True:
        tasks = await _hint(standing, at_most, request.lanes)
        left_s = deadline - loop.time()
        if tasks or left_s <= 0:
            return Work(tasks=tasks)
        await standing.signals.work(min(left_s, limits.WORK_POLL_S))


async def _hint(standing: Standing, at_most: int, lanes: tuple[Lane, ...]) -> tuple[TaskHint, ...]:
    hints: list[TaskHint] = []
    async with standing.begin(is_audited=False) as act:
        for lane in _LANES:
            if lane not in lanes:
                continue
            has_rival = lane == "urgent" and "bulk" in lanes and at_most > 1
            share = at_most - (max(1, at_most // 4) if has_rival else 0)
            for row in await outbox.take_hints(act.db, lane, act.now, share - len(hints)):
                if row["tries"] < limits.TASK_TRIES_MAX:
                    hints.append(outbox.to_hint(row))
                else:
                    await act.act_for(row["merchant_id"])
                    await _give_up(act, row["id"], row["kind"], row["subject_id"], WORKERS_LOST)
    return tuple(hints)


@operation(TAKE_LEASE, callers=_WORK, kinds=_CALLER, audit="effect")
async def take_lease(act: Act, request: TakeLease) -> Leased:
    """Lease a task for 30 seconds and hand out the authority for exactly its operations.

    Raises: Conflict ``lease_taken``.
    """
    row = await outbox.lease(
        act.db, request.task_id, request.attempt, request.worker[:_CODE_CHARACTERS_MAX], act.now
    )
    await act.act_for(row["merchant_id"])
    kind: TaskKind = row["kind"]
    authority = await act.mint(
        kind="lease",
        subject=request.task_id,
        scope_id=row["subject_id"],
        number=row["number"],
        fence=row["attempt"],
        ops=LEASE_OPERATIONS[kind],
        life_s=limits.LEASE_AUTHORITY_LIFE_S,
        budget_rows=0,
    )
    return Leased(
        authority=authority, kind=kind, subject_id=row["subject_id"], number=row["number"]
    )


@operation(EXTEND_LEASE, callers=_WORK, kinds=_LEASE, audit="none")
async def extend_lease(act: Act, request: ExtendLease) -> Done:
    """Keep the lease: every act under a lease renews it, this one does nothing else."""
    del act, request
    return Done()


@operation(FINISH_TASK, callers=_WORK, kinds=_LEASE, audit="effect")
async def finish_task(act: Act, request: FinishTask) -> TaskClosed:
    """Finish the task of this lease."""
    del request
    await act.close_task()
    return TaskClosed(gave_up=False)


@operation(FAIL_TASK, callers=_WORK, kinds=_LEASE, audit="effect")
async def fail_task(act: Act, request: FailTask) -> TaskClosed:
    """Give the task back for a later attempt, or turn it into a case when its tries are up.

    What only has to wait (see WAITING) uses up no try.
    """
    task_id = act.capability.subject
    counts = request.code not in WAITING
    retry_in_s = request.retry_in_s
    chunk_id = act.capability.scope_id
    if request.code == PAUSED and not (chunk_id and await is_paused(act, chunk_id)):
        retry_in_s = 0.0  # let go on since: it must not sleep as those that are held
    if request.code == NOT_DUE and chunk_id:
        retry_in_s = await sleep_s(act, chunk_id, retry_in_s)
    tries = await outbox.put_back(act.db, task_id, retry_in_s, act.now, counts=counts)
    if not counts or tries < limits.TASK_TRIES_MAX:
        return TaskClosed(gave_up=False)
    row = await act.db.fetchrow("select kind, subject_id from task where id = $1", task_id)
    if row is not None:
        await _give_up(act, task_id, row["kind"], row["subject_id"], request.code)
    return TaskClosed(gave_up=True)


async def _give_up(act: Act, task_id: UUID, kind: str, subject_id: UUID, code: str) -> None:
    """End a task that failed too often; a human finds it among the cases."""
    await act.open_case(f"task.{kind}", subject_id, code=code[:_CODE_CHARACTERS_MAX])
    await outbox.close(act.db, task_id)
