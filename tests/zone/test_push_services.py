"""Notifications from the button to the locked screen: real vault, real relay, three services.

``keep_push`` and ``drop_push`` are the payer's words, ``register_device``, ``remove_device`` and
``remove_devices`` those of a merchant's server, ``forget_push`` the relay's: each is said twice.
"""

from collections.abc import AsyncGenerator
from uuid import uuid4

import msgspec
import pytest

from portal.application.providers.exchange import Endpoint
from portal.contract.bills import VIEW_BILL, ViewBill
from portal.contract.envelope import Authority, Nothing
from portal.contract.ladder import SET_CONTACT_CHOICE, SetContactChoice
from portal.contract.page import VIEW_PAGE
from portal.contract.push import (
    DROP_PUSH,
    FORGET_PUSH,
    KEEP_PUSH,
    LIST_DEVICES,
    REGISTER_DEVICE,
    REMOVE_DEVICE,
    REMOVE_DEVICES,
    ForgetPush,
    KeepPush,
    ListDevices,
    RegisterDevice,
    RemoveDevice,
    RemoveDevices,
)
from portal.contract.share import ViewPage
from portal.domain.errors import Conflict, InvalidInput, NotAllowed
from portal.domain.ids import BillId, DeliveryId
from portal.domain.push import SUBSCRIPTIONS_MAX
from portal.egress.rules import Rules
from portal.stack.certify import Case, certify
from portal.stack.certify_push import OnePush
from portal.stack.push_services import push_rules
from tests.make.pushes import (
    a_pushing_workshop,
    ask_for_push,
    have_push,
    new_browser,
    payer_links,
    payer_of,
    remind_here,
)
from tests.make.vault import Ground
from tests.make.workshop import CREDENTIALS, Workshop, phones

SENDING = {"message.send_chunk"}
HOST = "push.sandbox.test"


@pytest.fixture
async def shop(ground: Ground) -> AsyncGenerator[Workshop]:
    async with a_pushing_workshop(ground) as made:
        yield made


async def pushed(shop: Workshop) -> list[tuple[str, str]]:
    rows = await shop.rows("select state, code from delivery where channel = 'push' order by id")
    return [(row["state"], row["code"]) for row in rows]


async def bills(shop: Workshop, count: int) -> dict[str, BillId]:
    """Customer number → bill, issued and told of by text message."""
    await shop.issued(phones(count))
    await shop.work_off(SENDING)
    rows = await shop.rows("select id, number from bill order by number")
    return {row["number"].replace("B-", "C"): BillId(row["id"]) for row in rows}


async def send(shop: Workshop, bill_id: BillId) -> tuple[str, str]:
    """One notification of a bill, until nothing more is done about it: state and code."""
    # Asked for on other days: a bill's message is sent again three times a day at most.
    await shop.rows("update delivery set created_at = created_at - interval '2 days' returning id")
    await ask_for_push(shop, bill_id)
    for _ in range(3):
        await shop.be_due()
        await shop.rows("update delivery set not_before = null where channel = 'push' returning id")
        await shop.work_off(SENDING)
    return (await pushed(shop))[-1]


def screens(shop: Workshop) -> list[dict[str, str]]:
    return shop.journal.pushes.shown(after=0, token=None, limit=100)


async def kept(shop: Workshop) -> int:
    return len(await shop.rows("select id from push_subscription"))


async def register(shop: Workshop, customer: str, token: str, kind: str = "fcm") -> RegisterDevice:
    request = RegisterDevice(customer_no=customer, kind=kind, token=token)  # type: ignore[arg-type]
    await shop.web.call(REGISTER_DEVICE, request, shop.staff)
    return request


