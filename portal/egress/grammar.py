"""What a request may be made of before any rule is asked: methods, paths, headers, placeholders.

Zone: egress; pure. Small on purpose: what is not plainly in the grammar is refused, because each
generous reading is a second parser for someone to play against the provider's.
"""

import re
from typing import Final

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})

HEADERS_FOR_ALL: Final = frozenset(
    {
        "accept",
        "accept-language",
        "authorization",
        "content-type",
        "idempotency-key",
        "user-agent",
    }
)
"""Request headers that need no rule; others are allowed by name in a rule."""

HEADERS_NEVER: Final = frozenset(
    {
        # Framing and routing are the relay's.
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        # Ways round the method and path that were checked.
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-original-url",
        "x-rewrite-url",
        # State that would tie one caller's requests to another's.
        "cookie",
        "cookie2",
        "proxy-authorization",
        "proxy-connection",
    }
)
"""Request headers that no rule can allow."""

ANSWER_HEADERS: Final = frozenset(
    {
        "content-type",
        "date",
        "idempotency-replayed",
        "idempotent-replayed",
        "request-id",
        "retry-after",
        "x-amzn-errortype",
        "x-request-id",
    }
)
"""Answer headers that go back to the caller, scrubbed; all others stay at the relay."""

PATH_LENGTH_MAX: Final = 2_048
HEADER_BYTES_MAX: Final = 4_096

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}", re.ASCII)
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?", re.ASCII)
_SEGMENT: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_PATH: Final = re.compile(rf"(?:/{_SEGMENT}*)+", re.ASCII)
_QUERY: Final = re.compile(rf"(?:{_SEGMENT}|[/?])*", re.ASCII)
_HIDDEN: Final = re.compile(r"%(?:2e|2f|5c|25|[01][0-9a-f]|7f)", re.ASCII | re.IGNORECASE)
"""Escapes that decode to a dot, a slash, a backslash, a percent sign or a control character."""

_DOTTED: Final = re.compile(r"\.{1,2}(?:(?:;|%3b).*)?", re.ASCII | re.IGNORECASE)
"""``.`` and ``..``, also with path parameters, which some servers take off before they resolve."""

_PLACEHOLDER: Final = re.compile(
    r"\{\{(delivery:(?:to|body|subject|html|callback|collector|reference|file)"
    r"|instrument:(?:token|customer|reference|amount|member|order|order_pass)"
    r"|payer:(?:name|kana|phone)"
    r"|credential:[a-z0-9][a-z0-9_.-]{0,63})\}\}",
    re.ASCII,
)


def is_header_name(name: str) -> bool:
    """Whether ``name`` is a token of at most 64 characters. Source: RFC 9110 §5.1."""
    return _HEADER_NAME.fullmatch(name) is not None


def is_header_value(value: str) -> bool:
    """Whether ``value`` is visible ASCII with inner spaces: nothing that could end the line."""
    return len(value) <= HEADER_BYTES_MAX and _HEADER_VALUE.fullmatch(value) is not None


def is_path(path: str) -> bool:
    """Whether ``path`` is absolute, plain and free of dot segments, empty ones and hidden escapes.

    A slash at the end is the one empty segment allowed. Source: RFC 3986 §3.3.
    """
    if len(path) > PATH_LENGTH_MAX or _PATH.fullmatch(path) is None:
        return False
    if _HIDDEN.search(path) is not None or "//" in path:
        return False
    return not any(_DOTTED.fullmatch(segment) for segment in path.split("/"))


def is_query(query: str) -> bool:
    """Whether ``query`` (without its question mark) is plain. Source: RFC 3986 §3.4."""
    return len(query) <= PATH_LENGTH_MAX and _QUERY.fullmatch(query) is not None


def is_under(path: str, prefix: str) -> bool:
    """Whether ``path`` is ``prefix`` or lies below it: ``/v1/pay`` covers not ``/v1/payout``."""
    if prefix.endswith("/"):
        return path.startswith(prefix)
    return path == prefix or path.startswith(prefix + "/")


def placeholders_in(text: str) -> tuple[str, ...] | None:
    """Placeholders of ``text`` as ``source:name``; None when a ``{{`` is no known placeholder."""
    if "{{" not in text:
        return ()
    found = tuple(match[1] for match in _PLACEHOLDER.finditer(text))
    return found if text.count("{{") == len(found) else None


def substitute(text: str, values: dict[str, str]) -> str:
    """``text`` with each placeholder replaced once; what a value holds is never looked at again.

    Raises: KeyError for a placeholder without a value.
    """
    if "{{" not in text:
        return text
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)
