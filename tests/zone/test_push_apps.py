"""A merchant's own app: whose devices are told, and that no token goes to another app's house.

``set_app`` is said twice. That each app's devices go under its own credential alone is shown where
the relay is, in ``test_push_http2.py``.
"""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Literal

import pytest

from portal.contract.message import SET_CHANNEL, SetChannel
from portal.contract.push import (
    FORGET_PUSH,
    REGISTER_DEVICE,
    SET_APP,
    DeviceRegistered,
    ForgetPush,
    RegisterDevice,
    SetApp,
)
from portal.domain.errors import Conflict, InvalidInput, NotFound
from portal.domain.ids import BillId, DeliveryId
from tests.make.pushes import a_pushing_workshop, ask_for_push
from tests.make.vault import Ground, found_merchant
from tests.make.workshop import MERCHANT, Workshop, phones

SENDING = {"message.send_chunk"}
TOKEN = "device-of-taro-0000000001"


@pytest.fixture
async def shop(ground: Ground) -> AsyncGenerator[Workshop]:
    async with a_pushing_workshop(ground) as made:
        yield made


async def set_app(
    shop: Workshop, name: str, *, code: str = MERCHANT, provider: Literal["fcm", "apns"] = "fcm"
) -> str:
    operator = await shop.ground.client("operator")
    request = SetApp(merchant_code=code, provider=provider, app=name)
    return (await operator.call(SET_APP, request)).before


async def register(shop: Workshop, customer: str) -> DeviceRegistered:
    request = RegisterDevice(customer_no=customer, kind="fcm", token=TOKEN)
    return await shop.web.call(REGISTER_DEVICE, request, shop.staff)


async def send(shop: Workshop, bill_id: BillId) -> tuple[str, str]:
    await shop.rows("update delivery set created_at = created_at - interval '2 days' returning id")
    await ask_for_push(shop, bill_id)
    return await go_on(shop)


async def go_on(shop: Workshop) -> tuple[str, str]:
    """What is planned is tried now; what became of the last."""
    await shop.be_due()
    await shop.rows("update delivery set not_before = null where channel = 'push' returning id")
    await shop.work_off(SENDING)
    rows = await shop.rows("select state, code from delivery where channel = 'push' order by id")
    return rows[-1]["state"], rows[-1]["code"]


async def test_a_device_is_told_by_the_app_that_registered_it_and_by_no_other(
    shop: Workshop,
) -> None:
    # given: a device with the installation's app
    await shop.issued(phones(1))
    await shop.work_off(SENDING)
    (bill,) = await shop.rows("select id, number from bill")
    bill_id, customer = BillId(bill["id"]), bill["number"].replace("B-", "C")
    first = await register(shop, customer)
    assert await send(shop, bill_id) == ("accepted", "")
    taken = len(shop.journal.pushes.taken())

    # when: the merchant gets an app of its own
    assert [await set_app(shop, "minato.app") for _ in range(2)] == ["", "minato.app"]

    # then: the old app's device is reached no more
    with pytest.raises(Conflict, match="channel_unreachable"):
        await ask_for_push(shop, bill_id)

    # the new app says its token, and the relay, whose rules have no such app, sends nothing
    again = await register(shop, customer)
    assert (again.is_new, again.device.id) == (False, first.device.id)
    assert again.device.registered_at >= first.device.registered_at
    assert await send(shop, bill_id) == ("planned", "push_app_not_listed")
    assert len(shop.journal.pushes.taken()) == taken
    await what_is_refused_waits_until_the_app_is_set_once_more(shop)

    # no other merchant can have it, and at another service the name is another's to have
    await nobody_else_has_it(shop)

    # set back, the device has to say itself once more
    assert [await set_app(shop, "") for _ in range(2)] == ["minato.app", ""]
    with pytest.raises(Conflict, match="channel_unreachable"):
        await ask_for_push(shop, bill_id)
    await register(shop, customer)
    assert await go_on(shop) == ("accepted", "")
    assert len(shop.journal.pushes.taken()) == taken + 1
    await who_registered_since_is_there(shop, again)


async def what_is_refused_waits_until_the_app_is_set_once_more(shop: Workshop) -> None:
    """When the third message in a row is refused, nothing is tried; put right, it goes at once."""
    await shop.rows(
        "update sender_hold set messages = array[gen_random_uuid(), gen_random_uuid()] returning 1"
    )
    await go_on(shop)
    (hold,) = await shop.rows("select refusals, channel, provider, code from sender_hold")
    assert tuple(hold.values()) == (2, "push", "fcm", "push_app_not_listed")
    tried = "select tries from delivery where channel = 'push' order by id desc limit 1"
    before = await shop.rows(tried)
    for _ in range(3):
        assert await go_on(shop) == ("planned", "push_app_not_listed")
    assert await shop.rows(tried) == before
    assert await shop.rows("select refusals from sender_hold") == [{"refusals": 2}]
    assert await set_app(shop, "minato.app") == "minato.app"
    assert await shop.rows("select 1 from sender_hold") == []


async def nobody_else_has_it(shop: Workshop) -> None:
    operator = await shop.ground.client("operator")
    await found_merchant(operator, "mizu")
    with pytest.raises(Conflict, match="app_taken"):
        await set_app(shop, "minato.app", code="mizu")
    assert await set_app(shop, "minato.app", code="mizu", provider="apns") == ""
    assert await set_app(shop, "mizu.app", code="mizu") == ""
    for name, code, refusal in (
        ("Mizu App", "mizu", InvalidInput),
        ("../mizu", "mizu", InvalidInput),
        ("nobody.app", "nobody", NotFound),
    ):
        with pytest.raises(refusal):
            await set_app(shop, name, code=code)
    road = SetChannel(merchant_code=MERCHANT, channel="push", provider="fcm", sender="", share=30)
    await operator.call(SET_CHANNEL, road)  # says nothing of the app
    assert await set_app(shop, "minato.app") == "minato.app"


async def who_registered_since_is_there(shop: Workshop, known: DeviceRegistered) -> None:
    """What Apple knew of a device before it registered again ends nothing."""
    (told,) = await shop.rows(
        "update delivery set state = 'redeemed' where id = (select id from delivery"
        " where channel = 'push' order by id desc limit 1) returning id"
    )
    (device,) = await shop.rows("select id, created_at from push_subscription")
    assert device["id"] == known.device.id
    relay = await shop.ground.client("egress")
    for seconds, left in ((-1, 1), (1, 0), (1, 0)):
        gone = ForgetPush(
            host="fcm.sandbox.test",
            delivery_id=DeliveryId(told["id"]),
            gone_since=device["created_at"] + timedelta(seconds=seconds),
        )
        await relay.call(FORGET_PUSH, gone)
        assert len(await shop.rows("select id from push_subscription")) == left
