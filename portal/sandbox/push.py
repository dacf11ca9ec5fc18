"""Three push services: browsers' (``push.sandbox.test``), one like Google's, one like Apple's.

A browser's notification is opened with that browser's key, as only the browser could, and shown on
the telephones' page. One of the same topic takes the older one's place. Magic tokens: see MAGIC.
"""

import secrets
from typing import Final, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portal.sandbox.interface import ApiError, DroppedAnswer, read_form, read_json
from portal.sandbox.journal import Journal
from portal.sandbox.push_crypto import (
    Opener,
    Unreadable,
    check_es256,
    check_rs256,
    check_vapid,
    encode,
    header_of,
    new_opener,
    point_of,
)
from portal.sandbox.push_journal import Row

Fault = Literal["", "gone", "throttled", "unavailable", "drops_answer", "forgotten"]
MAGIC: Final[dict[str, Fault]] = {
    "gone": "gone",
    "throttled": "throttled",
    "unavailable": "unavailable",
    "drops-answer": "drops_answer",
}
"""A device token of the app that begins so, with a hyphen behind → what happens: it is gone for
good; 429 the first time; 503 the first time; taken, but the connection breaks before the answer."""

APPLE_MAGIC: Final[dict[str, Fault]] = {
    "dead": "gone", "b0b0": "throttled", "cafe": "unavailable", "d0d0": "drops_answer",
}  # fmt: skip
"""The same for tokens in hexadecimal letters: their first four."""

KEYS: Final = ("webpush.key", "fcm.key", "apns.key")
"""Names of the portal's public keys (PEM) in the companies' key file."""

PROJECT: Final = "harai-sandbox"
APP: Final = "example.aozora.app"
TEAM: Final = "SANDBOX001"
KEY_ID: Final = "SANDBOXKEY"
_ACCESS_S: Final = 3_600
_TTL_MAX: Final = 28 * 86_400
_BODY_MAX: Final = 4_096


