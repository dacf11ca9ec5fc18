"""`portal tasks`: what waits and what was given up over all merchants, and starting it again.

Stack only. Counts and ids; whoever needs to know more looks at the merchant's dashboard.
"""

import asyncio
import sys
from pathlib import Path
from typing import Final
from uuid import UUID

import orjson

from portal.contract.case import RESTART_CASE, SURVEY_TASKS, RestartCase, TaskSurvey
from portal.contract.envelope import Nothing
from portal.domain.case import subject_of
from portal.domain.ids import CaseId, from_public, to_public
from portal.domain.task import TaskKind
from portal.stack.operator import ask

_STEPS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))


def run_list(state: Path, *, as_json: bool) -> int:
    """Print it; 0 when nothing was given up, 1 when something waits for a person."""
    survey = asyncio.run(ask(state, SURVEY_TASKS, Nothing()))
    if as_json:
        sys.stdout.write(orjson.dumps(_as_data(survey)).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_lines(survey)) + "\n")
    return int(bool(survey.given_up))


def run_restart(state: Path, public_id: str) -> int:
    """Start the tasks of one case again, by its ``case_…`` id. Raises: NotFound; Conflict."""
    request = RestartCase(case_id=CaseId(from_public("case", public_id)))
    done = asyncio.run(ask(state, RESTART_CASE, request))
    count = f"{done.tasks_planned} task{'s' if done.tasks_planned != 1 else ''}"
    sys.stdout.write(f"{done.kind} of {done.merchant_code}: {count} started again\n")
    return 0


def _as_data(survey: TaskSurvey) -> dict[str, object]:
    return {
        "waiting": [
            {
                "kind": count.kind,
                "waiting": count.waiting,
                "leased": count.leased,
                "due": count.due,
                "oldest_s": count.oldest_s,
            }
            for count in survey.counts
        ],
        "given_up": [
            {
                "case": to_public("case", found.case_id),
                "merchant": found.merchant_code,
                "kind": found.kind,
                "subject": _subject(found.kind, found.subject_id),
                "since": found.opened_at.isoformat(),
                "seen": found.seen,
                "code": found.code,
            }
            for found in survey.given_up
        ],
        "more": survey.more,
    }


def _lines(survey: TaskSurvey) -> list[str]:
    lines = [f"{'waiting':24}{'open':>8}{'due now':>9}{'leased':>8}{'oldest':>9}"]
    lines += [
        f"{count.kind:24}{count.waiting:>8,}{count.due:>9,}{count.leased:>8,}"
        f"{_age(count.oldest_s):>9}"
        for count in survey.counts
    ]
    if not survey.counts:
        lines.append("nothing waits")
    if not survey.given_up:
        return [*lines, "", "nothing was given up"]
    lines += ["", "given up (start again: portal tasks restart CASE)"]
    lines += [
        f"{to_public('case', found.case_id)}  {found.opened_at:%Y-%m-%d %H:%M}Z  "
        f"{found.merchant_code}  {found.kind}  {_subject(found.kind, found.subject_id)}  "
        f"{found.code}{f' ({found.seen} times)' if found.seen > 1 else ''}"
        for found in survey.given_up
    ]
    return [*lines, *(["… and more"] if survey.more else [])]


def _subject(kind: TaskKind, subject_id: UUID) -> str:
    """What stands still; a chunk of messages has no public id."""
    name = subject_of(kind)
    return str(subject_id) if name == "chunk" else to_public(name, subject_id)


def _age(seconds: int) -> str:
    for step, unit in _STEPS:
        if seconds >= step:
            return f"{seconds // step} {unit}"
    return f"{seconds} s"
