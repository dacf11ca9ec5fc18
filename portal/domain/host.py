"""The one canonicaliser of host names and authorities, for every zone.

The relay's parser, the rule file and whatever registers a host all read names here, because every
escape of this kind is two parsers that disagree. On the wire a name is ASCII A-labels and nothing
else: no address in any spelling, no userinfo, no brackets, no Unicode. Nothing here resolves a
name or knows which names are allowed.

Source: RFC 1123 §2.1 and RFC 5890 §2.3.1 (letters, digits, hyphen); RFC 9110 §7.2 (authority);
WHATWG URL §3.5 (a last label that is a number makes the whole an IPv4 address).
"""

import re
from typing import Final

from portal.domain.errors import InvalidInput

NAME_LENGTH_MAX: Final = 253
LABEL_LENGTH_MAX: Final = 63
PORT_MAX: Final = 65_535

_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_NUMERIC: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)


def canonical_host(text: str) -> str:
    """The name in lower case without its one trailing dot, e.g. ``API.Example.`` → ``api.example``.

    Raises: InvalidInput ``host_invalid`` for whatever is no strict ASCII host name, above all for
    addresses in any spelling (``127.1``, ``0x7f000001``, ``[::1]``), names of one label that are
    numbers, underscores, empty or overlong labels, a hyphen at a label's edge, and ``--`` in places
    3 and 4 of a label other than ``xn--`` (reserved).
    """
    if not text.isascii() or len(text) > NAME_LENGTH_MAX + 1:
        raise InvalidInput("host_invalid", context="not ASCII or too long")
    name = text.lower().removesuffix(".")
    if not name or len(name) > NAME_LENGTH_MAX:
        raise InvalidInput("host_invalid", context="empty or too long")
    labels = name.split(".")
    for label in labels:
        if _LABEL.fullmatch(label) is None:
            raise InvalidInput("host_invalid", context="a label breaks the rules")
        if label[2:4] == "--" and not label.startswith("xn--"):
            raise InvalidInput("host_invalid", context="a label with a reserved prefix")
    if _NUMERIC.fullmatch(labels[-1]) is not None:
        raise InvalidInput("host_invalid", context="the last label is a number: an address")
    return name


def read_port(text: str) -> int:
    """A port from 1 to 65535, in digits without a sign or leading zeros.

    Raises: InvalidInput ``port_invalid`` for anything else, never wrapping round.
    """
    if _PORT.fullmatch(text) is None or int(text) > PORT_MAX:
        raise InvalidInput("port_invalid")
    return int(text)


def read_authority(text: str) -> tuple[str, int]:
    """Canonical host and port of ``host:port``; the port must be there.

    Raises: InvalidInput ``host_invalid`` or ``port_invalid``: one colon, no userinfo, no brackets.
    """
    host, colon, port = text.partition(":")
    if not colon:
        raise InvalidInput("port_invalid", context="no port")
    return canonical_host(host), read_port(port)
