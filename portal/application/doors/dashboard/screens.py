"""The staff's screens that only look: home, imports, bills, keys. One operation, one template each.

Zone: application. The address is the state: filters, order and place in a list are in the query,
so a screen can be sent to a colleague, who sees what she may see.
"""

import secrets
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.answers import remember_choice, see_other, staff_answer
from portal.application.doors.context import RequestContext, doors_of, language_of, staff_context
from portal.application.doors.dashboard import asked
from portal.application.doors.dashboard.figures import (
    MOVING,
    ImportData,
    SummaryData,
    charts_of,
    days_of,
    home_figures,
    import_figures,
    needs_of,
)
from portal.application.doors.dashboard.flash import Flash, forget_flash, take_flash
from portal.application.doors.dashboard.reach import channel_rows, message_rows
from portal.application.doors.dashboard.search import recognise
from portal.application.doors.forms import read_form
from portal.application.doors.graphql.enums import RefundReason
from portal.application.doors.graphql.execute import Data, run_operation
from portal.application.doors.locales import TEXTS
from portal.domain.errors import NotFound
from portal.domain.retention import PERIODS

BILLS_SHOWN: Final = 50
FAULTS_SHOWN: Final = 50
IMPORTS_SHOWN: Final = 25
_SEARCH: Final = "bill-search"
REFUND_REASONS: Final = tuple(reason.name for reason in RefundReason)
SCOPES: Final = ("BILLS_READ", "BILLS_WRITE", "IMPORTS_WRITE", "SCHEMA_READ", "PAPER_PRINT")


async def show_login(request: Request) -> Response:
    """``GET /login``: one form for password and TOTP; ``?code=`` says why the last try failed."""
    chosen = remember_choice(request)
    if chosen is not None:
        return chosen
    language = language_of(request)
    code = request.query_params.get("code", "")
    texts = TEXTS[language]
    flash = None
    if texts.knows_code(code):
        flash = Flash(kind="error", text=texts.code(code), remedy=texts.remedy(code))
    return staff_answer(
        request,
        "dashboard/login.html",
        language,
        {
            "merchant": request.query_params.get("merchant", "")[:12],
            "next": request.query_params.get("next", "/d")[:500],
            "flash": flash,
        },
    )


async def show_home(request: Request) -> Response:
    """``GET /d``: how the money stands, and what needs a person."""
    return await show_screen(request, home_screen, "Home", {})


async def show_imports(request: Request) -> Response:
    """``GET /d/imports``: all imports, newest first."""
    after = request.query_params.get("after")
    return await show_screen(
        request, imports_screen, "Imports", {"first": IMPORTS_SHOWN, "after": after}
    )


async def show_import_new(request: Request) -> Response:
    """``GET /d/imports/new``: choose, drop or paste a file, or send it by command."""
    return await show_screen(request, import_new_screen, "ImportNew", {})


async def show_import(request: Request) -> Response:
    """``GET /d/imports/{id}``: one import, from the first byte to the last bill."""
    variables = {
        "id": request.path_params["id"],
        "first": FAULTS_SHOWN,
        "after": request.query_params.get("after"),
        "code": request.query_params.get("fault"),
    }
    return await show_screen(request, import_screen, "Import", variables)


async def show_bills(request: Request) -> Response:
    """``GET /d/bills``: filter, search, sort, page. A search looks for one field after another."""
    chosen = remember_choice(request)
    if chosen is not None:
        return chosen
    context = staff_context(request)
    sealed = request.query_params.get(asked.SEALED, "")
    text = context.doors.seals.unseal(_SEARCH, sealed, str) or ""
    wanted = asked.read_query(request.query_params, text)
    fields = recognise(wanted["q"])
    after = request.query_params.get("after")
    data: Data = {}
    seen_as = ""
    for field in fields or ("",):
        search = {"field": field, "text": wanted["q"]} if field else None
        variables = asked.variables(wanted, search, first=BILLS_SHOWN, after=after)
        data = await run_operation(context, "Bills", variables)
        if data["bills"]["nodes"]:
            seen_as = field.lower()
            break
    return answer_screen(request, context, bills_screen(request, data, wanted, seen_as), data)


async def find_bills(request: Request) -> Response:
    """``POST /d/bills``: to the list's address, with what was typed sealed in it."""
    context = staff_context(request)
    context.doors.sessions.check_origin(request)
    form = await read_form(request)
    wanted = asked.read_query(form, form.get("q", ""))
    sealed = context.doors.seals.seal(_SEARCH, wanted["q"]) if wanted["q"] else ""
    return see_other(asked.address_of(wanted, sealed))


async def show_bill(request: Request) -> Response:
    """``GET /d/bills/{id}``: one bill with all that happened to it."""
    return await show_screen(request, bill_screen, "Bill", {"id": request.path_params["id"]})


async def show_keys(request: Request) -> Response:
    """``GET /d/keys``: the API keys."""
    return await show_screen(request, keys_screen, "Keys", {})


# What each template is given, from the data of its operation


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """A template and its values, besides those that every screen has.

    ``shows_mail``: a mail's own HTML stands in it, in a frame that can do nothing.
    """

    template: str
    here: str
    values: dict[str, object]
    shows_mail: bool = False


MakeScreen = Callable[[Request, Data], Screen]


def home_screen(request: Request, data: Data) -> Screen:
    """Values of the first screen."""
    summary = msgspec.convert(data["summary"], SummaryData)
    zone: str = data["viewer"]["merchant"]["zone"]
    days = days_of(summary, zone)
    return Screen(
        template="dashboard/home.html",
        here="home",
        values={
            "summary": data["summary"],
            "live": home_figures(summary, language_of(request), zone),
            "needs": needs_of(summary),
            "overdue": summary.overdue.amount,
            "running": any(item.stage in MOVING for item in summary.imports),
            "days": days,
            "charts": charts_of(days),
            "moving": MOVING,
            "funnel": data["funnel"],
            "channels": channel_rows(data["funnel"], language_of(request)),
        },
    )


