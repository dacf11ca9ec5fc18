"""What the next screen says about the act before it: sealed into a cookie, shown once.

Zone: application. Post, redirect, get: a reload repeats nothing. What was typed comes back with
an error, so nobody types twice; it never holds a password, a key or an account number.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.context import RequestContext, doors_of

_LIFE_S: Final = 300
_NOT_KEPT: Final = frozenset({"csrf", "back", "idempotencyKey", "totp", "accountNumber"})
_TYPED_MAX: Final = 500
"""A whole note of a case; sealed and coded it stays far below what a cookie may hold."""


class Flash(msgspec.Struct, frozen=True, kw_only=True):
    """``text`` and ``remedy`` in the viewer's language; ``field`` names the field that is wrong."""

    kind: Literal["done", "error"]
    text: str
    remedy: str = ""
    field: str = ""
    fields: dict[str, str] = {}


def leave_flash(context: RequestContext, response: Response, flash: Flash) -> None:
    """Keep it for the viewer's next screen."""
    doors = context.doors
    response.set_cookie(
        _name(doors.settings.instance),
        doors.seals.seal(_purpose(context), flash),
        max_age=_LIFE_S,
        path="/d",
        secure=doors.settings.is_secure,
        httponly=True,
        samesite="lax",
    )


def take_flash(request: Request, context: RequestContext) -> Flash | None:
    """What the act before left for this viewer, if anything."""
    doors = context.doors
    sealed = request.cookies.get(_name(doors.settings.instance))
    return doors.seals.unseal(_purpose(context), sealed, Flash) if sealed else None


def forget_flash(request: Request, response: Response) -> None:
    """Shown once: the browser drops it with this answer."""
    name = _name(doors_of(request).settings.instance)
    if name in request.cookies:
        response.delete_cookie(name, path="/d")


def typed(form: Mapping[str, str]) -> dict[str, str]:
    """What a form held, shortened, for showing again beside its error."""
    kept = (name for name in form if name not in _NOT_KEPT)
    return {name: form[name][:_TYPED_MAX] for name in kept}


def _name(instance: str) -> str:
    return f"harai_{instance}_flash"


def _purpose(context: RequestContext) -> str:
    """Bound to the session, so that nobody reads another's."""
    return f"flash/{context.session.merchant_code}/{context.authority.expires_at}"
