"""What the gallery answers to screens that ask, send or follow by themselves."""

import asyncio
import re
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

_NOW = re.compile(rb'data-now="([a-z_]*)"')


async def take(request: Request) -> Response:
    """Whatever a form or a beacon sends: counted, so that a test can tell how often."""
    body = (await request.body()).decode()
    request.app.state.posts.append((request.url.path, body))
    return PlainTextResponse("taken")


async def state(request: Request) -> Response:
    """What the screen shown last says already: no screen is renewed while a test looks at it."""
    now = _NOW.search(request.app.state.shown)
    return PlainTextResponse(now[1] if now else b"")


async def elsewhere(_request: Request) -> Response:
    return PlainTextResponse("elsewhere")


async def follow(_request: Request) -> Response:
    """A stream with nothing new: the screens say that they are live, and stay as they are."""

    async def beats() -> AsyncIterator[bytes]:
        for _ in range(600):
            yield b": still here\n\n"
            await asyncio.sleep(0.5)

    return StreamingResponse(beats(), media_type="text/event-stream")
