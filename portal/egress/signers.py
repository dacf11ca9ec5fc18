"""Signatures over whole requests, for companies whose credential must not travel itself.

Zone: egress; pure. A rule names its signer and the two credentials that it works with; the relay
signs what it is about to send, byte for byte, so that neither the key nor the secret is ever in the
application, and an owned caller can sign nothing that its rule does not let out.

``opa``: PayPay's Open Payment API. The Authorization header is
``hmac OPA-Auth:<key>:<mac>:<nonce>:<epoch>:<hash>``; ``hash`` is the Base64 of the MD5 over content
type and body, ``mac`` the Base64 of the HMAC-SHA-256, under the secret, of the lines path, method,
nonce, epoch, content type and hash. Without a body both content type and hash are ``empty``. The
query is in none of them, so a rule may let out only one that it lists (``portal.egress.query``).
Source: PayPay Open Payment API, "API Authentication".
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

_EMPTY: Final = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToSign:
    """A request as it leaves: ``path`` without host and query, ``body`` as it is on the wire.

    ``nonce`` is used once; ``epoch_s`` is the moment of sending, in whole seconds.
    """

    method: str
    path: str
    content_type: str
    body: bytes
    nonce: str
    epoch_s: int


@dataclass(frozen=True, slots=True)
class Signature:
    """``authorization``: the header's text; ``mac``: the part of it that only the secret makes."""

    authorization: str
    mac: str


def sign_opa(request: ToSign, *, key: str, secret: str) -> Signature:
    """The Authorization header that PayPay's Open Payment API wants of this request."""
    content_type, digest = _EMPTY, _EMPTY
    if request.body:
        content_type = request.content_type
        # MD5 is the API's choice and only names the body; what proves anything is the HMAC.
        body_hash = hashlib.md5(content_type.encode() + request.body, usedforsecurity=False)
        digest = base64.b64encode(body_hash.digest()).decode()
    lines = (
        request.path, request.method, request.nonce, str(request.epoch_s), content_type, digest
    )  # fmt: skip
    signed = hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256)
    mac = base64.b64encode(signed.digest()).decode()
    text = f"hmac OPA-Auth:{key}:{mac}:{request.nonce}:{request.epoch_s}:{digest}"
    return Signature(text, mac)
