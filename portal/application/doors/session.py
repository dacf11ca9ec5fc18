"""Who is at the door: sealed cookies of staff and payers, and the proof that a form is ours.

Zone: application. A session is the vault's authority and a few facts, sealed into the browser's
own cookie; the portal keeps no copy, so what is not presented can't be used. A payer may look at
several bills side by side: each has its own cookie, named by the page's public reference.
"""

import hmac
import re
import secrets
from typing import Final, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.seals import Seals, from_text, to_text
from portal.application.settings import WebSettings
from portal.contract.envelope import Authority
from portal.contract.login import Role, SignedIn
from portal.domain.errors import NotAllowed
from portal.domain.ids import StaffId
from portal.kit.clock import Clock

PAGES_MAX: Final = 8
"""Bills that one browser may have open side by side; the one that ends first gives way."""

_CSRF_BYTES: Final = 16
_PAGE_REF: Final = re.compile(r"[A-Za-z0-9_-]{4,40}")


class StaffSession(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff, as sealed in the browser's cookie."""

    authority: Authority
    staff_id: StaffId
    merchant_code: str
    role: Role
    csrf: bytes


class PayerSession(msgspec.Struct, frozen=True, kw_only=True):
    """The holder of one link, as sealed in one cookie of the browser."""

    authority: Authority
    merchant_code: str
    page_ref: str
    csrf: bytes


Session = StaffSession | PayerSession


class Sessions:
    """Reads and writes the cookies of one installation."""

    def __init__(self, seals: Seals, settings: WebSettings, clock: Clock) -> None:
        """Names carry the instance; ``__Host-`` and Secure everywhere but http on loopback."""
        prefix = "__Host-" if settings.is_secure else ""
        self._staff_name = f"{prefix}harai_{settings.instance}_staff"
        self._page_prefix = f"{prefix}harai_{settings.instance}_bill_"
        self._secure = settings.is_secure
        self._origin = settings.public_origin
        self._seals = seals
        self._clock = clock

    # Staff

    def staff(self, request: Request) -> StaffSession | None:
        """The member of staff that this browser stands for, or None."""
        sealed = request.cookies.get(self._staff_name)
        session = self._seals.unseal("staff", sealed, StaffSession) if sealed else None
        return session if session and self._is_alive(session) else None

    def sign_in(self, response: Response, signed_in: SignedIn) -> StaffSession:
        """Hand the vault's authority to the browser; it ends when the authority does."""
        session = StaffSession(
            authority=signed_in.authority,
            staff_id=signed_in.staff_id,
            merchant_code=signed_in.merchant.code,
            role=signed_in.role,
            csrf=secrets.token_bytes(_CSRF_BYTES),
        )
        self._write(response, self._staff_name, self._seals.seal("staff", session), session)
        return session

    def sign_out(self, response: Response) -> None:
        """Make the browser forget; the authority is ended by the vault's ``log_out``."""
        self._forget(response, self._staff_name)

    # Payers

    def payer(self, request: Request, page_ref: str) -> PayerSession | None:
        """The holder of this page's link, or None when this browser never opened it."""
        sealed = request.cookies.get(self._page_prefix + page_ref)
        if sealed is None or not _PAGE_REF.fullmatch(page_ref):
            return None
        session = self._seals.unseal(f"bill/{page_ref}", sealed, PayerSession)
        return session if session and self._is_alive(session) else None

    def open_page(
        self,
        request: Request,
        response: Response,
        authority: Authority,
        *,
        merchant_code: str,
        page_ref: str,
    ) -> PayerSession:
        """Give the browser one page more; past PAGES_MAX the one that ends first is closed.

        A session that outlives the new one is kept, so that the short authority of a return
        from a provider does not shorten the visit in the browser that left.
        """
        held = self.payer(request, page_ref)
        if held is not None and held.authority.expires_at >= authority.expires_at:
            return held
        session = PayerSession(
            authority=authority,
            merchant_code=merchant_code,
            page_ref=page_ref,
            csrf=held.csrf if held else secrets.token_bytes(_CSRF_BYTES),
        )
        sealed = self._seals.seal(f"bill/{page_ref}", session)
        self._write(response, self._page_prefix + page_ref, sealed, session)
        self._close_oldest(request, response, but=page_ref)
        return session

    def _close_oldest(self, request: Request, response: Response, *, but: str) -> None:
        """Keep the cookies of a browser within what servers accept as headers."""
        names = [name for name in request.cookies if name.startswith(self._page_prefix)]
        refs = [ref for name in names if (ref := name.removeprefix(self._page_prefix)) != but]
        ends = {ref: self._end_of(self.payer(request, ref)) for ref in refs}
        for ref in sorted(refs, key=ends.__getitem__)[: max(0, len(refs) - (PAGES_MAX - 1))]:
            self._forget(response, self._page_prefix + ref)

    # Forms

    def csrf_token(self, session: Session) -> str:
        """The token for this session's forms, masked anew each time (against BREACH)."""
        mask = secrets.token_bytes(_CSRF_BYTES)
        return to_text(mask + bytes(a ^ b for a, b in zip(mask, session.csrf, strict=True)))

    def check_form(self, request: Request, session: Session, token: str) -> None:
        """Let a form pass that our own page of this session made.

        Raises NotAllowed ``form_foreign`` for another site's, ``form_stale`` for a wrong token.
        """
        self.check_origin(request, opaque=True)
        try:
            raw = from_text(token)
        except ValueError as error:
            raise NotAllowed("form_stale") from error
        mask, masked = raw[:_CSRF_BYTES], raw[_CSRF_BYTES:]
        if len(mask) != len(masked):
            raise NotAllowed("form_stale")
        given = bytes(a ^ b for a, b in zip(mask, masked, strict=True))
        if not hmac.compare_digest(given, session.csrf):
            raise NotAllowed("form_stale")

    def check_origin(self, request: Request, *, opaque: bool = False) -> None:
        """Refuse what another site made this browser send; raises NotAllowed ``form_foreign``.

        ``Sec-Fetch-Site`` decides where it is sent. Else ``Origin`` must be ours; ``opaque``
        accepts ``null``, which our own pages with ``no-referrer`` send, and is for requests that
        bring a token as well. Programs send neither header and no cookie they did not mean to.
        Source: Fetch standard, "append a request Origin header"; W3C Fetch Metadata.
        """
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            if site != "same-origin":
                raise NotAllowed("form_foreign")
            return
        origin = request.headers.get("origin")
        if origin is None or origin == self._origin or (opaque and origin == "null"):
            return
        raise NotAllowed("form_foreign")

    # Cookies

    def _is_alive(self, session: Session) -> bool:
        return session.authority.expires_at > self._clock.wall().timestamp()

    def _end_of(self, session: Session | None) -> int:
        return session.authority.expires_at if session else 0

    def _write(self, response: Response, name: str, sealed: str, session: Session) -> None:
        life_s = session.authority.expires_at - int(self._clock.wall().timestamp())
        self._set(response, name, sealed, life_s)

    def _forget(self, response: Response, name: str) -> None:
        self._set(response, name, "", 0)

    def _set(self, response: Response, name: str, value: str, life_s: int) -> None:
        same_site: Literal["lax"] = "lax"
        response.set_cookie(
            name,
            value,
            max_age=max(0, life_s),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite=same_site,
        )


API_KEY_PREFIX: Final = "harai"
_BEARER: Final = re.compile(r"Bearer (harai_[a-z0-9]{3,12}_[A-Za-z0-9_-]{40,2000})")


class ApiKeySession(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant's own system: the key it presented is the authority itself."""

    authority: Authority
    merchant_code: str


def print_api_key(merchant_code: str, authority: Authority) -> str:
    """The key as its holder keeps it; shown once."""
    return f"{API_KEY_PREFIX}_{merchant_code}_{to_text(msgspec.msgpack.encode(authority))}"


def read_api_key(request: Request) -> ApiKeySession | None:
    """The key in the Authorization header, or None when there is no such header.

    Only decoded here, judged by the vault. Raises NotAllowed ``key_malformed`` for anything in
    that header that is not a key of ours.
    """
    header = request.headers.get("authorization")
    if header is None:
        return None
    found = _BEARER.fullmatch(header)
    if found is None:
        raise NotAllowed("key_malformed")
    _, code, encoded = found[1].split("_", 2)
    try:
        authority = msgspec.msgpack.decode(from_text(encoded), type=Authority)
    except (ValueError, msgspec.MsgspecError) as error:
        raise NotAllowed("key_malformed") from error
    return ApiKeySession(authority=authority, merchant_code=code)
