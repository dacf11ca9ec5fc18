"""Slips and the notices about them, and a little ledger that refuses what no book may hold."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, time
from typing import Literal

from portal.domain.slip_notice import (
    NoticeKind,
    SlipFacts,
    SlipNotice,
    SlipState,
    SlipVerdict,
    judge,
)
from portal.domain.slip_number import SlipNumber, check_digit

SLIP = SlipNumber(
    maker_code="929023",
    free="252070000001234567890",
    issue=0,
    pay_until=date(2026, 12, 31),
    needs_stamp=False,
    amount_minor=8420,
)

MORNING = (date(2026, 12, 10), time(8, 26), "010", "458762")
EVENING = (date(2026, 12, 10), time(20, 35), "010", "458762")
ELSEWHERE = (date(2026, 12, 11), time(9, 8), "020", "266376")

Till = tuple[date, time, str, str]


def notice(kind: NoticeKind, till: Till = MORNING, number: SlipNumber = SLIP) -> SlipNotice:
    """What an agency says about a payment at a till; the post's way if the kind is the post's."""
    day, clock, company, store = till
    is_postal = kind in {"postal", "postal_correction"}
    return SlipNotice(
        agency="agency",
        kind=kind,
        digits=(replace(number, pay_until=None) if is_postal else number).digits(),
        received_on=day,
        received_at=None if is_postal else clock,
        company_code="911" if is_postal else company,
        store_code=store,
        amount_minor=number.amount_minor,
        paid_out_on=date(2026, 12, 25) if kind == "confirmed" else None,
    )


def mend(digits: str) -> str:
    """The same number with the check digit that it should have."""
    return f"{digits[:-1]}{check_digit(digits[:-1])}"


class Counter:
    """Takes notices one after the other, as the vault will: state, books and what it remembers."""

    def __init__(self, number: SlipNumber = SLIP, state: SlipState = "issued") -> None:
        self.facts = SlipFacts(state=state, number=number, is_replaced=state == "replaced")
        self.books: dict[str, Literal["pending", "posted", "void"]] = {}
        self.codes: list[str] = []
        self.cases: list[str] = []

    def take(self, *notices: SlipNotice) -> SlipVerdict:
        """The verdict on the last of them."""
        verdict = SlipVerdict()
        for told in notices:
            verdict = judge(self.facts, told)
            self._book(told, verdict)
            known = (*self.facts.known, told) if verdict.counts else self.facts.known
            state = verdict.edge.state if verdict.edge else self.facts.state
            self.facts = replace(self.facts, known=known, state=state)
            self.codes += [verdict.edge.code] if verdict.edge else []
            self.cases += [verdict.case] if verdict.case else []
        return verdict

    def money(self) -> dict[str, str]:
        """Taking → what stands in the books; what was taken back is no money."""
        return {taking: held for taking, held in self.books.items() if held != "void"}

    def _book(self, told: SlipNotice, verdict: SlipVerdict) -> None:
        held = self.books.get(told.taking)
        if verdict.effect == "pend":
            assert held is None, "pending twice"
            self.books[told.taking] = "pending"
        elif verdict.effect == "post":
            assert held != "posted", "posted twice"
            self.books[told.taking] = "posted"
        elif verdict.effect == "void":
            assert held == "pending", "nothing to void"
            self.books[told.taking] = "void"


def book(notices: Iterable[SlipNotice]) -> Counter:
    """A slip to which all these were told."""
    counter = Counter()
    counter.take(*notices)
    return counter
