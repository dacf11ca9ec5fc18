"""The door for providers' notices: read what one claims, have it stored, answer at once.

Application zone. Anyone can post here, so nothing is believed: claims about attempts make the vault
plan an inquiry, receipts move a delivery forward and never back. A notice is answered with 200 only
when it is stored; a provider that hears anything else sends it again, which changes nothing.

A signature is checked over the raw bytes, before anything is read, once the merchant has given the
key that the company made for this address. It keeps strangers from making us ask; that a notice is
genuine changes nothing else.

A collection agency is the exception: nothing can be asked there, so what it tells at once of slips
is taken at its word, only signed, and is no money yet.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from portal.application.channels.voice import CALLS
from portal.application.providers.agency_notices import AT_ONCE
from portal.application.providers.registry import (
    CAPABILITIES,
    NOTICES,
    ONLY_SIGNED,
    SIGNED,
    SIGNED_AT,
)
from portal.contract.payment import RECORD_NOTICE, NoticeClaim, RecordNotice
from portal.contract.slip import RECORD_SLIP_NOTICE, RecordSlipNotice
from portal.domain.errors import InvalidInput, NotFound, TryLater, Unknown
from portal.kit.clock import Clock
from portal.kit.crashpoint import crash_point
from portal.kit.log import get_logger

if TYPE_CHECKING:
    from portal.contract.client import VaultClient

BODY_BYTES_MAX: Final = 64 * 1024
BODY_TIMEOUT_S: Final = 10.0
RETRY_AFTER_S: Final = 5
_MERCHANT_CODE: Final = re.compile(r"[a-z0-9]{3,12}")

log = get_logger()


@dataclass(frozen=True, slots=True)
class NoticeKeys:
    """Who may prove a sender: provider → merchant code → keys, several while one is replaced.

    The application starts with ``app.state.notice_keys`` set to one of these.
    """

    keys: Mapping[str, Mapping[str, tuple[str, ...]]]
    clock: Clock
    origin: str = ""
    """Of the addresses that companies were given; some sign them."""

    def address_of(self, request: Request) -> str:
        """The request's address as whoever sent it was given it."""
        return self.origin + request.url.path

    def refuse(self, provider: str, merchant_code: str, raw: bytes, request: Request) -> bool:
        """Whether a key is known for this address and none of its keys has signed these bytes.

        Or none is known, and the provider is not heard without.
        """
        keys = self.keys.get(provider, {}).get(merchant_code, ())
        headers = request.headers
        if not keys:
            return provider in ONLY_SIGNED
        if provider in SIGNED_AT:
            address = self.address_of(request)
            return not SIGNED_AT[provider].is_genuine_at(address, raw, headers, keys)
        now_s = self.clock.wall().timestamp()
        return not SIGNED[provider].is_genuine(raw, headers, keys, now_s)

    def proves_call(self, provider: str, merchant_code: str, raw: bytes, request: Request) -> bool:
        """Whether a key of this merchant signed these bytes of a call; without a key nobody can."""
        keys = self.keys.get(provider, {}).get(merchant_code, ())
        address = self.address_of(request)
        return CALLS[provider].is_genuine_at(address, raw, request.headers, keys)

    def proves_agency(
        self, provider: str, merchant_code: str, raw: bytes, headers: Mapping[str, str]
    ) -> bool:
        """Whether a key of this address signed these bytes; without a key nobody can."""
        keys = self.keys.get(provider, {}).get(merchant_code, ())
        now_s = self.clock.wall().timestamp()
        return AT_ONCE[provider].is_genuine(raw, headers, keys, now_s)


class BodyRefused(Exception):
    """The body is too long, too slow or was broken off."""

    def __init__(self, status: int, code: str) -> None:
        """Say how to answer."""
        super().__init__(code)
        self.status = status
        self.code = code


async def take_notice(request: Request) -> Response:
    """POST /notices/{provider}/{code}: 200 stored, 400 malformed, 404 nobody, 503 come again.

    Also 400 for a body that the key of this address did not sign. Behind the code may stand the
    token of an address that a company was given with one message.
    """
    provider = str(request.path_params["provider"])
    merchant_code = str(request.path_params["code"])
    if provider in AT_ONCE and _MERCHANT_CODE.fullmatch(merchant_code):
        return await _take_slip_notice(request, provider, merchant_code)
    reader = NOTICES.get(provider)
    if reader is None or not _MERCHANT_CODE.fullmatch(merchant_code):
        return _refuse(404, "not_found")
    raw = b""
    try:
        raw = await read_body(request)
        known: NoticeKeys = request.app.state.notice_keys
        if known.refuse(provider, merchant_code, raw, request):
            log.warning("notice.refused", provider=provider, code="signature_invalid")
            return _refuse(400, "signature_invalid")
        claims = _told_of(reader.parse(raw, dict(request.headers)), request)
    except BodyRefused as refusal:
        log.warning("notice.refused", provider=provider, code=refusal.code)
        return _refuse(refusal.status, refusal.code)
    except InvalidInput as fault:
        log.warning("notice.refused", provider=provider, code=fault.code, bytes=len(raw))
        return _refuse(400, fault.code)
    crash_point("web.before_notice")
    notice = RecordNotice(merchant_code=merchant_code, provider=provider, raw=raw, claims=claims)
    return await _record(cast("VaultClient", request.app.state.vault), notice)


