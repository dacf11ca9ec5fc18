"""Steps name every kind of task, and control can know them without knowing the application."""

import subprocess
import sys
from dataclasses import is_dataclass
from typing import get_args

from portal.domain.task import LANES, TaskKind
from worker.lanes import STEPS
from worker.queue.arq_queue import JOB_TIMEOUT_S
from worker.tasks.run import RUN_GRACE_S, TASKS


def test_every_kind_of_task_has_a_step_and_somebody_who_does_it() -> None:
    kinds = set(get_args(TaskKind))

    assert set(STEPS) == set(TASKS) == set(LANES) == kinds
    for kind, step in STEPS.items():
        assert step.kind == kind
        assert step.lane == LANES[kind]
        assert is_dataclass(step.params)
        assert is_dataclass(step.output)


def test_a_step_gives_its_task_back_before_the_queue_cuts_it_off() -> None:
    assert max(step.run_s for step in STEPS.values()) + RUN_GRACE_S < JOB_TIMEOUT_S


def test_lanes_are_known_without_the_application_or_the_data_api() -> None:
    probe = (
        "import sys, worker.lanes;"
        "print([m for m in sys.modules if m.startswith(('portal.application', 'portal.contract',"
        " 'worker.tasks', 'arq'))])"
    )

    found = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "[]"


def test_tasks_stay_within_twenty_lines() -> None:
    for task in TASKS.values():
        code = task.__code__
        last = max(line for _, _, line in code.co_lines() if line)
        assert last - code.co_firstlineno < 20, task.__qualname__
