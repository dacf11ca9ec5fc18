"""The staff's screen of refunds: what waits for approval, for a transfer, or for the provider.

Zone: application. What the viewer may do comes with each refund; the forms post it back to
``/d/do/…``, where the vault judges again. Asking for one is on its bill's screen.
"""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.answers import remember_choice
from portal.application.doors.context import staff_context
from portal.application.doors.dashboard.screens import (
    Screen,
    answer_screen,
    fresh_key,
    page_links,
)
from portal.application.doors.graphql.execute import Data, run_operation

REFUNDS_SHOWN: Final = 50

FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "waiting": ("REQUESTED",),
    "transfer": ("BY_BANK_TRANSFER",),
    "account": ("BY_BANK_TRANSFER",),
    "open": ("RESERVED", "SUBMITTING", "PENDING", "UNKNOWN"),
    "all": (),
}
"""What the address may ask for → states."""

LACKING: Final = "account"
"""Those of them of which nobody has said where the money goes."""

RATHER: Final = "waiting"
"""What is shown to who asks for nothing, as long as there is any: work comes first."""

INSTEAD: Final = (LACKING, "all")
"""What is shown instead when there is none: money that can't go back as nobody knows where to, then
all, newest first, so what was just asked for is on top."""


async def show_refunds(request: Request) -> Response:
    """``GET /d/refunds``: those that wait for approval, or others by their state.

    An address that names no state, or says ``rather``, never ends on an empty list while the
    merchant has refunds at all: who comes back from the last act of a list sees what became of it.
    """
    query = request.query_params
    remembered = remember_choice(request)
    if remembered is not None:
        return remembered
    context = staff_context(request)
    chosen = read_filter(query)
    data = await run_operation(context, "Refunds", _asking(chosen, query.get("after")))
    if query.get("state", "") not in FILTERS:
        for then in INSTEAD:
            if data["refunds"]["nodes"]:
                break
            chosen = then
            data = await run_operation(context, "Refunds", _asking(chosen, None))
    return answer_screen(request, context, refunds_screen(request, data, chosen), data)


def _asking(chosen: str, after: str | None) -> dict[str, object]:
    return {
        "first": REFUNDS_SHOWN,
        "after": after,
        "states": list(FILTERS[chosen]),
        "lacksAccount": chosen == LACKING,
    }


def read_filter(query: Mapping[str, str]) -> str:
    """What the address asks for, leniently."""
    wanted = query.get("state") or query.get("rather", "")
    return wanted if wanted in FILTERS else RATHER


def refunds_screen(request: Request, data: Data, chosen: str = "") -> Screen:
    """Values of the list of refunds; ``chosen`` where it is not what the address asks for."""
    page = data["refunds"]
    chosen = chosen or read_filter(request.query_params)
    return Screen(
        template="dashboard/refunds.html",
        here="refunds",
        values={
            "refunds": page["nodes"],
            "chosen": chosen,
            "filters": tuple(FILTERS),
            "back": "/d/refunds?rather=" + chosen,
            "key": fresh_key(),
            **page_links(request, page["pageInfo"], state=chosen),
        },
    )
