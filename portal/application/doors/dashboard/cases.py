"""The staff's screens of cases: what needs a person, and one case with what can be done about it.

Zone: application. What may be done comes with the case, for just this viewer; the forms post it
back to ``/d/do/CaseSettle``, where the vault judges again.
"""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.dashboard.screens import Screen, fresh_key, page_links, show_screen
from portal.application.doors.graphql.case_kinds import CaseKind
from portal.application.doors.graphql.execute import Data
from portal.domain.errors import NotFound

CASES_SHOWN: Final = 50
STATES: Final = ("open", "closed", "all")
KINDS: Final = tuple(kind.name for kind in CaseKind)

_IS_OPEN: Final[Mapping[str, bool | None]] = {"open": True, "closed": False, "all": None}


async def show_cases(request: Request) -> Response:
    """``GET /d/cases``: the open ones, or by state and kind."""
    wanted = read_query(request.query_params)
    variables = {
        "first": CASES_SHOWN,
        "after": request.query_params.get("after"),
        "filter": {
            "isOpen": _IS_OPEN[wanted["state"]],
            "kinds": [wanted["kind"]] if wanted["kind"] else None,
        },
    }
    return await show_screen(request, cases_screen, "Cases", variables)


async def show_case(request: Request) -> Response:
    """``GET /d/cases/{id}``: what happened, what it means, what to do."""
    return await show_screen(request, case_screen, "Case", {"id": request.path_params["id"]})


def read_query(query: Mapping[str, str]) -> dict[str, str]:
    """State and kind as the address says them, leniently: what it says wrongly narrows nothing."""
    state, kind = query.get("state", ""), query.get("kind", "")
    return {
        "state": state if state in STATES else STATES[0],
        "kind": kind if kind in KINDS else "",
    }


def cases_screen(request: Request, data: Data) -> Screen:
    """Values of the list of cases."""
    page = data["cases"]
    wanted = read_query(request.query_params)
    return Screen(
        template="dashboard/cases.html",
        here="cases",
        values={
            "cases": page["nodes"],
            "count": page["count"]["value"],
            "exact": page["count"]["exact"],
            "asked": wanted,
            "kinds": KINDS,
            "states": STATES,
            **page_links(request, page["pageInfo"]),
        },
    )


def case_screen(_request: Request, data: Data) -> Screen:
    """Values of one case's screen; raises NotFound ``not_found``."""
    if data["case"] is None:
        raise NotFound("not_found")
    return Screen(
        template="dashboard/case.html",
        here="cases",
        values={"case": data["case"], "key": fresh_key()},
    )
