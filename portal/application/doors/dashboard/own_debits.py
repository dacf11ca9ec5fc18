"""The staff's screens of debits that the merchant made itself: files in, and what became of them.

Zone: application. A file of any length goes up to an address of its own (failed_files); a short
one that is pasted is answered on the same screen.
"""

from collections import Counter
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.dashboard.debits import path_of
from portal.application.doors.dashboard.flash import Flash
from portal.application.doors.dashboard.pasted import Pasted, take_pasted
from portal.application.doors.dashboard.screens import (
    Screen,
    answer_screen,
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
FILES_SHOWN: Final = 10
LINES_SHOWN: Final = 100
VERDICTS_SHOWN: Final = 500


async def show_own(request: Request) -> Response:
    """``GET /d/debits/own``: files of the merchant's own debits, the newest first."""
    variables = {"first": FILES_SHOWN, "after": request.query_params.get("after")}
    return await show_screen(request, own_screen, "OwnDebits", variables)


async def take_failed(request: Request) -> Response:
    """``POST /d/debits/own``: what became of the debits of a file that was pasted.

    Raises LimitReached ``body_too_large``; InvalidInput ``form_malformed``; NotAllowed
    ``form_foreign``, ``form_stale``.
    """
    context, taken, said = await take_pasted(request, FAILED)
    data = await run_operation(context.renewed(), "OwnDebits", {"first": FILES_SHOWN})
    return answer_screen(request, context, own_screen(request, data, taken, said), data)


async def show_file(request: Request) -> Response:
    """``GET /d/debits/own/{id}``: how far a file is told, and its lines that need a look."""
    variables = {
        "id": request.path_params["id"],
        "first": LINES_SHOWN,
        "after": request.query_params.get("after"),
    }
    return await show_screen(request, file_screen, "OwnDebitsFile", variables)


def own_screen(
    request: Request, data: Data, taken: Data | None = None, said: Flash | None = None
) -> Screen:
    """Values of the list of files, with what became of one that was pasted, if one was."""
    lines: list[Data] = taken["lines"] if taken else []
    page = data["failedDebitFiles"]
    return Screen(
        template="dashboard/own_debits.html",
        here="debits",
        values={
            "files": page["nodes"],
            "upload_path": path_of(page["uploadUrl"]),
            "taken": None if said else taken,
            "said": said,
            "lines": lines[:VERDICTS_SHOWN],
            "counts": Counter(line["result"] for line in lines),
            **page_links(request, page["pageInfo"], anchor="#files"),
        },
    )


def file_screen(request: Request, data: Data) -> Screen:
    """Values of one file's screen."""
    page = data["failedDebitLines"]
    return Screen(
        template="dashboard/own_debits_file.html",
        here="debits",
        values={
            "file": page["file"],
            "lines": page["nodes"],
            **page_links(request, page["pageInfo"], anchor="#look"),
        },
    )
