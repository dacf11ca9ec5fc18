"""Two refunds of one payment: one at a time is in doubt; what remains is what its company keeps.

Some companies know no refunds, only the amount that is left: which of two went back shows by that.
"""

from uuid import UUID

import pytest

from portal.contract.refund import (
    RECORD_REFUND_FINDING,
    VIEW_REFUND,
    RecordRefundFinding,
    RefundDue,
    RefundView,
    ViewRefund,
)
from portal.contract.work import FAIL_TASK, FailTask, Leased
from portal.domain.errors import TryLater
from portal.domain.refund import WAIT_S
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, new_world
from tests.make.refunds import Counter, new_counter, paid
from tests.make.vault import ClientFor


@pytest.fixture
async def counter(vault: VaultServer, client_for: ClientFor) -> Counter:
    return await new_counter(await new_world(vault, client_for))


async def remaining(counter: Counter, refund: RefundView) -> int:
    """What an inquiry about the refund is told that its company keeps."""
    await counter.age(refund, 2_000)
    lease, *_ = [
        one for one in await counter.world.leases()
        if one.kind == "payment.refund_inquire" and one.subject_id == refund.id
    ]  # fmt: skip
    request = ViewRefund(refund_id=refund.id)
    return (await counter.world.work.call(VIEW_REFUND, request, lease.authority)).remaining_minor


async def test_a_second_refund_waits_while_nobody_knows_of_the_first(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    first = await counter.ask(bill, attempt, 3000)
    second = await counter.ask(bill, attempt, 2000)
    leases = {one.subject_id: one for one in await counter.world.leases()}
    assert (await counter.begin(leases[first.id])).fresh
    await counter.answered(leases[first.id], "unknown")

    with pytest.raises(TryLater, match="refund_waits"):
        await counter.begin(leases[second.id])
    assert await counter.state(second) == "reserved"
    given_back = FailTask(code="refund_waits", retry_in_s=0.0)
    await counter.world.work.call(FAIL_TASK, given_back, leases[second.id].authority)
    assert await counter.world.value("select max(tries) from task") == 0, "waiting is no failure"

    assert await counter.inquired(first, "succeeded") == "succeeded"
    async with counter.world.act() as act:
        await act.db.execute("update task set next_at = $1", act.now)
    begun = await counter.begin(await counter.lease("payment.refund"))
    assert (begun.fresh, begun.remaining_minor) == (True, AMOUNT - 5000)


async def test_what_remains_leaves_out_what_its_company_never_heard_of(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    await counter.ask(bill, attempt, 1000, way="bank_transfer")
    first = await counter.ask(bill, attempt, 3000)
    lease = await counter.lease("payment.refund")
    await counter.ask(bill, attempt, 2000)  # set aside, and not sent yet

    begun = await counter.begin(lease)
    await counter.answered(lease, "unknown")

    assert begun.remaining_minor == AMOUNT - 3000
    assert await remaining(counter, first) == AMOUNT - 3000


async def test_a_refund_that_failed_is_looked_back_for_by_what_it_would_have_left(
    counter: Counter,
) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt, 3000)
    await counter.sent("unknown")
    await counter.inquired(refund, "not_found", minutes=20)
    assert await counter.inquired(refund, "not_found") == "failed"

    assert await remaining(counter, refund) == AMOUNT - 3000


async def never_received(counter: Counter) -> tuple[UUID, UUID, RefundView]:
    """A payment, and a refund of it that was given up; its look back is still to come."""
    bill, attempt = await paid(counter.world)
    lost = await counter.ask(bill, attempt, 3000)
    await counter.sent("unknown")
    await counter.inquired(lost, "not_found", minutes=20)
    assert await counter.inquired(lost, "not_found") == "failed"
    return bill, attempt, lost


async def look_back(counter: Counter, lost: RefundView) -> Leased:
    await counter.age(lost, 2_000)
    [lease] = [one for one in await counter.world.leases() if one.subject_id == lost.id]
    return lease


async def viewed(counter: Counter, lease: Leased) -> RefundDue:
    request = ViewRefund(refund_id=lease.subject_id)  # type: ignore[arg-type]
    return await counter.world.work.call(VIEW_REFUND, request, lease.authority)


async def test_an_answer_that_comes_beside_it_leaves_the_look_back_to_come(
    counter: Counter,
) -> None:
    bill, attempt = await paid(counter.world)
    lost = await counter.ask(bill, attempt, 3000)
    sending = await counter.lease("payment.refund")
    await counter.begin(sending)
    await counter.answered(sending, "unknown")
    await counter.inquired(lost, "not_found", minutes=20)
    assert await counter.inquired(lost, "not_found") == "failed"

    assert await counter.deposited(sending, 404, {"code": "not_found"}) is None

    due = await viewed(counter, await look_back(counter, lost))
    assert (due.settled, await counter.state(lost)) == (False, "failed")


async def test_nobody_looks_back_for_a_refund_while_another_is_in_doubt(counter: Counter) -> None:
    bill, attempt, lost = await never_received(counter)
    again = await counter.ask(bill, attempt, 3000)
    await counter.sent("unknown")
    await counter.age(again, -30)  # its inquiry is not due

    lease = await look_back(counter, lost)

    with pytest.raises(TryLater, match="refund_waits") as waits:
        await viewed(counter, lease)
    assert waits.value.retry_after_s > WAIT_S, "it waits until something is learned of the other"


async def test_a_look_back_that_another_refund_overtook_is_not_believed(counter: Counter) -> None:
    bill, attempt, lost = await never_received(counter)
    lease = await look_back(counter, lost)
    due = await viewed(counter, lease)

    await counter.ask(bill, attempt, 3000)
    sending = await counter.lease("payment.refund")
    assert (await counter.begin(sending)).fresh
    finding = RecordRefundFinding(
        refund_id=lost.id, state="succeeded", amount_minor=3000, provider_ref="", code="",
        remaining_minor=due.remaining_minor,
    )  # fmt: skip
    with pytest.raises(TryLater, match="refund_waits"):
        await counter.world.work.call(RECORD_REFUND_FINDING, finding, lease.authority)
    told = {"status": "succeeded"}
    assert await counter.deposited(lease, 200, told) == "refund_waits"
    await counter.answered(sending, "succeeded")
    with pytest.raises(TryLater, match="refund_waits"):
        await counter.world.work.call(RECORD_REFUND_FINDING, finding, lease.authority)
    # Asked before the other moved, and heard after it.
    assert await counter.deposited(lease, 200, told, age_ms=300_000) == "refund_waits"

    assert await counter.state(lost) == "failed"
    assert await counter.world.cases() == ["refund_failed"]


async def test_what_remains_is_below_nothing_once_others_gave_all_of_it_back(
    counter: Counter,
) -> None:
    bill, attempt, lost = await never_received(counter)
    await counter.limit(AMOUNT * 2)
    await counter.ask(bill, attempt, AMOUNT)
    await counter.sent("succeeded")

    assert (await viewed(counter, await look_back(counter, lost))).remaining_minor == -3000
