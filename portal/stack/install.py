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

from portal.egress.rules import Rule, Rules, Signer, sign_rules
from portal.kit.clock import Clock
from portal.stack.certificates import (
    SANDBOX_HOSTS,
    ZONES,
    Authority,
    write_private,
    zone_name,
)
from portal.stack.layout import Layout, own
from portal.stack.users import Account

CREDENTIALS: Final = (
    "sandbox_sms",
    "sandbox_card",
    "sandbox_wallet.key",
    "sandbox_wallet.secret",
    "sandbox_bank",
    "sandbox_sms2",
)
_AGENCY: Final = "sandbox_agency"
DEMO_CODE: Final = "aozora"
"""The demo merchant's public code: its agency signs with a key made for this address."""

_KEY_BYTES: Final = 32
_HOUR_BYTES: Final = 8 * 1024**3


def install(layout: Layout, clock: Clock) -> None:
    """Make everything that is missing; what is there and still good stays."""
    _issue_certificates(layout, clock)
    for zone, name in (("vault", "root.key"), ("web", "cookie.key"), ("work", "queue.key")):
        write_once(layout.zone(zone) / name, secrets.token_bytes(_KEY_BYTES), layout.accounts[zone])
    egress = layout.accounts["egress"]
    _give_credentials(layout.zone("egress") / "credentials.json", egress)
    _tell_companies(layout)
    _agree_with_agency(layout)
    own(layout.zone("egress") / "journal", egress)
    _sign_rules(layout)


def _give_credentials(file: Path, egress: Account) -> None:
    """What companies gave out is kept; one that a newer release knows of is added."""
    known: dict[str, str] = {}
    if file.exists():
        known = msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    missing = {name: secrets.token_urlsafe(24) for name in CREDENTIALS if name not in known}
    if missing:
        write_private(file, msgspec.json.encode(known | missing), egress)


def _tell_companies(layout: Layout) -> None:
    """The companies know their keys by hash: who dials them past the relay is not let in.

    A signature can't be checked by a hash: of what signs, the company has the secret itself.
    """
    file = layout.zone("egress") / "credentials.json"
    given = msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    hashes = {
        name: key if name.endswith(".secret") else hashlib.sha256(key.encode()).hexdigest()
        for name, key in given.items()
    }
    known = layout.zone("sandbox") / "keys.json"
    write_private(known, msgspec.json.encode(hashes), layout.accounts["sandbox"])


def _agree_with_agency(layout: Layout) -> None:
    """The demo merchant's agency signs what it tells at once; it and the doors have the key."""
    file = layout.zone("web") / "notice_keys.json"
    made = {_AGENCY: {DEMO_CODE: [secrets.token_urlsafe(24)]}}
    write_once(file, msgspec.json.encode(made), layout.accounts["web"])
    signing = msgspec.json.decode(file.read_bytes(), type=dict[str, dict[str, list[str]]])
    known = layout.zone("sandbox") / "keys.json"
    keys = msgspec.json.decode(known.read_bytes(), type=dict[str, str])
    keys[f"{_AGENCY}.secret"] = signing[_AGENCY][DEMO_CODE][0]
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


def sandbox_rules(api_port: int) -> tuple[Rule, ...]:
    """What may leave the embedded stack: messages and payments, to the sandbox on loopback only.

    The worker can neither word a message nor choose its addressee: both places are fixed to what
    the vault renders.
    """
    sms = Rule(
        id="sandbox-sms",
        role="work",
        host="sms.sandbox.test",
        port=api_port,
        purpose="SMS through the sandbox's carriers",
        bytes_up_per_hour=_HOUR_BYTES,
        methods=("POST",),
        path_prefixes=("/v1/messages",),
        credentials=("sandbox_sms",),
        fixed={
            "header:authorization": "Bearer {{credential:sandbox_sms}}",
            "body:/to": "{{delivery:to}}",
            "body:/text": "{{delivery:body}}",
        },
        fields=("to", "from", "text", "reference", "account"),
        concurrency_max=256,
        address="127.0.0.1",
        sandbox=True,
    )
    cards = tuple(
        Rule(
            id=f"sandbox-card-{kind}-{role}",
            role=role,
            host="card.sandbox.test",
            port=api_port,
            purpose=f"card payments at the sandbox's company: {kind}",
            bytes_up_per_hour=_HOUR_BYTES,
            methods=(method,),
            path_prefixes=(path,),
            credentials=("sandbox_card",),
            fixed={"header:authorization": "Bearer {{credential:sandbox_card}}"},
            fields=fields,
            concurrency_max=256,
            address="127.0.0.1",
            sandbox=True,
        )
        for kind, role, method, path, fields in (
            ("open", "web", "POST", "/v1/sessions", _SESSION_FIELDS),
            ("inquire", "web", "GET", "/v1/payments", ()),
            ("inquire", "work", "GET", "/v1/payments", ()),
            ("refund", "work", "POST", "/v1/refunds", _REFUND_FIELDS),
            ("ask-refund", "work", "GET", "/v1/refunds", ()),
        )
    )
    charge = _charge_rule(cards[0])
    paying = (*cards, charge, *_wallet_rules(api_port), *_bank_rules(api_port))
    return (sms, _second_sms_rule(sms), *paying)


