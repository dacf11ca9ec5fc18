"""Whatever happens to a bill, in whatever order: the books balance and the bill says what they say.

The provider of this test is not even honest: it may report any finding at any time.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from portal.contract.operator import COMPARE_JOURNAL, CompareJournal, JournalLine
from portal.contract.payment import (
    RECORD_NOTICE,
    AttemptStarted,
    Finding,
    NoticeClaim,
    RecordNotice,
)
from portal.domain.bill import advance, settlement_of
from portal.domain.errors import Conflict
from portal.vault.cancel import finish_cancel
from portal.vault.ledger import sums_of
from tests.make.money import AMOUNT, Payer, World, finding, new_world
from tests.make.vault import Cluster, fresh_ground

T = TypeVar("T")

findings = st.builds(
    finding,
    st.sampled_from(
        ["succeeded", "succeeded", "failed", "requires_action", "pending", "not_found", "unclear"]
    ),
    st.sampled_from([AMOUNT, AMOUNT, AMOUNT, AMOUNT + 1]),
    decline_code=st.sampled_from(["", "card_declined", "expired"]),
)


class AnyOrder(RuleBasedStateMachine):
    """One bill, its payer, and everything that can befall them."""

    world: ClassVar[World]
    runner: ClassVar[asyncio.Runner]
    payer: Payer
    started: list[AttemptStarted]
    notices: int

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T | None:
        """Do it; a conflict is an answer, anything else is a failure of the test."""
        try:
            return self.runner.run(coroutine)
        except Conflict:
            return None

    @initialize()
    def issue(self) -> None:
        self.payer = self.runner.run(self.world.payer())
        self.started = [self.runner.run(self.world.start(self.payer, "first"))]
        self.notices = 0

    @rule(key=st.sampled_from("abcdef"))
    def click(self, key: str) -> None:
        started = self.run(self.world.start(self.payer, key))
        if started is not None and started.fresh:
            self.started.append(started)

    @rule(data=st.data(), outcome=st.sampled_from(["accepted", "accepted", "refused", "unknown"]))
    def answer(self, data: st.DataObject, outcome: str) -> None:
        started = data.draw(st.sampled_from(self.started))
        self.run(self.world.submitted(self.payer, started, outcome=outcome))

    @rule(data=st.data(), found=findings)
    def find(self, data: st.DataObject, found: Finding) -> None:
        started = data.draw(st.sampled_from(self.started))
        self.run(self.world.told(self.payer, started.attempt_id, found))

    @rule(data=st.data(), found=findings)
    def find_twice_at_once(self, data: st.DataObject, found: Finding) -> None:
        started = data.draw(st.sampled_from(self.started))

        async def twice() -> None:
            await asyncio.gather(
                *(self.world.told(self.payer, started.attempt_id, found) for _ in range(2))
            )

        self.run(twice())

    @rule(data=st.data(), said=st.sampled_from(["succeeded", "failed", "expired"]))
    def notify(self, data: st.DataObject, said: str) -> None:
        started = data.draw(st.sampled_from(self.started))
        self.notices += data.draw(st.integers(0, 1))  # the same notice again, or a new one
        claim = NoticeClaim(
            notice_id=f"{self.payer.bill_id.hex}-{self.notices}",
            subject="attempt",
            reference=started.reference,
            claim=said,
            at=None,
        )
        request = RecordNotice(
            merchant_code=self.world.code, provider="sandbox_card", raw=b"{}", claims=(claim,)
        )
        self.run(self.world.web.call(RECORD_NOTICE, request))

    @rule(found=findings)
    def work(self, found: Finding) -> None:
        async def truth(_: object) -> Finding:
            return found

        self.run(self.world.worked(truth))

    @rule(data=st.data(), minutes=st.sampled_from([0.5, 2, 16, 61, 60 * 25]))
    def wait(self, data: st.DataObject, minutes: float) -> None:
        started = data.draw(st.sampled_from(self.started))
        self.run(self.world.age(started.attempt_id, minutes))

    @rule()
    def cancel(self) -> None:
        self.run(self._cancel())

    async def _cancel(self) -> None:
        bill_id = self.payer.bill_id
        async with self.world.act() as act:
            lifecycle = await act.db.fetchval(
                "select lifecycle from bill where id = $1 for update", bill_id
            )
            edge = advance(lifecycle, "cancel")
            await act.db.execute(
                "update bill set lifecycle = $2 where id = $1", bill_id, edge.state
            )
            await finish_cancel(act, bill_id)

    @invariant()
    def the_books_balance_and_the_bill_says_what_they_say(self) -> None:
        if hasattr(self, "payer"):
            self.runner.run(self._check())

    async def _check(self) -> None:
        bill_id = self.payer.bill_id
        async with self.world.act() as act:
            sums = await sums_of(act, bill_id)
            bill = await act.db.fetchrow("select * from bill where id = $1", bill_id)
            states = [
                row["state"]
                for row in await act.db.fetch(
                    "select state from attempt where bill_id = $1", bill_id
                )
            ]
            unbalanced = await act.db.fetchval(
                "select count(*) from (select 1 from ledger_entry group by transaction_id"
                " having sum(amount_minor) <> 0) x"
            )
        assert bill is not None
        assert unbalanced == 0
        assert bill["settlement"] == settlement_of(sums)
        assert sums.in_transit == AMOUNT * states.count("succeeded")
        assert (bill["paid_at"] is not None) == ("succeeded" in states)
        live = {"created", "submitting", "requires_action", "processing", "unknown"}
        assert sum(state in live for state in states) <= 1
        if bill["lifecycle"] == "canceled":
            assert sums.receivable == 0
            assert not live & set(states)

    def teardown(self) -> None:
        """At the end the provider's journal and ours agree, item by item."""
        if hasattr(self, "payer"):
            self.runner.run(self._settle_up())

    async def _settle_up(self) -> None:
        bill_id = self.payer.bill_id
        query = "select id, reference, state, amount_minor from attempt where bill_id = $1"
        for row in await self.world.rows(query, bill_id):
            if row["state"] not in {"succeeded", "failed", "expired"}:
                await self.world.told(self.payer, row["id"], finding("failed"))
        lines = tuple(
            JournalLine(
                reference=row["reference"], state=row["state"], amount_minor=row["amount_minor"]
            )
            for row in await self.world.rows(query, bill_id)
        )
        compared = await self.world.operator.call(
            COMPARE_JOURNAL,
            CompareJournal(
                merchant_code=self.world.code, provider="sandbox_card", lines=lines, last=False
            ),
        )
        assert compared.differences == ()
        assert compared.attempts == len(lines)


@pytest.mark.timeout(400)  # fifty shuffles of thirty steps, each checked
def test_any_order_of_events_keeps_the_books_and_the_bill_at_one(cluster: Cluster) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def begin() -> World:
            ground = await stack.enter_async_context(fresh_ground(cluster))
            server = await stack.enter_async_context(ground.vault())
            return await new_world(server, ground.client)

        AnyOrder.runner = runner
        try:
            AnyOrder.world = runner.run(begin())
            run_state_machine_as_test(
                AnyOrder,
                settings=settings(
                    max_examples=50,
                    stateful_step_count=30,
                    deadline=None,
                    suppress_health_check=[HealthCheck.too_slow],
                ),
            )
        finally:
            runner.run(stack.aclose())
