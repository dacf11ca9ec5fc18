"""What a file may do to bills that are there: by the bill's states, and by its rows' words."""

from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any, get_args

import pytest

from portal.domain.bill import WITHDRAWN, Lifecycle, Settlement
from portal.domain.bill_change import (
    ACTIONS,
    ChangeAction,
    ChangedBill,
    Live,
    judge_change,
    live_of,
    path_of,
)
from portal.domain.errors import InvalidInput
from portal.domain.intake.columns import read_header
from portal.domain.intake.judge import Judge, Rules
from portal.domain.intake.row import BillChange, BillRequest

HEADER = "処理区分,number,contract_no,kind,period,replaces"
JUDGE = Judge(read_header(HEADER.encode(), "utf-8").columns, Rules(today=date(2026, 11, 28)))
FULL = HEADER + ",customer_no,payer_name,phone,amount,due_on"
FULL_JUDGE = Judge(read_header(FULL.encode(), "utf-8").columns, Rules(today=date(2026, 11, 28)))
PERSON = ["12345678", "山田", "09012345678", "8420", "2026-12-10"]


def bills() -> list[ChangedBill]:
    """Bills of every kind that there can be."""
    states = product(get_args(Lifecycle), get_args(Settlement), get_args(Live), (True, False))
    return [
        ChangedBill(lifecycle=lifecycle, settlement=money, live=live, is_part_paid=part)
        for lifecycle, money, live, part in states
    ]


@pytest.mark.parametrize("action", get_args(ChangeAction))
def test_only_bills_without_any_money_are_moved_and_all_of_these_can_be(
    action: ChangeAction,
) -> None:
    for bill in bills():
        verdict = judge_change(action, bill)

        is_free = bill.settlement == "unpaid" and bill.live != "payment" and not bill.is_part_paid
        assert (verdict == "do") == (is_free and bill.lifecycle not in WITHDRAWN), bill
        if verdict == "do" and (bill.lifecycle, bill.live) != ("scheduled", "number"):
            after, codes = path_of(action, bill.lifecycle, bill.live)
            held = bill.live == "number"
            over = "superseded" if action == "replace" else "canceled"
            assert after == ("canceling" if held else over)
            assert ("bill.canceled" in codes) == (after == "canceled")
            assert ("bill.replacement_asked" in codes) == (held and action == "replace")
            assert ("bill.paid_elsewhere" in codes) == (action == "paid_elsewhere")
            again = judge_change(action, replace(bill, lifecycle=after))
            assert again == ("change_withdrawn" if action == "replace" else "known")


@pytest.mark.parametrize(
    ("methods", "live"),
    [
        ([], "none"), (["number"], "number"), (["number", "number"], "number"),
        (["number", "card"], "payment"), (["wallet"], "payment"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("action", get_args(ChangeAction))
def test_a_number_that_somebody_holds_is_no_payment_on_its_way(
    methods: list[str], live: Live, action: ChangeAction
) -> None:
    bill = ChangedBill(
        lifecycle="open", settlement="unpaid", live=live_of(methods), is_part_paid=False
    )

    assert bill.live == live
    told = {"none": "do", "number": "do", "payment": "change_under_way"}
    assert judge_change(action, bill) == told[live]
    assert judge_change(action, replace(bill, settlement="provisional")) == "change_under_way"


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["取消", "E-1", "C-1", "", "2026年11月", ""], ("cancel", "E-1", "2026-11")),
        (["Paid_Elsewhere", "E-1", "C-1", "", "202611", ""], ("paid_elsewhere", "E-1", "2026-11")),
        (["cancel", "", "C-1", "", "2026-11", ""], ["number empty"]),
        (["cancel", "E-1", "C-1", "", "2026-13", ""], ["period period_malformed"]),
        (["delete", "E-1", "C-1", "", "2026-11", ""], "action unknown_action"),
        (["", "E-1", "C-1", "", "2026-11", ""], "amount empty"),
    ],
)
def test_a_row_that_withdraws_needs_what_finds_the_bill_and_no_more(
    cells: list[str],
    found: Any,  # noqa: ANN401
) -> None:
    verdict = JUDGE.judge(2, cells)

    if isinstance(verdict, BillChange):
        assert (verdict.action, verdict.number, verdict.period) == found
    else:
        assert isinstance(verdict, tuple)
        faults = [f"{fault.column} {fault.code}" for fault in verdict]
        assert faults == found if isinstance(found, list) else found in faults


@pytest.mark.parametrize(
    ("action", "replaces", "fault"),
    [
        ("replace", "E-1", ""),
        ("差替", "", "replaces empty"),
        ("replace", "E-2", "replaces replaces_itself"),
        ("", "E-1", "action action_missing"),
    ],
)
def test_a_row_that_replaces_is_a_whole_request_and_names_the_other(
    action: str, replaces: str, fault: str
) -> None:
    verdict = FULL_JUDGE.judge(2, [action, "E-2", "C-1", "", "2026-11", replaces, *PERSON])

    if fault:
        assert isinstance(verdict, tuple)
        assert [f"{one.column} {one.code}" for one in verdict] == [fault]
    else:
        assert isinstance(verdict, BillRequest)
        assert (verdict.number, verdict.replaces, verdict.amount_minor) == ("E-2", "E-1", 8420)


def test_a_header_needs_less_with_actions_and_no_replacement_without() -> None:
    with pytest.raises(InvalidInput, match="column_missing"):
        read_header(b"number,contract_no,period", "utf-8")
    with pytest.raises(InvalidInput) as refused:
        read_header(FULL.removeprefix("処理区分,").encode(), "utf-8")
    assert refused.value.params == {"columns": "action"}
    assert ACTIONS[""] == "bill"
