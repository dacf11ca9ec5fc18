"""The staff's screens of refunds by a bank's file: files, and one file with its transfers.

Zone: application. What the viewer may decide comes with each file; the forms post it back to
``/d/do/…``, where the vault judges again. A file is approved on its own screen, where every
transfer of it can be looked at. Files go out by portal's own door (results).
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.dashboard.screens import (
    Screen,
    fresh_key,
    page_links,
    show_screen,
)
from portal.application.doors.forms import read_whole
from portal.application.doors.graphql.execute import Data
from portal.domain.errors import NotFound

PATH: Final = "/d/transfers"
FILES_SHOWN: Final = 25
LINES_SHOWN: Final = 100


async def show_transfers(request: Request) -> Response:
    """``GET /d/transfers``: the files of transfers, those of the latest day first."""
    variables = {"first": FILES_SHOWN, "after": request.query_params.get("after")}
    return await show_screen(request, transfers_screen, "Transfers", variables)


async def show_transfer(request: Request) -> Response:
    """``GET /d/transfers/{id}``: one file, its transfers, and what may be decided about it."""
    variables: dict[str, object] = {
        "id": request.path_params["id"],
        "first": LINES_SHOWN,
        "afterLine": read_whole(request.query_params.get("line", "")) or 0,
    }
    return await show_screen(request, transfer_screen, "Transfer", variables)


def transfers_screen(request: Request, data: Data) -> Screen:
    """Values of the list of files."""
    page = data["transferFiles"]
    return Screen(
        template="dashboard/transfers.html",
        here="refunds",
        values={
            "files": page["nodes"],
            "contracts": page["contracts"],
            "waiting": page["waiting"],
            "waiting_total": page["waitingTotal"],
            "accountless": page["accountless"],
            "back": PATH,
            "key": fresh_key(),
            **page_links(request, page["pageInfo"]),
        },
    )


def transfer_screen(_request: Request, data: Data) -> Screen:
    """Values of one file's screen; raises NotFound ``not_found``."""
    if data["transferFile"] is None:
        raise NotFound("not_found")
    seen = data["transferFile"]
    here = f"{PATH}/{seen['file']['id']}"
    return Screen(
        template="dashboard/transfer.html",
        here="refunds",
        values={
            "file": seen["file"],
            "lines": seen["lines"],
            "back": here,
            "key": fresh_key(),
            "next_href": f"{here}?line={seen['endLine']}" if seen["endLine"] else None,
        },
    )
