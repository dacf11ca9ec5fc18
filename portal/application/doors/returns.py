"""The payer is back from a company's page, in whatever browser: ask once, then show their bill.

Zone: application. The token in the address grants the look-up of one attempt and nothing else. Who
only looks ahead uses up nothing.
"""

import re
from contextlib import suppress
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.application.doors.answers import is_prefetch, refuse_prefetch, see_other
from portal.application.doors.context import doors_of
from portal.application.doors.forms import read_form
from portal.application.doors.pages import closed_page
from portal.application.payment.inquire import arrive, finish_return
from portal.application.payment.mandate import MARK, finish_mandate_return
from portal.domain.errors import (
    Expired,
    InvalidInput,
    LimitReached,
    NotFound,
    TryLater,
    Unknown,
)

ACCESS: Final = "AccessID"
"""How a company names the order that a payer comes back from. Source: docs/decisions/0004."""

_ORDER: Final = re.compile(r"[0-9A-Za-z]{1,64}")


async def come_back(request: Request) -> Response:
    """``GET /return/{code}/{token}``: back from the provider, in whatever browser.

    The provider is asked once; then the bill's page says how it stands. Raises NotFound and
    Expired for a token that leads nowhere.
    """
    if is_prefetch(request):
        return refuse_prefetch()
    doors = doors_of(request)
    code: str = request.path_params["code"]
    try:
        token: str = request.path_params["token"]
        finish = finish_mandate_return if token.startswith(MARK) else finish_return
        back = await finish(doors.pay_desk, code, token)
    except (TryLater, Unknown):
        return closed_page(request, "return_unclear", 503)
    response = see_other(f"/b/{back.page_ref}")
    doors.sessions.open_page(
        request, response, back.authority, merchant_code=code, page_ref=back.page_ref
    )
    return response


async def come_back_by_form(request: Request) -> Response:
    """``POST /return/{code}/{token}``: some companies send the browser back with a form of theirs.

    Of what the form says only the order's name is looked at, which has to be the attempt's: how it
    stands the provider is asked. A browser that comes from another site by POST brings no cookie of
    ours, so it is sent on to the same address by GET, where no name of an order belongs.
    """
    code, token = request.path_params["code"], request.path_params["token"]
    access = await _order_named(request)
    if access:
        with suppress(TryLater, Unknown, NotFound, Expired):
            await arrive(doors_of(request).pay_desk, code, token, access)
    return see_other(f"/return/{quote(code, safe='')}/{quote(token, safe='')}")


async def _order_named(request: Request) -> str:
    """What the company says it calls the order; '' for whatever a form may hold beside it."""
    try:
        named = (await read_form(request)).get(ACCESS, "")
    except (InvalidInput, LimitReached):
        return ""
    return named if _ORDER.fullmatch(named) else ""


ROUTES: Final = (
    Route("/return/{code}/{token}", come_back, methods=["GET"]),
    Route("/return/{code}/{token}", come_back_by_form, methods=["POST"]),
)
