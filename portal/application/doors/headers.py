"""The outermost layer: a request id, security headers on every answer, and the one exception door.

Zone: application. Pure ASGI, so that streams and uploads pass through unbuffered. A response may
bring its own policy (pages allow their styles and scripts by hash); what it does not say gets the
strictest value here. No request's path, query or body is ever logged.
"""

import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal.application.doors.context import REQUEST_ID, request_id_of
from portal.application.doors.errors import log_fault

ErrorDoor = Callable[[Request, Exception], Awaitable[Response]]

_NO_FEATURES: Final = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "autoplay", "camera", "display-capture",
        "encrypted-media", "fullscreen", "geolocation", "gyroscope", "hid", "idle-detection",
        "local-fonts", "magnetometer", "microphone", "midi", "payment",
        "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
    )
)  # fmt: skip

NOTHING_ALLOWED: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""For answers that are no pages: nothing in them is ever run, shown in a frame or sent on."""

STANDARD: Final = {
    "cache-control": "no-store",
    "content-security-policy": NOTHING_ALLOWED,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": _NO_FEATURES,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow, noarchive",
}
"""Set on every answer that does not set them itself."""

_HSTS: Final = "max-age=63072000; includeSubDomains"


class Outermost:
    """Wraps the routed application."""

    def __init__(self, app: ASGIApp, *, error_door: ErrorDoor, is_secure: bool) -> None:
        """``error_door`` makes an answer of any exception; ``is_secure`` adds HSTS."""
        self._app = app
        self._error_door = error_door
        self._headers = {**STANDARD, **({"strict-transport-security": _HSTS} if is_secure else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; nothing but a broken connection escapes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[REQUEST_ID] = secrets.token_hex(8)
        has_started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers["x-request-id"] = scope[REQUEST_ID]
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - this is the one door for them all
            request = Request(scope, receive)
            if has_started:
                # Half an answer is out; the connection is cut, so nobody takes it for whole.
                log_fault(error, request_id_of(request))
                raise ConnectionAbortedError from None
            response = await self._error_door(request, error)
            await response(scope, receive, send_with_headers)