class PushServices:
    """Takes notifications and shows them."""

    def __init__(self, journal: Journal, keys: dict[str, str], origin: str) -> None:
        """``origin``: the browsers' service as the portal dials it; ``keys``: as KEYS names them.

        Without keys any signature that verifies by itself will do.
        """
        self._journal = journal
        self._keys = keys
        self._origin = origin
        self._access: set[str] = set()

    @property
    def browser_service(self) -> list[Route]:
        """What stands behind ``push.sandbox.test``."""
        return [Route("/push/{token}", self.take_web, methods=["POST"])]

    @property
    def google(self) -> list[Route]:
        """What stands behind ``fcm.sandbox.test``, its token service included."""
        return [
            Route("/token", self.give_access, methods=["POST"]),
            Route("/v1/projects/{project}/messages:send", self.take_fcm, methods=["POST"]),
        ]

    @property
    def apple(self) -> list[Route]:
        """What stands behind ``apns.sandbox.test``. The real one speaks HTTP/2 alone."""
        return [Route("/3/device/{token}", self.take_apns, methods=["POST"])]

    @property
    def browser_routes(self) -> list[Route]:
        """For simulated payers: subscribe a browser, and see what it shows."""
        return [
            Route("/push/subscriptions", self.subscribe, methods=["POST"]),
            Route("/push/messages.json", self.messages),
        ]

    async def subscribe(self, request: Request) -> Response:
        """POST /push/subscriptions (``fault``, ``label``): what a browser tells a site."""
        form = await read_form(request)
        fault = form.get("fault", "")
        token = secrets.token_urlsafe(18)
        opener = new_opener(secrets.randbits(250), secrets.token_bytes(16))
        self._journal.pushes.subscribe({
            "token": token, "private": f"{opener.private:x}", "secret": opener.secret.hex(),
            "fault": fault, "label": form.get("label", ""),
        })  # fmt: skip
        return JSONResponse({
            "endpoint": f"{self._origin}/push/{token}",
            "keys": {"p256dh": encode(opener.public), "auth": encode(opener.secret)},
        })  # fmt: skip

    async def messages(self, request: Request) -> Response:
        """GET /push/messages.json?after=&token=: what stands on locked screens now."""
        rows = self._journal.pushes.shown(
            after=int(request.query_params.get("after", "0")),
            token=request.query_params.get("token"),
            limit=1_000,
        )
        return JSONResponse({"messages": rows, "taken": len(self._journal.pushes.taken())})

    async def take_web(self, request: Request) -> Response:
        """POST /push/<token>: 201 when taken. Source: RFC 8030 §5, RFC 8292 §2."""
        token: str = request.path_params["token"]
        browser = self._journal.pushes.browser(token)
        if browser is None:
            raise ApiError(404, "no_such_subscription")
        if browser["fault"] == "gone":
            raise ApiError(410, "gone")
        try:
            public = point_of(self._keys["webpush.key"]) if self._keys else None
            check_vapid(request.headers.get("authorization", ""), self._origin, public)
        except Unreadable as error:
            raise ApiError(403, "vapid_refused") from error
        head = _read_web_head(request)
        self._misbehave(browser["fault"], token)
        body = await request.body()
        if len(body) > _BODY_MAX:
            raise ApiError(413, "too_large")
        opener = Opener(int(browser["private"], 16), bytes.fromhex(browser["secret"]))
        try:
            said = msgspec.json.decode(opener.open(body), type=dict[str, str])
        except (Unreadable, msgspec.DecodeError) as error:
            raise ApiError(400, "unreadable") from error
        self._show("web", token, {**said, "topic": head, "link": said.get("url", "")})
        if browser["fault"] == "drops_answer":
            return DroppedAnswer()
        location = f"{self._origin}/message/{secrets.token_urlsafe(8)}"
        return Response(status_code=201, headers={"location": location})

    async def give_access(self, request: Request) -> Response:
        """POST /token: an access token for a signed assertion. Source: RFC 7523 §2.1."""
        form = await read_form(request)
        try:
            assertion = form.get("assertion", "")
            claims = check_rs256(assertion, self._keys["fcm.key"]) if self._keys else {}
        except Unreadable:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        if self._keys and not str(claims.get("aud", "")).endswith("/token"):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        access = secrets.token_urlsafe(32)
        self._access.add(access)
        return JSONResponse(
            {"access_token": access, "expires_in": _ACCESS_S, "token_type": "Bearer"}
        )

    async def take_fcm(self, request: Request) -> Response:
        """POST /v1/projects/<project>/messages:send: 200 with the message's name."""
        message: Row = (await read_json(request)).get("message", {})
        shown: Row = message.get("notification", {})
        token = str(message.get("token", ""))
        fault = MAGIC.get(token.rpartition("-")[0], "")
        refused = self._why_google_refuses(request, fault, token)
        if refused is not None:
            return refused
        if not token or not shown.get("title"):
            return _google_error(400, "INVALID_ARGUMENT")
        link = message.get("data", {}).get("link", "")
        topic = message.get("android", {}).get("notification", {}).get("tag", "")
        self._show("fcm", token, {**shown, "link": link, "topic": topic})
        if fault == "drops_answer":
            return DroppedAnswer()
        return JSONResponse({"name": f"projects/{PROJECT}/messages/{secrets.token_hex(8)}"})

    def _why_google_refuses(self, request: Request, fault: Fault, token: str) -> Response | None:
        scheme, _, access = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or access not in self._access:
            return _google_error(401, "UNAUTHENTICATED")
        if request.path_params["project"] != PROJECT:
            return _google_error(403, "PERMISSION_DENIED")
        if fault == "gone":
            return _google_error(404, "UNREGISTERED", "NOT_FOUND")
        if fault == "throttled" and self._journal.first_time(f"push:{token}"):
            return _google_error(429, "QUOTA_EXCEEDED", "RESOURCE_EXHAUSTED")
        if fault == "unavailable" and self._journal.first_time(f"push:{token}"):
            return _google_error(503, "UNAVAILABLE")
        return None

    async def take_apns(self, request: Request) -> Response:
        """POST /3/device/<token>: 200 when taken. Source: Apple, APNs provider API."""
        token: str = request.path_params["token"]
        fault = APPLE_MAGIC.get(token[:4], "")
        refused = self._why_apple_refuses(request, fault, token)
        if refused is not None:
            return _apple_error(*refused)
        shown = await read_json(request)
        alert: dict[str, str] = shown.get("aps", {}).get("alert", {})
        if not alert.get("title"):
            return _apple_error(400, "PayloadEmpty")
        topic = request.headers.get("apns-collapse-id", "")
        self._show("apns", token, {**alert, "link": shown.get("link", ""), "topic": topic})
        if fault == "drops_answer":
            return DroppedAnswer()
        return Response(status_code=200, headers={"apns-id": secrets.token_hex(8)})

    def _why_apple_refuses(
        self, request: Request, fault: Fault, token: str
    ) -> tuple[int, str] | None:
        try:
            self._check_apple(request.headers.get("authorization", ""))
        except Unreadable:
            return 403, "InvalidProviderToken"
        if request.headers.get("apns-topic") != APP:
            return 400, "TopicDisallowed"
        if request.headers.get("apns-push-type") != "alert":
            return 400, "InvalidPushType"
        said: dict[Fault, tuple[int, str]] = {
            "throttled": (429, "TooManyRequests"),
            "unavailable": (503, "ServiceUnavailable"),
        }
        if fault in said and self._journal.first_time(f"push:{token}"):
            return said[fault]
        return (410, "Unregistered") if fault == "gone" else None

    def _check_apple(self, header: str) -> None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or header_of(token).get("kid") != KEY_ID:
            raise Unreadable
        if self._keys and check_es256(token, point_of(self._keys["apns.key"]))["iss"] != TEAM:
            raise Unreadable

    def _misbehave(self, fault: Fault, token: str) -> None:
        if fault == "throttled" and self._journal.first_time(f"push:{token}"):
            raise ApiError(429, "too_many", {"retry-after": "1"})
        if fault == "unavailable" and self._journal.first_time(f"push:{token}"):
            raise ApiError(503, "unavailable")

    def _show(self, service: str, token: str, said: Row) -> None:
        told = {name: str(said.get(name, "")) for name in ("topic", "title", "body", "link")}
        self._journal.pushes.show({"service": service, "token": token, **told})


def _read_web_head(request: Request) -> str:
    """The topic, once the headers are those of a notification. Raises ApiError 400."""
    headers = request.headers
    ttl, topic = headers.get("ttl", ""), headers.get("topic", "")
    if not ttl.isdecimal() or int(ttl) > _TTL_MAX:
        raise ApiError(400, "ttl")
    if headers.get("content-encoding") != "aes128gcm":
        raise ApiError(415, "content_encoding")
    if len(topic) > 32 or headers.get("urgency", "normal") not in {  # noqa: PLR2004 - RFC 8030 §5.4
        "very-low", "low", "normal", "high",
    }:  # fmt: skip
        raise ApiError(400, "topic_or_urgency")
    return topic


def _google_error(status: int, code: str, google: str = "") -> Response:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    details = [{"@type": kind, "errorCode": code}]
    error = {"code": status, "status": google or code, "message": code, "details": details}
    return JSONResponse({"error": error}, status_code=status)


def _apple_error(status: int, reason: str) -> Response:
    return JSONResponse({"reason": reason}, status_code=status)
