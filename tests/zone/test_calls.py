"""Calls from the button to the keypad: real vault, real relay, a company that asks what to say.

What is tried here of ``answer_call`` and ``record_call``: each step twice, out of order, forged.
"""

from collections.abc import AsyncGenerator

import pytest

from portal.vault.server import VaultServer
from tests.make.calls import bills_by_phone, called, delivery_ends, have_calls
from tests.make.vault import Ground
from tests.make.workshop import Workshop, a_workshop


@pytest.fixture
async def shop(ground: Ground, vault: VaultServer) -> AsyncGenerator[Workshop]:
    del vault
    async with a_workshop(ground) as made:
        await have_calls(await ground.client("operator"))
        yield made


async def test_a_payer_picks_up_proves_who_they_are_and_has_the_link_sent(shop: Workshop) -> None:
    phone = "09012340001"
    bills = await bills_by_phone(shop, [phone])
    telephone = await called(shop, phone, bills[phone])

    greeting = await telephone.do("answer")
    assert "みなと電力" in greeting
    assert "8420" not in greeting + await telephone.do("keys", "1")
    assert "違います" in await telephone.do("keys", "9999")
    facts = await telephone.do("keys", phone[-4:])
    assert all(fact in facts for fact in ("2026年11月分", "8420円", "1月31日"))
    assert "山田" not in facts
    sent = await telephone.do("keys", "1")
    assert "SMS" in sent
    assert await telephone.do("keys", "1") == sent
    assert await telephone.do("keys", "2") == facts
    await telephone.do("hang_up")

    assert await delivery_ends(shop, bills[phone], "delivered") == "call_told"
    await shop.work_off({"message.send_chunk"})
    texts = [text for text in shop.texts() if text["recipient"] == "+81" + phone[1:]]
    assert len(texts) == 2
    assert all("/p/minato/" in text["body"] for text in texts)
