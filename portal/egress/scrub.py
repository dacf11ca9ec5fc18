"""Taking substituted values out of answers again, in the spellings that an API may echo.

Zone: egress; pure. A provider that repeats what it was sent must not make the relay a way to read
names, numbers, links and credentials. Scrubbed are the value itself and its long words, as plain
text, in JSON, percent and HTML escapes, and telephone numbers without their plus or in national
form. It is a net for honest providers: one that means to tell a caller something can.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import quote, quote_plus

import msgspec
import orjson

from portal.kit.outbound.wire import OutboundAnswer

MASK: Final = b"***"
WORD_LENGTH_MIN: Final = 8
"""Words of a value from this length on are scrubbed alone too: links, numbers, codes."""

PLAIN_END: Final = 0x7F
"""Writers that escape at all escape from here on; DEL is in doubt, and plain is tried as well."""

_E164: Final = re.compile(r"\+\d{6,15}", re.ASCII)


def scrub(
    body: bytes, values: Iterable[str], *, is_cut: bool = False, codec: str = "utf-8"
) -> bytes:
    """``body`` with every value replaced by MASK, the longest spelling first.

    ``codec`` is what the company writes in, beside UTF-8.

    With ``is_cut`` the body ends in the middle: an end that may be the beginning of a value is
    masked as well.
    """
    if not body:
        return body
    spellings = sorted(
        {spelling for value in values if value for spelling in _spellings(value, body, codec)},
        key=len,
        reverse=True,
    )
    for spelling in spellings:
        body = body.replace(spelling, MASK)
    return _mask_cut_end(body, spellings) if is_cut else body


def scrub_text(text: str, values: Iterable[str]) -> str:
    """The same for one header."""
    return scrub(text.encode(errors="replace"), values).decode(errors="replace")


def scrub_answer(answer: OutboundAnswer, values: Sequence[str], codec: str) -> OutboundAnswer:
    """The same for the headers and the body of a whole answer, whose text is in ``codec``."""
    if not values:
        return answer
    return msgspec.structs.replace(
        answer,
        headers={name: scrub_text(text, values) for name, text in answer.headers.items()},
        body=scrub(answer.body, values, is_cut=answer.code == "too_large", codec=codec),
    )


def _spellings(value: str, body: bytes, codec: str) -> Iterator[bytes]:
    """Ways in which ``body`` may spell ``value``; escapes only when it holds their sign."""
    for form in {value, *_words(value), *_numbers(value)}:
        yield form.encode(errors="replace")
        if codec != "utf-8":
            yield from _foreign(form, body, codec)
        if b"\\" in body:
            plain = orjson.dumps(form)[1:-1]
            yield plain
            yield plain.replace(b"/", b"\\/")
            yield from _json_escapes(form)
        if b"%" in body or b"+" in body:
            for escaped in (quote(form), quote(form, safe=""), quote_plus(form)):
                yield escaped.encode()
                yield re.sub(r"%[0-9A-F]{2}", lambda m: m[0].lower(), escaped).encode()
        if b"&" in body:
            yield html.escape(form).encode()
            yield html.escape(form, quote=False).encode()


def _foreign(form: str, body: bytes, codec: str) -> Iterator[bytes]:
    """In another charset: plain, and escaped as forms are; what it can't spell nobody echoes."""
    try:
        plain = form.encode(codec)
    except UnicodeEncodeError:
        return
    yield plain
    if b"%" in body or b"+" in body:
        for escaped in (quote(plain), quote(plain, safe=""), quote_plus(plain)):
            yield escaped.encode()
            yield re.sub(r"%[0-9A-F]{2}", lambda m: m[0].lower(), escaped).encode()


def _json_escapes(form: str) -> Iterator[bytes]:
    """JSON with everything beyond ASCII as escapes of four digits, in small and capital letters."""
    units = form.encode("utf-16-be", "surrogatepass")
    for digits in ("04x", "04X"):
        pieces: list[bytes] = []
        for place in range(0, len(units), 2):
            unit = int.from_bytes(units[place : place + 2], "big")
            pieces.append(
                orjson.dumps(chr(unit))[1:-1]
                if unit < PLAIN_END
                else f"\\u{unit:{digits}}".encode()
            )
        yield b"".join(pieces)
        yield b"".join(pieces).replace(b"/", b"\\/")


def _words(value: str) -> Iterator[str]:
    for word in value.split():
        if len(word) >= WORD_LENGTH_MIN:
            yield word


def _numbers(value: str) -> Iterator[str]:
    """A telephone number without its plus, and as Japan writes it inside the country."""
    if _E164.fullmatch(value) is None:
        return
    yield value[1:]
    if value.startswith("+81"):
        yield "0" + value[3:]


def _mask_cut_end(body: bytes, spellings: Iterable[bytes]) -> bytes:
    longest = 0
    for spelling in spellings:
        for length in range(min(len(spelling) - 1, len(body)), longest, -1):
            if body.endswith(spelling[:length]):
                longest = length
                break
    return body[: len(body) - longest] + MASK if longest else body
