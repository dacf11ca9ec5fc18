"""Two refunds of one payment: one at a time is in doubt; what remains is what its company keeps.

Some companies know no refunds, only the amount that is left: which of two went back shows by that.
"""

import pytest

from portal.contract.refund import VIEW_REFUND, RefundView, ViewRefund
from portal.contract.work import FAIL_TASK, FailTask
from portal.domain.errors import TryLater
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
