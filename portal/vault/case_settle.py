"""Data zone: settling a case: what was chosen is done, and the case is closed, in one transaction.

Locks are taken in the order of everyone: first the thing that the case is about (an import, a
chunk of messages, a bill), then the case. So of two who settle at once one waits, sees the case
closed, and plans nothing.
"""

from typing import Final, cast
from uuid import UUID

from portal.domain.case import (
    NOTE_CHARACTERS_MAX,
    OF_TASKS,
    SUBJECTS,
    CaseAction,
    CaseKind,
    Subject,
    check_note,
    choose,
    has_moved_on,
)
from portal.domain.errors import Conflict, InvariantBroken
from portal.domain.ids import to_public
from portal.domain.task import LANES, TaskKind
from portal.vault import sender_hold
from portal.vault.act import Act
from portal.vault.case import CASE_TABLE, CaseNote, Happening, close_case
from portal.vault.case_view import facts_of, read_case
from portal.vault.due import share_day
from portal.vault.lost import ask_to_pay, let_be
from portal.vault.stranded import ask_again, ask_of_refund, start_again
from portal.vault.texts import read_note

_LOCKS: Final[dict[Subject, str]] = {
    "import": "select id from import where merchant_id = $1 and id = $2 for update",
    "chunk": "select id from delivery_chunk where merchant_id = $1 and id = $2 for update",
    # All bills that it pays, in the order in which everyone locks them (portal.vault.attempt).
    "attempt": "select id from bill where merchant_id = $1 and id = any(array("
    " select bill_id from attempt where merchant_id = $1 and id = $2 union"
    " select bill_id from attempt_share where merchant_id = $1 and attempt_id = $2))"
    " order by id for update",
    "bill": "select id from bill where merchant_id = $1 and id = $2 for update",
    "refund": "select b.id from refund r join bill b on b.merchant_id = $1 and b.id = r.bill_id"
    " where r.merchant_id = $1 and r.id = $2 for update of b",
    "slip": "select b.id from slip s join bill b on b.merchant_id = $1 and b.id = s.bill_id"
    " where s.merchant_id = $1 and s.id = $2 for update of b",
    "failed_file": "select id from failed_file where merchant_id = $1 and id = $2 for update",
    "debit_file": "select id from debit_file where merchant_id = $1 and id = $2 for update",
    "transfer_file": "select id from transfer_file where merchant_id = $1 and id = $2 for update",
    "mandate": "select id from mandate where merchant_id = $1 and id = $2 for update",
    "merchant": "select id from merchant where id = $1 and id = $2 for no key update",
}
_LOCK_CASE: Final = """
select closed_at is not null from case_ where merchant_id = $1 and id = $2 for update
"""


async def settle(act: Act, case_id: UUID, action: CaseAction, note: str, actor: str) -> int:
    """Do what was chosen about an open case and close it; how many tasks that planned.

    The role of the act's authority decides what may be chosen.

    Raises: NotFound ``not_found``; Conflict ``case_closed``, ``case_moved_on``, ``case_action``;
    NotAllowed ``not_allowed``; InvalidInput ``case_note_needed``, or what is wrong with the note.
    """
    found = await read_case(act, case_id)
    kind = cast("CaseKind", found["kind"])
    subject_id: UUID = found["subject_id"]
    if kind == "chargeback_lost":
        await share_day(act)  # before the bill is locked; see there
    if kind == "sender_refused":
        await sender_hold.lock_stopped(act)  # as whoever reports: the road, then its case
    await act.db.execute(_LOCKS[SUBJECTS[kind]], act.merchant_id, subject_id)
    if await act.db.fetchval(_LOCK_CASE, act.merchant_id, case_id):
        raise Conflict("case_closed")
    row = await read_case(act, case_id)
    moved_on = has_moved_on(kind, await facts_of(act, row))
    choice = choose(kind, action, act.capability.role, moved_on=moved_on)
    words = read_note(note, field="note", characters_max=NOTE_CHARACTERS_MAX)
    check_note(choice, words)
    planned = await _carry_out(act, case_id, kind, action, subject_id)
    sealed = None
    if words:
        fields = await act.fields()
        sealed = fields.seal(CASE_TABLE, "document", case_id, 1, CaseNote(words))
    happening = Happening(act.merchant_id, act.now, actor)
    await close_case(act.db, happening, case_id, action, sealed)
    if row["bill_id"] is not None:
        await act.emit(row["bill_id"], f"case.{action}", case=to_public("case", case_id), kind=kind)
    return planned


async def _carry_out(
    act: Act, case_id: UUID, kind: CaseKind, action: CaseAction, subject_id: UUID
) -> int:
    """The effect of an action that has one.

    Raises: Conflict ``case_moved_on`` when there is no task left to be started again; LimitReached
    ``asked_just_now`` (param ``seconds``).
    """
    match action:
        case "restart":
            planned = await start_again(act, task_of(kind), subject_id)
            if not planned:
                raise Conflict("case_moved_on")
            return planned
        case "ask_again" if kind == "sender_refused":
            return await sender_hold.ask_now(act)
        case "ask_again":
            is_refund = SUBJECTS[kind] == "refund"
            return await (ask_of_refund if is_refund else ask_again)(act, subject_id)
        case "ask_to_pay":
            return await ask_to_pay(act, case_id, subject_id)
        case "let_be" if kind == "chargeback_lost":
            return await let_be(act, case_id, subject_id)
        case "settled_by_hand" | "let_be":
            return 0


def task_of(kind: str) -> TaskKind:
    """The kind of task that a case of this kind tells of.

    Raises: InvariantBroken ``case_of_no_task`` for a case about something else.
    """
    task = kind.removeprefix(OF_TASKS)
    if not kind.startswith(OF_TASKS) or task not in LANES:
        raise InvariantBroken("case_of_no_task", context=kind)
    return task
