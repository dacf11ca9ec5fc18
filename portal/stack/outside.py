"""The sandbox's companies from outside: what they wrote down of messages, and how they feel.

Stack only; HTTP on loopback as everybody outside has it.
"""

import asyncio
from typing import Final

import httpx
import msgspec

_TIMEOUT_S: Final = 60.0
_WAIT_S: Final = 300.0
_LOOK_S: Final = 0.2


class _Count(msgspec.Struct, frozen=True):
    taken: int


class _Taken(msgspec.Struct, frozen=True):
    at: float


class _Page(msgspec.Struct, frozen=True):
    messages: tuple[_Taken, ...]


class Outside:
    """Reads the witness' book of messages and sets a company's mood."""

    def __init__(self, browser_origin: str) -> None:
        """``browser_origin`` is the sandbox's."""
        self._client = httpx.AsyncClient(
            base_url=browser_origin, timeout=_TIMEOUT_S, trust_env=False
        )

    async def close(self) -> None:
        """End its connections."""
        await self._client.aclose()

    async def taken(self) -> int:
        """How many messages the companies have taken in all."""
        answer = (await self._client.get("/phone/count.json")).raise_for_status()
        return msgspec.json.decode(answer.content, type=_Count).taken

    async def taken_at(self, telephone: str, *, since: float) -> float:
        """When a company took the first message for a telephone at or after ``since``.

        Units: seconds since 1970, as the company wrote it down. Raises TimeoutError.
        """
        async with asyncio.timeout(_WAIT_S):
            while True:
                wanted = {"to": telephone, "limit": "10"}
                answer = await self._client.get("/phone/messages.json", params=wanted)
                page = msgspec.json.decode(answer.raise_for_status().content, type=_Page)
                later = [one.at for one in page.messages if one.at >= since]
                if later:
                    return min(later)
                await asyncio.sleep(_LOOK_S)

    async def set_mood(self, company: str, mood: str, seconds: float) -> None:
        """Have a company misbehave for a while; see portal.sandbox.moods."""
        wanted = {"company": company, "mood": mood, "seconds": str(seconds)}
        (await self._client.post("/companies/mood", data=wanted)).raise_for_status()
