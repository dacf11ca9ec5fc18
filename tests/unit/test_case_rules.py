"""What can be done about a case, by whom, and when nothing is left to be done."""

import ast
from pathlib import Path
from typing import get_args

import pytest

from portal.domain import payment
from portal.domain.case import (
    CHOICES,
    OF_TASKS,
    SUBJECTS,
    CaseAction,
    CaseFacts,
    CaseKind,
    Role,
    check_note,
    choices_of,
    choose,
    has_moved_on,
)
from portal.domain.errors import Conflict, InvalidInput, NotAllowed
from portal.domain.task import TaskKind

KINDS: tuple[CaseKind, ...] = get_args(CaseKind)
ACTIONS: tuple[CaseAction, ...] = get_args(CaseAction)
VAULT = Path(__file__).parents[2] / "portal/vault"


def test_every_kind_has_choices_and_a_subject() -> None:
    assert set(CHOICES) == set(SUBJECTS) == set(KINDS)
    assert all(CHOICES.values())


def test_every_task_that_can_be_given_up_and_every_finding_has_a_kind() -> None:
    assert {f"{OF_TASKS}{task}" for task in get_args(TaskKind)} == {
        kind for kind in KINDS if kind.startswith(OF_TASKS)
    }
    assert set(get_args(payment.AttemptCase)) <= set(KINDS)


def test_no_case_is_opened_of_a_kind_that_nobody_can_settle() -> None:
    opened = {
        call.args[0].value
        for path in VAULT.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "open_case"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }

    assert "overpaid" in opened
    assert opened <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["owner", "clerk", None])
@pytest.mark.parametrize("moved_on", [False, True])
def test_what_is_offered_is_just_what_is_taken(
    kind: CaseKind, role: Role | None, *, moved_on: bool
) -> None:
    offered = {choice.action: choice for choice in choices_of(kind, role, moved_on=moved_on)}
    for action in ACTIONS:
        if action in offered:
            assert choose(kind, action, role, moved_on=moved_on) == offered[action]
            continue
        with pytest.raises((Conflict, NotAllowed)):
            choose(kind, action, role, moved_on=moved_on)


@pytest.mark.parametrize("kind", KINDS)
def test_an_owner_and_a_system_can_always_close_a_case(kind: CaseKind) -> None:
    for moved_on in (False, True):
        actions = {choice.action for choice in choices_of(kind, "owner", moved_on=moved_on)}

        assert actions & {"settled_by_hand", "let_be"}
        assert choices_of(kind, None, moved_on=moved_on) == choices_of(
            kind, "owner", moved_on=moved_on
        )


@pytest.mark.parametrize("kind", KINDS)
def test_a_clerk_can_say_nothing_that_only_people_know(kind: CaseKind) -> None:
    for moved_on in (False, True):
        choices = choices_of(kind, "clerk", moved_on=moved_on)

        assert all(choice.for_clerks and not choice.needs_note for choice in choices)
        assert "settled_by_hand" not in {choice.action for choice in choices}


def test_refusals_say_what_is_wrong() -> None:
    with pytest.raises(Conflict, match="case_moved_on"):
        choose("task.payment.inquire", "restart", "owner", moved_on=True)
    with pytest.raises(Conflict, match="case_action"):
        choose("overpaid", "restart", "owner", moved_on=False)
    with pytest.raises(NotAllowed, match="not_allowed"):
        choose("overpaid", "settled_by_hand", "clerk", moved_on=False)
    by_hand = choose("overpaid", "settled_by_hand", "owner", moved_on=False)
    with pytest.raises(InvalidInput, match="case_note_needed"):
        check_note(by_hand, "")
    check_note(by_hand, "paid back on 1 December")


@pytest.mark.parametrize(
    ("kind", "facts", "moved_on"),
    [
        ("task.intake.accept_chunk", CaseFacts(import_state="checking", waiting=1), False),
        ("task.intake.accept_chunk", CaseFacts(import_state="receiving", waiting=1), False),
        ("task.intake.accept_chunk", CaseFacts(import_state="checking", waiting=0), True),
        ("task.intake.accept_chunk", CaseFacts(import_state="refused", waiting=1), True),
        ("task.intake.accept_chunk", CaseFacts(), True),
        ("task.intake.issue_bills", CaseFacts(import_state="issuing"), False),
        ("task.intake.issue_bills", CaseFacts(import_state="issued"), True),
        ("task.intake.issue_bills", CaseFacts(import_state="issued", waiting=1), False),
        ("task.intake.issue_bills", CaseFacts(import_state="discarded", waiting=1), True),
        ("task.intake.discard_bills", CaseFacts(import_state="discarding"), False),
        ("task.intake.discard_bills", CaseFacts(import_state="refused"), False),
        ("task.intake.discard_bills", CaseFacts(import_state="discarded"), True),
        ("task.intake.discard_bills", CaseFacts(import_state="checking"), True),
        (
            "task.intake.discard_bills",
            CaseFacts(import_state="checking", is_judged_again=True),
            False,
        ),
        ("task.message.send_chunk", CaseFacts(waiting=3), False),
        ("task.message.send_chunk", CaseFacts(waiting=0), True),
        ("task.payment.inquire", CaseFacts(attempt_state="unknown"), False),
        ("task.payment.inquire", CaseFacts(attempt_state="failed", ask_planned=True), False),
        ("task.payment.inquire", CaseFacts(attempt_state="failed"), True),
        ("task.payment.inquire", CaseFacts(), True),
        ("task.payment.pass_due", CaseFacts(), False),
        ("task.payment.pass_due", CaseFacts(has_task=True), True),
        ("attempt_unresolved", CaseFacts(attempt_state="processing"), False),
        ("attempt_unresolved", CaseFacts(attempt_state="succeeded"), True),
        ("overpaid", CaseFacts(settlement="over"), False),
        ("overpaid", CaseFacts(settlement="settled"), True),
        ("late_success", CaseFacts(), False),
        ("amount_mismatch", CaseFacts(attempt_state="failed"), False),
        ("provider_contradicts", CaseFacts(attempt_state="succeeded"), False),
    ],
)
def test_when_nothing_is_left_to_be_done(
    kind: CaseKind, facts: CaseFacts, *, moved_on: bool
) -> None:
    assert has_moved_on(kind, facts) == moved_on
