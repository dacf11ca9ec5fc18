"""A company that knows the secret and takes only what is signed as PayPay's interface has it."""

import base64
import hashlib
import hmac

from tests.make.provider import Seen
from tests.make.relay import SIGNING_KEY, SIGNING_SECRET

SIGNER = {"name": "opa", "key": "opa.key", "secret": "opa.secret"}
"""What a rule says of who signs."""


def is_signed(seen: Seen) -> bool:
    """Whether the company would take the request as it came in; no query is ever signed."""
    scheme, _, said = seen.headers["authorization"].partition(":")
    key, mac, nonce, epoch, digest = said.split(":")
    method, path, _ = seen.line.split(" ")
    kind = seen.headers.get("content-type", "empty") if seen.body else "empty"
    hashed = hashlib.md5(kind.encode() + seen.body, usedforsecurity=False).digest()
    expected = base64.b64encode(hashed).decode() if seen.body else "empty"
    path = path.partition("?")[0]
    lines = f"{path}\n{method}\n{nonce}\n{epoch}\n{kind}\n{expected}".encode()
    made = hmac.new(SIGNING_SECRET.encode(), lines, hashlib.sha256).digest()
    wanted = ("hmac OPA-Auth", SIGNING_KEY, base64.b64encode(made).decode(), expected)
    return (scheme, key, mac, digest) == wanted
