"""Billing digitally: agreed, beside paper, without it, and back; tables of cases."""

import pytest

from portal.domain.digital import (
    PARALLEL_BILLS,
    TABLE,
    Billing,
    DigitalEvent,
    ends_parallel,
    move,
    paper_at_issue,
)
from portal.domain.errors import Conflict

STATES: tuple[Billing, ...] = ("none", "paper", "parallel", "digital")
EVENTS: tuple[DigitalEvent, ...] = ("agree", "confirm", "convert", "take_back")


def test_what_is_not_in_the_table_cannot_happen() -> None:
    for state in STATES:
        for event in EVENTS:
            if (state, event) in TABLE:
                assert move(state, event) == TABLE[state, event]
            else:
                with pytest.raises(Conflict, match="billing_state"):
                    move(state, event)


def test_nobody_is_billed_without_paper_at_a_contact_that_was_not_verified() -> None:
    for (state, event), edge in TABLE.items():
        if edge.state == "digital":
            with pytest.raises(Conflict, match="billing_unverified"):
                move(state, event, is_verified=False)
        else:
            assert move(state, event, is_verified=False) == edge


def test_every_way_to_digital_begins_with_the_payers_yes_and_leads_back_to_paper() -> None:
    assert {edge.state for (state, _), edge in TABLE.items() if state in {"none", "paper"}} == {
        "parallel"
    }
    assert move("digital", "take_back").state == "paper"
    assert move("parallel", "take_back").state == "paper"


@pytest.mark.parametrize(
    ("seen", "is_verified", "ends"),
    [
        (PARALLEL_BILLS - 1, True, False), (PARALLEL_BILLS, True, True),
        (PARALLEL_BILLS, False, False),
    ],
)  # fmt: skip
def test_the_parallel_run_ends_by_itself_once_enough_was_read_at_a_verified_contact(
    seen: int,
    is_verified: bool,  # noqa: FBT001  # a case
    ends: bool,  # noqa: FBT001  # a case
) -> None:
    assert ends_parallel(seen, is_verified=is_verified) is ends


@pytest.mark.parametrize(
    ("state", "is_verified", "why"),
    [
        ("none", True, None), ("paper", True, "returned"), ("parallel", True, "parallel"),
        ("digital", True, None), ("digital", False, "unverified"),
    ],
)  # fmt: skip
def test_a_bill_is_printed_at_its_issue_as_its_contract_is_billed(
    state: Billing,
    is_verified: bool,  # noqa: FBT001  # a case
    why: str | None,
) -> None:
    assert paper_at_issue(state, is_verified=is_verified) == why


@pytest.mark.parametrize(
    ("state", "is_verified", "why"),
    [
        ("none", True, None), ("paper", True, "returned"), ("parallel", True, "no_message"),
        ("digital", True, "no_message"), ("digital", False, "unverified"),
    ],
)  # fmt: skip
def test_a_bill_without_paper_is_printed_where_the_plan_has_no_message_for_it(
    state: Billing,
    is_verified: bool,  # noqa: FBT001  # a case
    why: str | None,
) -> None:
    assert paper_at_issue(state, is_verified=is_verified, has_message=False) == why
