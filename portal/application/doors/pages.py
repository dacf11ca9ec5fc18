"""The payer's pages: in by the link, look, pay, go to the provider.

Zone: application. The link's secret is exchanged for a sealed cookie at once and leaves the
address bar; what a page shows is the answer of one named operation, run with the payer's own
authority. Everything works by links and forms alone. Who only looks ahead (HEAD, prefetch) uses up
nothing, changes nothing and counts as nobody.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from portal.application.doors.answers import (
    is_prefetch,
    payer_answer,
    refuse_prefetch,
    remember_choice,
    see_other,
)
from portal.application.doors.context import (
    LANGUAGE_COOKIE,
    RequestContext,
    doors_of,
    language_of,
    payer_context,
)
from portal.application.doors.departures import WayOut
from portal.application.doors.errors import Trouble
from portal.application.doors.forms import read_form, read_whole
from portal.application.doors.graphql.execute import run_operation
from portal.application.doors.locales import choose_language
from portal.application.doors.page_choice import read_choice, read_intent, refusal_of
from portal.application.page.link import open_link as exchange_link
from portal.contract.mandate import VIEW_MANDATE_DEPARTURE, ViewMandateDeparture
from portal.contract.payment import VIEW_ATTEMPT, ViewAttempt
from portal.domain.card_on_file import CONSENT
from portal.domain.card_on_file import METHOD as CARD
from portal.domain.digital import WORDS
from portal.domain.errors import InvalidInput, Param
from portal.domain.ids import AttemptId, MandateId, from_public
from portal.domain.methods import METHODS

KEPT: Final = "kept"
"""What the form calls the card on file: of the methods it is one by card."""

UNCLEAR: Final = "payment_unclear"
"""The one refusal of a payment that the page itself explains: money may be on its way."""

_CONFLICT: Final = 409
_WAITS_S: Final = ((5, 3), (15, 5), (60, 10))
_WAIT_LAST_S: Final = 30
_WAIT_NO_MAX: Final = 100_000


async def open_link(request: Request) -> Response:
    """``GET /p/{code}/{secret}``: the secret for a cookie, then on to the bill's own address.

    Raises NotFound ``link_unknown``, Expired ``link_expired``.
    """
    if request.method == "HEAD":
        return Response(status_code=200)
    if is_prefetch(request):
        return refuse_prefetch()
    doors = doors_of(request)
    code: str = request.path_params["code"]
    opened = await exchange_link(doors.vault, code, request.path_params["secret"])
    response = see_other(f"/b/{opened.page_ref}")
    doors.sessions.open_page(
        request, response, opened.authority, merchant_code=code, page_ref=opened.page_ref
    )
    return response


async def show_bill(request: Request) -> Response:
    """``GET /b/{ref}``: the bill in whatever state it is, the receipt included."""
    chosen = remember_choice(request)
    if chosen is not None:
        return chosen
    context = payer_context(request, request.path_params["ref"])
    return await _bill_answer(request, context)


async def show_state(request: Request) -> Response:
    """``GET /b/{ref}/state``: one word, for a page that waits."""
    context = payer_context(request, request.path_params["ref"])
    data = await run_operation(context, "PageState")
    return PlainTextResponse(str(data["bill"]["state"]).lower())


async def mark_opened(request: Request) -> Response:
    """``POST /b/{ref}/opened``: a person's browser shows the page."""
    context = payer_context(request, request.path_params["ref"])
    context.doors.sessions.check_origin(request, opaque=True)
    await run_operation(context, "BillOpened")
    return Response(status_code=204)


async def start_payment(request: Request) -> Response:
    """``POST /b/{ref}/pay``: start the attempt, then to our own page that leads to the provider.

    What is paid without leaving (the slip) has a page of ours, where it is made out.

    A second tap brings the same key, so the same attempt. What is refused is said on the bill's
    page. Raises NotAllowed ``form_foreign``, ``form_stale``; InvalidInput ``form_malformed``.
    """
    ref: str = request.path_params["ref"]
    context = payer_context(request, ref)
    form = await read_form(request)
    context.check_form(request, form)
    expected = read_whole(form.get("expected", ""))
    if expected is None:
        raise InvalidInput("form_malformed")
    chosen, key = form.get("method", ""), form.get("key", "")
    is_kept = chosen == KEPT
    method = CARD if is_kept else chosen
    if method in METHODS and not METHODS[method].by_redirect:
        return see_other(f"/b/{quote(ref, safe='')}/{method}")
    consent = form.get("consent", "") if chosen == CARD else ""
    intent = {
        **read_intent(form),
        "method": method,
        "expectedAmount": expected,
        # Who goes back to an old page and chooses another method means another payment; so does who
        # agrees there that the card is kept, or does not any more.
        "idempotencyKey": f"{key}.{chosen}{consent and '.keep'}"
        if key and method in METHODS
        else key,
        "consent": consent,
        "kept": is_kept,
    }
    data = await run_operation(context, "PaymentStart", {"input": intent})
    started = data["paymentStart"]
    errors = started["errors"]
    if errors and errors[0]["code"] != UNCLEAR:
        return await _bill_answer(request, context.renewed(), code=errors[0]["code"])
    if errors or not started["redirectUrl"]:
        return see_other(f"/b/{ref}")
    leaving: str = started["attempt"]["id"]
    way = WayOut(started["redirectUrl"], started["appUrl"] or "")
    context.doors.departures.keep(context.authority, leaving, way)
    return see_other(f"/go/{leaving}?page={ref}")


