"""The staff's screen of bank debits: files with count, sum and state, and what to do about each.

Zone: application. What the viewer may decide comes with each file; the forms post it back to
``/d/do/…``, where the vault judges again. Files go out and answers come in by portal's own doors
(results).
"""

from collections import Counter
from typing import Final
from urllib.parse import urlsplit

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

CHARSET: Final = "cp932"
"""Half-width kana are one byte each in it, as in a bank's JIS X 0201."""

# A letter that banks don't have is none of theirs: the record that holds it is refused.
FAILED: Final = Pasted(
    field="content", charset=CHARSET, lacking="replace",
    operation="FailedDebitsTake", root="failedDebitsTake",
)  # fmt: skip
FILES_SHOWN: Final = 25
LINES_SHOWN: Final = 500


async def show_debits(request: Request) -> Response:
    """``GET /d/debits``: the files of bank debits, those of the latest day first."""
    variables = {"first": FILES_SHOWN, "after": request.query_params.get("after")}
    return await show_screen(request, debits_screen, "Debits", variables)


async def take_failed(request: Request) -> Response:
    """``POST /d/debits``: what became of debits that failed elsewhere.

    Raises LimitReached ``body_too_large``; InvalidInput ``form_malformed``; NotAllowed
    ``form_foreign``, ``form_stale``.
    """
    context, taken, said = await take_pasted(request, FAILED)
    data = await run_operation(context.renewed(), "Debits", {"first": FILES_SHOWN})
    return answer_screen(request, context, debits_screen(request, data, taken, said), data)


def debits_screen(
    request: Request, data: Data, taken: Data | None = None, said: Flash | None = None
) -> Screen:
    """Values of the list of files, with what became of a file of failed debits, if one came."""
    lines: list[Data] = taken["lines"] if taken else []
    page = data["debitFiles"]
    return Screen(
        template="dashboard/debits.html",
        here="debits",
        values={
            "files": [{**one, "resultPath": _path(one["resultUrl"])} for one in page["nodes"]],
            "contracts": page["contracts"],
            "back": "/d/debits",
            "taken": None if said else taken,
            "said": said,
            "lines": lines[:LINES_SHOWN],
            "counts": Counter(line["result"] for line in lines),
            "key": fresh_key(),
            **page_links(request, page["pageInfo"]),
        },
    )


def _path(address: str | None) -> str:
    """An address of ours without its origin: the page is there already."""
    return urlsplit(address).path if address else ""
