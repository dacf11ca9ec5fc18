"""A bank's answer to debits of the merchant's own, in: of any length, as it is.

Zone: application. ``PUT /failed-debits/{token}`` reads it as it streams by; the token is the
caller's own authority, sealed with an end, and never logged.
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from portal.application.doors.context import doors_of
from portal.application.doors.encoding import JsonResponse
from portal.application.doors.results import read_parts
from portal.application.payment.failed_files import FailedFileIn, take_file
from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.domain.errors import Expired, InvalidInput, NotFound
from portal.domain.ids import to_public

if TYPE_CHECKING:
    from portal.application.doors.context import RequestContext

_LIFE_S: Final = 3600
_PURPOSE: Final = "failed_debits"


class FailedFileToken(msgspec.Struct, frozen=True, kw_only=True):
    """What the address holds, sealed. Units: unix seconds."""

    authority: Authority
    expires_at: int


def seal_address(context: "RequestContext") -> str:
    """The address to PUT a file to, good for an hour and not longer than the authority."""
    doors = context.doors
    end = int(doors.clock.wall().timestamp()) + _LIFE_S
    token = FailedFileToken(
        authority=context.authority, expires_at=min(end, context.authority.expires_at)
    )
    return f"{doors.settings.public_origin}/failed-debits/{doors.seals.seal(_PURPOSE, token)}"


async def put_failed_file(request: Request) -> Response:
    """Take a file whole; 201 with its id and how many lines it has, told by and by.

    Raises: NotFound ``upload_unknown``; Expired ``upload_expired``; LimitReached
    ``file_too_large``; InvalidInput with the reader's reason and the ``record`` where the file is
    in doubt: it tells nothing then; what the vault refuses.
    """
    doors = doors_of(request)
    token = doors.seals.unseal(_PURPOSE, request.path_params["token"], FailedFileToken)
    if token is None:
        raise NotFound("upload_unknown")
    if token.expires_at <= doors.clock.wall().timestamp():
        raise Expired("upload_expired")
    doors.sessions.check_origin(request)
    stream = request.stream()
    try:
        taken = await _take(doors.vault, token.authority, stream)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to answer; nothing is told
    return JsonResponse(
        {
            "file": to_public("failed_file", taken.file_id),
            "failed": taken.failed,
            "succeeded": taken.succeeded,
            "seenBefore": taken.seen_before,
        },
        status_code=201,
        headers={"cache-control": "no-store"},
    )


async def _take(
    vault: VaultClient, authority: Authority, stream: AsyncIterator[bytes]
) -> FailedFileIn:
    try:
        return await take_file(vault, authority, read_parts(stream))
    except InvalidInput:
        # Whoever is still sending hears why only when all was sent; it is looked at no more.
        async for _ in stream:
            pass
        raise
