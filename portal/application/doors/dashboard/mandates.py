"""The staff's screens of mandates: whose accounts may be debited, and one with its history.

Zone: application. What the viewer may say comes with each; the forms post it back to ``/d/do/…``,
where the vault judges again. A customer number that was searched for goes into the address sealed.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.answers import remember_choice, see_other
from portal.application.doors.context import staff_context
from portal.application.doors.dashboard.screens import (
    Screen,
    answer_screen,
    fresh_key,
    page_links,
    show_screen,
)
from portal.application.doors.forms import read_form
from portal.application.doors.graphql.enums import MandateDecision, MandateState
from portal.application.doors.graphql.execute import Data, run_operation
from portal.domain.errors import NotFound
from portal.domain.mandate import REASONS

MANDATES_SHOWN: Final = 50
PATH: Final = "/d/mandates"
STATES: Final = tuple(state.name.lower() for state in MandateState)
SEALED: Final = "find"
TEXT_MAX: Final = 40
REASONS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    decision.name: tuple(reason.upper() for reason in REASONS.get(decision.value, ()))
    for decision in MandateDecision
}
"""Decision → the reasons that its form offers."""

_SEARCH: Final = "mandate-search"
_CONTRACT: Final = re.compile(r"dct_[0-9A-Z]{26}")


async def show_mandates(request: Request) -> Response:
    """``GET /d/mandates``: all, or by state, contract and customer number."""
    chosen = remember_choice(request)
    if chosen is not None:
        return chosen
    context = staff_context(request)
    sealed = request.query_params.get(SEALED, "")
    text = context.doors.seals.unseal(_SEARCH, sealed, str) or ""
    wanted = read_query(request.query_params, text)
    variables = {
        "first": MANDATES_SHOWN,
        "after": request.query_params.get("after"),
        "customerNo": wanted["q"],
        "states": [wanted["state"].upper()] if wanted["state"] else None,
        "contractId": wanted["contract"] or None,
    }
    data = await run_operation(context, "Mandates", variables)
    return answer_screen(request, context, mandates_screen(request, data, wanted), data)


async def find_mandates(request: Request) -> Response:
    """``POST /d/mandates``: to the list's address, with the customer number sealed in it."""
    context = staff_context(request)
    context.doors.sessions.check_origin(request)
    form = await read_form(request)
    wanted = read_query(form, form.get("q", ""))
    said = {name: wanted[name] for name in ("state", "contract") if wanted[name]}
    if wanted["q"]:
        said[SEALED] = context.doors.seals.seal(_SEARCH, wanted["q"])
    return see_other(f"{PATH}?{urlencode(said)}" if said else PATH)


async def show_mandate(request: Request) -> Response:
    """``GET /d/mandates/{id}``: one mandate, what happened to it, what can be said of it."""
    return await show_screen(request, mandate_screen, "Mandate", {"id": request.path_params["id"]})


def read_query(query: Mapping[str, str], text: str = "") -> dict[str, str]:
    """State and contract as the address says them, leniently, and what was typed."""
    state = query.get("state", "")
    contract = query.get("contract", "")
    return {
        "q": text.strip()[:TEXT_MAX],
        "state": state if state in STATES else "",
        "contract": contract if _CONTRACT.fullmatch(contract) else "",
    }


def mandates_screen(request: Request, data: Data, wanted: Mapping[str, str]) -> Screen:
    """Values of the list of mandates."""
    page = data["mandates"]
    return Screen(
        template="dashboard/mandates.html",
        here="debits",
        values={
            "mandates": page["nodes"],
            "contracts": data["debitFiles"]["contracts"],
            "asked": wanted,
            "filtered": any(wanted.values()),
            "states": STATES,
            "back": PATH,
            "key": fresh_key(),
            **page_links(request, page["pageInfo"]),
        },
    )


def mandate_screen(_request: Request, data: Data) -> Screen:
    """Values of one mandate's screen; raises NotFound ``not_found``."""
    if data["mandate"] is None:
        raise NotFound("not_found")
    mandate = data["mandate"]["mandate"]
    return Screen(
        template="dashboard/mandate.html",
        here="debits",
        values={
            "mandate": mandate,
            "history": [{**event, "params": {}} for event in data["mandate"]["history"]],
            "reasons": REASONS_OF,
            "back": f"{PATH}/{mandate['id']}",
            "key": fresh_key(),
        },
    )
