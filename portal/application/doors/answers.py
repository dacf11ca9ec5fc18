"""HTML answers of all pages, and what a viewer chose to read by: language and size of type.

Zone: application. Nothing here knows a bill or a member of staff.
"""

import gzip
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal.application.doors.assets import DASHBOARD_POLICY, MAIL_POLICY, PAGE_POLICY
from portal.application.doors.context import LANGUAGE_COOKIE, doors_of
from portal.application.doors.locales import LANGUAGES
from portal.application.doors.render import render

SIZE_COOKIE: Final = "harai_size"
SEE_OTHER: Final = 303
_YEAR_S: Final = 365 * 24 * 3600
_GZIP_FROM_BYTES: Final = 1024
_GZIP_LEVEL: Final = 5
_SIZES: Final = ("big", "normal")


def is_prefetch(request: Request) -> bool:
    """Whether a browser or a scanner only looks ahead: then nothing may be used up or counted.

    Source: Fetch standard (Sec-Purpose); older names of the same header.
    """
    headers = request.headers
    purposes = (headers.get(name, "") for name in ("sec-purpose", "purpose", "x-moz"))
    return request.method == "HEAD" or any("prefetch" in purpose for purpose in purposes)


def refuse_prefetch() -> Response:
    """For who looks ahead: an answer that no browser shows when the person really comes."""
    return Response(status_code=503, headers={"cache-control": "no-store", "retry-after": "0"})


def see_other(address: str) -> Response:
    """On to another page, by GET."""
    return RedirectResponse(address, status_code=SEE_OTHER)


def wants_big_type(request: Request) -> bool:
    """Whether the viewer asked for large type."""
    return request.cookies.get(SIZE_COOKIE) == "big"


def payer_answer(
    request: Request,
    template: str,
    language: str,
    values: Mapping[str, object],
    *,
    status: int = 200,
) -> Response:
    """A page for payers: style and script inside, allowed by hash."""
    html = render(template, language, big=wants_big_type(request), **values)
    return _html(request, html, PAGE_POLICY, status)


def staff_answer(
    request: Request,
    template: str,
    language: str,
    values: Mapping[str, object],
    *,
    status: int = 200,
    shows_mail: bool = False,
) -> Response:
    """A screen for staff: style and script from our own files.

    ``same-origin``, because under ``no-referrer`` a browser without Fetch Metadata sends its forms
    with ``Origin: null``, and the log-in form has no token of a session to vouch for it.
    """
    policy = MAIL_POLICY if shows_mail else DASHBOARD_POLICY
    answer = _html(request, render(template, language, **values), policy, status)
    answer.headers["referrer-policy"] = "same-origin"
    return answer


def _html(request: Request, html: str, policy: str, status: int) -> Response:
    """HTML that no cache keeps.

    Packed, because nothing secret in it stays the same from answer to answer: tokens are masked
    anew each time, so their bytes can't be guessed from the size (BREACH).
    """
    body = html.encode()
    headers = {
        "content-security-policy": policy,
        "cache-control": "no-store",
        "vary": "accept-encoding, cookie",
    }
    if len(body) >= _GZIP_FROM_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(body, status, headers, "text/html; charset=utf-8")


def remember_choice(request: Request) -> Response | None:
    """``?lang=`` or ``?size=``: keep the choice in a cookie and come back without them.

    None when the address makes no such choice.
    """
    query = dict(request.query_params)
    language, size = query.pop("lang", None), query.pop("size", None)
    if language is None and size is None:
        return None
    response = see_other(request.url.path + (f"?{urlencode(query)}" if query else ""))
    if language in LANGUAGES:
        _keep(request, response, LANGUAGE_COOKIE, language)
    if size in _SIZES:
        _keep(request, response, SIZE_COOKIE, size)
    return response


def _keep(request: Request, response: Response, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=_YEAR_S,
        path="/",
        secure=doors_of(request).settings.is_secure,
        httponly=True,
        samesite="lax",
    )
