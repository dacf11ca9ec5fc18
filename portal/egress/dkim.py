"""DKIM signatures over mails that the relay hands in: rsa-sha256, relaxed/relaxed.

Zone: egress; pure. Source: RFC 6376 §3.4.2 and §3.4.4 (relaxed forms), §3.5 (tags), §3.7 (what is
hashed), §5.4.1 (headers); RFC 8301 §3.2 (keys of 2048 bits). ``From`` is signed once more than it
stands there, so that nobody can add a second one.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from portal.egress.denial import Denied

KEY_BITS_MIN: Final = 2_048
SIGNED: Final = (
    "from", "to", "subject", "date", "message-id", "mime-version", "content-type",
    "auto-submitted", "list-unsubscribe", "list-unsubscribe-post",
)  # fmt: skip
"""Headers that the signature covers, where they are there. Source: RFC 6376 §5.4.1, RFC 8058 §4."""

_BLANKS: Final = re.compile(rb"[ \t]+")
_FOLD_AT: Final = 72


def sign_dkim(message: bytes, *, domain: str, selector: str, key: str, epoch_s: int) -> bytes:
    """The mail with its signature in front; ``key`` is a private RSA key as PEM.

    Raises: Denied ``credential_missing`` when the key is none, or too short.
    """
    head, _, body = message.partition(b"\r\n\r\n")
    headers = _read_headers(head)
    names = [name for name in SIGNED if any(name == known for known, _ in headers)]
    names.insert(0, "from")
    digest = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
    tags = (
        f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s={selector}; t={epoch_s}; "
        f"h={':'.join(names)}; bh={digest}; b="
    )
    hashed = b"".join(_picked(headers, names))
    unsigned = _folded(tags)
    hashed += relaxed_header(b"DKIM-Signature", unsigned)
    signature = _load(key).sign(hashed, PKCS1v15(), hashes.SHA256())
    return b"DKIM-Signature:" + unsigned + _cut(signature) + b"\r\n" + message


def relaxed_header(name: bytes, value: bytes) -> bytes:
    """One header without its line's end: small letters, unfolded, single blanks (§3.4.2)."""
    flat = _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" \t")
    return name.strip(b" \t").lower() + b":" + flat


def relaxed_body(body: bytes) -> bytes:
    """The body with single blanks, none at a line's end, no empty lines at the end (§3.4.4)."""
    lines = [_BLANKS.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _read_headers(head: bytes) -> list[tuple[str, bytes]]:
    """Small names with the whole header behind, in order."""
    found: list[tuple[str, bytes]] = []
    for line in head.split(b"\r\n"):
        if line[:1] in {b" ", b"\t"} and found:
            name, before = found[-1]
            found[-1] = (name, before + b"\r\n" + line)
        else:
            found.append((line.partition(b":")[0].decode("ascii").strip().lower(), line))
    return found


def _picked(headers: Sequence[tuple[str, bytes]], names: Sequence[str]) -> list[bytes]:
    """What is hashed for each name, from the bottom up; a name once too often stands for nothing.

    Source: RFC 6376 §5.4.2.
    """
    left = {name: [line for known, line in headers if known == name] for name in set(names)}
    picked: list[bytes] = []
    for name in names:
        if left[name]:
            field, _, value = left[name].pop().partition(b":")
            picked.append(relaxed_header(field, value) + b"\r\n")
    return picked


def _cut(signature: bytes) -> bytes:
    """The signature in short lines, which a verifier joins again (§3.5, ``b=``)."""
    text = base64.b64encode(signature)
    cut = range(0, len(text), _FOLD_AT)
    return b"".join(b"\r\n\t" + text[at : at + _FOLD_AT] for at in cut)


def _folded(value: str) -> bytes:
    """The tags in short lines; of ``h=`` each name is one (§3.5)."""
    return b" " + value.replace("; ", ";\r\n\t").replace(":", ":\r\n\t").encode()


@lru_cache(maxsize=8)
def _load(key: str) -> RSAPrivateKey:
    try:
        loaded = load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise Denied("credential_missing") from error
    if not isinstance(loaded, RSAPrivateKey) or loaded.key_size < KEY_BITS_MIN:
        raise Denied("credential_missing")
    return loaded
