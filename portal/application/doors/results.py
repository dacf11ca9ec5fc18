"""Files for a bank out, and the answer to debits in: all as they are, a part at a time.

Zone: application. ``PUT /results/{token}`` streams an answer to the vault, which checks it whole;
the token is the file and the caller's own authority, sealed with an end, and never logged. Taking a
file out says that it is on its way to the bank, so it is a form and no link.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from portal.application.doors.context import doors_of, staff_context
from portal.application.doors.encoding import JsonResponse
from portal.application.doors.forms import read_form
from portal.contract.debit import (
    READ_DEBIT_RESULT,
    STORE_DEBIT_RESULT,
    TAKE_OUT_DEBIT_FILE,
    DebitFilePart,
    DebitResultRead,
    ReadDebitResult,
    StoreDebitResult,
    TakeOutDebitFile,
)
from portal.contract.envelope import Authority
from portal.contract.transfer import (
    TAKE_OUT_TRANSFER_FILE,
    TakeOutTransferFile,
    TransferFilePart,
)
from portal.domain.errors import Conflict, Expired, LimitReached, NotFound
from portal.domain.ids import DebitFileId, TransferFileId, from_public, to_public
from portal.kit.limits import DEBIT_FILE_BYTES_MAX, FILE_PART_BYTES_MAX, OPERATION_TIMEOUT_S

if TYPE_CHECKING:
    from portal.application.doors.context import RequestContext

_RESULT_LIFE_S: Final = 3600
_PURPOSE: Final = "result"


class ResultToken(msgspec.Struct, frozen=True, kw_only=True):
    """What the address of an answer holds, sealed. Units: unix seconds."""

    file_id: DebitFileId
    upload_key: str
    authority: Authority
    expires_at: int


def seal_result_address(context: "RequestContext", file_id: DebitFileId, upload_key: str) -> str:
    """The address to PUT an answer to, good for an hour and not longer than the authority."""
    doors = context.doors
    token = ResultToken(
        file_id=file_id,
        upload_key=upload_key,
        authority=context.authority,
        expires_at=min(
            int(doors.clock.wall().timestamp()) + _RESULT_LIFE_S, context.authority.expires_at
        ),
    )
    return f"{doors.settings.public_origin}/results/{doors.seals.seal(_PURPOSE, token)}"


async def put_result(request: Request) -> Response:
    """Take an answer whole; 201 with what it said, also when it is doubtful and books nothing.

    Of a long one it says ``checking``: the file says how far that is, and in the end what it said.

    Raises: NotFound ``upload_unknown``; Expired ``upload_expired``; LimitReached
    ``file_too_large``; Conflict ``answer_checking`` while another is being checked; what the vault
    refuses.
    """
    doors = doors_of(request)
    token = doors.seals.unseal(_PURPOSE, request.path_params["token"], ResultToken)
    if token is None:
        raise NotFound("upload_unknown")
    if token.expires_at <= doors.clock.wall().timestamp():
        raise Expired("upload_expired")
    doors.sessions.check_origin(request)
    part_no = 0
    try:
        async for body in read_parts(request.stream()):
            part = StoreDebitResult(
                file_id=token.file_id, upload_key=token.upload_key, part_no=part_no, body=body
            )
            await doors.vault.call(STORE_DEBIT_RESULT, part, token.authority)
            part_no += 1
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to answer; nothing was read
    whole = ReadDebitResult(file_id=token.file_id, upload_key=token.upload_key, parts=part_no)
    read = await doors.vault.call(
        READ_DEBIT_RESULT, whole, token.authority, timeout_s=OPERATION_TIMEOUT_S
    )
    if read.reason == "answer_checking":
        raise Conflict("answer_checking")
    return _told(token.file_id, read)


async def read_parts(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A body in parts of one size, the last one shorter.

    Raises: LimitReached ``file_too_large`` past a debit file's length.
    """
    held, total = bytearray(), 0
    async for chunk in stream:
        held += chunk
        total += len(chunk)
        if total > DEBIT_FILE_BYTES_MAX:
            raise LimitReached("file_too_large", params={"bytes_max": DEBIT_FILE_BYTES_MAX})
        while len(held) >= FILE_PART_BYTES_MAX:
            yield bytes(held[:FILE_PART_BYTES_MAX])
            del held[:FILE_PART_BYTES_MAX]
    if held:
        yield bytes(held)


def _told(file_id: DebitFileId, read: DebitResultRead) -> Response:
    return JsonResponse(
        {
            "file": to_public("debit_file", file_id),
            "state": read.state,
            "reason": read.reason,
            "recordNo": read.record_no,
            "known": read.known,
            "lines": read.lines,
            "unknown": read.unknown,
            "unexpected": read.unexpected,
        },
        status_code=201,
        headers={"cache-control": "no-store"},
    )


async def take_out(request: Request) -> Response:
    """``POST /d/debits/{id}/file``: an approved file as its bank wants it, an owner's act.

    Raises: NotFound ``not_found``; Conflict ``debit_file_state``; NotAllowed ``form_foreign``,
    ``form_stale``, ``role_missing``; LimitReached ``budget_spent``.
    """

    async def take(context: "RequestContext", file_id: UUID, part_no: int) -> DebitFilePart:
        part = TakeOutDebitFile(file_id=DebitFileId(file_id), part_no=part_no)
        return await context.call(TAKE_OUT_DEBIT_FILE, part)

    return await _take_out(request, "debit_file", take)


async def take_out_transfers(request: Request) -> Response:
    """``POST /d/transfers/{id}/file``: the same of a file of transfers.

    Raises: as :func:`take_out`; Conflict ``transfer_file_state``.
    """

    async def take(context: "RequestContext", file_id: UUID, part_no: int) -> TransferFilePart:
        part = TakeOutTransferFile(file_id=TransferFileId(file_id), part_no=part_no)
        return await context.call(TAKE_OUT_TRANSFER_FILE, part)

    return await _take_out(request, "transfer_file", take)


FilePart = DebitFilePart | TransferFilePart
Take = Callable[["RequestContext", UUID, int], Awaitable[FilePart]]


async def _take_out(request: Request, kind: str, take: Take) -> Response:
    """The parts of the file that the address names, as they come."""
    context = staff_context(request)
    context.check_form(request, await read_form(request))
    public_id: str = request.path_params["id"]
    file_id = from_public(kind, public_id)
    first = await take(context, file_id, 0)

    async def rest() -> AsyncIterator[bytes]:
        part, part_no = first, 0
        yield part.body
        while not part.is_last:
            part_no += 1
            part = await take(context, file_id, part_no)
            yield part.body

    return StreamingResponse(
        rest(),
        media_type="application/octet-stream",
        headers={
            "content-disposition": f'attachment; filename="{public_id}.txt"',
            "cache-control": "no-store",
        },
    )
