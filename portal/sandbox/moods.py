"""Days on which a company as a whole misbehaves: every request fares the same until it is over.

Beside the magic numbers, which single out one telephone. Set by ``POST /companies/mood``, so that a
drill, or whoever plays with the sandbox, can see how the portal takes it.
"""

import asyncio
import time
from typing import Final, Literal, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portal.sandbox.interface import ApiError, DroppedAnswer, read_form

Mood = Literal["well", "slow", "busy", "down", "error", "drop", "hang"]
"""``slow``: it answers after a while. ``busy``: 429. ``down``: 503. ``error``, ``drop`` and
``hang`` do what they were asked to and then answer 500, break the connection off, or say nothing
for longer than anybody waits (what a half-open connection looks like)."""

SLOW_S: Final = 1.5
HANG_S: Final = 12.0
MOOD_MAX_S: Final = 3600.0


class Moods:
    """Which company is in which mood, and until when."""

    def __init__(self) -> None:
        """All are well."""
        self._moods: dict[str, tuple[Mood, float]] = {}

    @property
    def browser_routes(self) -> list[Route]:
        """Where a mood is set."""
        return [Route("/companies/mood", self.set, methods=["POST"])]

    async def set(self, request: Request) -> Response:
        """POST /companies/mood: ``company``, ``mood``, ``seconds``; 422 for a mood unknown here."""
        form = await read_form(request)
        mood = next((one for one in get_args(Mood) if one == form.get("mood")), None)
        try:
            seconds = float(form.get("seconds", "0"))
        except ValueError:
            seconds = -1.0
        if mood is None or not 0 <= seconds <= MOOD_MAX_S:
            raise ApiError(422, "no_mood")
        self._moods[form.get("company", "")] = (mood, time.monotonic() + seconds)
        return JSONResponse({"mood": mood})

    def of(self, company: str) -> Mood:
        """How a company is now."""
        mood, until = self._moods.get(company, ("well", 0.0))
        return mood if time.monotonic() < until else "well"

    async def before(self, company: str) -> Mood:
        """What comes before a request is looked at: a wait or a refusal (429, 503)."""
        mood = self.of(company)
        if mood == "busy":
            raise ApiError(429, "too_many_requests", {"retry-after": "1"})
        if mood == "down":
            raise ApiError(503, "unavailable")
        if mood == "slow":
            await asyncio.sleep(SLOW_S)
        return mood

    async def after(self, mood: Mood) -> Response | None:
        """What becomes of the answer when all was done; None: it goes out as it is."""
        if mood == "error":
            raise ApiError(500, "internal")
        if mood == "drop":
            return DroppedAnswer()
        if mood == "hang":
            await asyncio.sleep(HANG_S)
        return None
