from datetime import timedelta

import pytest

from portal.contract.envelope import Nothing
from portal.contract.page import MARK_OPENED, OPEN_LINK, VIEW_PAGE, OpenLink
from portal.contract.payment import (
    VIEW_ATTEMPT,
    VIEW_INQUIRY,
    VIEW_RETURN,
    ViewAttempt,
    ViewInquiry,
    ViewReturn,
)
from portal.contract.share import ViewPage
from portal.domain.errors import Expired, NotFound
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, World, finding, new_world
from tests.make.refunds import new_counter
from tests.make.vault import ClientFor


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


async def test_a_link_opens_the_bill_and_can_be_opened_again(world: World) -> None:
    first = await world.payer()

    again = await world.open(first.bill_id, first.secret)

    assert again.page_ref == first.page_ref
    assert again.authority.capability != first.authority.capability
    assert (await world.page(again)).amount_minor == AMOUNT


async def test_the_page_shows_what_proves_it_genuine_and_masks_the_rest(world: World) -> None:
    payer = await world.payer()

    page = await world.page(payer)

    assert page.payer_hint == "山● ●子"
    assert page.customer_hint == "5678"
    assert page.check_code == "4821-77"
    assert (page.merchant.name, page.merchant.sms_sender) == ("みなと電力", "0005123456")
    assert [(line.label, line.amount_minor) for line in page.lines] == [("電気料金", AMOUNT)]
    assert (page.state, page.days_left) == ("open", 10)
    assert [(offer.method, offer.available) for offer in page.methods] == [("card", True)]
    assert page.page_ref == payer.page_ref


async def test_every_view_has_a_fresh_key_for_its_form(world: World) -> None:
    payer = await world.payer()

    keys = {(await world.page(payer)).attempt_key for _ in range(5)}

    assert len(keys) == 5


async def test_unknown_merchants_and_unknown_secrets_look_alike(world: World) -> None:
    payer = await world.payer()
    refusals = []
    for code, secret in (
        (world.code, "0" * 22),
        ("nobody", payer.secret),
        ("nobody", "0" * 22),
        (world.code, ""),
    ):
        with pytest.raises(NotFound) as refused:
            await world.web.call(OPEN_LINK, OpenLink(merchant_code=code, secret=secret))
        refusals.append((refused.value.code, refused.value.params))

    assert set(map(str, refusals)) == {str(("link_unknown", {}))}


async def test_a_revoked_link_is_an_unknown_one(world: World) -> None:
    payer = await world.payer()
    await world.value("update link set revoked_at = now() where bill_id = $1 returning 1",
                      payer.bill_id)  # fmt: skip

    with pytest.raises(NotFound, match="link_unknown"):
        await world.open(payer.bill_id, payer.secret)


async def test_an_expired_link_says_so(world: World) -> None:
    bill_id, secret = await world.bill(link_days=-1)

    with pytest.raises(Expired, match="link_expired"):
        await world.open(bill_id, secret)


async def test_opening_is_noted_once_and_looking_alone_is_not(world: World) -> None:
    payer = await world.payer()
    await world.page(payer)
    query = "select opened_at from bill where id = $1"
    before = await world.value(query, payer.bill_id)

    await world.web.call(MARK_OPENED, Nothing(), payer.authority)
    first = await world.value(query, payer.bill_id)
    await world.web.call(MARK_OPENED, Nothing(), payer.authority)

    assert before is None
    assert first is not None
    assert await world.value(query, payer.bill_id) == first


@pytest.mark.parametrize(("days", "state"), [(10, "open"), (2, "due_soon"), (-3, "overdue")])
async def test_the_page_follows_the_calendar(world: World, days: int, state: str) -> None:
    today = world.server.clock.business_today("Asia/Tokyo")
    payer = await world.payer(due=today + timedelta(days=days))

    assert (await world.page(payer)).state == state


@pytest.mark.parametrize(
    ("lifecycle", "state"),
    [
        ("canceling", "canceled"),
        ("canceled", "canceled"),
        ("superseded", "superseded"),
        ("lapsed", "lapsed"),
    ],
)
async def test_a_withdrawn_bill_says_so_and_offers_nothing(
    world: World, lifecycle: str, state: str
) -> None:
    payer = await world.payer(lifecycle=lifecycle)

    page = await world.page(payer)

    assert page.state == state
    assert [offer.reason for offer in page.methods] == ["not_payable"]


async def test_a_paid_page_is_a_receipt(world: World) -> None:
    payer = await world.payer()
    await world.paid(payer)

    page = await world.page(payer)

    assert page.state == "paid"
    assert page.paid_at is not None
    assert page.attempt is not None
    assert page.attempt.approval_no == "A1"


