"""The one exception door: what a caller learns of an error, as a status, a text and a code.

Zone: application. Refusals say what they are; whatever is our own fault becomes a masked 500 with
the request's id, and one log line that holds codes and ids and no personal data.
"""

import math
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from portal.application.doors.encoding import JsonResponse
from portal.application.doors.locales import TEXTS
from portal.domain.errors import (
    Conflict,
    Expired,
    InvalidInput,
    InvariantBroken,
    LimitReached,
    NotAllowed,
    NotFound,
    Param,
    PortalError,
    Refused,
    TryLater,
    Unknown,
)
from portal.kit.log import get_logger

INTERNAL: Final = "internal"
"""The code of every fault of our own."""

STATUS: Final[dict[type[PortalError], int]] = {
    NotFound: 404,
    NotAllowed: 403,
    Conflict: 409,
    InvalidInput: 422,
    Expired: 410,
    LimitReached: 429,
    Refused: 400,
    TryLater: 503,
    Unknown: 502,
    InvariantBroken: 500,
}
"""Leaf of the tree → HTTP status; STATUS_OF_CODE is looked at first."""

STATUS_OF_CODE: Final = {
    "not_signed_in": 401,
    "page_not_open": 401,
    "key_malformed": 401,
    "authority_expired": 401,
    "authority_revoked": 401,
    "authority_unknown": 401,
    "body_too_large": 413,
    "file_too_large": 413,
    "method_not_allowed": 405,
    "media_type_refused": 415,
    "document_invalid": 400,
    "document_unknown": 404,
    "json_malformed": 400,
    "form_malformed": 400,
}
"""Codes whose status says more than their leaf's."""


SESSION_CODES: Final = frozenset(
    {"not_signed_in", "authority_expired", "authority_revoked", "authority_unknown"}
)
"""Codes that say that the whole request has no standing any more."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error as it may be shown. ``text`` and ``remedy`` are in the viewer's language."""

    status: int
    code: str
    params: dict[str, Param]
    text: str
    remedy: str
    request_id: str
    retry_after_s: float | None = None


def describe(error: BaseException, language: str, request_id: str) -> Trouble:
    """What to show of an error; logs it when someone has to act."""
    texts = TEXTS[language]
    if isinstance(error, PortalError) and not isinstance(error, InvariantBroken):
        retry = error.retry_after_s if isinstance(error, TryLater) else None
        asked = error.params.get("retry_after_s")
        if isinstance(asked, int):
            retry = float(asked)
        return Trouble(
            status=STATUS_OF_CODE.get(error.code, STATUS[type_of(error)]),
            code=error.code,
            params=error.params,
            text=texts.code(error.code, error.params),
            remedy=texts.remedy(error.code, error.params),
            request_id=request_id,
            retry_after_s=retry,
        )
    log_fault(error, request_id)
    return Trouble(
        status=500,
        code=INTERNAL,
        params={},
        text=texts.code(INTERNAL),
        remedy=texts.remedy(INTERNAL),
        request_id=request_id,
    )


def type_of(error: PortalError) -> type[PortalError]:
    """The leaf of the tree that an error is of; a module's own subclass counts as its leaf."""
    return next(leaf for leaf in type(error).__mro__ if leaf in STATUS)


def log_fault(error: BaseException, request_id: str) -> None:
    """One line for our own fault: its type and place, never its words."""
    code = error.code if isinstance(error, PortalError) else INTERNAL
    get_logger().error("request.failed", correlation_id=request_id, code=code, exc_info=error)


def trouble_headers(trouble: Trouble) -> dict[str, str]:
    """Retry-After where waiting helps, WWW-Authenticate where a key is wanted."""
    headers: dict[str, str] = {}
    if trouble.retry_after_s is not None:
        headers["retry-after"] = str(max(1, math.ceil(trouble.retry_after_s)))
    if trouble.status == 401:  # noqa: PLR2004 - Unauthorized
        headers["www-authenticate"] = 'Bearer realm="harai"'
    return headers


def as_json(trouble: Trouble) -> Response:
    """For programs: ``{"error": {code, message, remedy, params, requestId}}``."""
    return JsonResponse(
        {
            "error": {
                "code": trouble.code,
                "message": trouble.text,
                "remedy": trouble.remedy,
                "params": trouble.params,
                "requestId": trouble.request_id,
            }
        },
        status_code=trouble.status,
        headers=trouble_headers(trouble),
    )
