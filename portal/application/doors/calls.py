"""The door for calls: a company asks what to say, and tells which keys were pressed.

Application zone. Nobody is heard whose bytes no key of this address has signed. What is said comes
from the vault, words and all; here it is put into the company's form. Addresses hold a secret of
one call and name nobody. A prompt's keys are in no log.
"""

from typing import TYPE_CHECKING, Final, cast

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from portal.application.channels.voice import CALLS, Heard, HoldsCalls
from portal.application.doors.notices import BodyRefused, NoticeKeys, read_body
from portal.contract.call import ANSWER_CALL, RECORD_CALL, AnswerCall, RecordCall
from portal.domain.errors import InvalidInput, LimitReached, NotFound, TryLater, Unknown
from portal.kit.log import get_logger

if TYPE_CHECKING:
    from portal.contract.client import VaultClient

STATUS: Final = "status"
"""The last part of an address at which a call's fate is told, not its prompts."""

TURN_DIGITS_MAX: Final = 4
"""Digits of the number of a prompt: no call has a tenth as many."""

_NO_STORE: Final = {"cache-control": "no-store"}

log = get_logger()


async def take_call(request: Request) -> Response:
    """POST /calls/{provider}/{code}/{secret}[/{turn}]: what to say next, in the company's form.

    400 for bytes that are malformed or that nobody signed, 404 for no call of ours, 503 when what
    became of a call could not be noted: the company tells again.
    """
    provider = str(request.path_params["provider"])
    holder = CALLS.get(provider)
    if holder is None:
        return _refuse(404, "not_found")
    try:
        raw = await read_body(request)
        known: NoticeKeys = request.app.state.notice_keys
        if not known.proves_call(provider, str(request.path_params["code"]), raw, request):
            log.warning("call.refused", provider=provider, code="signature_invalid")
            return _refuse(400, "signature_invalid")
        return await _answer(request, holder, holder.read(raw))
    except BodyRefused as refusal:
        log.warning("call.refused", provider=provider, code=refusal.code)
        return _refuse(refusal.status, refusal.code)
    except (InvalidInput, NotFound) as fault:
        log.warning("call.refused", provider=provider, code=fault.code)
        return _refuse(404 if isinstance(fault, NotFound) else 400, fault.code)


def read_turn(text: str) -> int | None:
    """The number of the prompt that is answered, None for the first.

    Raises: NotFound ``call_unknown`` for what no call of ours was ever told.
    """
    if not text:
        return None
    if len(text) > TURN_DIGITS_MAX or not (text.isascii() and text.isdecimal()):
        raise NotFound("call_unknown")
    return int(text)


async def _answer(request: Request, holder: HoldsCalls, heard: Heard) -> Response:
    turn = str(request.path_params.get("turn", ""))
    if turn == STATUS:
        return await _record(request, heard)
    step = read_turn(turn)
    known: NoticeKeys = request.app.state.notice_keys
    address = known.address_of(request).removesuffix(f"/{turn}" if turn else "")
    asked = AnswerCall(
        merchant_code=str(request.path_params["code"]),
        provider=str(request.path_params["provider"]),
        secret=str(request.path_params["secret"]),
        call_ref=heard.call_ref,
        step=step,
        keys=heard.keys,
        is_machine=heard.is_machine,
    )
    vault = cast("VaultClient", request.app.state.vault)
    try:
        said = await vault.call(ANSWER_CALL, asked)
    except (TryLater, Unknown, LimitReached) as error:
        log.warning("call.waits", provider=asked.provider, code=error.code)
        body = holder.write_wait(address)
    else:
        body = holder.write(said, f"{address}/{said.step}")
    return Response(body, media_type=holder.media_type, headers=_NO_STORE)


async def _record(request: Request, heard: Heard) -> Response:
    told = RecordCall(
        merchant_code=str(request.path_params["code"]),
        provider=str(request.path_params["provider"]),
        secret=str(request.path_params["secret"]),
        call_ref=heard.call_ref,
        status=heard.status,
    )
    vault = cast("VaultClient", request.app.state.vault)
    try:
        recorded = await vault.call(RECORD_CALL, told)
    except (TryLater, Unknown) as error:
        log.warning("call.not_recorded", provider=told.provider, code=error.code)
        return _refuse(503, error.code)
    log.info("call.recorded", provider=told.provider, outcome=recorded.outcome)
    return PlainTextResponse("", headers=_NO_STORE)


def _refuse(status: int, code: str) -> Response:
    return PlainTextResponse(code, status_code=status, headers=_NO_STORE)


_PATH: Final = "/calls/{provider}/{code}/{secret}"
ROUTES: Final = [
    Route(_PATH, take_call, methods=["POST"]),
    Route(_PATH + "/{turn}", take_call, methods=["POST"]),
]
"""For portal.application.doors.server to mount."""
