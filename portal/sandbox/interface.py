"""What the sandbox's companies have in common: how they read requests and how they say no."""

import hashlib
import hmac
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

_BODY_BYTES_MAX: Final = 16_384


class ApiError(Exception):
    """A refusal: status, stable code and any headers of the answer."""

    def __init__(self, status: int, code: str, headers: dict[str, str] | None = None) -> None:
        """Keep what the answer says."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.headers = headers


async def answer_error(request: Request, error: Exception) -> Response:
    """Turn an ApiError into its JSON answer (Starlette's exception handler)."""
    del request
    if not isinstance(error, ApiError):
        raise error
    return JSONResponse({"code": error.code}, status_code=error.status, headers=error.headers)


def require_key(request: Request, company: str) -> None:
    """Raise 401 unless the key that the company gave out is presented (any, if it gave none)."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    known: str | None = request.app.state.keys.get(company)
    presented = hashlib.sha256(key.encode()).hexdigest()
    if scheme != "Bearer" or (known is not None and not hmac.compare_digest(presented, known)):
        raise ApiError(401, "unauthorised")


async def read_json(request: Request) -> dict[str, Any]:
    """The body as an object; 413 past 16 KiB, 400 for anything that is not one."""
    if int(request.headers.get("content-length", "0")) > _BODY_BYTES_MAX:
        raise ApiError(413, "too_large")
    try:
        return msgspec.json.decode(await request.body(), type=dict[str, Any])
    except (msgspec.DecodeError, ClientDisconnect) as error:
        raise ApiError(400, "not_an_object") from error


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a URL-encoded form, the last of each name; 413 past 16 KiB."""
    if int(request.headers.get("content-length", "0")) > _BODY_BYTES_MAX:
        raise ApiError(413, "too_large")
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))


class DroppedAnswer(Response):
    """An answer that breaks off behind its head: the server closes the connection on it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promise a body and send none."""
        del scope, receive
        head: list[tuple[bytes, bytes]] = [(b"content-length", b"64")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