def _second_sms_rule(sms: Rule) -> Rule:
    """The same at the company that takes a repeated reference for another message."""
    return msgspec.structs.replace(
        sms,
        id="sandbox-sms2",
        host="sms2.sandbox.test",
        purpose="SMS through the sandbox's second company",
        credentials=("sandbox_sms2",),
        fixed={**sms.fixed, "header:authorization": "Bearer {{credential:sandbox_sms2}}"},
    )


def _charge_rule(card: Rule) -> Rule:
    """Charges of cards on file: which card, how much and under which reference the vault says."""
    return msgspec.structs.replace(
        card,
        id="sandbox-card-charge-work",
        role="work",
        purpose="charges of cards on file at the sandbox's company",
        path_prefixes=("/v1/charges",),
        fixed={
            **card.fixed,
            "body:/reference": "{{instrument:reference}}",
            "body:/amount": "{{instrument:amount}}",
            "body:/card": "{{instrument:token}}",
            "body:/customer": "{{instrument:customer}}",
        },
        fields=_CHARGE_FIELDS,
    )


def _wallet_rules(api_port: int) -> tuple[Rule, ...]:
    """Wallet payments: each request is signed by the relay, and the caller never sees with what."""
    signer = Signer(name="opa", key="sandbox_wallet.key", secret="sandbox_wallet.secret")  # noqa: S106 - the name of one
    return tuple(
        Rule(
            id=f"sandbox-wallet-{kind}-{role}",
            role=role,
            host="wallet.sandbox.test",
            port=api_port,
            purpose=f"wallet payments at the sandbox's company: {kind}",
            bytes_up_per_hour=_HOUR_BYTES,
            methods=(method,),
            path_prefixes=(path,),
            signer=signer,
            fields=fields,
            concurrency_max=256,
            address="127.0.0.1",
            sandbox=True,
        )
        for kind, role, method, path, fields in (
            ("open", "web", "POST", "/v2/codes", _CODE_FIELDS),
            ("inquire", "web", "GET", "/v2/codes/payments", ()),
            ("inquire", "work", "GET", "/v2/codes/payments", ()),
        )
    )


FILES_AT_ONCE: Final = 2
"""Debit files that the relay holds and sends at once: a megabyte each, and a bank takes them one by
one anyway."""


def _bank_rules(api_port: int) -> tuple[Rule, ...]:
    """Debit files by the line: whose file it is and what it holds are the vault's to say.

    What ``/v1/debit-results`` gives goes to the vault: a worker would read accounts there.
    """
    ask = Rule(
        id="sandbox-bank-ask",
        role="work",
        host="bank.sandbox.test",
        port=api_port,
        purpose="whether the sandbox's bank has a debit file",
        bytes_up_per_hour=_HOUR_BYTES,
        methods=("GET",),
        path_prefixes=("/v1/debit-files",),
        credentials=("sandbox_bank",),
        fixed={"header:authorization": "Bearer {{credential:sandbox_bank}}"},
        answer_bytes_max=4 * 1024,
        address="127.0.0.1",
        sandbox=True,
    )
    send = msgspec.structs.replace(
        ask,
        id="sandbox-bank-send",
        purpose="debit files to the sandbox's bank",
        methods=("POST",),
        fixed={
            **ask.fixed,
            "body:/collector": "{{delivery:collector}}",
            "body:/reference": "{{delivery:reference}}",
            "body:/file": "{{delivery:file}}",
        },
        fields=("reference", "collector", "file"),
        concurrency_max=FILES_AT_ONCE,
        timeout_s=45.0,
    )
    fetch = msgspec.structs.replace(
        ask,
        id="sandbox-bank-fetch",
        purpose="the answers of the sandbox's bank into the vault",
        path_prefixes=("/v1/debit-results",),
        answers_to="vault",
        answer_bytes_max=16 * 1024 * 1024,
        timeout_s=60.0,
    )
    return send, ask, fetch, *_mandate_rules(ask)


def _mandate_rules(ask: Rule) -> tuple[Rule, ...]:
    """Mandates at the same bank: its page is opened for a payer, its word goes into the vault."""
    mandates = tuple(
        msgspec.structs.replace(
            ask,
            id=f"sandbox-bank-mandate-{role}",
            role=role,
            purpose="what became of a mandate at the sandbox's bank; its word goes into the vault",
            path_prefixes=("/v1/mandates",),
            deposit="mandate",
        )
        for role in ("web", "work")
    )
    begin = msgspec.structs.replace(
        ask,
        id="sandbox-bank-mandate-open",
        role="web",
        purpose="to open the sandbox's bank's page for a mandate",
        methods=("POST",),
        path_prefixes=("/v1/mandates",),
        fields=("reference", "collector", "bank", "branch", "returnUrl"),
    )
    return begin, *mandates


_CODE_FIELDS: Final = (
    "merchantPaymentId",
    "amount",
    "codeType",
    "orderDescription",
    "storeId",
    "isAuthorization",
    "redirectUrl",
    "redirectType",
    "requestedAt",
)


_SESSION_FIELDS: Final = (
    "reference",
    "amount",
    "currency",
    "return_url",
    "notice_account",
    "description",
    "customer",
)
_CHARGE_FIELDS: Final = (
    "reference",
    "amount",
    "currency",
    "card",
    "customer",
    "original_reference",
    "notice_account",
    "description",
)
_REFUND_FIELDS: Final = ("reference", "payment", "amount", "currency")


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
