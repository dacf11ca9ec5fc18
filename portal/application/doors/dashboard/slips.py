"""The staff's screen for slips: an agency's notices in with verdicts, files for print shops out.

Zone: application. The file is pasted, or read into the form by the browser from a file that is
chosen; either way it comes as text and is turned back into the agency's charset here. The answer
to the form shows the verdicts; sending the same again shows the same.
"""

from collections import Counter
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.dashboard.flash import Flash
from portal.application.doors.dashboard.pasted import Pasted, take_pasted
from portal.application.doors.dashboard.screens import (
    Screen,
    answer_screen,
    fresh_key,
    page_links,
    show_screen,
)
from portal.application.doors.graphql.execute import Data, run_operation
from portal.domain.print_batch import BILLS_MAX

CHARSET: Final = "cp932"
# What the agency's charset lacks stands in no column that counts.
NOTICES: Final = Pasted(
    field="csv", charset=CHARSET, lacking="xmlcharrefreplace",
    operation="SlipNoticesTake", root="slipNoticesTake",
)  # fmt: skip
LINES_SHOWN: Final = 500
BATCHES_SHOWN: Final = 10


async def show_slips(request: Request) -> Response:
    """``GET /d/slips``: where a file of notices goes in, and slips for a print shop go out."""
    variables = {"first": BATCHES_SHOWN, "after": request.query_params.get("after")}
    return await show_screen(request, slips_screen, "Slips", variables)


async def take_slips(request: Request) -> Response:
    """``POST /d/slips``: the verdicts of what was sent.

    Raises LimitReached ``body_too_large``; InvalidInput ``form_malformed``; NotAllowed
    ``form_foreign``, ``form_stale``.
    """
    context, taken, said = await take_pasted(request, NOTICES)
    data = await run_operation(context.renewed(), "Slips", {"first": BATCHES_SHOWN})
    return answer_screen(request, context, slips_screen(request, data, taken, said), data)


def slips_screen(
    request: Request, data: Data, taken: Data | None = None, said: Flash | None = None
) -> Screen:
    """Values of the screen, before and after a file."""
    batches = data["printBatches"]
    lines: list[Data] = taken["lines"] if taken else []
    # What needs a look comes first; what went well is counted.
    odd = [line for line in lines if line["reason"]]
    return Screen(
        template="dashboard/slips.html",
        here="imports",
        values={
            "taken": taken if lines else None,
            "said": said,
            "counts": Counter(line["result"] for line in lines),
            "lines": (odd + [line for line in lines if not line["reason"]])[:LINES_SHOWN],
            "batches": batches["nodes"],
            "waiting": batches["waiting"],
            "bills_max": BILLS_MAX,
            "back": "/d/slips",
            "key": fresh_key(),
            **page_links(request, batches["pageInfo"]),
        },
    )
