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

``aws4``: Amazon's Signature Version 4, for one service in one region, which the rule names. The
signature covers method, host, path, content type, body and the moment (``x-amz-date``), and says
for which day, region and service its key was derived. A rule of it lets no query out.
Source: AWS, "Create a signed AWS API request" (IAM User Guide).
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from portal.egress.signing import Signer

_EMPTY: Final = "empty"
_AWS4: Final = "AWS4-HMAC-SHA256"
_MOMENT: Final = "x-amz-date"
_HTTPS: Final = 443


@dataclass(frozen=True, slots=True, kw_only=True)
class ToSign:
    """A request as it leaves: ``path`` without host and query, ``body`` as it is on the wire.

    ``nonce`` is used once; ``epoch_s`` is the moment of sending, in whole seconds. ``host`` as the
    Host header has it, with its port where that is not HTTPS' own.
    """

    method: str
    path: str
    content_type: str
    body: bytes
    nonce: str
    epoch_s: int
    host: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """``authorization``: the header's text; ``mac``: the part of it that only the secret makes.

    ``moment``: the text of ``x-amz-date``, where the signature is good for that header alone.
    """

    authorization: str
    mac: str
    moment: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What the request gets, besides the headers that it has."""
        dated = {_MOMENT: self.moment} if self.moment else {}
        return {"authorization": self.authorization, **dated}


def sign(signer: Signer, request: ToSign, *, key: str, secret: str) -> Signature:
    """The signature that a rule asks for."""
    if signer.name == "aws4":
        return sign_aws4(request, signer.region, signer.service, key=key, secret=secret)
    return sign_opa(request, key=key, secret=secret)


def host_of(host: str, port: int) -> str:
    """The Host header of a request to ``host`` over HTTPS. Source: RFC 9110 §7.2."""
    return host if port == _HTTPS else f"{host}:{port}"


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


def sign_aws4(request: ToSign, region: str, service: str, *, key: str, secret: str) -> Signature:
    """The Authorization header that AWS wants of this request, and the ``x-amz-date`` beside it.

    The path is encoded once more, as all services but S3 want it.
    """
    moment = datetime.fromtimestamp(request.epoch_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    signed = {"host": request.host, _MOMENT: moment}
    if request.content_type:
        signed["content-type"] = request.content_type
    names = ";".join(sorted(signed))
    canonical = (
        request.method, quote(request.path, safe="/~"), "",
        *(f"{name}:{signed[name]}" for name in sorted(signed)), "",
        names, hashlib.sha256(request.body).hexdigest(),
    )  # fmt: skip
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    derived = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        derived = hmac.new(derived, part.encode(), hashlib.sha256).digest()
    text = f"{_AWS4}\n{moment}\n{scope}\n{digest}"
    mac = hmac.new(derived, text.encode(), hashlib.sha256).hexdigest()
    said = f"{_AWS4} Credential={key}/{scope}, SignedHeaders={names}, Signature={mac}"
    return Signature(said, mac, moment)
