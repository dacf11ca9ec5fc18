"""A refund whose company was away or busy: nothing was sent, so it is sent again, once a try."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import msgspec
import pytest

from portal.contract.client import VaultClient
from portal.contract.company_word import CompanyAsked
from portal.contract.refund import (
    DEPOSIT_REFUND_ANSWER,
    REDEEM_REFUND,
    RETURN_REFUND,
    DepositRefundAnswer,
    RedeemRefund,
    RefundBegun,
    ReturnRefund,
)
from portal.domain.errors import Conflict, PortalError
from portal.domain.ids import RefundId
from portal.kit.outbound.wire import OutboundAnswer
from portal.vault.server import VaultServer
from tests.make import gmopg
from tests.make.money import AMOUNT, new_world
from tests.make.refunds import Counter, new_counter, paid
from tests.make.vault import ClientFor


@pytest.fixture
async def counter(vault: VaultServer, client_for: ClientFor) -> Counter:
    return await new_counter(await new_world(vault, client_for))


async def come_due(counter: Counter) -> None:
    """Let the task that sends again be due: what waiting does, without waiting."""
    async with counter.world.act() as act:
        await act.db.execute("update task set next_at = now() where kind = 'payment.refund'")


@pytest.mark.parametrize("code", ["provider_away", "provider_busy"])
async def test_what_was_not_sent_is_sent_again_and_goes_back_once(
    counter: Counter, code: str
) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt)

    assert await counter.sent("refused", ref="", code=code) == "reserved"
    assert not [one for one in await counter.world.leases() if one.kind == "payment.refund"]
    assert await counter.world.cases() == []

    await come_due(counter)
    assert await counter.sent("succeeded") == "succeeded"
    assert (await counter.of_bill(bill)).refunds[0].id == refund.id
    assert await counter.world.books(bill) == {}


async def test_only_the_submission_that_was_not_sent_can_say_so(counter: Counter) -> None:
    """Its second word, once another worker has begun, would free a refund that is on its way."""
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt)
    first = await counter.lease("payment.refund")
    await counter.begin(first)
    await counter.answered(first, "refused", code="provider_away")
    await come_due(counter)
    second = await counter.lease("payment.refund")
    assert (await counter.begin(second)).fresh

    with pytest.raises(PortalError, match="lease_lost"):
        await counter.answered(first, "refused", code="provider_away")

    assert await counter.state(refund) == "submitting"
    assert not (await counter.begin(second)).fresh


async def test_it_can_be_withdrawn_while_it_waits(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt)
    await counter.sent("refused", ref="", code="provider_away")

    assert (await counter.decide(refund, "withdraw")).state == "withdrawn"

    await come_due(counter)
    lease = await counter.lease("payment.refund")
    assert not (await counter.begin(lease)).fresh
    assert await counter.world.books(bill) == {"billed": -AMOUNT, "in_transit": AMOUNT}


async def test_after_a_day_it_fails_and_a_person_looks(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt)
    async with counter.world.act() as act:
        await act.db.execute(
            "update refund set asked_at = asked_at - $2::interval where id = $1",
            refund.id,
            timedelta(days=1),
        )

    assert await counter.sent("refused", ref="", code="provider_away") == "failed"

    assert await counter.world.cases() == ["refund_failed"]
    assert await counter.world.books(bill) == {"billed": -AMOUNT, "in_transit": AMOUNT}


# --- the relay's word ---------------------------------------------------------------------------

HOST = "card.sandbox.test"
GMOPG = "p01.mul-pay.test"


def leave(refund: RefundId, begun: RefundBegun) -> RedeemRefund:
    """What an honest worker's request says of a refund, as the relay reads it there."""
    return RedeemRefund(
        host=HOST, refund_id=refund, reference=begun.refund_reference, payment=begun.reference,
        amount_minor=begun.amount_minor, remaining_minor=begun.remaining_minor,
    )  # fmt: skip


async def let(relay: VaultClient, asked: RedeemRefund, **other: object) -> str | None:
    """Why the relay gets no leave to send it; None when it does."""
    return (await relay.call(REDEEM_REFUND, msgspec.structs.replace(asked, **other))).refused


async def test_who_sent_it_is_not_believed_that_nothing_happened(
    counter: Counter, client_for: ClientFor
) -> None:
    relay = await client_for("egress")
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt)
    lease = await counter.lease("payment.refund")
    asked = leave(refund.id, await counter.begin(lease))
    for caller in (counter.world.work, counter.world.web):
        with pytest.raises(PortalError):
            await let(caller, asked)

    refused = [
        await let(relay, asked, **other)
        for other in (
            {"host": "sms.sandbox.test"}, {"refund_id": UUID(int=5)}, {"reference": "another"},
            {"payment": "another"}, {"amount_minor": 1}, {"remaining_minor": 1},
        )
    ]  # fmt: skip
    assert refused == ["host_wrong", "delivery_unknown", *4 * ["refund_differs"]]
    assert await let(relay, asked) is None
    assert await let(relay, asked) == "delivery_redeemed"

    assert (await counter.answered(lease, "refused", code="provider_busy")).state == "unknown"
    with pytest.raises(Conflict, match="refund_state"):
        await counter.decide(refund, "withdraw")
    back = ReturnRefund(host=HOST, refund_id=refund.id)
    assert (await relay.call(RETURN_REFUND, back)).refused == "not_due"
    assert await let(relay, asked) == "not_due"
    assert await counter.inquired(refund, "succeeded") == "succeeded"
    assert await counter.world.books(bill) == {}


