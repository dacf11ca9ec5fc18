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

_HANDSHAKE: Final = 22
_CLIENT_HELLO: Final = 1
_RECORD_BYTES_MAX: Final = 1 << 14
_TLS_1_2: Final = 0x0303
_SERVER_NAME: Final = 0
_SUPPORTED_VERSIONS: Final = 43
_ENCRYPTED_HELLO: Final = frozenset({0xFE0D, 0xFD00, 0xFFCE})
"""encrypted_client_hello, ech_outer_extensions, and ESNI, its draft."""
_SESSION_ID_MAX: Final = 32


def check_hello(buffer: bytes | bytearray, host: str) -> bool:
    """Whether ``buffer`` holds a whole ClientHello for ``host``; False while more must come.

    Raises: Denied ``hello_invalid`` (no TLS, malformed or too long), ``tls_too_old`` (anything
    below 1.2 offered), ``hello_encrypted``, ``sni_missing`` or ``sni_mismatch``.
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
    message = b""
    while buffer:
        if buffer[0] != _HANDSHAKE or (len(buffer) > 1 and buffer[1] != _TLS_1_2 >> 8):
            raise Denied("hello_invalid")
        header, rest = buffer[:5], buffer[5:]
        length = int.from_bytes(header[3:], "big")
        if len(header) < 5:  # noqa: PLR2004  # a record's header: type, version, length
            return None
        if not 0 < length <= _RECORD_BYTES_MAX:
            raise Denied("hello_invalid")
        message += rest[:length]
        buffer = rest[length:]
        if message[0] != _CLIENT_HELLO:
            raise Denied("hello_invalid")
        wanted = 4 + int.from_bytes(message[1:4], "big")
        if len(message) < 4 or len(message) < wanted:  # noqa: PLR2004  # type and length
            if wanted > HELLO_BYTES_MAX:
                raise Denied("hello_invalid")
            continue
        if len(message) > wanted or wanted > HELLO_BYTES_MAX:
            raise Denied("hello_invalid")
        return message[4:]
    return None


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
    """Refuse a client that would also speak something older than 1.2."""
    if extension is None:
        return
    reader = _Reader(extension)
    offered = reader.vector(1)
    reader.end()
    versions: list[int] = []
    while offered.rest:
        versions.append(offered.number(2))
    # GREASE (RFC 8701) lies far above 1.2, so it needs no exception.
    if not versions or min(versions) < _TLS_1_2:
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