def _told_of(claims: tuple[NoticeClaim, ...], request: Request) -> tuple[NoticeClaim, ...]:
    """The claims, with the message that this address was made for where they name none of ours."""
    token = str(request.path_params.get("message", ""))
    if not token:
        return claims
    return tuple(
        msgspec.structs.replace(claim, reference=claim.reference or token) for claim in claims
    )


async def _take_slip_notice(request: Request, provider: str, merchant_code: str) -> Response:
    """What an agency tells at once of its slips; 400 for bytes that it did not sign."""
    try:
        raw = await read_body(request)
        known: NoticeKeys = request.app.state.notice_keys
        if not known.proves_agency(provider, merchant_code, raw, request.headers):
            log.warning("notice.refused", provider=provider, code="signature_invalid")
            return _refuse(400, "signature_invalid")
        notice = RecordSlipNotice(merchant_code=merchant_code, provider=provider, raw=raw)
        vault = cast("VaultClient", request.app.state.vault)
        recorded = await vault.call(RECORD_SLIP_NOTICE, notice)
    except BodyRefused as refusal:
        log.warning("notice.refused", provider=provider, code=refusal.code)
        return _refuse(refusal.status, refusal.code)
    except (InvalidInput, NotFound) as fault:
        log.warning("notice.refused", provider=provider, code=fault.code)
        is_nobody = isinstance(fault, NotFound)
        return _refuse(404 if is_nobody else 400, "not_found" if is_nobody else fault.code)
    except (TryLater, Unknown) as error:
        log.warning("notice.not_recorded", provider=provider, code=error.code)
        return _refuse(503, error.code, {"retry-after": str(RETRY_AFTER_S)})
    log.info(
        "notice.recorded",
        provider=provider,
        merchant_code=merchant_code,
        fresh=recorded.fresh,
    )
    return JSONResponse({"fresh": recorded.fresh}, headers={"cache-control": "no-store"})


async def _record(vault: "VaultClient", notice: RecordNotice) -> Response:
    """Store it under the channel's own small authority: no principal stands behind a notice."""
    try:
        recorded = await vault.call(RECORD_NOTICE, notice)
    except NotFound:
        log.warning("notice.refused", provider=notice.provider, code="merchant_unknown")
        return _refuse(404, "not_found")
    except InvalidInput as fault:
        log.warning("notice.refused", provider=notice.provider, code=fault.code)
        return _refuse(400, fault.code)
    except (TryLater, Unknown) as error:
        log.warning("notice.not_recorded", provider=notice.provider, code=error.code)
        return _refuse(503, error.code, {"retry-after": str(RETRY_AFTER_S)})
    log.info(
        "notice.recorded",
        provider=notice.provider,
        merchant_code=notice.merchant_code,
        count=len(notice.claims),
        fresh=recorded.fresh,
    )
    said = CAPABILITIES[notice.provider].notice_answer
    if said:
        return PlainTextResponse(said, headers={"cache-control": "no-store"})
    return JSONResponse({"received": len(notice.claims)}, headers={"cache-control": "no-store"})


async def read_body(request: Request) -> bytes:
    """The body up to BODY_BYTES_MAX within BODY_TIMEOUT_S. Raises BodyRefused."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > BODY_BYTES_MAX:
        raise BodyRefused(413, "body_too_large")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for piece in request.stream():
                body += piece
                if len(body) > BODY_BYTES_MAX:
                    raise BodyRefused(413, "body_too_large")
    except TimeoutError:
        raise BodyRefused(408, "body_too_slow") from None
    except ClientDisconnect:
        raise BodyRefused(400, "body_broken_off") from None
    return bytes(body)


def _refuse(status: int, code: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(
        {"code": code}, status_code=status, headers={"cache-control": "no-store", **(headers or {})}
    )


ROUTES: Final = [
    Route("/notices/{provider}/{code}", take_notice, methods=["POST"]),
    Route("/notices/{provider}/{code}/{message}", take_notice, methods=["POST"]),
]
"""For portal.application.doors.server to mount."""
