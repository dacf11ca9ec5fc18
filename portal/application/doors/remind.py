"""The payer has this phone's browser remind them: a page that explains, and one button.

Zone: application. A page of its own, so that the bill's page stays without a service worker and
under Trusted Types ``'none'``: only here may one script be named to the browser. Without script
there is no button, and nothing is asked of the browser before it is pressed.
"""

from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.application.doors.answers import payer_answer, remember_choice, see_other
from portal.application.doors.assets import REMIND_JS, REMIND_POLICY, WORKER_JS
from portal.application.doors.context import LANGUAGE_COOKIE, doors_of, payer_context
from portal.application.doors.forms import read_form
from portal.application.doors.graphql.execute import Data, run_operation
from portal.application.doors.locales import choose_language
from portal.application.doors.pages import refused_bill

MISSING: Final = "push_missing"
_WORKER_POLICY: Final = "default-src 'none'"


async def show_remind(request: Request) -> Response:
    """``GET /b/{ref}/remind``: what will come, and the button.

    Where the merchant sends no notifications the payer is back on the bill's page, which says so.
    """
    chosen = remember_choice(request)
    if chosen is not None:
        return chosen
    context = payer_context(request, request.path_params["ref"])
    bill = (await run_operation(context, "Page"))["bill"]
    if not any(one["channel"] == "PUSH" for one in bill["reminders"]):
        return await refused_bill(request, context.renewed(), MISSING)
    key = doors_of(request).settings.push_key
    return remind_page(request, bill, csrf=context.csrf_token, key=key)


def remind_page(request: Request, bill: Data, *, csrf: str, key: str) -> Response:
    """The page for the data of the operation Page; ``key``: our public key at push services."""
    language = choose_language(
        request.cookies.get(LANGUAGE_COOKIE),
        bill["language"],
        accept=request.headers.get("accept-language", ""),
    )
    values = {"bill": bill, "csrf": csrf, "key": key, "remind_js": REMIND_JS.markup}
    answer = payer_answer(request, "page/remind.html", language, values)
    answer.headers["content-security-policy"] = REMIND_POLICY
    return answer


async def remind(request: Request) -> Response:
    """``POST /b/{ref}/remind``: what the browser said of itself; then back to the bill.

    Pressed twice it is one browser. Raises NotAllowed ``form_foreign``, ``form_stale``.
    """
    ref: str = request.path_params["ref"]
    context = payer_context(request, ref)
    form = await read_form(request)
    context.check_form(request, form)
    said = {name: form.get(name, "") for name in ("endpoint", "p256dh", "auth")}
    errors = (await run_operation(context, "PushKeep", {"input": said}))["pushKeep"]["errors"]
    if errors:
        return await refused_bill(request, context.renewed(), errors[0]["code"])
    return see_other(f"/b/{quote(ref, safe='')}")


async def show_worker(_request: Request) -> Response:
    """``GET /remind.js``: the service worker; it may fetch nothing, and is asked for anew."""
    headers = {"content-security-policy": _WORKER_POLICY, "cache-control": "no-cache"}
    return Response(WORKER_JS.text, headers=headers, media_type="text/javascript")


ROUTES: Final = (
    Route("/b/{ref}/remind", show_remind, methods=["GET"]),
    Route("/b/{ref}/remind", remind, methods=["POST"]),
    Route("/remind.js", show_worker, methods=["GET"]),
)
"""For portal.application.doors.server to mount."""
