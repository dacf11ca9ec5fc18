"""``GET /d/events``: what a screen shows as it moves, by server-sent events.

Zone: application. A screen's news are looked up with the viewer's own authority, at most once a
second however many tabs are open, and sent only when they changed. The stream ends with the
session. What a stream needs lives as long as the stream; no authority is kept beyond it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from portal.application.doors.context import RequestContext, staff_context
from portal.application.doors.encoding import JsonResponse
from portal.domain.errors import LimitReached, NotFound, PortalError, TryLater, Unknown

POLL_S: Final = 1.0
HEARTBEAT_S: Final = 15.0
STREAMS_MAX: Final = 500
STREAMS_PER_SCREEN_MAX: Final = 6
RECONNECT_MS: Final = 3000

News = Mapping[str, object]
"""What a screen's script needs to show the present state; JSON values only."""

Screen = Callable[[RequestContext, str], Awaitable[News]]
"""Looks a screen up: the viewer's context and the id of what it shows, or an empty string."""


@dataclass(slots=True)
class Feed:
    """The latest news of one screen of one viewer, looked up by whoever asks first each second."""

    streams: int = 0
    latest: bytes = b""
    looked_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self, screen: Screen, context: RequestContext, subject: str) -> bytes:
        """The news, at most POLL_S old."""
        async with self.lock:
            now = asyncio.get_running_loop().time()
            if now - self.looked_at >= POLL_S:
                news = await screen(context.renewed(), subject)
                self.latest = b"data: " + orjson.dumps(news) + b"\n\n"
                self.looked_at = now
            return self.latest


class Feeds:
    """The streams of this process; bounded, and empty when nobody looks."""

    def __init__(self, screens: Mapping[str, Screen]) -> None:
        """``screens`` are those that can be followed, by name."""
        self.screens = screens
        self._feeds: dict[bytes, Feed] = {}
        self._streams = 0

    def join(self, key: bytes) -> Feed:
        """One stream more; raises LimitReached ``streams_many``."""
        feed = self._feeds.get(key) or Feed()
        if self._streams >= STREAMS_MAX or feed.streams >= STREAMS_PER_SCREEN_MAX:
            raise LimitReached("streams_many", params={"retry_after_s": 10})
        self._feeds[key] = feed
        self._streams += 1
        feed.streams += 1
        return feed

    def leave(self, key: bytes) -> None:
        """One stream less."""
        feed = self._feeds[key]
        self._streams -= 1
        feed.streams -= 1
        if not feed.streams:
            del self._feeds[key]


@dataclass(frozen=True, slots=True)
class Follower:
    """Who follows what."""

    context: RequestContext
    screen: Screen
    subject: str
    key: bytes


async def answer_events(request: Request) -> Response:
    """``GET /d/events?screen=NAME&id=ID``: a stream of messages, each the news as JSON.

    ``once=1`` answers the news alone, for browsers behind something that breaks streams. A comment
    every HEARTBEAT_S keeps the connection; the event ``end`` says why a stream ends. Raises
    NotAllowed ``not_signed_in``, NotFound ``screen_unknown``, LimitReached ``streams_many``.
    """
    context = staff_context(request)
    name = request.query_params.get("screen", "")
    subject = request.query_params.get("id", "")
    feeds = cast("Feeds", request.app.state.feeds)
    if name not in feeds.screens:
        raise NotFound("screen_unknown")
    screen = feeds.screens[name]
    if request.query_params.get("once") == "1":
        return JsonResponse(await screen(context, subject))
    told = f"/{context.language}/{name}/{subject}".encode()
    follower = Follower(
        context, screen, subject, sha256(context.authority.capability + told).digest()
    )
    feed = feeds.join(follower.key)
    return StreamingResponse(
        _stream(feeds, feed, follower),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _stream(feeds: Feeds, feed: Feed, follower: Follower) -> AsyncIterator[bytes]:
    context = follower.context
    sent, quiet_s = b"", 0.0
    try:
        yield f"retry: {RECONNECT_MS}\n\n".encode()
        while context.doors.clock.wall().timestamp() < context.authority.expires_at:
            # A vault that is away for a moment ends no stream; the next second asks again.
            with suppress(TryLater, Unknown):
                news = await feed.look(follower.screen, context, follower.subject)
                if news != sent:
                    sent, quiet_s = news, 0.0
                    yield news
            await asyncio.sleep(POLL_S)
            quiet_s += POLL_S
            if quiet_s >= HEARTBEAT_S:
                quiet_s = 0.0
                yield b": still here\n\n"
        yield _end("authority_expired")
    except PortalError as error:
        yield _end(error.code)
    finally:
        feeds.leave(follower.key)


def _end(code: str) -> bytes:
    return b"event: end\ndata: " + orjson.dumps({"code": code}) + b"\n\n"
