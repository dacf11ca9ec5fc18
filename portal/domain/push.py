"""Push: where a notification may go, what it says on a locked screen, and how long. Pure.

A lock screen is read by whoever stands beside: a notification names the merchant and says that a
bill has come or is due, never who owes it; the sum stands there only where the merchant wants it.
What proves the bill genuine is on the page that the link opens.

A payer's own browser says where its notifications go, and a stranger's could say anything. So the
host is held to a list, here at registration and once more at the relay, by this one function.
Source: W3C Push API, RFC 8030 (TTL §5.2, Urgency §5.3, Topic §5.4), RFC 8291 §2 (key and secret).
"""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from portal.domain.errors import InvalidInput
from portal.domain.host import canonical_host
from portal.domain.mail import one_line
from portal.domain.period import read_period
from portal.domain.sms import BillText
from portal.domain.template import (
    SHORT_CHARACTERS,
    Occasion,
    Template,
    as_words,
    find_addresses,
)

PushKind = Literal["web", "fcm", "apns"]
"""What a subscription is: a browser's (Web Push), or a token of the merchant's own app at Google
(FCM) or at Apple (APNs)."""

CARRIES: Final[Mapping[str, PushKind]] = MappingProxyType(
    {"webpush": "web", "fcm": "fcm", "apns": "apns"}
)
"""Company → the kind of subscription that it reaches; no other can stand in for it."""

PUSH_HOSTS: Final = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "web.push.apple.com",
    "*.notify.windows.com",
)
"""Where browsers have their notifications sent. A star stands for just one label."""

SUBSCRIPTIONS_MAX: Final = 5
"""Of one payer with one merchant; a sixth takes the place of the oldest."""

TTL_S: Final = 3 * 86_400
"""How long a company keeps a notification for a telephone that is off: then the next rung came."""

URGENCY: Final = "normal"
"""It may wait until the telephone wakes for something else. Source: RFC 8030 §5.3."""

HTTPS_PORT: Final = 443
ENDPOINT_CHARACTERS_MAX: Final = 1_500
PUBLIC_KEY_BYTES: Final = 65
AUTH_SECRET_BYTES: Final = 16

_UNCOMPRESSED: Final = 0x04
TITLE_CHARACTERS_MAX: Final = 60
BODY_CHARACTERS_MAX: Final = 240
"""Of a filled text: what any company takes; a locked screen shows less."""

