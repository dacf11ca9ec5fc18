"""A result file to the merchant's system or its staff, as it lies in the vault, a part at a time.

Zone: application. ``GET /result-files/{number}``: bills' own numbers and sums, no person's; the
same bytes every time, with their hash beside them.
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from portal.application.doors.context import merchant_context
from portal.contract.result_file import TAKE_RESULT_PART, ResultPart, TakeResultPart
from portal.domain.errors import NotFound

if TYPE_CHECKING:
    from portal.application.doors.context import RequestContext

_CHARSETS: Final = {"utf-8": "utf-8", "cp932": "Shift_JIS"}
_NUMBER_MAX: Final = 2**31 - 1


async def take_result_file(request: Request) -> Response:
    """The whole file, with its length and hash.

    Raises: NotFound ``not_found``; Conflict ``result_unfinished``; NotAllowed ``not_signed_in``,
    ``key_malformed``, ``scope_missing``.
    """
    context = merchant_context(request)
    text: str = request.path_params["number"]
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 0 < number <= _NUMBER_MAX:
        raise NotFound("not_found")
    first = await _take_part(context, number, 0)
    return StreamingResponse(
        _rest(context, number, first),
        media_type=f"text/csv; charset={_CHARSETS[first.charset]}",
        headers={
            "content-disposition": f'attachment; filename="result-{number:08}.csv"',
            "content-length": str(first.bytes),
            "etag": f'"{first.sha256}"',
            "cache-control": "no-store",
        },
    )


async def _rest(context: "RequestContext", number: int, part: ResultPart) -> AsyncIterator[bytes]:
    part_no = 0
    while True:
        yield part.body
        if part.is_last:
            return
        part_no += 1
        part = await _take_part(context, number, part_no)


async def _take_part(context: "RequestContext", number: int, part_no: int) -> ResultPart:
    return await context.call(TAKE_RESULT_PART, TakeResultPart(number=number, part_no=part_no))
