"""The payer's number for a convenience store: the store is chosen, the number made and shown.

Zone: application. Looking makes nothing; pressing makes one number, however often it is pressed.
What is neither to be chosen nor to be shown is on the bill's page, which says how it stands.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.application.doors.answers import payer_answer, remember_choice, see_other
from portal.application.doors.context import LANGUAGE_COOKIE, payer_context
from portal.application.doors.forms import read_form, read_whole
from portal.application.doors.graphql.execute import run_operation
from portal.application.doors.locales import choose_language
from portal.application.doors.pages import UNCLEAR, refused_bill
from portal.application.payment.withdraw import withdraw_number
from portal.domain.errors import InvalidInput
from portal.domain.ids import AttemptId, from_public
from portal.domain.konbini import STORES
from portal.domain.number import METHOD


async def show_number(request: Request) -> Response:
    """``GET /b/{ref}/number``: the number, or the stores to choose from; else to the bill."""
    chosen = remember_choice(request)
    if chosen is not None:
        return chosen
    ref: str = request.path_params["ref"]
    context = payer_context(request, ref)
    bill = (await run_operation(context, "Page"))["bill"]
    if _number(bill) is None and not _can_choose(bill):
        return see_other(f"/b/{quote(ref, safe='')}")
    return number_page(request, bill, csrf=context.csrf_token)


async def make_number(request: Request) -> Response:
    """``POST /b/{ref}/number``: make one for the store that was chosen, then show it.

    A second tap brings the same key and the same number; so does a tap for another store while one
    counts. What is refused is said on the bill's page. Raises NotAllowed ``form_foreign``,
    ``form_stale``; InvalidInput ``form_malformed``.
    """
    ref: str = request.path_params["ref"]
    context = payer_context(request, ref)
    form = await read_form(request)
    context.check_form(request, form)
    expected, store, key = (
        read_whole(form.get("expected", "")),
        form.get("store", ""),
        form.get("key", ""),
    )
    if expected is None:
        raise InvalidInput("form_malformed")
    intent = {
        "method": METHOD,
        "expectedAmount": expected,
        "idempotencyKey": f"{key}.{METHOD}.{store}" if key and store in STORES else key,
        "store": store,
    }
    started = (await run_operation(context, "PaymentStart", {"input": intent}))["paymentStart"]
    errors = started["errors"]
    if errors and errors[0]["code"] != UNCLEAR:
        return await refused_bill(request, context.renewed(), errors[0]["code"])
    is_made = not errors and started["attempt"]["state"] == "requires_action"
    # What failed, or is not known yet, is said on the bill's page.
    return see_other(f"/b/{quote(ref, safe='')}{'/number' if is_made else ''}")


async def withdraw(request: Request) -> Response:
    """``POST /b/{ref}/number/withdraw``: take the number back, then to the bill and its other ways.

    One that stands all the same (it was paid, or its company can't be heard) is shown again, or its
    receipt. Raises NotAllowed ``form_foreign``, ``form_stale``.
    """
    ref: str = request.path_params["ref"]
    context = payer_context(request, ref)
    context.check_form(request, await read_form(request))
    bill = (await run_operation(context, "Page"))["bill"]
    if _number(bill) is not None:
        attempt_id = AttemptId(from_public("attempt", bill["attempt"]["id"]))
        now = await withdraw_number(context.doors.pay_desk, context.authority, attempt_id)
        if now.attempt.number is not None:
            return await refused_bill(request, context.renewed(), "number_stands")
    return see_other(f"/b/{quote(ref, safe='')}")


def number_page(request: Request, bill: Mapping[str, Any], *, csrf: str) -> Response:
    """The page for the data of the operation Page."""
    language = choose_language(
        request.cookies.get(LANGUAGE_COOKIE),
        bill["language"],
        accept=request.headers.get("accept-language", ""),
    )
    context = {"bill": bill, "csrf": csrf, "number": _number(bill), "stores": _STORES}
    return payer_answer(request, "page/number.html", language, context)


_STORES = ("seven_eleven", "family_mart", "lawson", "ministop", "seicomart")
"""By how many of them there are in Japan."""


def _number(bill: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """By what the bill's live try can be paid at a store, if it can."""
    return bill["attempt"]["number"] if bill["attempt"] else None


def _can_choose(bill: Mapping[str, Any]) -> bool:
    return any(one["method"] == METHOD and one["available"] for one in bill["methods"])


ROUTES = (
    Route("/b/{ref}/number", show_number, methods=["GET"]),
    Route("/b/{ref}/number", make_number, methods=["POST"]),
    Route("/b/{ref}/number/withdraw", withdraw, methods=["POST"]),
)
"""For portal.application.doors.server to mount."""