_ENDPOINT: Final = re.compile(
    r"https://([A-Za-z0-9.-]{1,253})(?::([1-9][0-9]{0,4}))?"
    r"(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]+)(\?[A-Za-z0-9._~!$&'()*+,;=:@%/-]+)?",
    re.ASCII,
)
_APP_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)
_CLIMBS: Final = re.compile(r"//|/\.{1,2}(?:/|$)|%(?:2e|2f|5c|00)", re.ASCII | re.IGNORECASE)
_BASE64: Final = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_TOKENS: Final[Mapping[PushKind, re.Pattern[str]]] = MappingProxyType(
    {
        "fcm": re.compile(r"[A-Za-z0-9_:.-]{20,1024}", re.ASCII),
        "apns": re.compile(r"(?:[0-9a-f]{2}){32,100}", re.ASCII),
    }
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A push service's own address of one browser; ``path`` holds the query, if there is one."""

    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """What a VAPID token is made out to. Source: RFC 8292 §2."""
        port = "" if self.port == HTTPS_PORT else f":{self.port}"
        return f"https://{self.host}{port}"


@dataclass(frozen=True, slots=True)
class PushText:
    """One notification as it is read; ``is_own``: in the merchant's own wording."""

    title: str
    body: str
    is_own: bool = False


def read_endpoint(text: str, hosts: Collection[str], *, port: int = HTTPS_PORT) -> Endpoint:
    """The address that a browser gave, if it is one of a listed push service.

    ``hosts``: names, or ``*.`` and a name for one label below it. Only ``port`` is taken.

    Raises: InvalidInput ``push_endpoint`` for what is no plain https address, has another port, or
        climbs; ``push_host`` for a host that is not listed.
    """
    found = _ENDPOINT.fullmatch(text)
    if found is None or len(text) > ENDPOINT_CHARACTERS_MAX or _CLIMBS.search(found[3]):
        raise InvalidInput("push_endpoint")
    try:
        host = canonical_host(found[1])
    except InvalidInput as error:
        raise InvalidInput("push_endpoint") from error
    if int(found[2] or HTTPS_PORT) != port:
        raise InvalidInput("push_endpoint")
    if not is_listed(host, hosts):
        raise InvalidInput("push_host")
    return Endpoint(host, port, found[3] + (found[4] or ""))


def is_listed(host: str, hosts: Collection[str]) -> bool:
    """Whether a canonical name is on the list; see :func:`read_endpoint`."""
    return host in hosts or f"*.{host.partition('.')[2]}" in hosts


def is_host_rule(text: str) -> bool:
    """Whether ``text`` may stand on such a list: a canonical name, or one label of any below it."""
    name = text.removeprefix("*.")
    try:
        return canonical_host(name) == name and (name == text or name.count(".") > 1)
    except InvalidInput:
        return False


def read_web_keys(p256dh: str, auth: str) -> tuple[bytes, bytes]:
    """A browser's public key (an uncompressed point of P-256) and its secret.

    Whether the point lies on the curve is seen where it is used.

    Raises: InvalidInput ``push_keys``.
    """
    key, secret = _read_base64(p256dh), _read_base64(auth)
    if len(key) != PUBLIC_KEY_BYTES or key[0] != _UNCOMPRESSED or len(secret) != AUTH_SECRET_BYTES:
        raise InvalidInput("push_keys")
    return key, secret


def read_device_token(kind: PushKind, text: str) -> str:
    """A device token of the merchant's app in its one form: Apple's in small hexadecimal letters.

    Raises: InvalidInput ``push_token``.
    """
    token = text.strip()
    if kind == "apns":
        token = token.lower()
    form = _TOKENS.get(kind)
    if form is None or form.fullmatch(token) is None:
        raise InvalidInput("push_token")
    return token


def read_app_name(text: str) -> str:
    """By what the vault and the relay's signed rules call an app.

    Raises: InvalidInput ``app_name``.
    """
    if _APP_NAME.fullmatch(text) is None:
        raise InvalidInput("app_name")
    return text


def topic_of(blind: bytes) -> str:
    """Under which name a newer notification of the same bill takes the older one's place.

    ``blind`` is the vault's keyed hash of the bill: to a push service the name tells nothing, and
    no two merchants share one. At most 32 letters of base64url. Source: RFC 8030 §5.4.
    """
    return urlsafe_b64encode(blind[:24]).decode().rstrip("=")


def render_push(
    language: str, occasion: Occasion, bill: BillText, *, says_amount: bool = False
) -> PushText:
    """What a locked screen shows: who writes, and that a bill has come or is due.

    The merchant's own wording where it fits. The sum is added by us, to whichever text.
    """
    values = push_values_of(language, bill)
    own = fill_push(language, bill)
    if own is not None and own[1]:
        text = own[0]
    else:
        words = _words_of(language)[occasion]
        text = PushText(values["merchant"], words.format(due=values["due"]))
    if not says_amount:
        return text
    amount = f"JPY {bill.amount_minor:,}" if language == "en" else f"{bill.amount_minor:,}円"
    body = _words_of(language)["amount"].format(text=text.body, amount=amount)
    return PushText(text.title, body, text.is_own)


def fill_push(language: str, bill: BillText) -> tuple[PushText, bool] | None:
    """The merchant's own words with this bill's values, and whether they may go like that.

    None: it has none.
    """
    if bill.own is None or bill.own_subject is None:
        return None
    values = push_values_of(language, bill)
    title, body = (_filled(template, values) for template in (bill.own_subject, bill.own))
    is_fit = (
        0 < len(title) <= TITLE_CHARACTERS_MAX
        and 0 < len(body) <= BODY_CHARACTERS_MAX
        and not find_addresses(f"{title}\n{body}")
    )
    return PushText(title, body, is_own=True), is_fit


def start_of_push(language: str, occasion: Occasion) -> tuple[str, str]:
    """Title and text of the built-in notification as a template, to begin one's own with."""
    return "{merchant}", _words_of(language)[occasion].format(due="{due}")


def push_values_of(language: str, bill: BillText) -> dict[str, str]:
    """Every variable of a notification as the language writes it."""
    name = one_line(bill.merchant_name)[:TITLE_CHARACTERS_MAX]
    period = read_period(bill.period)
    is_english = language == "en"
    due = f"{bill.due_on:%d %b}".lstrip("0")
    return {
        "merchant": name,
        "merchant_short": name[:SHORT_CHARACTERS],
        "month": period.english if is_english else period.japanese,
        "due": due if is_english else f"{bill.due_on.month}月{bill.due_on.day}日",
    }


def _filled(template: Template, values: Mapping[str, str]) -> str:
    return one_line(
        "".join(
            as_words(values[piece.text]) if piece.is_variable else piece.text
            for piece in template.pieces
        )
    )


def _words_of(language: str) -> Mapping[str, str]:
    return _WORDS[language if language in _WORDS else "ja"]


_WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "ja": {
            "first": "ご請求のお知らせが届きました。お支払い期限は{due}です。",
            "reminder": "お支払い期限は{due}です。内容をご確認ください。",
            "overdue": "お支払い期限の{due}を過ぎています。内容をご確認ください。",
            "declined": "カードでのお支払いができませんでした。内容をご確認ください。",
            "amount": "{text}({amount})",
        },
        "ja-easy": {
            "first": "お金の お知らせが 来ました。{due}までに 払って ください。",
            "reminder": "{due}までに お金を 払って ください。",
            "overdue": "{due}を すぎました。お金を 払って ください。",
            "declined": "カードで 払えませんでした。押して 見て ください。",
            "amount": "{text}({amount})",
        },
        "en": {
            "first": "A bill has arrived. It is due on {due}.",
            "reminder": "Your bill is due on {due}. Tap to see it.",
            "overdue": "Your bill was due on {due}. Tap to see it.",
            "declined": "Your card was declined. Tap to see how to pay.",
            "amount": "{text} ({amount})",
        },
    }
)


def _read_base64(text: str) -> bytes:
    """Base64 of either alphabet, with or without its padding; empty for anything else."""
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    if _BASE64.fullmatch(plain) is None:
        return b""
    try:
        return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except (binascii.Error, ValueError):
        return b""
