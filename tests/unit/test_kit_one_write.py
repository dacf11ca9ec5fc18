"""Answers that leave in one piece (portal.kit.one_write)."""

import asyncio
from collections.abc import Iterable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from uvicorn.server import ServerState

from portal.kit.one_write import HELD_BYTES_MAX, OneWriteHttp

_PART = b"x" * 1000
_PARTS = 3 * HELD_BYTES_MAX // len(_PART)


class _Wire(asyncio.Transport):
    """The far end of the line: what each call of the system would have brought."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes] = []
        self.is_over = asyncio.Event()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.calls.append(b"".join(list_of_data))

    def is_closing(self) -> bool:
        return self.is_over.is_set()

    def close(self) -> None:
        self.is_over.set()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - asyncio's
        del name
        return default

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


async def _whole(_request: Request) -> Response:
    return Response(b"whole")


async def _in_parts(_request: Request) -> Response:
    return StreamingResponse(iter([_PART] * _PARTS))


async def _ask(path: str) -> _Wire:
    """One request whose answer ends the connection."""
    app = Starlette(routes=[Route("/whole", _whole), Route("/parts", _in_parts)])
    config = uvicorn.Config(app, http=OneWriteHttp, log_config=None, lifespan="off")
    config.load()
    line, wire = OneWriteHttp(config, ServerState(), {}), _Wire()
    line.connection_made(wire)
    line.data_received(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    async with asyncio.timeout(30):
        await wire.is_over.wait()
    return wire


async def test_head_and_body_of_an_answer_leave_by_one_call() -> None:
    # Given a page of one piece
    # When it is asked for
    wire = await _ask("/whole")

    # Then all of it was there when the line was closed, and went by one call
    [answer] = wire.calls
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nwhole")


async def test_a_long_answer_is_not_held_back_in_memory() -> None:
    # Given an answer of many parts, several times what may be held
    # When it is asked for
    wire = await _ask("/parts")

    # Then it left in pieces on the way, none longer than that and one part, and lacks nothing
    assert max(map(len, wire.calls)) <= HELD_BYTES_MAX + len(_PART) + len(b"3e8\r\n\r\n")
    assert b"".join(wire.calls).count(_PART) == _PARTS
