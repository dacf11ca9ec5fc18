"""The first message of TLS, read only to see which name the caller asks the far side for.

Zone: egress; pure. A tunnel's rule names a host; a ClientHello that names another one, hides its
name (ECH) or is no TLS at all would turn the tunnel into a road to somewhere else on the same
address. Nothing is decrypted and nothing kept. What is malformed is refused, never guessed at.

Source: RFC 8446 §4.1.2, §5.1; RFC 6066 §3; RFC 9849 (Encrypted Client Hello).
"""

from dataclasses import dataclass
from typing import Final

from portal.domain.errors import InvalidInput
from portal.domain.host import canonical_host
from portal.egress.denial import Denied

HELLO_BYTES_MAX: Final = 16 * 1024
BUFFER_BYTES_MAX: Final = 17 * 1024
"""Records and their headers together; a client that splits finer than that is refused."""

RECORDS_MAX: Final = 64
"""More records for one hello are refused: it is put together anew whenever bytes arrive."""

_RECORD_HEADER: Final = 5
_MESSAGE_HEADER: Final = 4
_CLIENT_HELLO: Final = b"\x01"
_RECORD_BYTES_MAX: Final = 1 << 14
_TLS_1_2: Final = 0x0303
_GOOD_VERSIONS: Final = frozenset({_TLS_1_2, 0x0304})
_SERVER_NAME: Final = 0
_SUPPORTED_VERSIONS: Final = 43
_ENCRYPTED_HELLO: Final = frozenset({0xFE0D, 0xFD00, 0xFFCE})
"""encrypted_client_hello, ech_outer_extensions, and ESNI, its draft."""
_SESSION_ID_MAX: Final = 32


def check_hello(buffer: bytes | bytearray, host: str) -> bool:
    """Whether ``buffer`` holds a whole ClientHello for ``host``; False while more must come.

    Raises: Denied ``hello_invalid`` (no TLS, malformed or too long), ``tls_too_old`` (nothing
    from 1.2 on offered), ``hello_encrypted``, ``sni_missing`` or ``sni_mismatch``.
    """
    message = _reassemble(bytes(buffer))
    if message is None:
        if len(buffer) > BUFFER_BYTES_MAX:
            raise Denied("hello_invalid")
        return False
    extensions = _extensions(message)
    if _ENCRYPTED_HELLO & extensions.keys():
        raise Denied("hello_encrypted")
    _check_versions(extensions.get(_SUPPORTED_VERSIONS))
    if _SERVER_NAME not in extensions:
        raise Denied("sni_missing")
    if _server_name(extensions[_SERVER_NAME]) != host:
        raise Denied("sni_mismatch")
    return True


@dataclass(slots=True)
class _Reader:
    """Takes fields off the front; whatever is too short is malformed."""

    rest: bytes

    def take(self, count: int) -> bytes:
        if count > len(self.rest):
            raise Denied("hello_invalid")
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def vector(self, width: int) -> "_Reader":
        """A field that is preceded by its length in ``width`` bytes."""
        return _Reader(self.take(self.number(width)))

    def end(self) -> None:
        if self.rest:
            raise Denied("hello_invalid")


def _reassemble(buffer: bytes) -> bytes | None:
    """The body of the ClientHello out of one or more records; None while it is incomplete."""
    message, place = b"", 0
    for _ in range(RECORDS_MAX):
        header = buffer[place : place + _RECORD_HEADER]
        if not b"\x16\x03".startswith(header[:2]):
            raise Denied("hello_invalid")
        if len(header) < _RECORD_HEADER:
            return None
        length = int.from_bytes(header[3:], "big")
        if not 0 < length <= _RECORD_BYTES_MAX:
            raise Denied("hello_invalid")
        place += _RECORD_HEADER
        message += buffer[place : place + length]
        place += length
        if _is_whole(message):
            return message[_MESSAGE_HEADER:]
    raise Denied("hello_invalid")


def _is_whole(message: bytes) -> bool:
    """Whether the handshake message has come to its end, and just to it."""
    if message[:1] not in {b"", _CLIENT_HELLO}:
        raise Denied("hello_invalid")
    if len(message) < _MESSAGE_HEADER:
        return False
    wanted = _MESSAGE_HEADER + int.from_bytes(message[1:_MESSAGE_HEADER], "big")
    if wanted > HELLO_BYTES_MAX or len(message) > wanted:
        raise Denied("hello_invalid")
    return len(message) == wanted


def _extensions(message: bytes) -> dict[int, bytes]:
    """Type → body of each extension, each type once."""
    reader = _Reader(message)
    if reader.number(2) < _TLS_1_2:
        raise Denied("tls_too_old")
    reader.take(32)
    if len(reader.vector(1).rest) > _SESSION_ID_MAX:
        raise Denied("hello_invalid")
    ciphers = reader.vector(2).rest
    compressions = reader.vector(1).rest
    if not ciphers or len(ciphers) % 2 or 0 not in compressions:
        raise Denied("hello_invalid")
    if not reader.rest:
        return {}
    listed = reader.vector(2)
    reader.end()
    extensions: dict[int, bytes] = {}
    while listed.rest:
        kind = listed.number(2)
        if kind in extensions:
            raise Denied("hello_invalid")
        extensions[kind] = listed.vector(2).rest
    return extensions


def _check_versions(extension: bytes | None) -> None:
    """Refuse a client that can't speak 1.2 or 1.3; without the extension 1.2 is its newest."""
    if extension is None:
        return
    reader = _Reader(extension)
    offered = reader.vector(1)
    reader.end()
    versions: set[int] = set()
    while offered.rest:
        versions.add(offered.number(2))
    if not versions & _GOOD_VERSIONS:
        raise Denied("tls_too_old")


def _server_name(extension: bytes) -> str:
    """The one host name of the extension, canonical."""
    reader = _Reader(extension)
    names = reader.vector(2)
    reader.end()
    kind = names.number(1)
    name = names.vector(2).rest
    names.end()
    if kind != 0:
        raise Denied("hello_invalid")
    try:
        return canonical_host(name.decode("ascii"))
    except (InvalidInput, UnicodeDecodeError) as error:
        raise Denied("hello_invalid") from error