def imports_screen(request: Request, data: Data) -> Screen:
    """Values of the list of imports."""
    return Screen(
        template="dashboard/imports.html",
        here="imports",
        values={
            "imports": data["imports"]["nodes"],
            **page_links(request, data["imports"]["pageInfo"]),
        },
    )


def import_new_screen(request: Request, _data: Data) -> Screen:
    """Values of the screen that takes a new file."""
    origin = doors_of(request).settings.public_origin
    return Screen(
        template="dashboard/import_new.html",
        here="imports",
        values={"key": fresh_key(), "curl": curl_lines(origin)},
    )


def import_screen(request: Request, data: Data) -> Screen:
    """Values of one import's screen; raises NotFound ``not_found``."""
    item = data["import"]
    if item is None:
        raise NotFound("not_found")
    known = msgspec.convert(item, ImportData)
    figures = import_figures(known, language_of(request))
    return Screen(
        template="dashboard/import.html",
        here="imports",
        values={
            "item": item,
            "live": figures,
            "under_way": known.is_sending,
            "funnel": data["funnel"],
            "channels": channel_rows(data["funnel"], language_of(request)),
            "faults": item["faults"]["nodes"],
            "fault": request.query_params.get("fault"),
            "decide_days": PERIODS["undecided_import"].days,
            "key": fresh_key(),
            **page_links(request, item["faults"]["pageInfo"], anchor="#faults"),
        },
    )


def bills_screen(request: Request, data: Data, wanted: Mapping[str, str], seen_as: str) -> Screen:
    """Values of the list of bills."""
    page = data["bills"]
    return Screen(
        template="dashboard/bills.html",
        here="bills",
        values={
            "bills": page["nodes"],
            "count": page["count"]["value"],
            "exact": page["count"]["exact"],
            "asked": wanted,
            "filtered": asked.is_filtered(wanted),
            "seen_as": seen_as,
            "orders": asked.ORDERS,
            **page_links(request, page["pageInfo"]),
        },
    )


def bill_screen(request: Request, data: Data) -> Screen:
    """Values of one bill's screen; raises NotFound ``not_found``."""
    if data["bill"] is None:
        raise NotFound("not_found")
    bill = {**data["bill"], "messages": message_rows(data["bill"], language_of(request))}
    return Screen(
        template="dashboard/bill.html",
        here="bills",
        values={"bill": bill, "key": fresh_key(), "reasons": REFUND_REASONS},
    )


def keys_screen(
    _request: Request, data: Data, *, secret: Mapping[str, str] | None = None
) -> Screen:
    """Values of the API keys' screen; ``secret`` is a new key's name and value, shown once."""
    return Screen(
        template="dashboard/keys.html",
        here="keys",
        values={
            "keys": data["apiKeys"],
            "secret": secret,
            "scopes": SCOPES,
            "key": fresh_key(),
        },
    )


def page_links(
    request: Request, page: Data, *, anchor: str = "", **chosen: str
) -> dict[str, object]:
    """Addresses of the first and the next page, or None where there is none.

    ``chosen``: what the address may not say, and the next page has to.
    """
    query = {name: value for name, value in request.query_params.items() if name != "after"}
    query |= chosen
    path = request.url.path
    following = {**query, "after": page["endCursor"]}
    first = f"{path}?{urlencode(query)}" if query else path
    return {
        "first_href": first + anchor if "after" in request.query_params else None,
        "next_href": f"{path}?{urlencode(following)}{anchor}" if page["hasNextPage"] else None,
    }


def fresh_key() -> str:
    """An idempotency key for the forms of one view: a second click is the same act."""
    return secrets.token_urlsafe(16)


def curl_lines(origin: str) -> str:
    """Two commands that import a file with an API key."""
    query = (
        "mutation($i:ImportCreateInput!){importCreate(input:$i){uploadUrl errors{code message}}}"
    )
    body = (
        '{"query":"' + query + '","variables":{"i":{"filename":"bills.csv",'
        '"idempotencyKey":"\'$(uuidgen)\'"}}}'
    )
    return (
        f"ADDRESS=$(curl -s {origin}/graphql -H 'Authorization: Bearer KEY' \\\n"
        f"  -H 'Content-Type: application/json' \\\n  -d '{body}' \\\n"
        "  | python3 -c 'import json,sys; print(json.load(sys.stdin)"
        '["data"]["importCreate"]["uploadUrl"])\')\n'
        "curl -T bills.csv -H 'Content-Type: text/csv' \"$ADDRESS\""
    )


# Answering


async def show_screen(
    request: Request, make: MakeScreen, operation: str, variables: Mapping[str, object]
) -> Response:
    """A screen of one operation, run with the viewer's own authority."""
    chosen = remember_choice(request)
    if chosen is not None:
        return chosen
    context = staff_context(request)
    data = await run_operation(context, operation, variables)
    return answer_screen(request, context, make(request, data), data)


def answer_screen(
    request: Request, context: RequestContext, screen: Screen, data: Data
) -> Response:
    """A screen with what all have: viewer, form token, flash."""
    flash = take_flash(request, context)
    response = staff_answer(
        request,
        screen.template,
        context.language,
        {
            **screen.values,
            "viewer": data["viewer"],
            "csrf": context.csrf_token,
            "here": screen.here,
            "flash": flash,
        },
        shows_mail=screen.shows_mail,
    )
    forget_flash(request, response)
    return response