async def remove_card(request: Request) -> Response:
    """``POST /b/{ref}/card``: charge the contract's card no more, then back to the bill.

    Pressed twice it removes once. Raises NotAllowed ``form_foreign``, ``form_stale``.
    """
    ref: str = request.path_params["ref"]
    context = payer_context(request, ref)
    context.check_form(request, await read_form(request))
    errors = (await run_operation(context, "CardRemove"))["cardRemove"]["errors"]
    if errors:
        return await _bill_answer(request, context.renewed(), code=errors[0]["code"])
    return see_other(f"/b/{ref}")


async def set_reminders(request: Request) -> Response:
    """``POST /b/{ref}/reminders``: stop reminders by a channel, or have them again; then back.

    Raises NotAllowed ``form_foreign``, ``form_stale``.
    """
    ref: str = request.path_params["ref"]
    context = payer_context(request, ref)
    form = await read_form(request)
    context.check_form(request, form)
    if form.get("channel") == "PUSH":
        errors = (await run_operation(context, "PushDrop"))["pushDrop"]["errors"]
    else:
        channel = "EMAIL" if form.get("channel") == "EMAIL" else "SMS"
        said = {"channel": channel, "wanted": form.get("wanted") == "1"}
        noted = await run_operation(context, "RemindersSet", {"input": said})
        errors = noted["remindersSet"]["errors"]
    if errors:
        return await _bill_answer(request, context.renewed(), code=errors[0]["code"])
    return see_other(f"/b/{ref}")


async def choose_billing(request: Request) -> Response:
    """``POST /b/{ref}/paper``: no more paper, or paper again; then back.

    Raises NotAllowed ``form_foreign``, ``form_stale``.
    """
    ref: str = request.path_params["ref"]
    context = payer_context(request, ref)
    form = await read_form(request)
    context.check_form(request, form)
    said = {"digital": form.get("digital") == "1", "words": form.get("words", "")}
    done = await run_operation(context, "BillingChoose", {"input": said})
    errors = done["billingChoose"]["errors"]
    if errors:
        return await _bill_answer(request, context.renewed(), code=errors[0]["code"])
    return see_other(f"/b/{ref}")


async def deny_bill(request: Request) -> Response:
    """``POST /b/{ref}/not-mine``: who got the message says that the bill is somebody else's.

    Raises NotAllowed ``form_foreign``, ``form_stale``.
    """
    ref: str = request.path_params["ref"]
    context = payer_context(request, ref)
    context.check_form(request, await read_form(request))
    errors = (await run_operation(context, "BillDeny"))["billDeny"]["errors"]
    if errors:
        return await _bill_answer(request, context.renewed(), code=errors[0]["code"])
    return see_other(f"/b/{ref}")


async def show_departure(request: Request) -> Response:
    """``GET /go/{attempt}?page={ref}``: a page of our own that leads to the provider's by GET.

    A form may only be answered from our own origin (``form-action 'self'``), so the way out is a
    new navigation from here: at once, or by the button. Where the company has an app nobody can
    tell whether it is there, so both ways are offered and the payer chooses.
    """
    chosen = remember_choice(request)
    if chosen is not None:
        return chosen
    ref = request.query_params.get("page", "")
    context = payer_context(request, ref)
    way = await _away(context, request.path_params["attempt"])
    parts = urlsplit(way.page)
    if parts.scheme not in {"http", "https"}:
        return see_other(f"/b/{ref}")
    values = {"address": way.page, "host": parts.netloc, "app": way.app, "ref": ref}
    return payer_answer(request, "page/go.html", language_of(request), values)


