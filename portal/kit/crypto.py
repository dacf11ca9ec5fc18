"""Cryptography for every zone: sealing, message codes, TLS contexts. Keys come from the caller.

Zone-less: holds no key and knows no table. Records are sealed with AES-256-GCM-SIV (RFC 8452),
which forgives a repeated nonce; everything that travels between zones runs over TLS 1.3 with
certificates on both sides.
"""

import hashlib
import hmac as _hmac
import os
import ssl
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal.domain.errors import InvariantBroken

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16

ZONE_URI: Final = "harai://zone/"
"""Subject alternative name of a zone's certificate: this and the zone's name."""


def seal(key: bytes, plain: bytes, context: bytes) -> bytes:
    """``nonce | ciphertext | tag`` under a 32-byte key, bound to ``context`` (the AAD)."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCMSIV(key).encrypt(nonce, plain, context)


def open_sealed(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """What :func:`seal` sealed.

    Raises: InvariantBroken ``seal_broken`` for another key, another context or one changed bit.
    """
    try:
        return AESGCMSIV(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
    except (InvalidTag, ValueError) as fault:
        raise InvariantBroken("seal_broken") from fault


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256, 32 bytes (RFC 2104)."""
    return _hmac.digest(key, message, "sha256")


def same(left: bytes, right: bytes) -> bool:
    """Compare two codes in a time that does not depend on where they differ."""
    return _hmac.compare_digest(left, right)


def sha256(data: bytes) -> bytes:
    """SHA-256, 32 bytes."""
    return hashlib.sha256(data).digest()


def derive_key(key: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose out of a strong key (HKDF-SHA256, RFC 5869)."""
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(key)


def server_context(cert: Path, key: Path, ca: Path) -> ssl.SSLContext:
    """TLS 1.3 for the accepting side; a peer without a certificate of ``ca`` is cut off."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0  # a resumed session would skip the certificate
    context.load_verify_locations(ca)
    context.load_cert_chain(cert, key)
    return context


def client_context(cert: Path, key: Path, ca: Path) -> ssl.SSLContext:
    """TLS 1.3 for the calling side, with our own certificate.

    Zones are known by a URI in their certificate, not by host name: whoever connects checks
    :func:`zone_of` the peer.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca)
    context.load_cert_chain(cert, key)
    return context


def zone_of(peer: ssl.SSLObject) -> str | None:
    """The zone that a verified peer's certificate names, or None if it names none or several."""
    certificate = peer.getpeercert() or {}
    names: list[str] = [
        str(value).removeprefix(ZONE_URI)
        for kind, value in certificate.get("subjectAltName", ())
        if kind == "URI" and str(value).startswith(ZONE_URI)
    ]
    return names[0] if len(names) == 1 else None
