"""The sandbox's companies from outside: what they wrote down of messages, and how they feel.

Stack only; HTTP on loopback as everybody outside has it.
"""

from typing import Final

import httpx
import msgspec

_TIMEOUT_S: Final = 60.0


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

    async def told(self) -> dict[str, int]:
        """Every telephone that got something, with how many messages were taken for it."""
        answer = (await self._client.get("/phone/told.json")).raise_for_status()
        return msgspec.json.decode(answer.content, type=dict[str, int])

    async def set_mood(self, company: str, mood: str, seconds: float) -> None:
        """Have a company misbehave for a while; see portal.sandbox.moods."""
        wanted = {"company": company, "mood": mood, "seconds": str(seconds)}
        (await self._client.post("/companies/mood", data=wanted)).raise_for_status()
