"""A batch of slips out to the merchant's print shop, as it lies in the vault, a part at a time.

Zone: application. Names and addresses leave here, so it is an owner's form and no link.
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from portal.application.doors.context import staff_context
from portal.application.doors.forms import read_form
from portal.contract.print_batch import (
    TAKE_OUT_PRINT_BATCH,
    PrintBatchPart,
    TakeOutPrintBatch,
)
from portal.domain.ids import PrintBatchId, from_public

if TYPE_CHECKING:
    from portal.application.doors.context import RequestContext

_CHARSETS = {"utf-8-sig": "utf-8", "cp932": "Shift_JIS"}


async def take_out_batch(request: Request) -> Response:
    """``POST /d/slips/print/{id}``: the file of a batch, an owner's act.

    Raises: NotFound ``not_found``; NotAllowed ``form_foreign``, ``form_stale``, ``not_allowed``;
    LimitReached ``budget_spent``.
    """
    context = staff_context(request)
    context.check_form(request, await read_form(request))
    public_id: str = request.path_params["id"]
    batch_id = PrintBatchId(from_public("print_batch", public_id))
    first = await _take_part(context, batch_id, 0)
    return StreamingResponse(
        _rest(context, batch_id, first),
        media_type=f"text/csv; charset={_CHARSETS[first.charset]}",
        headers={
            "content-disposition": f'attachment; filename="{public_id}.csv"',
            "cache-control": "no-store",
        },
    )


async def _rest(
    context: "RequestContext", batch_id: PrintBatchId, part: PrintBatchPart
) -> AsyncIterator[bytes]:
    part_no = 0
    while True:
        yield part.body
        if part.is_last:
            return
        part_no += 1
        part = await _take_part(context, batch_id, part_no, part.sha256)


async def _take_part(
    context: "RequestContext", batch_id: PrintBatchId, part_no: int, sha256: str = ""
) -> PrintBatchPart:
    request = TakeOutPrintBatch(batch_id=batch_id, part_no=part_no, sha256=sha256)
    return await context.call(TAKE_OUT_PRINT_BATCH, request)
