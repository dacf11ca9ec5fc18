"""The payer's slip as a file to print.

Zone: application. Asking for it makes the slip out as its page does, by the same operation; where
there is none, the bill's page says why. Neither the address nor the file's name says whose it is.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.application.doors.answers import is_prefetch, refuse_prefetch
from portal.application.doors.context import LANGUAGE_COOKIE, payer_context
from portal.application.doors.graphql.execute import run_operation
from portal.application.doors.locales import TEXTS, choose_language
from portal.application.doors.pages import refused_bill
from portal.application.doors.render import formats
from portal.application.doors.slip_paper import Sheet, draw_sheet
from portal.domain.barcode import encode
from portal.domain.slip_print import DPI, MODULE_DOTS, PrintedBars, lay_out

_HEADERS: Final = {
    "cache-control": "no-store",
    "content-disposition": 'attachment; filename="slip.pdf"',
    "vary": "cookie",
}
_DPI: Final = {str(dpi): dpi for dpi in MODULE_DOTS}


async def send_slip(request: Request) -> Response:
    """``GET /b/{ref}/slip.pdf?dpi=``: the sheet; whoever only looks ahead gets none.

    ``dpi``: of the printer, 203 or 300; anything else is 300.
    """
    if is_prefetch(request):
        return refuse_prefetch()
    context = payer_context(request, request.path_params["ref"])
    shown = (await run_operation(context, "SlipShow"))["slipShow"]
    if shown["errors"]:
        return await refused_bill(request, context.renewed(), shown["errors"][0]["code"])
    bill = (await run_operation(context.renewed(), "Page"))["bill"]
    language = choose_language(
        request.cookies.get(LANGUAGE_COOKIE),
        bill["language"],
        accept=request.headers.get("accept-language", ""),
    )
    slip = shown["slip"]
    bars = lay_out(encode(slip["digits"]), _DPI.get(request.query_params.get("dpi", ""), DPI))
    sheet = sheet_of(language, bill, slip, bars)
    return Response(draw_sheet(sheet, bars), headers=_HEADERS, media_type="application/pdf")


def sheet_of(
    language: str, bill: Mapping[str, Any], slip: Mapping[str, Any], bars: PrintedBars
) -> Sheet:
    """What the sheet says, for the data of the operations Page and SlipShow.

    The payer's name is not on it: a sheet of paper is left lying about.
    """
    texts, written = TEXTS[language], formats(language)
    payee = bill["payee"]
    at_registers = slip["atRegisters"] and bars.fits_registers
    notes = ["paper_scale", "paper_app", "paper_shop" if at_registers else "paper_ask"]
    notes += ["stamp"] if slip["needsStamp"] else []
    notes += ["once", "receipt"]
    return Sheet(
        language=language,
        title=f"{texts.say('page.slip.title')} {written.period(bill['period'])}",
        merchant=f"{payee['name']} {payee['phone']}",
        amount=written.yen(slip["amount"]["amount"]),
        rows=(
            (texts.say("page.slip.until"), written.day_short(slip["payUntil"])),
            (texts.say("page.number"), bill["number"]),
        ),
        lines=tuple(slip["lines"]),
        notes=tuple(texts.say(f"page.slip.{note}") for note in notes),
    )


ROUTES: Final = (Route("/b/{ref}/slip.pdf", send_slip, methods=["GET"]),)
"""For portal.application.doors.server to mount."""
