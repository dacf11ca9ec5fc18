"""The staff's screen of bank debits: files with count, sum and state, and what to do about each.

Zone: application. What the viewer may decide comes with each file; the forms post it back to
``/d/do/…``, where the vault judges again. Files go out and answers come in by portal's own doors
(results).
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.dashboard.screens import Screen, fresh_key, page_links, show_screen
from portal.application.doors.graphql.execute import Data

FILES_SHOWN: Final = 25


async def show_debits(request: Request) -> Response:
    """``GET /d/debits``: the files of bank debits, those of the latest day first."""
    variables = {"first": FILES_SHOWN, "after": request.query_params.get("after")}
    return await show_screen(request, debits_screen, "Debits", variables)


def debits_screen(request: Request, data: Data) -> Screen:
    """Values of the list of files."""
    page = data["debitFiles"]
    return Screen(
        template="dashboard/debits.html",
        here="debits",
        values={
            "files": [{**one, "resultPath": path_of(one["resultUrl"])} for one in page["nodes"]],
            "contracts": page["contracts"],
            "back": "/d/debits",
            "key": fresh_key(),
            **page_links(request, page["pageInfo"]),
        },
    )


def path_of(address: str | None) -> str:
    """An address of ours without its origin: the page is there already."""
    return urlsplit(address).path if address else ""
