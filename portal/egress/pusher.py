"""Sending notifications: by whose leave, and telling the vault of telephones that are gone.

Zone: egress. A service lets us in by a token that lives for a while: Apple's we sign ourselves,
Google's is asked for with a signature of ours; a browser's is made for each message
(``portal.egress.webpush``). Tokens are kept in memory alone.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

import msgspec

from portal.egress.deliver import Vault, forget_push
from portal.egress.denial import Denied
from portal.egress.jwt import sign_es256, sign_rs256
from portal.egress.push import Push, pushing_of, word_of
from portal.egress.pushing import Pushing
from portal.egress.rule import Rule
from portal.egress.sender import Sender
from portal.egress.template import Filled
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

GOOGLE_SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
APPLE_TOKEN_LIFE: Final = timedelta(minutes=40)
"""Apple wants one token for 20 to 60 minutes; anew for each message is refused."""

_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_LIFE: Final = timedelta(minutes=50)
_ACCESS_MARGIN: Final = timedelta(minutes=2)
_ACCESS_LIFE_MAX: Final = timedelta(hours=1)
_ACCESS: Final = re.compile(r"[A-Za-z0-9._~+/=-]{8,4096}", re.ASCII)
_NOT_LET_IN: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class _Access(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int


@dataclass(slots=True)
class _Kept:
    """A token, and the terms that it was made by; one at a time is made."""

    token: str = ""
    until: datetime | None = None
    pushing: Pushing | None = None
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Pusher:
    """Sends notifications and keeps the tokens that let them in, by rule."""

    def __init__(self, sender: Sender, vault: Vault, credentials: Mapping[str, str]) -> None:
        """``credentials``: name → PEM of the rules' keys."""
        self._sender = sender
        self._vault = vault
        self._credentials = credentials
        self._kept: dict[str, _Kept] = {}

    async def let_in(self, rule: Rule, push: Push, now: datetime) -> Filled:
        """The notification with what lets it in.

        Raises: Denied ``credential_missing``, ``access_refused``.
        """
        return Filled({**push.headers, **await self._authorization(rule, now)}, push.body)

    async def heard(
        self, rule: Rule, wanted: OutboundRequest, answer: OutboundAnswer
    ) -> OutboundAnswer:
        """What a service answered, as a word of our own (PushWord).

        Of a browser or device that is gone the vault hears from here, as no worker could be
        believed: whoever owns one could end every payer's subscription.
        """
        if answer.fate != "answered":
            return msgspec.structs.replace(answer, headers={}, body=b"")
        word = word_of(pushing_of(rule), answer)
        if answer.status in _NOT_LET_IN:
            self._kept.pop(rule.id, None)
        if word.is_gone and wanted.delivery_id is not None:
            await forget_push(self._vault, rule.host, wanted.delivery_id)
        wait = answer.headers.get("retry-after", "")
        return OutboundAnswer(
            fate="answered",
            status=answer.status,
            headers={"retry-after": wait} if wait.isdecimal() else {},
            body=msgspec.json.encode(word),
        )

    async def _authorization(self, rule: Rule, now: datetime) -> dict[str, str]:
        """The header for a notification under the rule; none where each brings its own.

        Raises: Denied ``credential_missing``, ``access_refused``.
        """
        pushing = pushing_of(rule)
        if pushing.service == "web":
            return {}
        kept = self._kept.setdefault(rule.id, _Kept())
        async with kept.asking:
            if kept.pushing != pushing or kept.until is None or now >= kept.until:
                kept.token, kept.until = await self._new(rule, pushing, now)
                kept.pushing = pushing
            return {"authorization": f"Bearer {kept.token}"}

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
            msgspec.structs.replace(rule, host=pushing.token_host),
            OutboundRequest(host=pushing.token_host, port=rule.port, method="POST", path="/token"),
            Filled({"content-type": "application/x-www-form-urlencoded"}, form.encode()),
            has_place=True,
        )
        try:
            access = msgspec.json.decode(answer.body, type=_Access)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Denied("access_refused", is_attempt=False) from None
        taken = answer.fate == "answered" and answer.status == HTTPStatus.OK
        if not taken or _ACCESS.fullmatch(access.access_token) is None:
            raise Denied("access_refused", is_attempt=False)
        life = min(timedelta(seconds=access.expires_in), _ACCESS_LIFE_MAX)
        return access.access_token, now + life - _ACCESS_MARGIN
