"""The payer chooses the bank and branch that later bills are debited from, and leaves for its page.

Zone: application. Three links and a form, without script: the bank, the branch, away. What is
looked for are names of banks, which are public; the account is typed at the bank's own page.
"""

import asyncio
import re
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.application.doors.answers import payer_answer, remember_choice, see_other
from portal.application.doors.context import LANGUAGE_COOKIE, RequestContext, payer_context
from portal.application.doors.forms import read_form
from portal.application.doors.graphql.execute import Data, run_operation
from portal.application.doors.locales import choose_language
from portal.application.doors.pages import refused_bill
from portal.domain.bank import Bank, Banks, Branch
from portal.domain.errors import NotFound
from portal.kit.banks import banks

FOUND_SHOWN: Final = 20
TEXT_MAX: Final = 30
UNCLEAR: Final = "mandate_unclear"
_DIGITS: Final = re.compile(r"[0-9]{3,4}")


async def show_choice(request: Request) -> Response:
    """``GET /b/{ref}/debit?bank=&q=``: look for the bank, then for its branch.

    A payer who can't begin one is back on the bill's page, which says why.
    """
    chosen = remember_choice(request)
    if chosen is not None:
        return chosen
    context = payer_context(request, request.path_params["ref"])
    bill = (await run_operation(context, "Page"))["bill"]
    if not bill["takesMandates"]:
        return await refused_bill(request, context.renewed(), "mandate_not_offered")
    known = await asyncio.to_thread(banks)  # reading them takes a moment, once a process
    return choice_page(request, bill, known, csrf=context.csrf_token)


def choice_page(request: Request, bill: Data, known: Banks, *, csrf: str) -> Response:
    """The page for the data of the operation Page."""
    text = request.query_params.get("q", "").strip()[:TEXT_MAX]
    bank = bank_of(known, request.query_params.get("bank", ""))
    found: tuple[Bank | Branch, ...] = ()
    if text:
        found = look_for_bank(known, text) if bank is None else look_for(known, bank, text)
    language = choose_language(
        request.cookies.get(LANGUAGE_COOKIE),
        bill["language"],
        accept=request.headers.get("accept-language", ""),
    )
    values = {"bill": bill, "csrf": csrf, "bank": bank, "q": text, "found": found[:FOUND_SHOWN]}
    return payer_answer(request, "page/debit.html", language, values)


def look_for_bank(known: Banks, text: str) -> tuple[Bank | Branch, ...]:
    """Banks of a code, or whose reading begins so."""
    if _DIGITS.fullmatch(text):
        bank = bank_of(known, text)
        return () if bank is None else (bank,)
    return known.banks_starting(text)


def look_for(known: Banks, bank: Bank, text: str) -> tuple[Bank | Branch, ...]:
    """Branches of a bank, by code or by the beginning of the reading."""
    if _DIGITS.fullmatch(text):
        try:
            return (known.branch(bank.code, text),)
        except NotFound:
            return ()
    return known.branches_starting(bank.code, text)


def bank_of(known: Banks, code: str) -> Bank | None:
    """The bank of a code, if there is one."""
    try:
        return known.bank(code)
    except NotFound:
        return None


async def start(request: Request) -> Response:
    """``POST /b/{ref}/debit``: begin the mandate, then to our page that leads to the bank's.

    A second tap brings the same key, so the same mandate. What is refused is said on the bill's
    page. Raises NotAllowed ``form_foreign``, ``form_stale``.
    """
    ref: str = request.path_params["ref"]
    context: RequestContext = payer_context(request, ref)
    form = await read_form(request)
    context.check_form(request, form)
    bank, _, branch = form.get("branch", "").partition("-")
    key = form.get("key", "")
    intent = {
        "bankCode": bank,
        "branchCode": branch,
        # Who goes back and chooses another branch means another mandate.
        "idempotencyKey": f"{key}.{bank}.{branch}" if key else key,
    }
    data = await run_operation(context, "MandateStart", {"input": intent})
    started = data["mandateStart"]
    errors = started["errors"]
    if errors and errors[0]["code"] != UNCLEAR:
        return await refused_bill(request, context.renewed(), errors[0]["code"])
    here = quote(ref, safe="")
    if errors or not started["pageUrl"]:
        return see_other(f"/b/{here}")
    return see_other(f"/go/{started['mandateId']}?page={here}")


ROUTES: Final = (
    Route("/b/{ref}/debit", show_choice, methods=["GET"]),
    Route("/b/{ref}/debit", start, methods=["POST"]),
)
"""For portal.application.doors.server to mount."""