async def test_what_the_relay_says_came_to_nothing_is_sent_again(
    counter: Counter, client_for: ClientFor
) -> None:
    relay = await client_for("egress")
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt)
    back = ReturnRefund(host=HOST, refund_id=refund.id)
    for _ in range(2):
        lease = await counter.lease("payment.refund")
        asked = leave(refund.id, await counter.begin(lease))
        assert await let(relay, asked) is None

        for _ in range(2):
            assert (await relay.call(RETURN_REFUND, back)).refused is None
        elsewhere = msgspec.structs.replace(back, host="sms.sandbox.test")
        assert (await relay.call(RETURN_REFUND, elsewhere)).refused == "host_wrong"
        nobodys = msgspec.structs.replace(back, refund_id=RefundId(UUID(int=5)))
        assert (await relay.call(RETURN_REFUND, nobodys)).refused == "delivery_unknown"
        assert (await counter.answered(lease, "refused", code="provider_busy")).state == "reserved"
        await come_due(counter)

    assert await counter.sent("succeeded") == "succeeded"


async def test_a_refusal_by_the_company_itself_still_ends_it(
    counter: Counter, client_for: ClientFor
) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt)
    lease = await counter.lease("payment.refund")
    asked = leave(refund.id, await counter.begin(lease))
    assert await let(await client_for("egress"), asked) is None

    assert (await counter.answered(lease, "refused", code="provider_refused")).state == "failed"


async def test_a_question_is_about_the_payment_that_the_refund_left_for(
    counter: Counter, client_for: ClientFor
) -> None:
    """Whatever is said of that payment since: this company knows a refund by its amounts alone."""
    relay, world = await client_for("egress"), await counter.world.with_company("gmopg")
    there = await new_counter(world)
    bill, attempt = await paid(world)
    refund = await there.ask(bill, attempt, 3000)
    lease = await there.lease("payment.refund")
    begun = await there.begin(lease)
    order = gmopg.paid(begun.reference)
    access = dict(parse_qsl(order.body.decode()))["AccessID"]
    altering = CompanyAsked(
        method="POST", path="/payment/ChangeTran.idPass", headers=(),
        body=f"ShopID=s&ShopPass=%7B%7B&AccessID={access}&Amount=5420",
    )  # fmt: skip
    asked = msgspec.structs.replace(leave(refund.id, begun), asked=altering)
    assert await let(relay, asked, host=GMOPG, payment=None) is None
    assert (await there.claimed(lease, "succeeded")).state == "unknown"

    async def heard(answer: OutboundAnswer, **fields: str) -> str | None:
        """Why the company's answer to a question for an order moves nothing."""
        said = {"OrderID": begun.reference, "ShopID": "s", "ShopPass": "{{credential:gmopg}}"}
        question = CompanyAsked(
            method="POST", path="/payment/SearchTrade.idPass", headers=(),
            body=urlencode(said | fields),
        )  # fmt: skip
        deposit = DepositRefundAnswer(
            host=GMOPG, refund_id=refund.id, is_submission=False, asked=question, status=200,
            body=answer.body, age_ms=0,
        )  # fmt: skip
        return (await relay.call(DEPOSIT_REFUND_ANSWER, deposit)).refused

    another = gmopg.paid(begun.reference, AccessID="0" * 32)
    for _ in range(2):
        await there.age(refund, 20)
        assert await heard(another) == "word_unreadable"
        assert await heard(gmopg.paid("another"), OrderID="another") == "word_unreadable"
    assert await there.state(refund) == "unknown"

    assert await heard(gmopg.paid(begun.reference, AMOUNT - 3000)) is None
    assert await there.state(refund) == "succeeded"


async def test_a_refund_leaves_for_no_other_payment_though_its_rule_names_no_place(
    counter: Counter, client_for: ClientFor
) -> None:
    relay, world = await client_for("egress"), await counter.world.with_company("stripe")
    there = await new_counter(world)
    bill, attempt = await paid(world)
    await world.value("update attempt set provider_ref = 'pi_1' where id = $1 returning 1", attempt)
    refund = await there.ask(bill, attempt, 3000)
    begun = await there.begin(await there.lease("payment.refund"))

    async def let_for(intent: str) -> str | None:
        said = urlencode({"payment_intent" if intent else "charge": intent, "amount": "3000"})
        request = CompanyAsked(method="POST", path="/v1/refunds", headers=(), body=said)
        asked = msgspec.structs.replace(leave(refund.id, begun), asked=request)
        return await let(relay, asked, host="api.stripe.test", payment=None)

    assert [await let_for(other) for other in ("pi_2", "")] == 2 * ["refund_differs"]
    assert await let_for("pi_1") is None
    assert await world.value("select payment_ref from refund where id = $1", refund.id) == "pi_1"


async def test_what_is_contested_since_its_submission_began_gets_no_leave(
    counter: Counter, client_for: ClientFor
) -> None:
    relay = await client_for("egress")
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt)
    lease = await counter.lease("payment.refund")
    asked = leave(refund.id, await counter.begin(lease))
    await counter.world.value(
        "insert into dispute select merchant_id, uuidv7(), bill_id, id, 'dp_9', 'opened', 1000, 0,"
        " '', null, now(), null from attempt returning id"
    )

    assert await let(relay, asked) == "not_due"

    assert (await counter.answered(lease, "refused", code="provider_away")).state == "reserved"
    await come_due(counter)
    assert not (await counter.begin(await counter.lease("payment.refund"))).fresh
    row = (await counter.world.rows("select state, code, left_at from refund"))[0]
    assert row == {"state": "failed", "code": "payment_disputed", "left_at": None}
