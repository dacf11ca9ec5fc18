"""What each process must find before it starts: certificates, keys, rules, credentials.

Stack only. Made once and kept; a file is readable by the one account that needs it. The egress'
rules are signed here with the operator's key, in a folder where the egress can replace nothing.
"""

import hashlib
import os
import secrets
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.egress.rules import Rules, sign_rules
from portal.kit.clock import Clock
from portal.stack.certificates import (
    SANDBOX_HOSTS,
    ZONES,
    Authority,
    write_private,
    zone_name,
)
from portal.stack.layout import Layout, own
from portal.stack.push_services import PUSH_KEYS, new_push_key, public_half
from portal.stack.sandbox_rules import sandbox_rules
from portal.stack.users import Account

CREDENTIALS: Final = (
    "sandbox_sms",
    "sandbox_card",
    "sandbox_wallet.key",
    "sandbox_wallet.secret",
    "sandbox_counter",
    "sandbox_bank",
    "sandbox_mail",
    "sandbox_sms2",
    "sandbox_tel",
)
_SIGNING: Final = ("sandbox_agency", "sandbox_mail", "sandbox_tel")
"""Companies that sign what they tell us, with a key of the demo merchant's."""

DEMO_CODE: Final = "aozora"
"""The demo merchant's public code: its agency signs with a key made for this address."""

_KEY_BYTES: Final = 32


def install(layout: Layout, clock: Clock) -> None:
    """Make everything that is missing; what is there and still good stays."""
    _issue_certificates(layout, clock)
    for zone, name in (("vault", "root.key"), ("web", "cookie.key"), ("work", "queue.key")):
        write_once(layout.zone(zone) / name, secrets.token_bytes(_KEY_BYTES), layout.accounts[zone])
    egress = layout.accounts["egress"]
    _give_credentials(layout.zone("egress") / "credentials.json", egress)
    _tell_companies(layout)
    _agree_on_signatures(layout)
    own(layout.zone("egress") / "journal", egress)
    _sign_rules(layout)


def _give_credentials(file: Path, egress: Account) -> None:
    """What companies gave out is kept; one that a newer release knows of is added."""
    known: dict[str, str] = {}
    if file.exists():
        known = msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    missing = {name: secrets.token_urlsafe(24) for name in CREDENTIALS if name not in known}
    missing |= {name: new_push_key(name) for name in PUSH_KEYS if name not in known}
    if missing:
        write_private(file, msgspec.json.encode(known | missing), egress)


def _tell_companies(layout: Layout) -> None:
    """The companies know their keys by hash: who dials them past the relay is not let in.

    A signature can't be checked by a hash: of what signs, the company has the secret itself, or
    the public half.
    """
    file = layout.zone("egress") / "credentials.json"
    given = msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    hashes = {
        name: key if name.endswith(".secret") else hashlib.sha256(key.encode()).hexdigest()
        for name, key in given.items()
        if name not in PUSH_KEYS
    }
    hashes |= {name: public_half(given[name]) for name in PUSH_KEYS}
    known = layout.zone("sandbox") / "keys.json"
    write_private(known, msgspec.json.encode(hashes), layout.accounts["sandbox"])


def _agree_on_signatures(layout: Layout) -> None:
    """A key for each company that signs, with it and the doors; one that was agreed on stays."""
    file = layout.zone("web") / "notice_keys.json"
    signing: dict[str, dict[str, list[str]]] = {}
    if file.exists():
        signing = msgspec.json.decode(file.read_bytes(), type=dict[str, dict[str, list[str]]])
    missing = [name for name in _SIGNING if DEMO_CODE not in signing.get(name, {})]
    for name in missing:
        signing.setdefault(name, {})[DEMO_CODE] = [secrets.token_urlsafe(24)]
    if missing:
        write_private(file, msgspec.json.encode(signing), layout.accounts["web"])
    known = layout.zone("sandbox") / "keys.json"
    keys = msgspec.json.decode(known.read_bytes(), type=dict[str, str])
    for name in _SIGNING:
        keys[f"{name}.secret"] = signing[name][DEMO_CODE][0]
    write_private(known, msgspec.json.encode(keys), layout.accounts["sandbox"])


def write_once(path: Path, content: bytes, account: Account) -> None:
    """Write a secret that is never replaced."""
    if not path.exists():
        write_private(path, content, account)


def _issue_certificates(layout: Layout, clock: Clock) -> None:
    zones = Authority(layout.keys, "zones", clock)
    companies = Authority(layout.keys, "companies", clock)
    operator = layout.keys / "operator"
    own(operator, Account("operator"))
    for zone in ZONES:
        account = layout.accounts.get(zone, Account(zone))
        zones.issue(
            [zone_name(zone)], layout.zone(zone) if zone != "operator" else operator, account
        )
    companies.issue(
        [x509.DNSName(host) for host in SANDBOX_HOSTS],
        layout.zone("sandbox"),
        layout.accounts["sandbox"],
    )
    _write_readable(
        layout,
        layout.rules / "companies.pem",
        companies.certificate.public_bytes(serialization.Encoding.PEM),
    )


def _sign_rules(layout: Layout) -> None:
    """Sign the rules anew when they changed (another port, another release): versions only grow."""
    key = _operator_key(layout.keys / "rules.key")
    rules = sandbox_rules(layout.ports.api)
    digest = hashlib.sha256(msgspec.json.encode(rules)).hexdigest()
    file = layout.rules / "rules.json"
    if digest != layout.facts.rules_digest or not file.exists():
        layout.facts.rules_version += 1
        layout.facts.rules_digest = digest
        signed = sign_rules(key, Rules(version=layout.facts.rules_version, rules=rules))
        _write_readable(layout, file, signed)
        layout.write_facts()
    public = key.public_key().public_bytes_raw()
    _write_readable(layout, layout.rules / "rules.pub", public)


def _operator_key(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        write_private(path, Ed25519PrivateKey.generate().private_bytes_raw(), None)
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def _write_readable(layout: Layout, path: Path, content: bytes) -> None:
    """A file that the egress may read and not write: ours, open to its group."""
    account = layout.accounts["egress"]
    write_private(path, content, None)
    if account.gid is not None:
        os.chown(path, os.geteuid(), account.gid)
        path.chmod(0o640)
