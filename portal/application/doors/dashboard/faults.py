"""``GET /d/imports/{id}/faults.csv``: every faulty row for a spreadsheet, streamed page by page.

Zone: application. A cell that a spreadsheet would run as a formula is defused; the file begins
with a byte order mark, because Japanese Excel reads UTF-8 only then.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from portal.application.doors.context import RequestContext, staff_context
from portal.application.doors.graphql.execute import Data, run_operation
from portal.application.doors.locales import TEXTS
from portal.domain.errors import NotFound

_FIRST: Final = 100
_PAGES_MAX: Final = 10_000
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - full-width signs start formulas too
_COLUMNS: Final = ("line", "column", "value", "reason", "remedy")


async def download_faults(request: Request) -> Response:
    """The file; raises NotFound ``not_found`` for an import that is not the viewer's."""
    context = staff_context(request)
    public_id: str = request.path_params["id"]
    first = await _page(context, public_id, None)
    texts = TEXTS[context.language]
    name = f"{texts.say('faults_csv.name')}-{public_id}.csv"
    return StreamingResponse(
        _lines(context, public_id, first),
        media_type="text/csv; charset=utf-8",
        headers={
            "content-disposition": f'attachment; filename="{name}"',
            "cache-control": "no-store",
        },
    )


async def _lines(context: RequestContext, public_id: str, page: Data) -> AsyncIterator[bytes]:
    texts = TEXTS[context.language]
    yield b"\xef\xbb\xbf"
    yield _row(texts.say(f"imports.{column}") for column in _COLUMNS)
    for _ in range(_PAGES_MAX):
        nodes, info = page["nodes"], page["pageInfo"]
        for fault in nodes:
            code, params = fault["code"], fault["params"]
            yield _row(
                (
                    str(fault["line"]),
                    fault["column"],
                    fault["value"],
                    texts.code(code, params),
                    texts.remedy(code, params),
                )
            )
        if not info["hasNextPage"]:
            return
        page = await _page(context.renewed(), public_id, info["endCursor"])


async def _page(context: RequestContext, public_id: str, after: str | None) -> Data:
    variables = {"id": public_id, "first": _FIRST, "after": after}
    found = (await run_operation(context, "ImportFaults", variables))["import"]
    if found is None:
        raise NotFound("not_found")
    return found["faults"]


def _row(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([defused(cell) for cell in cells])
    return line.getvalue().encode()


def defused(cell: str) -> str:
    """The cell as text: a leading apostrophe keeps spreadsheets from running it.

    Source: OWASP, CSV Injection.
    """
    return f"'{cell}" if cell.startswith(_RISKY) else cell
