"""The staff's screen of files back to the billing system: when they are made, which arrived.

Zone: application. The bytes go out by portal.application.doors.result_files.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.dashboard.screens import Screen, fresh_key, page_links, show_screen
from portal.application.doors.graphql.execute import Data

FILES_SHOWN: Final = 25


async def show_result_files(request: Request) -> Response:
    """``GET /d/results``: the plan, and the files, the newest first."""
    variables = {"first": FILES_SHOWN, "after": request.query_params.get("after")}
    return await show_screen(request, result_files_screen, "ResultFiles", variables)


def result_files_screen(request: Request, data: Data) -> Screen:
    """Values of the screen."""
    page = data["resultFiles"]
    return Screen(
        template="dashboard/result_files.html",
        here="imports",
        values={
            "plan": page["plan"],
            "files": page["nodes"],
            "waiting": page["waiting"],
            "back": "/d/results",
            "key": fresh_key(),
            **page_links(request, page["pageInfo"]),
        },
    )