async def test_a_payer_who_pressed_the_button_is_told_and_one_whose_browser_is_gone_is_not(
    shop: Workshop, ground: Ground
) -> None:
    # given
    (bill_id,) = (await bills(shop, 1)).values()
    payer = await payer_of(shop, payer_links(shop)[-1])
    seen = await shop.web.call(VIEW_BILL, ViewBill(bill_id=bill_id), shop.staff)
    assert seen.resend_channels == ("sms",)
    browser = await who_said_no_has_it_again(shop, payer, bill_id)
    for _ in range(2):
        assert (await shop.web.call(KEEP_PUSH, browser, payer)).browsers == 1

    # when / then: twice told, the second notice has taken the first one's place
    assert [await send(shop, bill_id) for _ in range(2)] == [("accepted", "")] * 2
    [shown] = screens(shop)
    assert browser.endpoint.endswith(shown["token"])
    assert shown["title"] == "みなと電力"
    assert "8,420" not in shown["body"]
    assert "山田" not in shown["body"]
    assert shown["link"].startswith("http://localhost:8080/p/minato/")
    assert len(shop.journal.pushes.taken()) == 2

    # the sum stands there only once the merchant wants it
    await have_push(await ground.client("operator"), "webpush", says_amount=True)
    await have_push(await ground.client("operator"), "webpush")
    assert await send(shop, bill_id) == ("accepted", "")
    assert "8,420円" in screens(shop)[0]["body"]

    # a service that is busy or away at first, or whose answer is lost
    wanted = {"throttled": "accepted", "unavailable": "accepted", "drops_answer": "ambiguous"}
    for fault, state in wanted.items():
        await shop.web.call(DROP_PUSH, Nothing(), payer)
        await remind_here(shop, payer, fault)
        before = len(shop.journal.pushes.taken())
        assert (await send(shop, bill_id))[0] == state, fault
        assert len(shop.journal.pushes.taken()) == before + 1

    # one that is gone is forgotten by the relay's word, and the one before has its turn
    await shop.web.call(DROP_PUSH, Nothing(), payer)
    older = await remind_here(shop, payer)
    await remind_here(shop, payer, "gone")
    assert await send(shop, bill_id) == ("accepted", "")
    assert older.endpoint.endswith(screens(shop)[-1]["token"])
    assert await kept(shop) == 1

    # nobody left: it is left out, and counts as a way that does not reach the payer
    assert (await shop.web.call(DROP_PUSH, Nothing(), payer)).removed == 1
    assert (await shop.web.call(DROP_PUSH, Nothing(), payer)).removed == 0
    with pytest.raises(Conflict, match="channel_unreachable"):
        await ask_for_push(shop, bill_id)
    await remind_here(shop, payer, "gone")
    assert await send(shop, bill_id) == ("left_out", "no_contact")
    events = {row["code"] for row in await shop.rows("select code from bill_event")}
    assert events >= {"push.kept", "push.gone", "push.dropped"}
    assert await shop.rows("select * from contact_fault") == []


async def who_said_no_has_it_again(shop: Workshop, payer: Authority, bill_id: BillId) -> KeepPush:
    """Who presses the button wants it, whatever staff had noted before."""
    browser = await remind_here(shop, payer)
    no = SetContactChoice(bill_id=bill_id, channel="push", source="telephone", is_wanted=False)
    for _ in range(2):
        await shop.web.call(SET_CONTACT_CHOICE, no, shop.staff)
    page = await shop.web.call(VIEW_PAGE, ViewPage(), payer)
    assert [one.is_wanted for one in page.reminders if one.channel == "push"] == [False]
    for _ in range(2):
        await shop.web.call(KEEP_PUSH, browser, payer)
    page = await shop.web.call(VIEW_PAGE, ViewPage(), payer)
    assert [one.is_wanted for one in page.reminders if one.channel == "push"] == [True]
    said = await shop.rows("select is_wanted, source from contact_choice order by id")
    assert [tuple(row.values()) for row in said] == [(False, "telephone"), (True, "page")]
    return browser


async def test_a_merchants_server_registers_devices_and_each_way_of_failing_ends_where_it_should(
    shop: Workshop,
) -> None:
    # given
    wanted = {
        ("fcm", "device-of-taro-0000000001"): "accepted",
        ("fcm", "gone-00000000000000000001"): "left_out",
        ("fcm", "throttled-0000000000000001"): "accepted",
        ("fcm", "unavailable-00000000000001"): "accepted",
        ("fcm", "drops-answer-0000000000001"): "ambiguous",
        ("apns", "aa" * 32): "accepted",
        ("apns", "dead" * 16): "left_out",
        ("apns", "b0b0" * 16): "accepted",
        ("apns", "cafe" * 16): "accepted",
        ("apns", "d0d0" * 16): "ambiguous",
    }
    by_customer = await bills(shop, len(wanted))

    # when
    ends: dict[tuple[str, str], str] = {}
    for (kind, token), (customer, bill_id) in zip(wanted, by_customer.items(), strict=True):
        await register(shop, customer, token, kind)
        ends[kind, token] = (await send(shop, bill_id))[0]

    # then
    assert ends == wanted
    assert {one["token"] for one in screens(shop)} == {
        token for (_, token), end in wanted.items() if end != "left_out"
    }
    assert await kept(shop) == len(wanted) - 2
    await operators_try_it_out(shop)


