"""Refunds of one payment, in any order and with any fate, where only the kept amount tells them.

The company is a model with one figure; adapter and rules are the real ones.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal.application.providers import gmopg
from portal.application.providers.exchange import Endpoint, RefundWanted
from portal.domain.money import Money
from portal.domain.refund import HOLDING, RefundState
from portal.domain.refund_finding import RefundFacts, judge
from portal.kit.outbound.wire import OutboundAnswer
from tests.make.gmopg import paid

REFERENCE = "01JD0000000000000000000001"
SHOP = Endpoint("pt01.mul-pay.jp", 443, ("tshop00012345", "page01"))
START = datetime(2026, 11, 22, 3, tzinfo=UTC)
PAID = 6

Fate = Literal["told", "untold", "never received"]


@dataclass
class Refund:
    """One of ours, and whether the company really made it."""

    amount: int
    state: RefundState = "reserved"
    is_made: bool = False


class Payment:
    """A payment at the company, which keeps one figure of it, and our refunds of it."""

    def __init__(self) -> None:
        self.kept = PAID
        self.last = PAID
        self.refunds: list[Refund] = []

    def held(self, *states: RefundState) -> int:
        return sum(one.amount for one in self.refunds if one.state in (states or HOLDING))

    def wanted(self, refund: Refund) -> RefundWanted:
        others = self.held("pending", "succeeded")
        others -= refund.amount if refund.state in {"pending", "succeeded"} else 0
        return RefundWanted(
            refund_id=UUID(int=9),
            reference=REFERENCE, provider_ref="p-1", refund_reference="", account="mizu",
            amount=Money(refund.amount), remaining=Money(PAID - others - refund.amount),
        )  # fmt: skip

    def look(self) -> OutboundAnswer:
        """What the company says of the order; taken back, it names what went last."""
        if self.kept:
            return paid(REFERENCE, self.kept)
        return paid(REFERENCE, self.last, Status="RETURN")

    def send(self, amount: int, fate: Fate) -> None:
        """A refund leaves, and its answer may be lost."""
        refund = Refund(amount)
        self.refunds.append(refund)
        wanted = self.wanted(refund)
        exchange = gmopg.ADAPTER.refund(SHOP, wanted)
        assert exchange.then is not None
        assert exchange.then(self.look()) is not None, "the order is as we believe it to be"
        refund.state = "unknown"
        if fate != "never received":
            self.last, self.kept = self.kept, wanted.remaining.amount_minor
            refund.is_made = True
        if fate == "told":
            refund.state = "succeeded"
        for minutes in (20, 25):
            self.inquire(refund, minutes, missing=20)

    def inquire(self, refund: Refund, minutes: int, missing: int | None = None) -> None:
        found = gmopg.ADAPTER.inquire_refund(SHOP, self.wanted(refund)).read(self.look())
        facts = RefundFacts(
            state=refund.state, amount_minor=refund.amount, doubt_at=START, asked=0,
            missing_at=START + timedelta(minutes=missing) if missing else None,
            room_minor=PAID - self.held(),
        )  # fmt: skip
        now = START + timedelta(minutes=minutes)
        verdict = judge(facts, found.state, found.amount_minor, "", now)
        assert verdict.case in {None, "refund_failed"}, "no false alarm"
        if verdict.edge is not None:
            refund.state = verdict.edge.state


@settings(max_examples=150, deadline=None)
@given(
    asked=st.lists(
        st.tuples(
            st.integers(1, PAID), st.sampled_from(("told", "untold", "never received"))
        ),
        max_size=7,
    ),
    looks=st.lists(st.integers(0, 6), max_size=6),
)  # fmt: skip
@example(asked=[(PAID, "never received"), (PAID, "told")], looks=[0])
@example(asked=[(2, "never received"), (2, "untold"), (2, "told")], looks=[0])
@example(asked=[(2, "told"), (4, "never received"), (4, "untold")], looks=[0])
def test_what_we_believe_went_back_is_what_the_company_gave_back(
    asked: list[tuple[int, Fate]], looks: list[int]
) -> None:
    payment = Payment()

    for amount, fate in asked:
        if amount <= PAID - payment.held():
            payment.send(amount, fate)
    for number in looks:
        ended = [one for one in payment.refunds if one.state == "failed"]
        if ended:
            payment.inquire(ended[number % len(ended)], 1_500)

    assert payment.held() == PAID - payment.kept
    assert all((one.state == "succeeded") == one.is_made for one in payment.refunds)
    assert all(one.state in {"succeeded", "failed"} for one in payment.refunds)
