"""Sending notifications: by whose leave, and telling the vault of telephones that are gone.

Zone: egress. A service lets us in by a token that lives for a while: Apple's we sign ourselves,
Google's is asked for with a signature of ours; a browser's is made for each message
(``portal.egress.webpush``). Tokens are kept in memory alone.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

import msgspec

from portal.domain.push import PushKind
from portal.egress.deliver import Vault, forget_push
from portal.egress.denial import Denied
from portal.egress.jwt import sign_es256, sign_rs256
from portal.egress.push import Push, gone_since, is_let_in_no_more, pushing_of, word_of
from portal.egress.pushing import Pushing
from portal.egress.rule import Rule
from portal.egress.sender import Sender
from portal.egress.template import Filled
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest, PushWord

GOOGLE_SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
APPLE_TOKEN_LIFE: Final = timedelta(minutes=40)
"""Apple wants one token for 20 to 60 minutes; anew for each message is refused."""

RENEWABLE_AFTER: Final[Mapping[PushKind, timedelta]] = {
    "apns": timedelta(minutes=20),
    "fcm": timedelta(minutes=1),
}
"""How old a token must be to be replaced because a service takes it no more. A younger one is
refused for another reason (a clock that is wrong, a key that was withdrawn), and a new one each
time would be refused for being too many. Source: Apple, TooManyProviderTokenUpdates."""

_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_LIFE: Final = timedelta(minutes=50)
_ACCESS_MARGIN: Final = timedelta(minutes=2)
_ACCESS_LIFE_MAX: Final = timedelta(hours=1)
_ACCESS: Final = re.compile(r"[A-Za-z0-9._~+/=-]{8,4096}", re.ASCII)
_REFUSALS: Final = frozenset({400, 401, 403})
"""How Google says no to an assertion. Source: RFC 6749 §5.2."""
_OWN_TROUBLES: Final = frozenset({"credential_missing", "access_refused"})
"""What ails one app's credential, and says nothing of any other's."""
_NO_SUCH_DEVICE: Final = "BadDeviceToken"


Send = Callable[[Filled], Awaitable[OutboundAnswer]]
"""Sends what is filled, once, to where the notification goes."""


class _Access(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int


@dataclass(slots=True)
class _Kept:
    """The token under some terms; one at a time is made. ``vain``: how often there was none."""

    token: str = ""
    made_at: datetime | None = None
    until: datetime | None = None
    vain: int = 0
    refusal: str = ""
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Pusher:
    """Sends notifications and keeps the tokens that let them in, by the terms they go under."""

    def __init__(self, sender: Sender, vault: Vault, credentials: Mapping[str, str]) -> None:
        """``credentials``: name → PEM of the rules' keys."""
        self._sender = sender
        self._vault = vault
        self._credentials = credentials
        self._kept: dict[Pushing, _Kept] = {}
        self._good: set[Pushing] = set()

    async def push(self, push: Push, now: datetime, send: Send) -> OutboundAnswer:
        """Have one notification sent by ``send``, let in by what its service wants.

        A service that takes our token no more has done nothing: with a new one it is asked again,
        once.
        """
        try:
            filled = await self._let_in(push, now)
            answer = await send(filled)
            if is_let_in_no_more(pushing_of(push.rule), answer) and self._outlive(
                push.rule, filled, now
            ):
                answer = await send(await self._let_in(push, now))
        except Denied as denied:
            is_refused = push.is_own and denied.code in _OWN_TROUBLES
            code = "push_app_refused" if is_refused else denied.code
            return OutboundAnswer(fate="not_sent", code=code)
        return answer

    async def _let_in(self, push: Push, now: datetime) -> Filled:
        """The notification with what lets it in; a browser's brings that along.

        Raises: Denied ``credential_missing``, ``access_refused``, ``access_away``.
        """
        if pushing_of(push.rule).service == "web":
            return Filled(push.headers, push.body)
        allowed = {"authorization": f"Bearer {await self._token(push.rule, now)}"}
        return Filled({**push.headers, **allowed}, push.body)

    def _outlive(self, rule: Rule, filled: Filled, now: datetime) -> bool:
        """Whether there is, or may be made, another token than the one that was sent."""
        pushing = pushing_of(rule)
        kept = self._kept_for(pushing)
        if not filled.headers["authorization"].endswith(f" {kept.token}"):
            return True  # somebody else has heard the same meanwhile
        if kept.made_at is None or now - kept.made_at < RENEWABLE_AFTER[pushing.service]:
            return False
        kept.until = None
        return True

    async def heard(
        self, rule: Rule, push: Push, wanted: OutboundRequest, answer: OutboundAnswer
    ) -> OutboundAnswer:
        """What a service answered, as a word of our own (PushWord).

        Of a browser or device that is gone the vault hears from here, as no worker could be
        believed: whoever owns one could end every payer's subscription.
        """
        if answer.fate != "answered":
            return msgspec.structs.replace(answer, headers={}, body=b"")
        pushing = pushing_of(push.rule)
        word = self._believed(pushing, word_of(pushing, answer))
        word = msgspec.structs.replace(word, is_own=push.is_own)
        if word.is_gone and wanted.delivery_id is not None:
            since = gone_since(pushing, answer)
            await forget_push(self._vault, rule.host, wanted.delivery_id, since)
        wait = answer.headers.get("retry-after", "")
        return OutboundAnswer(
            fate="answered",
            status=answer.status,
            headers={"retry-after": wait} if wait.isdecimal() else {},
            body=msgspec.json.encode(word),
        )

    def _believed(self, pushing: Pushing, word: PushWord) -> PushWord:
        """The word, unless Apple knows no device because we ask the wrong house.

        It says BadDeviceToken of a device of its test environment, too, and an operator who has
        named the wrong host would lose every device. Where it has taken one, the house is right.
        """
        if word.status == HTTPStatus.OK:
            self._good.add(pushing)
        if word.reason == _NO_SUCH_DEVICE and pushing not in self._good:
            return msgspec.structs.replace(word, is_gone=False)
        return word

    def _kept_for(self, pushing: Pushing) -> _Kept:
        """Apple's token is the team's, for all of its apps: two would be one too many."""
        return self._kept.setdefault(msgspec.structs.replace(pushing, app=""), _Kept())

    async def _token(self, rule: Rule, now: datetime) -> str:
        """The token that lets notifications under the rule in.

        Who waited while somebody asked in vain does not ask as long once more.

        Raises: Denied ``credential_missing``, ``access_refused``, ``access_away``.
        """
        pushing = pushing_of(rule)
        kept = self._kept_for(pushing)
        before = kept.vain
        async with kept.asking:
            if kept.until is not None and now < kept.until:
                return kept.token
            if kept.vain > before:
                raise Denied(kept.refusal, is_attempt=False)
            try:
                kept.token, kept.until = await self._new(rule, pushing, now)
            except Denied as denied:
                kept.vain, kept.refusal = kept.vain + 1, denied.code
                raise
            kept.made_at = now
            return kept.token

    async def _new(self, rule: Rule, pushing: Pushing, now: datetime) -> tuple[str, datetime]:
        key = self._credentials.get(pushing.key, "")
        if pushing.service == "fcm":
            return await self._access(rule, pushing, key, now)
        claims = {"iss": pushing.team, "iat": int(now.timestamp())}
        return sign_es256(claims, key, header={"kid": pushing.key_id}), now + APPLE_TOKEN_LIFE

    async def _access(
        self, rule: Rule, pushing: Pushing, key: str, now: datetime
    ) -> tuple[str, datetime]:
        """Google's access token for the service account. Source: RFC 7523, Google OAuth 2.0."""
        claims = {
            "iss": pushing.account,
            "scope": GOOGLE_SCOPE,
            "aud": f"https://{pushing.token_host}/token",
            "iat": int(now.timestamp()),
            "exp": int((now + _ASSERTION_LIFE).timestamp()),
        }
        form = urlencode({"grant_type": _GRANT, "assertion": sign_rs256(claims, key)})
        answer = await self._sender.send(
            msgspec.structs.replace(rule, host=pushing.token_host, protocol="http/1.1"),
            OutboundRequest(host=pushing.token_host, port=rule.port, method="POST", path="/token"),
            Filled({"content-type": "application/x-www-form-urlencoded"}, form.encode()),
            has_place=True,
        )
        if answer.fate == "answered" and answer.status in _REFUSALS:
            raise Denied("access_refused", is_attempt=False)
        try:
            access = msgspec.json.decode(answer.body, type=_Access)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Denied("access_away", is_attempt=False) from None
        taken = answer.fate == "answered" and answer.status == HTTPStatus.OK
        if not taken or _ACCESS.fullmatch(access.access_token) is None:
            raise Denied("access_away", is_attempt=False)
        life = min(timedelta(seconds=access.expires_in), _ACCESS_LIFE_MAX)
        return access.access_token, now + life - _ACCESS_MARGIN
