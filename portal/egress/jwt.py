"""Signed tokens (JWT) by which push services know us. Zone: egress; pure.

``ES256``: ECDSA over P-256 with SHA-256, the signature as the two numbers r and s in 32 bytes each
(RFC 7518 §3.4), as Web Push (RFC 8292) and Apple want it. ``RS256``: RSASSA-PKCS1-v1_5, as Google's
token service wants it. Keys are PEM texts of the credentials file; none of them ever leaves.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from portal.egress.denial import Denied

_NUMBER_BYTES: Final = 32

Claims = Mapping[str, str | int]


def base64url(raw: bytes) -> str:
    """Base64 for addresses, without padding. Source: RFC 7515 §2."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def sign_es256(claims: Claims, pem: str, *, header: Mapping[str, str] | None = None) -> str:
    """A token under a P-256 key; ``header`` says more than the algorithm (a key's id).

    Raises: Denied ``credential_missing`` when the credential is no such key.
    """
    key = elliptic_key(pem)
    signed = _signed_part({"alg": "ES256", "typ": "JWT", **(header or {})}, claims)
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    mac = r.to_bytes(_NUMBER_BYTES, "big") + s.to_bytes(_NUMBER_BYTES, "big")
    return f"{signed}.{base64url(mac)}"


def sign_rs256(claims: Claims, pem: str) -> str:
    """A token under an RSA key. Raises: Denied ``credential_missing`` when it is none."""
    key = _load(pem)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise Denied("credential_missing")
    signed = _signed_part({"alg": "RS256", "typ": "JWT"}, claims)
    mac = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{base64url(mac)}"


def elliptic_key(pem: str) -> ec.EllipticCurvePrivateKey:
    """A private key of P-256. Raises: Denied ``credential_missing`` when it is none."""
    key = _load(pem)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Denied("credential_missing")
    return key


def _load(pem: str) -> object:
    try:
        return load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise Denied("credential_missing") from error


def _signed_part(header: Mapping[str, str], claims: Claims) -> str:
    parts = (json.dumps(part, separators=(",", ":")).encode() for part in (header, claims))
    return ".".join(base64url(part) for part in parts)
