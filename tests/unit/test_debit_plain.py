"""Debits judged by kind: what is done to thousands at once is what the rules say of each."""

from collections.abc import Iterator
from itertools import product
from typing import get_args

from portal.domain import debit, payment
from portal.domain.bill import BillSums, Lifecycle, Settlement, settlement_of
from portal.domain.debit import DebitState
from portal.domain.debit_plain import Kind, Plain, judge_kind
from portal.domain.payment import LIVE, AttemptState
from portal.domain.zengin.result import Cause

CAUSES: tuple[Cause | None, ...] = (None, *get_args(Cause))


def kinds() -> Iterator[Kind]:
    """Every kind that a line could be of."""
    for cause, line, attempt, lifecycle, settlement, owes in product(
        CAUSES, get_args(DebitState), get_args(AttemptState), get_args(Lifecycle),
        get_args(Settlement), (True, False),
    ):  # fmt: skip
        yield Kind(
            cause=cause, debit=line, attempt=attempt, lifecycle=lifecycle, settlement=settlement,
            owes_all=owes,
        )  # fmt: skip


PLAIN: dict[Kind, Plain] = {kind: plain for kind in kinds() if (plain := judge_kind(kind))}


def a_kind(cause: Cause | None, **other: object) -> Kind:
    """A line that waits for its bank, over all that its open bill owes."""
    values: dict[str, object] = {
        "cause": cause, "debit": "in_file", "attempt": "processing", "lifecycle": "open",
        "settlement": "unpaid", "owes_all": True,
    }  # fmt: skip
    return Kind(**(values | other))  # type: ignore[arg-type]


def test_what_banks_say_of_nearly_all_lines_is_plain() -> None:
    usual = ("debited", "no_funds", "no_account", "stopped_by_payer", "no_mandate", None)

    assert [cause for cause in usual if a_kind(cause) not in PLAIN] == []


def test_every_edge_taken_for_a_kind_is_one_of_the_tables() -> None:
    for kind, plain in PLAIN.items():
        event = "withdraw" if kind.cause is None else debit.EVENTS[kind.cause]
        assert plain.debit == debit.DEBITS[kind.debit, event]
        assert plain.attempt in {
            edge for (state, _), edge in payment.TRANSITIONS.items() if state == kind.attempt
        }
        assert plain.attempt.state == ("succeeded" if plain.settled else "failed")
        assert plain.decline == debit.DECLINES.get(plain.debit.state)


def test_money_is_booked_for_a_kind_only_where_a_bill_owes_just_that() -> None:
    paid = {kind: plain for kind, plain in PLAIN.items() if plain.settled or plain.sides}

    assert {kind.cause for kind in paid} == {"debited"}
    assert {kind.owes_all for kind in paid} == {True}
    assert {kind.settlement for kind in paid} == {"unpaid"}
    assert {kind.lifecycle for kind in paid} == {"open", "overdue", "lapsed"}
    for plain in paid.values():
        assert sum(side.sign for side in plain.sides) == 0, "it balances at any amount"
        sums = dict.fromkeys(("receivable", "in_transit"), 0) | {"receivable": 8_420}
        for side in plain.sides:
            sums[side.account] += side.sign * 8_420
        after = BillSums(**sums, paid=8_420, taken=8_420)
        assert plain.settled is not None
        assert settlement_of(after) == plain.settled.state


def test_doubts_late_money_and_bills_that_are_being_canceled_are_nobodys_routine() -> None:
    for kind in PLAIN:
        assert kind.attempt in LIVE
        assert kind.lifecycle != "canceling"
        assert kind.debit in {"in_file", "unknown"}
        assert kind.cause is None or debit.EVENTS[kind.cause] != "doubt"
    for odd in (
        a_kind("debited", lifecycle="canceled"),
        a_kind("debited", owes_all=False),
        a_kind("debited", settlement="settled"),
        a_kind("debited", debit="withdrawn"),
        a_kind("no_funds", attempt="succeeded"),
        a_kind("other"),
    ):
        assert judge_kind(odd) is None, odd
