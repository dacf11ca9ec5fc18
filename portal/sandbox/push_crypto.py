"""What a browser and its push service do themselves: open a notification, check who sent it.

The sandbox's own code, sharing no line with the portal's. Source: RFC 8188, RFC 8291, RFC 8292.
"""

import base64
import binascii
import time
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_CURVE: Final = ec.SECP256R1()
_SALT: Final = slice(0, 16)
_KEY_ID: Final = slice(21, 86)
_HEADER_BYTES: Final = 86
_DAY_S: Final = 24 * 3600
_POINT: Final = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


class Unreadable(Exception):
    """It was not made for this browser, or not by who it says."""


@dataclass(frozen=True, slots=True)
class Opener:
    """A browser's half of a subscription: the private number, and the secret that goes with it."""

    private: int
    secret: bytes

    @property
    def public(self) -> bytes:
        """Its public key, as a site is told it."""
        return self._key.public_key().public_bytes(*_POINT)

    @property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(self.private, _CURVE)

    def open(self, body: bytes) -> bytes:
        """The text of a notification. Raises Unreadable."""
        if len(body) <= _HEADER_BYTES or body[20] != _KEY_ID.stop - _KEY_ID.start:
            raise Unreadable
        sender = body[_KEY_ID]
        try:
            point = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, sender)
            agreed = self._key.exchange(ec.ECDH(), point)
        except ValueError as error:
            raise Unreadable from error
        first = _mac(self.secret, agreed)
        input_key = _mac(first, b"WebPush: info\x00" + self.public + sender + b"\x01")
        pseudo = _mac(body[_SALT], input_key)
        key = _mac(pseudo, b"Content-Encoding: aes128gcm\x00\x01")[:16]
        nonce = _mac(pseudo, b"Content-Encoding: nonce\x00\x01")[:12]
        try:
            padded = AESGCM(key).decrypt(nonce, body[_HEADER_BYTES:], None)
        except InvalidTag as error:
            raise Unreadable from error
        text, end, _ = padded.rstrip(b"\x00").rpartition(b"\x02")
        if not end:
            raise Unreadable
        return text


def new_opener(private: int, secret: bytes) -> Opener:
    """A browser's keys from a random number; any number will do."""
    return Opener(private % (2**255) + 1, secret)


def check_vapid(header: str, origin: str, public: bytes | None) -> None:
    """Raise Unreadable unless the header is a good signature made out to ``origin``.

    ``public``: whose it must be, None: anybody's.
    """
    scheme, _, rest = header.partition(" ")
    parts: dict[str, str] = {}
    for part in rest.split(","):
        name, _, value = part.strip().partition("=")
        parts[name] = value
    if scheme.lower() != "vapid" or not {"t", "k"} <= parts.keys():
        raise Unreadable
    key = decode(parts["k"])
    if public is not None and key != public:
        raise Unreadable
    claims = check_es256(parts["t"], key)
    now = time.time()
    if claims.get("aud") != origin or not now < claims.get("exp", 0) <= now + _DAY_S:
        raise Unreadable


def check_es256(token: str, public: bytes) -> dict[str, Any]:
    """The claims of a token under a P-256 key. Raises Unreadable."""
    signed, raw = _split(token)
    if len(raw) != 64:  # noqa: PLR2004 - two numbers of 32 bytes
        raise Unreadable
    numbers = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    try:
        point = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, public)
        point.verify(
            utils.encode_dss_signature(*numbers), signed.encode(), ec.ECDSA(hashes.SHA256())
        )
    except (InvalidSignature, ValueError) as error:
        raise Unreadable from error
    return _claims(signed)


def check_rs256(token: str, pem: str) -> dict[str, Any]:
    """The claims of a token under an RSA key given as PEM. Raises Unreadable."""
    signed, raw = _split(token)
    key = serialization.load_pem_public_key(pem.encode())
    try:
        if not isinstance(key, rsa.RSAPublicKey):
            raise Unreadable
        key.verify(raw, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise Unreadable from error
    return _claims(signed)


def point_of(pem: str) -> bytes:
    """The uncompressed point of a public key given as PEM. Raises Unreadable."""
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Unreadable
    return key.public_bytes(*_POINT)


def header_of(token: str) -> dict[str, Any]:
    """What a token's head says. Raises Unreadable."""
    return _object(token.partition(".")[0])


def encode(raw: bytes) -> str:
    """Base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(text: str) -> bytes:
    """The other way round. Raises Unreadable."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise Unreadable from error


def _split(token: str) -> tuple[str, bytes]:
    signed, _, mac = token.rpartition(".")
    return signed, decode(mac)


def _claims(signed: str) -> dict[str, Any]:
    return _object(signed.rpartition(".")[2])


def _object(part: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(decode(part), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Unreadable from error


def _mac(key: bytes, text: bytes) -> bytes:
    mac = hmac.HMAC(key, hashes.SHA256())
    mac.update(text)
    return mac.finalize()