async def operators_try_it_out(shop: Workshop) -> None:
    """``portal provider certify``: one notification by the rules that are to be signed."""
    port = shop.outside.api_port
    browser = await new_browser(shop)
    tried = {
        "webpush": OnePush(browser.endpoint, f"{browser.p256dh} {browser.auth}"),
        "fcm": OnePush("device-of-operator-0000001"),
        "apns": OnePush("ee" * 32),
    }
    before = len(shop.journal.pushes.taken())
    rules = msgspec.to_builtins(Rules(version=1, rules=push_rules(port)))
    for (provider, push), rule in zip(tried.items(), push_rules(port), strict=True):
        case = Case(
            provider=provider, endpoint=Endpoint(rule.host, port), amount_minor=2, return_url="",
            push=push,
        )  # fmt: skip
        said: list[str] = []
        ca = shop.ground.authority.ca
        assert await certify(case, rules, CREDENTIALS, _no_page, say=said.append, sandbox_ca=ca)
        assert not [line for line in said if push.to in line]
    assert len(shop.journal.pushes.taken()) == before + 3


async def _no_page(address: str) -> None:
    raise AssertionError(address)


async def test_what_is_said_twice_is_one_and_nobody_else_can_say_it(shop: Workshop) -> None:
    # given
    customers = await bills(shop, 2)
    (first, bill_id), (second, other_bill) = customers.items()
    payer = await payer_of(shop, payer_links(shop)[0])
    mine = ListDevices(customer_no=first)

    # one more than a payer may have takes the oldest one's place; the same again is the same
    for n in range(SUBSCRIPTIONS_MAX + 1):
        for _ in range(2):
            await register(shop, first.lower(), f"device-of-taro-{n:010}")
    known = (await shop.web.call(LIST_DEVICES, mine, shop.staff)).devices
    assert len(known) == SUBSCRIPTIONS_MAX
    assert [one.id for one in known] == sorted((one.id for one in known), reverse=True)

    # another customer's is another's; removing is by id or all at once, and twice is no fault
    await register(shop, second, f"device-of-taro-{1:010}")
    one = RemoveDevice(device_id=known[0].id)
    assert (await shop.web.call(REMOVE_DEVICE, one, shop.staff)).removed == 1
    assert (await shop.web.call(REMOVE_DEVICE, one, shop.staff)).removed == 0
    ended = RemoveDevices(customer_no=first)
    assert (await shop.web.call(REMOVE_DEVICES, ended, shop.staff)).removed == SUBSCRIPTIONS_MAX - 1
    assert (await shop.web.call(REMOVE_DEVICES, ended, shop.staff)).removed == 0
    assert await kept(shop) == 1

    # a payer can have no host dialled but a push service's
    browser = await new_browser(shop)
    await no_other_host(shop, payer, browser)

    # a payer's number changed since: the browser of who had the old one is not told
    await shop.web.call(KEEP_PUSH, browser, payer)
    assert await send(shop, bill_id) == ("accepted", "")
    await shop.rows("update bill set phone_blind = '\\x00' returning id")
    with pytest.raises(Conflict, match="channel_unreachable"):
        await ask_for_push(shop, bill_id)
    await only_the_relay_is_believed(shop)
    assert other_bill != bill_id


async def no_other_host(shop: Workshop, payer: Authority, browser: KeepPush) -> None:
    for endpoint, code in (
        ("https://169.254.169.254/latest/meta-data", "push_endpoint"),
        ("https://evil.example/push/x", "push_endpoint"),
        (browser.endpoint.replace(HOST, "evil.example"), "push_host"),
        (browser.endpoint.replace(HOST, f"{HOST}.evil.example"), "push_host"),
        (browser.endpoint.replace("https", "http"), "push_endpoint"),
        (browser.endpoint.replace("/push/", "/push/../"), "push_endpoint"),
    ):
        hostile = msgspec.structs.replace(browser, endpoint=endpoint)
        with pytest.raises(InvalidInput, match=code):
            await shop.web.call(KEEP_PUSH, hostile, payer)
    with pytest.raises(InvalidInput, match="push_keys"):
        await shop.web.call(KEEP_PUSH, msgspec.structs.replace(browser, auth="AAAA"), payer)


async def only_the_relay_is_believed(shop: Workshop) -> None:
    """It says of what it has in its hands, and of its own host, that one is gone; nobody else."""
    rows = await shop.rows("select id from delivery where channel = 'push'")
    told = DeliveryId(rows[-1]["id"])
    relay = await shop.ground.client("egress")
    before = await kept(shop)
    for claim in (
        ForgetPush(host=HOST, delivery_id=told),  # it was taken
        ForgetPush(host="fcm.sandbox.test", delivery_id=told),
        ForgetPush(host=HOST, delivery_id=DeliveryId(uuid4())),
    ):
        await relay.call(FORGET_PUSH, claim)
    for zone in ("web", "work"):
        with pytest.raises(NotAllowed):
            await (await shop.ground.client(zone)).call(FORGET_PUSH, claim)
    assert await kept(shop) == before
