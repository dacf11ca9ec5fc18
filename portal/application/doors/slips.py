"""The payer's slip: bars to be read by a wallet or a register, on a page that needs no script.

Zone: application. Asking for it makes it out, once; whoever only looks ahead gets none. The bars
are drawn here from the digits, as attributes alone, so the page's policy stays as strict as ever.
"""

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.application.doors.answers import (
    is_prefetch,
    payer_answer,
    refuse_prefetch,
    remember_choice,
)
from portal.application.doors.context import LANGUAGE_COOKIE, payer_context
from portal.application.doors.graphql.execute import run_operation
from portal.application.doors.locales import TEXTS, choose_language
from portal.application.doors.pages import refused_bill
from portal.domain.barcode import draw_svg, encode


async def show_slip(request: Request) -> Response:
    """``GET /b/{ref}/slip``: the slip; or the bill's page, which says why there is none."""
    if is_prefetch(request):
        return refuse_prefetch()
    chosen = remember_choice(request)
    if chosen is not None:
        return chosen
    context = payer_context(request, request.path_params["ref"])
    shown = (await run_operation(context, "SlipShow"))["slipShow"]
    if shown["errors"]:
        return await refused_bill(request, context.renewed(), shown["errors"][0]["code"])
    bill = (await run_operation(context.renewed(), "Page"))["bill"]
    return slip_page(request, bill, shown["slip"])


def slip_page(request: Request, bill: Mapping[str, Any], slip: Mapping[str, Any]) -> Response:
    """The page for the data of the operations Page and SlipShow."""
    language = choose_language(
        request.cookies.get(LANGUAGE_COOKIE),
        bill["language"],
        accept=request.headers.get("accept-language", ""),
    )
    label = TEXTS[language].say("page.slip.bars")
    bars = Markup(draw_svg(encode(slip["digits"]), label))  # noqa: S704 - built by us from digits alone
    return payer_answer(
        request, "page/slip.html", language, {"bill": bill, "slip": slip, "bars": bars}
    )


ROUTES: Final = (Route("/b/{ref}/slip", show_slip, methods=["GET"]),)
"""For portal.application.doors.server to mount."""
