"""The screen of bills that nobody looked at, and of telling them all another way.

Zone: application. What it would mean is shown before anybody can say yes.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.context import language_of
from portal.application.doors.dashboard.figures import duration_text
from portal.application.doors.dashboard.reach import channel_name, channel_rows
from portal.application.doors.dashboard.screens import Screen, fresh_key, show_screen
from portal.application.doors.graphql.execute import Data

PATH: Final = "/d/unopened"


async def show_unopened(request: Request) -> Response:
    """``GET /d/unopened``: who never looked, and what telling them all would mean.

    Raises NotFound ``not_found`` for another merchant's import.
    """
    channel = request.query_params.get("channel", "")
    variables: dict[str, object] = {"id": request.query_params.get("import") or None}
    if not channel:
        return await show_screen(request, unopened_screen, "Unopened", variables)
    variables["channel"] = channel
    return await show_screen(request, unopened_screen, "UnopenedPlan", variables)


def unopened_screen(request: Request, data: Data) -> Screen:
    """Values of the screen, with the plan of a channel once one is chosen."""
    language = language_of(request)
    funnel = data["funnel"]
    plan = data.get("switchPlan")
    source = request.query_params.get("import") or ""
    channel = request.query_params.get("channel", "")
    return Screen(
        template="dashboard/unopened.html",
        here="bills",
        values={
            "funnel": funnel,
            "rows": channel_rows(funnel, language),
            "choices": [(one, channel_name(one, language)) for one in funnel["reachable"]],
            "plan": plan,
            "time": duration_text(plan["seconds"], language) if plan else "",
            "chosen": (channel, channel_name(channel, language)),
            "source": source,
            "back": f"{PATH}?import={source}" if source else PATH,
            "key": fresh_key(),
        },
    )
