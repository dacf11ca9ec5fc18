"""Files in: ``PUT /uploads/{token}`` streams the raw body; ``HEAD`` says where to go on.

Zone: application. No multipart, no temporary file, and never more of the file in memory than one
part of 1 MiB. The token is the import and the caller's own authority, sealed with an end; it is a
secret of whoever opened the import and is never logged.
"""

import re
from typing import TYPE_CHECKING, Final

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from portal.application.doors.context import doors_of
from portal.application.doors.encoding import JsonResponse
from portal.application.intake.upload import (
    Slot,
    Stretch,
    finish,
    receive,
    refuse_if_refused,
    view_upload,
)
from portal.contract.envelope import Authority
from portal.contract.intake import ImportView
from portal.domain.errors import Expired, InvalidInput, LimitReached, NotFound
from portal.domain.ids import ImportId, to_public
from portal.domain.intake.split import FILE_BYTES_MAX

if TYPE_CHECKING:
    from portal.application.doors.context import Doors, RequestContext

UPLOAD_LIFE_S: Final = 24 * 3600
_PURPOSE: Final = "upload"
_RANGE: Final = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)")
_SIZE: Final = re.compile(r"\d{1,15}")
_RECEIVING: Final = "receiving"


class UploadToken(msgspec.Struct, frozen=True, kw_only=True):
    """What the address of an upload holds, sealed. Units: unix seconds."""

    import_id: ImportId
    authority: Authority
    expires_at: int


def seal_upload_address(context: "RequestContext", import_id: ImportId) -> str:
    """The address to PUT a file to, good for a day and not longer than the caller's authority."""
    doors = context.doors
    end = int(doors.clock.wall().timestamp()) + UPLOAD_LIFE_S
    token = UploadToken(
        import_id=import_id,
        authority=context.authority,
        expires_at=min(end, context.authority.expires_at),
    )
    return f"{doors.settings.public_origin}/uploads/{doors.seals.seal(_PURPOSE, token)}"


async def put_upload(request: Request) -> Response:
    """Take (a stretch of) the file; 201 when it is whole, 202 when more is to come.

    ``Content-Range: bytes a-b/size`` or ``Upload-Offset`` say where the body belongs (else at 0);
    ``Upload-Complete: ?0`` that more follows. Source: draft-ietf-httpbis-resumable-upload.
    """
    slot = _slot(request)
    doors_of(request).sessions.check_origin(request)
    stretch = read_stretch(request)
    view = await view_upload(slot)
    refuse_if_refused(view)
    if view.state != _RECEIVING:
        return _progress(view.received_bytes, view, 201)
    try:
        stored = await receive(slot, stretch, request.stream())
    except ClientDisconnect:
        # Nobody is there to answer; the parts that were acknowledged stay.
        return Response(status_code=400)
    if not stretch.is_last:
        return _progress(stored, view, 202)
    return _progress(stored, await finish(slot, stored, stretch.total), 201)


async def head_upload(request: Request) -> Response:
    """Where to go on: ``Upload-Offset``, and whether the file is whole."""
    view = await view_upload(_slot(request))
    headers = _progress_headers(view.received_bytes, is_whole=view.state != _RECEIVING)
    return Response(status_code=204, headers=headers)


async def answer_upload(request: Request) -> Response:
    """``PUT`` and ``HEAD`` of an upload's address."""
    return await (head_upload(request) if request.method == "HEAD" else put_upload(request))


def read_stretch(request: Request) -> Stretch:
    """Where the body of this request belongs.

    Raises InvalidInput ``range_malformed``; LimitReached ``file_too_large``.
    """
    headers = request.headers
    length = _number(headers.get("content-length"))
    offset, total = (
        _number(headers.get("upload-offset")) or 0,
        _number(headers.get("upload-length")),
    )
    is_last = headers.get("upload-complete", "?1") != "?0"
    content_range = headers.get("content-range")
    if content_range is not None:
        found = _RANGE.fullmatch(content_range)
        if found is None:
            raise InvalidInput("range_malformed")
        offset, last = int(found[1]), int(found[2])
        total = None if found[3] == "*" else int(found[3])
        if last < offset or (length is not None and length != last - offset + 1):
            raise InvalidInput("range_malformed")
        length = last - offset + 1
        is_last = total == last + 1
    if offset + (length or 0) > FILE_BYTES_MAX or (total or 0) > FILE_BYTES_MAX:
        raise LimitReached("file_too_large", params={"bytes_max": FILE_BYTES_MAX})
    return Stretch(offset=offset, length=length, total=total, is_last=is_last)


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not _SIZE.fullmatch(text):
        raise InvalidInput("range_malformed")
    return int(text)


def _slot(request: Request) -> Slot:
    """The import behind the address; raises NotFound ``upload_unknown``, Expired."""
    doors: Doors = doors_of(request)
    token = doors.seals.unseal(_PURPOSE, request.path_params["token"], UploadToken)
    if token is None:
        raise NotFound("upload_unknown")
    if token.expires_at <= doors.clock.wall().timestamp():
        raise Expired("upload_expired")
    return Slot(doors.vault, token.authority, token.import_id)


def _progress_headers(stored: int, *, is_whole: bool) -> dict[str, str]:
    return {
        "upload-offset": str(stored),
        "upload-complete": "?1" if is_whole else "?0",
        "cache-control": "no-store",
    }


def _progress(stored: int, view: ImportView, status: int) -> Response:
    return JsonResponse(
        {
            "import": to_public("import", view.id),
            "state": view.state,
            "receivedBytes": stored,
        },
        status_code=status,
        headers=_progress_headers(stored, is_whole=view.state != _RECEIVING),
    )