@pytest.mark.parametrize("amount", [3000, AMOUNT])
async def test_a_paid_page_says_what_is_on_its_way_back_and_then_that_it_went(
    world: World, amount: int
) -> None:
    counter, payer = await new_counter(world), await world.payer()
    attempt_id = await world.paid(payer)
    seen = [await world.page(payer)]

    await counter.ask(payer.bill_id, attempt_id, amount, reason="goodwill")
    seen.append(await world.page(payer))
    await counter.sent()
    seen.append(await world.page(payer))

    backs = [(page.given_back_minor, page.on_its_way_back_minor) for page in seen]
    assert backs == [(0, 0), (0, amount), (amount, 0)]
    assert {(page.state, page.amount_minor) for page in seen} == {("paid", AMOUNT)}


async def test_a_refused_refund_leaves_the_page_as_it_was(world: World) -> None:
    counter, payer = await new_counter(world), await world.payer()
    await counter.ask(payer.bill_id, await world.paid(payer), 3000, reason="goodwill")

    await counter.sent("refused", ref="", code="provider_refused")

    page = await world.page(payer)
    assert (page.given_back_minor, page.on_its_way_back_minor) == (0, 0)


async def test_a_refund_by_bank_transfer_is_on_its_way_until_it_is_recorded(world: World) -> None:
    counter, payer = await new_counter(world), await world.payer()
    attempt_id = await world.paid(payer)
    refund = await counter.ask(
        payer.bill_id, attempt_id, 3000, reason="goodwill", way="bank_transfer"
    )
    before = await world.page(payer)

    await counter.transferred(refund, world.server.clock.business_today("Asia/Tokyo"))

    after = await world.page(payer)
    assert (before.given_back_minor, before.on_its_way_back_minor) == (0, 3000)
    assert (after.given_back_minor, after.on_its_way_back_minor) == (3000, 0)


async def test_the_page_shows_the_live_attempt_before_a_newer_dead_one(world: World) -> None:
    payer = await world.payer()
    first = await world.start(payer, "one")
    await world.submitted(payer, first)
    await world.told(payer, first.attempt_id, finding("failed"))
    await world.paid(payer, "two")

    page = await world.page(payer)

    assert page.attempt is not None
    assert page.attempt.state == "succeeded"


async def test_coming_back_in_another_browser_shows_the_attempt(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)

    back = await world.web.call(
        VIEW_RETURN, ViewReturn(merchant_code=world.code, return_token=started.return_token)
    )

    assert (back.attempt_id, back.page_ref) == (started.attempt_id, payer.page_ref)
    now = await world.web.call(
        VIEW_ATTEMPT, ViewAttempt(attempt_id=back.attempt_id), back.authority
    )
    assert now.attempt.state == "requires_action"
    assert (await world.web.call(VIEW_PAGE, ViewPage(), back.authority)).amount_minor == AMOUNT


async def test_whoever_asks_the_provider_is_told_what_it_calls_the_payment(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    request = ViewReturn(merchant_code=world.code, return_token=started.return_token)
    assert (await world.web.call(VIEW_RETURN, request)).provider_ref == ""

    await world.submitted(payer, started)
    await world.age(started.attempt_id, minutes=5)

    assert (await world.web.call(VIEW_RETURN, request)).provider_ref == "cs_1"
    [lease] = await world.leases()
    due = await world.work.call(
        VIEW_INQUIRY, ViewInquiry(attempt_id=started.attempt_id), lease.authority
    )
    assert due.provider_ref == "cs_1"


async def test_only_who_may_submit_gets_a_return_token(world: World) -> None:
    payer = await world.payer()
    count = "select count(*) from return_token"
    started = await world.start(payer, "one")
    assert (started.fresh, await world.value(count)) == (True, 1)

    again = await world.start(payer, "one")
    await world.submitted(payer, started)
    resumed = await world.start(payer, "two")

    for reply in (again, resumed):
        assert (reply.attempt_id, reply.fresh) == (started.attempt_id, False)
        assert reply.return_token == ""
    assert await world.value(count) == 1


async def test_a_return_token_is_stored_only_hashed_and_dies(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    request = ViewReturn(merchant_code=world.code, return_token=started.return_token)
    stored = await world.value("select token_hash from return_token")

    await world.value("delete from return_token returning 1")
    with pytest.raises(NotFound, match="return_unknown"):
        await world.web.call(VIEW_RETURN, request)
    await world.value(
        "insert into return_token select merchant_id, $1::bytea, id, bill_id, now() from attempt"
        " returning 1", stored,
    )  # fmt: skip
    with pytest.raises(Expired, match="return_expired"):
        await world.web.call(VIEW_RETURN, request)

    assert started.return_token.encode() not in stored


async def test_an_authority_of_a_page_ends(world: World) -> None:
    payer = await world.payer()
    life_s = payer.authority.expires_at - world.server.clock.wall().timestamp()

    assert 0 < life_s <= 4 * 3600
