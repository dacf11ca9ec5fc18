"""Data zone: tasks as the operator sees them, over all merchants: what waits, what was given up.

Counts and ids only. Starting again is the same act as a merchant's own, under another authority.
"""

from typing import Final
from uuid import UUID

from portal.contract.case import (
    RESTART_CASE,
    SURVEY_TASKS,
    CaseRestarted,
    RestartCase,
    TaskCount,
    TaskGivenUp,
    TaskSurvey,
)
from portal.contract.envelope import Nothing
from portal.domain.case import CaseKind
from portal.domain.errors import NotFound
from portal.domain.ids import CaseId
from portal.vault.act import Act
from portal.vault.case_settle import settle, task_of
from portal.vault.db import Row
from portal.vault.registry import operation

GIVEN_UP_SHOWN_MAX: Final = 200
OPERATOR: Final = "operator"

_CALLERS: Final = frozenset({"operator"})
_KINDS: Final = frozenset({"caller"})

_COUNTS: Final = """
select kind, count(*) filter (where state = 'open') as waiting,
       count(*) filter (where state = 'leased') as leased,
       count(*) filter (where state = 'open' and next_at <= $1) as due,
       extract(epoch from $1 - min(planned_at))::bigint as oldest_s
from task group by kind order by kind
"""
_MERCHANTS: Final = "select merchant_id, code from merchant_code order by code"
_GIVEN_UP: Final = """
select id, kind, subject_id, opened_at, seen, params ->> 'code' as code from case_
where merchant_id = $1 and closed_at is null and kind like 'task.%' order by id limit $2
"""
_KIND: Final = "select kind from case_ where merchant_id = $1 and id = $2"


@operation(SURVEY_TASKS, callers=_CALLERS, kinds=_KINDS, audit="none")
async def survey_tasks(act: Act, request: Nothing) -> TaskSurvey:
    """Count what waits, by kind, and list what was given up and not settled, oldest first."""
    del request
    counts = await act.db.fetch(_COUNTS, act.now)
    found: list[TaskGivenUp] = []
    for merchant in await act.db.fetch(_MERCHANTS):
        await act.act_for(merchant["merchant_id"])
        rows = await act.db.fetch(_GIVEN_UP, act.merchant_id, GIVEN_UP_SHOWN_MAX + 1)
        found += [_given_up(merchant["code"], row) for row in rows]
    found.sort(key=lambda line: line.opened_at)
    return TaskSurvey(
        counts=tuple(
            TaskCount(
                kind=row["kind"],
                waiting=row["waiting"],
                leased=row["leased"],
                due=row["due"],
                oldest_s=max(0, row["oldest_s"]),
            )
            for row in counts
        ),
        given_up=tuple(found[:GIVEN_UP_SHOWN_MAX]),
        more=len(found) > GIVEN_UP_SHOWN_MAX,
    )


def _given_up(code: str, row: Row) -> TaskGivenUp:
    return TaskGivenUp(
        case_id=CaseId(row["id"]),
        merchant_code=code,
        kind=task_of(row["kind"]),
        subject_id=row["subject_id"],
        opened_at=row["opened_at"],
        seen=row["seen"],
        code=row["code"] or "",
    )


@operation(RESTART_CASE, callers=_CALLERS, kinds=_KINDS, audit="effect")
async def restart_case(act: Act, request: RestartCase) -> CaseRestarted:
    """Start the tasks of a case again, whosever it is, and close it.

    Raises: NotFound ``not_found``; Conflict ``case_closed``, ``case_moved_on``, ``case_action``.
    """
    code, kind = await _enter_owner(act, request.case_id)
    planned = await settle(act, request.case_id, "restart", "", OPERATOR)
    return CaseRestarted(merchant_code=code, kind=kind, tasks_planned=planned)


async def _enter_owner(act: Act, case_id: UUID) -> tuple[str, CaseKind]:
    """Enter the merchant whose case it is; its code, and the kind."""
    for merchant in await act.db.fetch(_MERCHANTS):
        await act.act_for(merchant["merchant_id"])
        kind = await act.db.fetchval(_KIND, act.merchant_id, case_id)
        if kind is not None:
            return merchant["code"], kind
    raise NotFound("not_found", params={"kind": "case"})
