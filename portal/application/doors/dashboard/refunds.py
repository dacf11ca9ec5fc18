"""The staff's screen of refunds: what waits for approval, for a transfer, or for the provider.

Zone: application. What the viewer may do comes with each refund; the forms post it back to
``/d/do/…``, where the vault judges again. Asking for one is on its bill's screen.
"""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.dashboard.screens import Screen, fresh_key, page_links, show_screen
from portal.application.doors.graphql.execute import Data

REFUNDS_SHOWN: Final = 50

FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "waiting": ("REQUESTED",),
    "transfer": ("BY_BANK_TRANSFER",),
    "open": ("RESERVED", "SUBMITTING", "PENDING", "UNKNOWN"),
    "all": (),
}
"""What the address may ask for → states, the first one when it asks for nothing."""


async def show_refunds(request: Request) -> Response:
    """``GET /d/refunds``: those that wait for approval, or others by their state."""
    variables = {
        "first": REFUNDS_SHOWN,
        "after": request.query_params.get("after"),
        "states": list(FILTERS[read_filter(request.query_params)]),
    }
    return await show_screen(request, refunds_screen, "Refunds", variables)


def read_filter(query: Mapping[str, str]) -> str:
    """What the address asks for, leniently."""
    wanted = query.get("state", "")
    return wanted if wanted in FILTERS else next(iter(FILTERS))


def refunds_screen(request: Request, data: Data) -> Screen:
    """Values of the list of refunds."""
    page = data["refunds"]
    return Screen(
        template="dashboard/refunds.html",
        here="refunds",
        values={
            "refunds": page["nodes"],
            "chosen": read_filter(request.query_params),
            "filters": tuple(FILTERS),
            "back": "/d/refunds?state=" + read_filter(request.query_params),
            "key": fresh_key(),
            **page_links(request, page["pageInfo"]),
        },
    )
