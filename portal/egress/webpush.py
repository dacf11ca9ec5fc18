"""Web Push: a notification that only the payer's browser can read, and who vouches for it.

Zone: egress; pure. One record of aes128gcm under a key of this message alone (RFC 8291), so the
push service sees neither words nor link; and a token signed by our key, made out to that service's
origin (VAPID, RFC 8292), so that nobody else can write to this browser in our name.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from portal.egress.denial import Denied
from portal.egress.jwt import base64url, elliptic_key, sign_es256

SALT_BYTES: Final = 16
RECORD_BYTES: Final = 4_096
PLAIN_BYTES_MAX: Final = 3_993
"""What fits into the 4,096 bytes that every push service takes. Source: RFC 8030 §7.2, RFC 8291
§4: 86 bytes of header, 16 of tag, one that ends the record."""

TOKEN_LIFE: Final = timedelta(hours=12)
"""Half of what is allowed, so that no clock makes it too long. Source: RFC 8292 §2 (24 hours)."""

_LAST_RECORD: Final = b"\x02"
_P256: Final = ec.SECP256R1()


@dataclass(frozen=True, slots=True)
class Browser:
    """Whom a message is for: its public key as an uncompressed point, and its secret."""

    public_key: bytes
    secret: bytes


def encrypt(
    plain: bytes, browser: Browser, *, salt: bytes, key: ec.EllipticCurvePrivateKey
) -> bytes:
    """The message as one aes128gcm record; ``salt`` and ``key`` are used for it and never again.

    Raises: Denied ``value_unfit`` for a public key off the curve, or a message that is too long.
    Source: RFC 8291 §3.4, RFC 8188 §2.
    """
    if len(plain) > PLAIN_BYTES_MAX:
        raise Denied("value_unfit")
    try:
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(_P256, browser.public_key)
    except ValueError as error:
        raise Denied("value_unfit") from error
    ours = _point(key.public_key())
    shared = key.exchange(ec.ECDH(), theirs)
    info = b"WebPush: info\0" + browser.public_key + ours
    keying = _derive(shared, salt=browser.secret, info=info, length=32)
    content_key = _derive(keying, salt=salt, info=b"Content-Encoding: aes128gcm\0", length=16)
    nonce = _derive(keying, salt=salt, info=b"Content-Encoding: nonce\0", length=12)
    sealed = AESGCM(content_key).encrypt(nonce, plain + _LAST_RECORD, None)
    header = salt + RECORD_BYTES.to_bytes(4, "big") + len(ours).to_bytes(1, "big") + ours
    return header + sealed


def vapid_header(origin: str, pem: str, *, subject: str, now: datetime) -> str:
    """The Authorization header for a push service's ``origin``.

    ``subject``: whom the service may write to about us, ``mailto:`` or ``https:``.

    Raises: Denied ``credential_missing`` when ``pem`` is no key of P-256.
    """
    claims = {"aud": origin, "exp": int((now + TOKEN_LIFE).timestamp()), "sub": subject}
    return f"vapid t={sign_es256(claims, pem)},k={public_key_of(pem)}"


def public_key_of(pem: str) -> str:
    """What browsers are given to subscribe with, in base64url. Raises: as :func:`vapid_header`."""
    return base64url(_point(elliptic_key(pem).public_key()))


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key for one message."""
    return ec.generate_private_key(_P256)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derive(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)
