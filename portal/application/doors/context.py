"""What a request carries through the doors: the process' connections and the viewer's authority.

Zone: application. Authority comes with the request and goes with it; what is kept for the life of
the process (:class:`Doors`) holds connections, keys of our cookies, texts, and for seconds where a
payer is about to go; no authority.
"""

import asyncio
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, TypeVar, cast

from portal.application.doors.locales import choose_language
from portal.application.doors.session import (
    ApiKeySession,
    PayerSession,
    Sessions,
    StaffSession,
    read_api_key,
)
from portal.contract.envelope import Authority, Operation, Reply, Request
from portal.domain.errors import InvariantBroken, NotAllowed, TryLater, Unknown

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.requests import Request as HttpRequest

    from portal.application.doors.departures import Departures
    from portal.application.doors.seals import Seals
    from portal.application.payment.desk import PayDesk
    from portal.application.settings import WebSettings
    from portal.contract.client import VaultClient
    from portal.kit.clock import Clock
    from portal.kit.outbound import Outbound

Q = TypeVar("Q", bound=Request)
R = TypeVar("R", bound=Reply)

Audience = Literal["merchant", "payer"]
LANGUAGE_COOKIE: Final = "harai_lang"
REQUEST_ID: Final = "harai.request_id"
"""Where the outermost layer keeps the request's id in its scope."""


@dataclass(frozen=True, slots=True)
class Doors:
    """What all requests of the process share."""

    settings: "WebSettings"
    vault: "VaultClient"
    outbound: "Outbound"
    pay_desk: "PayDesk"
    clock: "Clock"
    seals: "Seals"
    sessions: Sessions
    departures: "Departures"


@dataclass(slots=True)
class RequestContext:
    """One viewer's request: with whose authority, in which language."""

    doors: Doors
    audience: Audience
    session: StaffSession | PayerSession | ApiKeySession
    language: str
    request_id: str
    signed_out: bool = False
    """Set by the log-out mutation; the door then makes the browser forget."""
    _seen: dict[Hashable, Reply] = field(default_factory=dict[Hashable, Reply])
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def renewed(self) -> "RequestContext":
        """The same viewer with nothing seen yet, for another look later."""
        return replace(self, _seen={}, _one_at_a_time=asyncio.Lock())

    @property
    def authority(self) -> Authority:
        """What the vault will judge; nothing here decides by it."""
        return self.session.authority

    @property
    def csrf_token(self) -> str:
        """The token for a form of this session; raises InvariantBroken for an API key."""
        return self.doors.sessions.csrf_token(self._browser())

    def check_form(self, request: "HttpRequest", form: Mapping[str, str]) -> None:
        """Let a form pass that our own page of this session made (its field is ``csrf``).

        Raises NotAllowed ``form_foreign`` and ``form_stale``.
        """
        self.doors.sessions.check_form(request, self._browser(), form.get("csrf", ""))

    def _browser(self) -> StaffSession | PayerSession:
        if isinstance(self.session, ApiKeySession):
            raise InvariantBroken("session_has_no_form")
        return self.session

    async def call(self, operation: Operation[Q, R], request: Q) -> R:
        """One call of the data API with the viewer's own authority."""
        return await self.doors.vault.call(operation, request, self.authority)

    async def look(self, operation: Operation[Q, R], request: Q) -> R:
        """The same for a view that several fields of one answer share: called once a request.

        Looking changes nothing, so a link that broke under it is tried once more, and what stays
        unclear is only late. Raises TryLater where ``call`` would raise Unknown.
        """
        key = (operation.name, request)
        async with self._one_at_a_time:
            if key not in self._seen:
                self._seen[key] = await self._look_twice(operation, request)
            return cast("R", self._seen[key])

    async def _look_twice(self, operation: Operation[Q, R], request: Q) -> R:
        try:
            return await self.call(operation, request)
        except Unknown as first:
            try:
                return await self.call(operation, request)
            except Unknown:
                raise TryLater(first.code, context=operation.name) from first


def doors_of(request: "HTTPConnection") -> Doors:
    """The process' shared part, from any request of it."""
    return cast("Doors", request.app.state.doors)


def request_id_of(request: "HTTPConnection") -> str:
    """The id under which this request is logged and which its answer carries."""
    return str(request.scope.get(REQUEST_ID, ""))


def language_of(request: "HTTPConnection") -> str:
    """``?lang=``, then the cookie, then Accept-Language, then Japanese."""
    return choose_language(
        request.query_params.get("lang"),
        request.cookies.get(LANGUAGE_COOKIE),
        accept=request.headers.get("accept-language", ""),
    )


def staff_context(request: "HttpRequest") -> RequestContext:
    """The signed-in member of staff; raises NotAllowed ``not_signed_in``."""
    doors = doors_of(request)
    session = doors.sessions.staff(request)
    if session is None:
        raise NotAllowed("not_signed_in")
    return _context(request, doors, "merchant", session)


def merchant_context(request: "HttpRequest") -> RequestContext:
    """Staff by cookie or a merchant's system by key; a key wins over a cookie.

    Raises NotAllowed ``not_signed_in``, ``key_malformed``, ``form_foreign``.
    """
    key = read_api_key(request)
    if key is not None:
        return _context(request, doors_of(request), "merchant", key)
    context = staff_context(request)
    context.doors.sessions.check_origin(request)
    return context


def payer_context(request: "HttpRequest", page_ref: str) -> RequestContext:
    """The holder of one link; raises NotAllowed ``page_not_open``."""
    doors = doors_of(request)
    session = doors.sessions.payer(request, page_ref)
    if session is None:
        raise NotAllowed("page_not_open")
    return _context(request, doors, "payer", session)


def _context(
    request: "HttpRequest",
    doors: Doors,
    audience: Audience,
    session: StaffSession | PayerSession | ApiKeySession,
) -> RequestContext:
    return RequestContext(
        doors=doors,
        audience=audience,
        session=session,
        language=language_of(request),
        request_id=request_id_of(request),
    )
