"""The application's front: all routes, what they share for the life of the process, and errors.

Zone: application. Routes are laid out here and implemented beside; an outermost layer puts the
security headers on and turns every exception into an answer.
"""

from collections.abc import Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route

from portal.application.doors import (
    calls,
    events,
    failed_files,
    login,
    mandates,
    notices,
    number,
    pages,
    refund_account,
    remind,
    result_files,
    results,
    returns,
    slip_pdf,
    slips,
    static,
    stop,
    uploads,
)
from portal.application.doors.context import Doors, language_of, request_id_of
from portal.application.doors.dashboard import routes as dashboard
from portal.application.doors.dashboard.live import SCREENS
from portal.application.doors.departures import Departures
from portal.application.doors.encoding import JsonResponse
from portal.application.doors.errors import SESSION_CODES, as_json, describe, trouble_headers
from portal.application.doors.events import Feeds
from portal.application.doors.graphql.door import GraphQLDoor, answer_merchant, answer_payer
from portal.application.doors.headers import Outermost
from portal.application.doors.seals import Seals
from portal.application.doors.session import Sessions
from portal.application.payment.desk import PayDesk
from portal.application.settings import WebSettings
from portal.contract.client import VaultClient
from portal.domain.errors import InvalidInput, NotFound, PortalError, Refused
from portal.kit.clock import Clock, SystemClock
from portal.kit.outbound import Outbound


async def answer_health(_request: Request) -> Response:
    """``GET /healthz``: the process serves. Says nothing about the zones behind it."""
    return JsonResponse({"ok": True})


ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route("/healthz", answer_health, methods=["GET"]),
    Route("/graphql", answer_merchant, methods=["POST"]),
    Route("/pay/graphql", answer_payer, methods=["POST"]),
    Route("/uploads/{token}", uploads.answer_upload, methods=["PUT", "HEAD"]),
    Route("/results/{token}", results.put_result, methods=["PUT"]),
    Route("/failed-debits/{token}", failed_files.put_failed_file, methods=["PUT"]),
    Route("/result-files/{number}", result_files.take_result_file, methods=["GET"]),
    Route("/d/events", events.answer_events, methods=["GET"]),
    *login.ROUTES,
    *notices.ROUTES,
    *calls.ROUTES,
    *pages.ROUTES,
    *returns.ROUTES,
    *stop.ROUTES,
    *slips.ROUTES,
    *number.ROUTES,
    *mandates.ROUTES,
    *refund_account.ROUTES,
    *remind.ROUTES,
    *slip_pdf.ROUTES,
    *static.ROUTES,
    *dashboard.ROUTES,
)
"""Every route; portal.dmz.routes declares the same to the outside, and a test compares them."""

UNAUTHORIZED: Final = 401
PROGRAMS: Final = (
    "/graphql", "/pay/graphql", "/uploads/", "/results/", "/result-files/",
    "/failed-debits/", "/d/events", "/notices/", "/calls/", "/healthz",
)  # fmt: skip
"""Paths whose callers are programs: errors are JSON there, pages elsewhere."""


def create_app(
    settings: WebSettings, vault: VaultClient, outbound: Outbound, *, clock: Clock | None = None
) -> Starlette:
    """The application over connections that are open already."""
    clock = clock or SystemClock()
    seals = Seals(settings.read_cookie_key(), settings.instance)
    app = Starlette(
        routes=list(ROUTES),
        middleware=[Middleware(Outermost, error_door=answer_error, is_secure=settings.is_secure)],
        exception_handlers={HTTPException: answer_routing_error},
    )
    app.router.redirect_slashes = False
    app.state.doors = Doors(
        settings=settings,
        vault=vault,
        outbound=outbound,
        pay_desk=PayDesk(vault, outbound, settings.endpoints),
        clock=clock,
        seals=seals,
        sessions=Sessions(seals, settings, clock),
        departures=Departures(clock),
    )
    app.state.graphql = GraphQLDoor()
    app.state.feeds = Feeds(SCREENS)
    app.state.vault = vault
    app.state.notice_keys = notices.NoticeKeys(
        settings.read_notice_keys(), clock, settings.public_origin
    )
    return app


async def answer_routing_error(request: Request, error: Exception) -> Response:
    """No such path, or not by this method; Starlette's own errors enter the tree here."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    if status == 404:  # noqa: PLR2004 - Not Found
        return await answer_error(request, NotFound("not_found"))
    if status == 405:  # noqa: PLR2004 - Method Not Allowed
        response = await answer_error(request, InvalidInput("method_not_allowed"))
        response.headers["allow"] = allowed_methods(request.app.routes, request)
        return response
    response = await answer_error(request, Refused("request_refused"))
    response.headers.update(dict(headers or {}))
    return response


def allowed_methods(routes: Sequence[BaseRoute], request: Request) -> str:
    """The methods of all routes of this path."""
    methods: set[str] = set()
    for route in routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return ", ".join(sorted(methods))


async def answer_error(request: Request, error: Exception) -> Response:
    """The one door for every error: JSON for programs, a page for people."""
    trouble = describe(error, language_of(request), request_id_of(request))
    if request.url.path.startswith(PROGRAMS):
        return as_json(trouble)
    if request.url.path.startswith(pages.PATHS):
        response = pages.payer_trouble(request, trouble)
        response.headers.update(trouble_headers(trouble))
        return response
    is_over = isinstance(error, PortalError) and error.code in SESSION_CODES
    if is_over and trouble.status == UNAUTHORIZED:
        return RedirectResponse(login.address_for(request), status_code=303)
    response = dashboard.staff_trouble(request, trouble)
    response.headers.update(trouble_headers(trouble))
    return response
