"""The head of a CONNECT request: a tiny grammar, and a refusal for all the rest.

Zone: egress; pure. One method, one version, ASCII, CRLF, 8 KB, no body, five harmless headers.
Every tolerance that other proxies show here (bare line feeds, folded lines, tabs, two Hosts, a
length on CONNECT) is a way to make two parsers disagree.

Source: RFC 9110 §9.3.6, RFC 9112 §3.2.3.
"""

import re
from dataclasses import dataclass
from typing import Final

from portal.domain.errors import InvalidInput
from portal.domain.host import read_authority

HEAD_BYTES_MAX: Final = 8 * 1024
HEADERS_MAX: Final = 32
HEADERS: Final = frozenset({"accept", "connection", "host", "proxy-connection", "user-agent"})
"""Headers that common clients send with CONNECT; only Host means anything here."""

_END: Final = b"\r\n\r\n"
_LINE: Final = re.compile(rb"([A-Z]{1,16}) ([\x21-\x7e]{1,1024}) HTTP/1\.1")
_HEADER: Final = re.compile(rb"([A-Za-z-]{1,64}):[ ]?([\x20-\x7e]*)")
_BARE: Final = re.compile(rb"(?<!\r)\n|\r(?!\n)|[^\x20-\x7e\r\n]")


class HeadRefused(Exception):
    """The head is answered with ``status`` and ``code``, and the connection closed."""

    def __init__(self, status: int, code: str) -> None:
        """Keep both; the code goes into the reason phrase."""
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class ConnectHead:
    """Where to; ``is_host_same`` says whether the Host header says so too."""

    host: str
    port: int
    is_host_same: bool


def read_head(buffer: bytes | bytearray) -> ConnectHead | None:
    """The head, or None while its end has not come.

    Raises: HeadRefused 431 ``head_too_long``, 405 ``method_not_connect``, and 400 ``head_invalid``,
    ``host_invalid``, ``port_invalid``, ``header_not_allowed`` or ``data_before_answer``.
    """
    raw = bytes(buffer)
    end = raw.find(_END)
    if end > HEAD_BYTES_MAX or (end < 0 and len(raw) > HEAD_BYTES_MAX):
        raise HeadRefused(431, "head_too_long")
    # A carriage return at the very end of a part may get its line feed yet.
    if _BARE.search(raw.removesuffix(b"\r") if end < 0 else raw[:end]):
        raise HeadRefused(400, "head_invalid")
    if end < 0:
        return None
    line, *headers = raw[:end].split(b"\r\n")
    host, port = _read_line(line)
    hosts = _read_headers(headers)
    if len(raw) > end + len(_END):
        raise HeadRefused(400, "data_before_answer")
    if len(hosts) != 1:
        raise HeadRefused(400, "head_invalid")
    try:
        is_host_same = read_authority(hosts[0]) == (host, port)
    except InvalidInput as error:
        raise HeadRefused(400, error.code) from error
    return ConnectHead(host, port, is_host_same)


def _read_line(line: bytes) -> tuple[str, int]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise HeadRefused(400, "head_invalid")
    if match[1] != b"CONNECT":
        raise HeadRefused(405, "method_not_connect")
    try:
        return read_authority(match[2].decode("ascii"))
    except InvalidInput as error:
        raise HeadRefused(400, error.code) from error


def _read_headers(lines: list[bytes]) -> list[str]:
    """The values of Host; all headers are checked."""
    if len(lines) > HEADERS_MAX:
        raise HeadRefused(400, "head_invalid")
    hosts: list[str] = []
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise HeadRefused(400, "head_invalid")
        name = match[1].decode("ascii").lower()
        if name not in HEADERS:
            raise HeadRefused(400, "header_not_allowed")
        if name == "host":
            hosts.append(match[2].decode("ascii"))
    return hosts