async def _away(context: RequestContext, public_id: str) -> WayOut:
    """The way to a payer's own attempt or mandate; empty where there is none to go to."""
    if public_id.startswith("mdt_"):
        mandate_id = MandateId(from_public("mandate", public_id))
        seen = ViewMandateDeparture(mandate_id=mandate_id)
        return WayOut((await context.call(VIEW_MANDATE_DEPARTURE, seen)).page_url or "")
    attempt_id = AttemptId(from_public("attempt", public_id))
    told = context.doors.departures.take(context.authority, public_id)
    if told is not None:
        return told
    now = await context.call(VIEW_ATTEMPT, ViewAttempt(attempt_id=attempt_id))
    return WayOut(now.redirect_url or "", now.app_url or "")


# Answers


async def refused_bill(request: Request, context: RequestContext, code: str) -> Response:
    """The bill's page with why something was not done."""
    return await _bill_answer(request, context, code=code)


async def _bill_answer(
    request: Request, context: RequestContext, *, code: str | None = None
) -> Response:
    chosen = {} if code else read_choice(request.query_params)
    bill = (await run_operation(context, "Page", chosen))["bill"]
    refused = refusal_of(bill) if code is None else _refusal(code)
    return bill_page(
        request, bill, csrf=context.csrf_token, trouble=refused, status=_CONFLICT if code else 200
    )


def bill_page(
    request: Request,
    bill: Mapping[str, Any],
    *,
    csrf: str,
    trouble: Mapping[str, object] | None = None,
    status: int = 200,
) -> Response:
    """The bill's page for the data of the operation Page."""
    wait_no = _wait_no(request)
    language = choose_language(
        request.cookies.get(LANGUAGE_COOKIE),
        bill["language"],
        accept=request.headers.get("accept-language", ""),
    )
    return payer_answer(
        request,
        "page/bill.html",
        language,
        {
            "bill": {**bill, "state": str(bill["state"]).lower()},
            "consent": CONSENT,
            "words": WORDS,
            "csrf": csrf,
            "trouble": trouble,
            "wait_no": wait_no,
            "wait_s": next((wait for below, wait in _WAITS_S if wait_no < below), _WAIT_LAST_S),
        },
        status=status,
    )


def closed_page(request: Request, kind: str, status: int) -> Response:
    """A page that shows no bill: why not, and what to do."""
    return payer_answer(
        request, "page/closed.html", language_of(request), {"kind": kind}, status=status
    )


_CLOSED: Final[Mapping[str, str]] = {
    "link_unknown": "link_unknown",
    "link_expired": "link_expired",
    "return_unknown": "link_unknown",
    "return_expired": "link_expired",
    "page_not_open": "page_not_open",
    "authority_expired": "page_not_open",
    "authority_revoked": "page_not_open",
    "authority_unknown": "page_not_open",
    "form_stale": "page_not_open",
    "form_foreign": "page_not_open",
    "not_found": "link_unknown",
}
"""Code of an error → the page that tells a payer about it."""

_OWN_FAULT: Final = 500
_AWAY: Final = frozenset({429, 502, 503})


def payer_trouble(request: Request, trouble: Trouble) -> Response:
    """An error on a payer's path, as a page with something to do."""
    remembered = remember_choice(request) if request.method == "GET" else None
    if remembered is not None:
        return remembered
    kind = _CLOSED.get(trouble.code)
    if kind is None:
        if trouble.status == _OWN_FAULT:
            kind = "broken"
        else:
            kind = "try_later" if trouble.status in _AWAY else "page_not_open"
    return closed_page(request, kind, trouble.status)


def _refusal(code: str) -> dict[str, object]:
    params: dict[str, Param] = {}
    return {"code": code, "params": params}


def _wait_no(request: Request) -> int:
    """How often a page without script has looked already; it asks more slowly in time."""
    return min(read_whole(request.query_params.get("w", "")) or 0, _WAIT_NO_MAX)


ROUTES: Final = (
    Route("/p/{code}/{secret}", open_link, methods=["GET"]),
    Route("/b/{ref}", show_bill, methods=["GET"]),
    Route("/b/{ref}/state", show_state, methods=["GET"]),
    Route("/b/{ref}/opened", mark_opened, methods=["POST"]),
    Route("/b/{ref}/pay", start_payment, methods=["POST"]),
    Route("/b/{ref}/card", remove_card, methods=["POST"]),
    Route("/b/{ref}/reminders", set_reminders, methods=["POST"]),
    Route("/b/{ref}/paper", choose_billing, methods=["POST"]),
    Route("/b/{ref}/not-mine", deny_bill, methods=["POST"]),
    Route("/go/{attempt}", show_departure, methods=["GET"]),
)
PATHS: Final = ("/p/", "/b/", "/go/", "/return/", "/stop/")
"""Where payers are: errors under these are told by :func:`payer_trouble`."""
