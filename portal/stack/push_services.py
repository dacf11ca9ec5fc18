"""The sandbox's push services as the embedded stack knows them: keys, and what may leave to them.

Stack only; production signs rules of its own and brings its own keys.
"""

from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from portal.egress.pushing import Pushing
from portal.egress.rule import Rule
from portal.egress.webpush import public_key_of

PUSH_KEYS: Final = ("webpush.key", "fcm.key", "apns.key")
"""Credentials by which the push services know the portal: private keys (PEM)."""

PROJECT: Final = "harai-sandbox"
APP: Final = "example.aozora.app"
TEAM: Final = "SANDBOX001"
KEY_ID: Final = "SANDBOXKEY"

_HOUR_BYTES: Final = 8 * 1024**3
_RSA_BITS: Final = 2_048


def push_rules(api_port: int) -> tuple[Rule, ...]:
    """Notifications by the three services, pinned to loopback."""
    terms = {
        "push": Pushing(
            service="web", key="webpush.key", hosts=("push.sandbox.test",),
            subject="https://aozora.example",
        ),
        "fcm": Pushing(
            service="fcm", key="fcm.key", project=PROJECT,
            account="harai@harai-sandbox.example", token_host="fcm.sandbox.test",  # noqa: S106 - a host
        ),
        "apns": Pushing(service="apns", key="apns.key", app=APP, team=TEAM, key_id=KEY_ID),
    }  # fmt: skip
    return tuple(
        Rule(
            id=f"sandbox-{name}",
            role="work",
            host=f"{name}.sandbox.test",
            port=api_port,
            purpose="notifications through the sandbox's push services",
            bytes_up_per_hour=_HOUR_BYTES,
            mode="push",
            pushing=pushing,
            concurrency_max=64,
            address="127.0.0.1",
            sandbox=True,
        )
        for name, pushing in terms.items()
    )


def new_push_key(name: str) -> str:
    """A fresh private key (PEM) of the kind that the service wants."""
    if name == "fcm.key":
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = rsa.generate_private_key(
            public_exponent=65_537, key_size=_RSA_BITS
        )
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_half(pem: str) -> str:
    """The public key (PEM) of a private one."""
    public = load_pem_private_key(pem.encode(), password=None).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def browser_key(credentials: Path) -> str:
    """What browsers are told to subscribe with; "" before the credentials are made."""
    if not credentials.exists():
        return ""
    known = msgspec.json.decode(credentials.read_bytes(), type=dict[str, str])
    return public_key_of(known["webpush.key"]) if "webpush.key" in known else ""
