"""The staff's screens of contacts and of paper: what is the matter, what to do, what is saved.

Zone: application. The list leaves as a file too, without names; as in faults.py a cell that a
spreadsheet would run is defused, and the file begins with a mark.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from portal.application.doors.context import RequestContext, staff_context
from portal.application.doors.dashboard.faults import defused
from portal.application.doors.dashboard.screens import Screen, page_links, show_screen
from portal.application.doors.graphql.execute import Data, run_operation
from portal.application.doors.locales import TEXTS
from portal.domain.hygiene import PROBLEMS

SHOWN: Final = 50
BILLINGS: Final = ("digital", "parallel", "paper")
CLEARS: Final = ("CONFIRMED", "RESTORED", "MISTAKE")
REASONS: Final = ("ASKED", "NOT_THEIRS", "MISTAKE", "COMPLAINT")
_COLUMNS: Final = ("bill", "contact", "hint", "problem", "since", "contracts", "todo")
_FIRST: Final = 100
_PAGES_MAX: Final = 1_000


def read_choice(query: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    """What the address asks for, leniently: the first one when it asks for nothing that is."""
    wanted = query.get(name, "")
    return wanted if wanted in known else known[0]


async def show_contacts(request: Request) -> Response:
    """``GET /d/contacts``: contacts with one kind of problem, and how many have which."""
    variables = {
        "problem": read_choice(request.query_params, "problem", PROBLEMS).upper(),
        "first": SHOWN,
        "after": request.query_params.get("after"),
    }
    return await show_screen(request, contacts_screen, "Contacts", variables)


def contacts_screen(request: Request, data: Data) -> Screen:
    """Values of the list of contacts."""
    page = data["contactProblems"]
    chosen = read_choice(request.query_params, "problem", PROBLEMS)
    return Screen(
        template="dashboard/contacts.html",
        here="templates",
        values={
            "contacts": page["nodes"],
            "counts": data["contactProblemCounts"],
            "chosen": chosen,
            "clears": CLEARS,
            "back": f"/d/contacts?problem={chosen}",
            **page_links(request, page["pageInfo"]),
        },
    )


async def show_paper(request: Request) -> Response:
    """``GET /d/paper``: paper saved, and contracts by how they are billed."""
    variables = {
        "billing": read_choice(request.query_params, "billing", BILLINGS).upper(),
        "first": SHOWN,
        "after": request.query_params.get("after"),
    }
    return await show_screen(request, paper_screen, "Paper", variables)


def paper_screen(request: Request, data: Data) -> Screen:
    """Values of the screen of paper."""
    page = data["contractBillings"]
    chosen = read_choice(request.query_params, "billing", BILLINGS)
    return Screen(
        template="dashboard/paper.html",
        here="templates",
        values={
            "contracts": page["nodes"],
            "saved": data["paperSaved"],
            "chosen": chosen,
            "reasons": REASONS,
            "back": f"/d/paper?billing={chosen}",
            **page_links(request, page["pageInfo"]),
        },
    )


async def download_contacts(request: Request) -> Response:
    """``GET /d/contacts.csv``: all contacts with one kind of problem, without names."""
    context = staff_context(request)
    problem = read_choice(request.query_params, "problem", PROBLEMS)
    first = await _page(context, problem, None)
    return StreamingResponse(
        _lines(context, problem, first),
        media_type="text/csv; charset=utf-8",
        headers={
            "content-disposition": f'attachment; filename="contacts-{problem}.csv"',
            "cache-control": "no-store",
        },
    )


async def _lines(context: RequestContext, problem: str, page: Data) -> AsyncIterator[bytes]:
    say = TEXTS[context.language].say
    yield b"\xef\xbb\xbf"
    yield _row(say(f"contacts.columns.{column}") for column in _COLUMNS)
    for _ in range(_PAGES_MAX):
        for one in page["nodes"]:
            yield _row((
                one["billNumber"], say(f"contacts.kinds.{one['contact']}"), one["hint"],
                say(f"contacts.problems.{problem}"), one["since"] or "", str(one["contracts"]),
                say(f"contacts.todo.{problem}"),
            ))  # fmt: skip
        if not page["pageInfo"]["hasNextPage"]:
            return
        page = await _page(context.renewed(), problem, page["pageInfo"]["endCursor"])


async def _page(context: RequestContext, problem: str, after: str | None) -> Data:
    variables = {"problem": problem.upper(), "first": _FIRST, "after": after}
    return (await run_operation(context, "Contacts", variables))["contactProblems"]


def _row(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([defused(cell) for cell in cells])
    return line.getvalue().encode()
