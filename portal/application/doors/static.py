"""Files and fixed answers without a viewer: styles, scripts, icons, robots and security.txt.

Zone: application. Names of files carry their content's hash, so a cache may keep them for ever;
a name that is not there is not found, nothing is read from the disk by a request.
"""

from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from portal.application.doors.answers import see_other
from portal.application.doors.assets import FILES, ICON
from portal.application.doors.context import doors_of
from portal.domain.errors import NotFound

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_FOR_A_DAY: Final = "public, max-age=86400"
_SECURITY_LIFE: Final = timedelta(days=180)
"""How long what security.txt says may be relied on. Source: RFC 9116 §2.5.5, under a year."""


async def show_file(request: Request) -> Response:
    """``GET /static/{file}``; raises NotFound ``not_found``."""
    file = FILES.get(request.path_params["file"])
    if file is None:
        raise NotFound("not_found")
    headers = {"cache-control": _FOR_EVER, "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(file.packed, headers=headers, media_type=file.media_type)
    return Response(file.plain, headers=headers, media_type=file.media_type)


async def show_robots(_request: Request) -> Response:
    """``GET /robots.txt``: nothing here is for search engines."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n", headers={"cache-control": _FOR_A_DAY})


async def show_icon(_request: Request) -> Response:
    """``GET /favicon.ico``: for who asks for it without having read a page's own icon."""
    return Response(ICON, headers={"cache-control": _FOR_A_DAY}, media_type="image/x-icon")


async def show_security(request: Request) -> Response:
    """``GET /.well-known/security.txt``: where to report a weakness (RFC 9116).

    The contact is the installation's: PORTAL_WEB_SECURITY_CONTACT.
    """
    doors = doors_of(request)
    expires = (doors.clock.wall() + _SECURITY_LIFE).strftime("%Y-%m-%dT00:00:00Z")
    origin = doors.settings.public_origin
    lines = (
        *(f"Contact: {contact}" for contact in doors.settings.security_contacts),
        f"Expires: {expires}",
        f"Canonical: {origin}/.well-known/security.txt",
        "Preferred-Languages: ja, en",
    )
    return PlainTextResponse("\n".join(lines) + "\n", headers={"cache-control": _FOR_A_DAY})


async def show_root(_request: Request) -> Response:
    """``GET /``: staff come this way; payers arrive by their link."""
    return see_other("/d")


ROUTES: Final = (
    Route("/", show_root, methods=["GET"]),
    Route("/static/{file}", show_file, methods=["GET"]),
    Route("/favicon.ico", show_icon, methods=["GET"]),
    Route("/robots.txt", show_robots, methods=["GET"]),
    Route("/.well-known/security.txt", show_security, methods=["GET"]),
)
