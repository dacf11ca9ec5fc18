"""The way out of a mail: a page with a button, and the one click of mail programs.

Zone: application. Who only looks (people, prefetchers, scanners of links) gets a page that asks and
changes nothing; a POST stops, whoever sends it: mail programs bring no cookie and no form token,
and the address alone is what they were given. Source: RFC 8058 §3.2, RFC 2369 §3.2.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.application.doors.answers import payer_answer, remember_choice
from portal.application.doors.context import doors_of, language_of
from portal.application.page.stop import may_be_token, stop_by_mail
from portal.domain.errors import NotFound


async def ask_to_stop(request: Request) -> Response:
    """``GET /stop/{code}/{token}``: what would stop and what would not; nobody is asked yet.

    Raises NotFound ``link_unknown`` for what can't be a token.
    """
    chosen = remember_choice(request)
    if chosen is not None:
        return chosen
    if not may_be_token(request.path_params["code"], request.path_params["token"]):
        raise NotFound("link_unknown")
    return stop_page(request, done=False)


async def stop(request: Request) -> Response:
    """``POST /stop/{code}/{token}``: no more mail about bills. The body is not read.

    Raises NotFound ``link_unknown``.
    """
    code, token = request.path_params["code"], request.path_params["token"]
    await stop_by_mail(doors_of(request).vault, code, token)
    return stop_page(request, done=True)


def stop_page(request: Request, *, done: bool) -> Response:
    """The page before and after; it says nothing of anybody."""
    return payer_answer(request, "page/stop.html", language_of(request), {"done": done})


ROUTES: Final = (
    Route("/stop/{code}/{token}", ask_to_stop, methods=["GET"]),
    Route("/stop/{code}/{token}", stop, methods=["POST"]),
)
