"""What the DMZ itself says when it turns a request away: one short page each, Japanese and English.

DMZ. Pure text, made into the configuration: nothing is read from disk or asked of anybody, no page
is stored by a browser, and one small style is allowed by its hash. What is answered by whom is not
decided here.
"""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

_SOON: Final = "add_header Retry-After 2 always;"
_ALLOW: Final = "add_header Allow $harai_allow always;"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """``statuses`` of nginx that it answers with the first of them; ``header``: one more line.

    ``is_early``: the request was refused before it had an address, where nginx can't go to a named
    location; its page then has an address of its own, which only nginx can reach.
    """

    statuses: tuple[int, ...]
    japanese: str
    english: str
    header: str = ""
    is_early: bool = False


REFUSALS: Final = (
    Refusal(
        statuses=(400, 494, 495, 496, 497),
        japanese="送信された内容を読み取れませんでした。アドレスを確かめて、もう一度開いてください。",
        english="What was sent could not be read. Please check the address and open it again.",
        is_early=True,
    ),
    Refusal(
        statuses=(404, 403),
        japanese="このページはありません。",
        english="There is no such page.",
    ),
    Refusal(
        statuses=(405,),
        japanese="この操作は受け付けていません。",
        english="This method is not accepted here.",
        header=_ALLOW,
    ),
    Refusal(
        statuses=(413,),
        japanese="送信されたデータが大きすぎます。",
        english="What was sent is too large.",
    ),
    Refusal(
        statuses=(414,),
        japanese="アドレスが長すぎます。",
        english="The address is too long.",
        is_early=True,
    ),
    Refusal(
        statuses=(421,),
        japanese="このホスト名では受け付けていません。",
        english="This host name is not served here.",
    ),
    Refusal(
        statuses=(429,),
        japanese="アクセスが集中しています。少し待ってからもう一度お試しください。",
        english="Too many requests. Please wait a moment and try again.",
        header=_SOON,
    ),
    Refusal(
        statuses=(500,),
        japanese="問題が起きました。お支払い中だった場合は、まずページを開き直してご確認ください。",
        english="Something went wrong. If you were paying, reopen the page first to make sure.",
    ),
    Refusal(
        statuses=(501,),
        japanese="この形式の通信は受け付けていません。",
        english="This kind of request is not accepted here.",
        is_early=True,
    ),
    Refusal(
        statuses=(505,),
        japanese="この版のHTTPは受け付けていません。",
        english="This version of HTTP is not accepted here.",
        is_early=True,
    ),
    Refusal(
        statuses=(502,),
        japanese="ただいま準備中です。少し待ってからもう一度お試しください。",
        english="The portal is just starting. Please wait a moment and try again.",
        header=_SOON,
    ),
    Refusal(
        statuses=(503,),
        japanese="ただいま混み合っています。少し待ってからもう一度お試しください。",
        english="The portal is busy. Please wait a moment and try again.",
        header=_SOON,
    ),
    Refusal(
        statuses=(504,),
        japanese="応答がありませんでした。お支払い中だった場合は、まずページを開き直してご確認ください。",
        english="No answer came. If you were paying, reopen the page first to see what happened.",
    ),
)
"""Every status that nginx gives by itself under our configuration; 408 closes without a word."""

EARLY: Final = "/.refused/"
"""Where the pages of early refusals are. No route begins so: a segment never begins with a dot."""

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1.1rem/1.7 system-ui,sans-serif;max-width:34em;margin:12vh auto;padding:0 1.2em}"
    "h1{font-size:1.1rem;opacity:.6}"
)
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = f"""\
add_header Cache-Control no-store always;
add_header X-Content-Type-Options nosniff always;
add_header Referrer-Policy no-referrer always;
add_header Content-Security-Policy "{_POLICY}" always;
"""


def locations() -> str:
    """The ``error_page`` lines and locations of one server."""
    return "".join(map(_location, REFUSALS))


def _location(refusal: Refusal) -> str:
    status, *like = refusal.statuses
    place = f"{EARLY}{status}" if refusal.is_early else f"@refused{status}"
    same = f"error_page {' '.join(map(str, like))} ={status} {place};\n" if like else ""
    head = (
        f"location = {place} {{\n    internal;\n    client_max_body_size 0;"
        if refusal.is_early
        else f"location {place} {{"
    )
    extra = f"    {refusal.header}\n" if refusal.header else ""
    headers = "".join(f"    {line}\n" for line in _HEADERS.splitlines())
    return (
        f"error_page {status} {place};\n{same}{head}\n"
        f'    default_type "text/html; charset=utf-8";\n{headers}{extra}'
        f"    return {status} '{_page(status, refusal)}';\n}}\n"
    )


def _page(status: int, refusal: Refusal) -> str:
    return (
        f"<!doctype html><html lang=ja><meta charset=utf-8><title>{status}</title>"
        f"<meta name=viewport content=width=device-width><style>{_STYLE}</style>"
        f"<h1>{status}</h1><p>{refusal.japanese}</p><p lang=en>{refusal.english}</p></html>"
    )
