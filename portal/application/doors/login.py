"""Coming in and leaving: password with TOTP, a one-click ticket, log-out.

Zone: application. The vault judges every one of them and counts the failures; this door neither
sees a hash nor decides. The page itself is rendered by the dashboard.
"""

from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from portal.application.doors.context import doors_of, staff_context
from portal.application.doors.forms import read_form
from portal.contract.envelope import Nothing
from portal.contract.login import LOG_IN, LOG_OUT, REDEEM_LOGIN_TICKET, LogIn, RedeemLoginTicket
from portal.domain.errors import Expired, NotAllowed, PortalError

LOGIN_PAGE: Final = "/login"
HOME: Final = "/d"
_SEE_OTHER: Final = 303
_MERCHANT_CODE_MAX: Final = 12


async def log_in(request: Request) -> Response:
    """``POST /login``: to the dashboard, or back to the page with a code that says why not.

    Raises NotAllowed ``form_foreign`` when another site sent the form.
    """
    doors = doors_of(request)
    doors.sessions.check_origin(request)
    form = await read_form(request)
    merchant_code = form.get("merchant", "").strip().lower()
    asked = LogIn(
        merchant_code=merchant_code,
        email=form.get("email", "").strip(),
        password=form.get("password", ""),
        totp="".join(form.get("totp", "").split()),
    )
    wanted = safe_target(form.get("next", ""))
    try:
        signed_in = await doors.vault.call(LOG_IN, asked)
    except PortalError as error:
        # Back to the form by GET, so that a reload sends no password again.
        why = {"code": error.code, "merchant": merchant_code[:_MERCHANT_CODE_MAX], "next": wanted}
        return RedirectResponse(f"{LOGIN_PAGE}?{urlencode(why)}", status_code=_SEE_OTHER)
    response = RedirectResponse(wanted, status_code=_SEE_OTHER)
    doors.sessions.sign_in(response, signed_in)
    return response


async def redeem_ticket(request: Request) -> Response:
    """``GET /login/ticket/{ticket}``: in with one click, once; looking ahead redeems nothing."""
    doors = doors_of(request)
    if request.method == "HEAD" or request.headers.get("sec-purpose", "").startswith("prefetch"):
        return Response(status_code=204)
    ticket = RedeemLoginTicket(ticket=request.path_params["ticket"])
    try:
        signed_in = await doors.vault.call(REDEEM_LOGIN_TICKET, ticket)
    except PortalError as error:
        why = urlencode({"code": error.code})
        return RedirectResponse(f"{LOGIN_PAGE}?{why}", status_code=_SEE_OTHER)
    response = RedirectResponse(HOME, status_code=_SEE_OTHER)
    doors.sessions.sign_in(response, signed_in)
    return response


async def log_out(request: Request) -> Response:
    """``POST /logout``: the vault ends the authority, the browser forgets it either way."""
    context = staff_context(request)
    sessions = context.doors.sessions
    form = await read_form(request)
    context.check_form(request, form)
    response = RedirectResponse(LOGIN_PAGE, status_code=_SEE_OTHER)
    sessions.sign_out(response)
    try:
        await context.call(LOG_OUT, Nothing())
    except (NotAllowed, Expired):
        # It had ended before: then there is nothing left to end.
        return response
    return response


def address_for(request: Request) -> str:
    """The log-in page, which leads back to the screen that was asked for by GET."""
    target = str(request.url.replace(scheme="", netloc=""))
    if request.method != "GET" or safe_target(target) != target or target == HOME:
        return LOGIN_PAGE
    return f"{LOGIN_PAGE}?{urlencode({'next': target})}"


def safe_target(path: str) -> str:
    """Where to go after logging in: a page of the dashboard and nowhere else."""
    inside = path == HOME or path.startswith((f"{HOME}/", f"{HOME}?"))
    clean = path.isascii() and path.isprintable() and "\\" not in path and "//" not in path
    return path if inside and clean else HOME


ROUTES: Final = (
    Route("/login", log_in, methods=["POST"]),
    Route("/login/ticket/{ticket}", redeem_ticket, methods=["GET", "HEAD"]),
    Route("/logout", log_out, methods=["POST"]),
)
"""GET /login is the dashboard's."""
