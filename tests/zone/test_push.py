"""Notifications from the button to the locked screen: real vault, real relay, three services."""

from collections.abc import AsyncGenerator

import pytest

from portal.domain.ids import BillId
from tests.make.pushes import (
    a_pushing_workshop,
    ask_for_push,
    payer_links,
    payer_of,
    remind_here,
)
from tests.make.vault import Ground
from tests.make.workshop import Workshop, phones

SENDING = {"message.send_chunk"}


@pytest.fixture
async def shop(ground: Ground) -> AsyncGenerator[Workshop]:
    async with a_pushing_workshop(ground) as made:
        yield made


async def pushed(shop: Workshop) -> list[tuple[str, str]]:
    rows = await shop.rows("select state, code from delivery where channel = 'push' order by id")
    return [(row["state"], row["code"]) for row in rows]


async def one_bill(shop: Workshop, number: int = 0) -> BillId:
    await shop.issued(phones(1, number))
    await shop.work_off(SENDING)
    rows = await shop.rows("select id from bill order by id desc limit 1")
    return BillId(rows[0]["id"])


async def test_a_payer_who_pressed_the_button_is_told_on_the_locked_screen(shop: Workshop) -> None:
    # given
    bill_id = await one_bill(shop)
    payer = await payer_of(shop, payer_links(shop)[-1])
    browser = await remind_here(shop, payer)

    # when
    for _ in range(2):
        await ask_for_push(shop, bill_id)
        await shop.work_off(SENDING)

    # then
    assert await pushed(shop) == [("accepted", "")] * 2
    (shown,) = shop.journal.pushes.shown(after=0, token=None, limit=10)
    assert browser.endpoint.endswith(shown["token"])
    assert shown["title"] == "みなと電力"
    assert "8,420" not in shown["body"]
    assert "http://localhost:8080/p/minato/" in shown["link"]
    assert len(shop.journal.pushes.taken()) == 2
