"""The demo's payers open what is theirs: never the bill whose page is shown to the reader."""

import asyncio

import httpx
import pytest

from portal.stack.crowd import Crowd
from portal.stack.inbox import Message
from portal.stack.payers import Phone


class OnePost(Phone):
    """A phone with the same messages at every first look, and none after."""

    async def messages(self, after: int = 0, limit: int = 100) -> tuple[Message, ...]:
        """Ten messages to two people, in turn."""
        del limit
        people = ("09000000001", "09000000002")
        return tuple(
            Message(seq=seq, to=people[seq % 2], text="", link=f"https://x.test/{people[seq % 2]}")
            for seq in range(after + 1, 11)
        )


async def test_what_goes_to_the_reader_is_opened_by_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[str] = []
    all_seen = asyncio.Event()

    async def visit(_self: Crowd, link: str, _mood: float) -> None:
        opened.append(link)
        if len(opened) == 5:
            all_seen.set()

    monkeypatch.setattr(Crowd, "_visit", visit)
    async with httpx.AsyncClient() as outside:
        phone = OnePost(outside, "https://x.test")
        crowd = Crowd(phone, per_s=1e6, share=1.0, spared="09000000001")
        running = asyncio.create_task(crowd.run())
        async with asyncio.timeout(10):
            await all_seen.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert opened == ["https://x.test/09000000002"] * 5
