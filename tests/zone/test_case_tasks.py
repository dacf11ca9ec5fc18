"""The operator's view over all merchants' tasks, and starting again what was given up."""

import asyncio
import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from portal.contract.case import (
    LIST_CASES,
    RESTART_CASE,
    SURVEY_TASKS,
    ListCases,
    RestartCase,
    TaskSurvey,
)
from portal.contract.client import VaultClient
from portal.contract.envelope import Nothing
from portal.contract.work import FAIL_TASK, FailTask, Leased
from portal.domain.errors import Conflict, NotAllowed, NotFound
from portal.domain.ids import CaseId, to_public
from portal.kit import limits
from portal.stack.tasks import run_list, run_restart
from portal.vault.server import VaultServer
from tests.make.acts import acting
from tests.make.intake import Desk, csv, line, new_desk
from tests.make.vault import ClientFor, Ground


async def survey(operator: VaultClient) -> TaskSurvey:
    return await operator.call(SURVEY_TASKS, Nothing())


async def give_up(desk: Desk, leased: Leased) -> None:
    async with acting(desk.server, desk.merchant_id) as act:
        await act.db.execute(
            "update task set tries = $1 where state = 'leased'", limits.TASK_TRIES_MAX - 1
        )
    why = FailTask(code="task_broke", retry_in_s=0)
    assert (await desk.work.call(FAIL_TASK, why, leased.authority)).gave_up


async def stuck(desk: Desk) -> UUID:
    made = await desk.upload(csv(line("E-1")))
    (leased,) = await desk.leases("intake.accept_chunk")
    await give_up(desk, leased)
    return made.id


async def test_what_was_given_up_is_listed_with_its_merchant_the_oldest_first(
    vault: VaultServer, client_for: ClientFor
) -> None:
    first, second = [await new_desk(vault, client_for, code) for code in ("minato", "aozora")]
    import_id = await stuck(first)
    await stuck(second)

    seen = await survey(first.operator)

    assert [line.merchant_code for line in seen.given_up] == ["minato", "aozora"]
    mine = seen.given_up[0]
    assert (mine.kind, mine.subject_id) == ("intake.accept_chunk", import_id)
    assert (mine.seen, mine.code) == (1, "task_broke")
    assert seen.more is False
    assert seen.counts == ()


async def test_what_waits_is_counted_by_kind_with_the_oldest(
    vault: VaultServer, client_for: ClientFor
) -> None:
    desk = await new_desk(vault, client_for)
    async with acting(vault, desk.merchant_id) as act:
        for _ in range(3):
            await act.plan_task("message.send_chunk", uuid4())
        await act.plan_task("payment.inquire", uuid4(), due_in_s=600)
    async with acting(vault, desk.merchant_id) as act:
        await act.db.execute(
            "update task set planned_at = planned_at - interval '1 hour'"
            " where kind = 'payment.inquire'"
        )
    await desk.leases("message.send_chunk")
    async with acting(vault, desk.merchant_id) as act:
        await act.plan_task("message.send_chunk", uuid4())

    counts = {count.kind: count for count in (await survey(desk.operator)).counts}

    messages, inquiries = counts["message.send_chunk"], counts["payment.inquire"]
    assert (messages.waiting, messages.leased, messages.due) == (1, 3, 1)
    assert (inquiries.waiting, inquiries.leased, inquiries.due) == (1, 0, 0)
    assert inquiries.oldest_s >= 3_600


async def test_the_operator_restarts_a_case_of_any_merchant_once(
    vault: VaultServer, client_for: ClientFor
) -> None:
    await new_desk(vault, client_for, "aozora")
    desk = await new_desk(vault, client_for)
    import_id = await stuck(desk)
    (line,) = (await survey(desk.operator)).given_up
    request = RestartCase(case_id=line.case_id)

    done = await desk.operator.call(RESTART_CASE, request)

    assert (done.merchant_code, done.kind) == ("minato", "task.intake.accept_chunk")
    assert done.tasks_planned == 1
    with pytest.raises(Conflict, match="case_closed"):
        await desk.operator.call(RESTART_CASE, request)
    assert (await survey(desk.operator)).given_up == ()
    await desk.work_off()
    assert (await desk.view(import_id)).state == "checked"
    closed = ListCases(is_open=False, kinds=(), first=10, after=None)
    (case,) = (await desk.web.call(LIST_CASES, closed, desk.staff)).cases
    assert (case.closed_by, case.resolution) == ("operator", "restart")


async def test_the_operator_restarts_nothing_but_tasks(
    vault: VaultServer, client_for: ClientFor
) -> None:
    desk = await new_desk(vault, client_for)
    async with acting(vault, desk.merchant_id) as act:
        case_id = CaseId(await act.open_case("late_success", uuid4()))

    with pytest.raises(Conflict, match="case_action"):
        await desk.operator.call(RESTART_CASE, RestartCase(case_id=case_id))
    with pytest.raises(NotFound, match="not_found"):
        await desk.operator.call(RESTART_CASE, RestartCase(case_id=CaseId(uuid4())))
    with pytest.raises(NotAllowed):
        await desk.web.call(RESTART_CASE, RestartCase(case_id=case_id))
    with pytest.raises(NotAllowed):
        await desk.work.call(SURVEY_TASKS, Nothing())


@pytest.fixture
def at_the_vault(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command line as an operator has it beside a vault of production; a folder of no stack."""
    cert, key = ground.authority.zone("operator")
    values = {
        "SOCKET": ground.folder / "vault.sock",
        "CERT": cert,
        "KEY": key,
        "CA": ground.authority.ca,
    }
    for name, value in values.items():
        monkeypatch.setenv(f"PORTAL_OPERATOR_{name}", str(value))
    return ground.folder / "no-stack"


async def test_the_command_line_lists_and_restarts(
    vault: VaultServer,
    client_for: ClientFor,
    at_the_vault: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    desk = await new_desk(vault, client_for)
    import_id = await stuck(desk)
    async with acting(vault, desk.merchant_id) as act:
        await act.plan_task("message.send_chunk", uuid4(), due_in_s=600)

    assert await asyncio.to_thread(run_list, at_the_vault, as_json=True) == 1
    told = json.loads(capsys.readouterr().out)
    (found,) = told["given_up"]
    assert found["subject"] == to_public("import", import_id)
    assert (found["merchant"], found["code"]) == ("minato", "task_broke")
    assert [(one["kind"], one["waiting"]) for one in told["waiting"]] == [("message.send_chunk", 1)]
    assert await asyncio.to_thread(run_list, at_the_vault, as_json=False) == 1
    assert found["case"] in capsys.readouterr().out

    assert await asyncio.to_thread(run_restart, at_the_vault, found["case"]) == 0

    assert capsys.readouterr().out == ("task.intake.accept_chunk of minato: 1 task started again\n")
    assert await asyncio.to_thread(run_list, at_the_vault, as_json=False) == 0
    assert "nothing was given up" in capsys.readouterr().out
    with pytest.raises(NotFound):
        await asyncio.to_thread(run_restart, at_the_vault, "case_nonsense")


def test_without_a_stack_the_command_says_so(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no stack is running"):
        run_list(tmp_path, as_json=False)
