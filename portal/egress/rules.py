"""The signed list of what may leave: its signature and its faults.

Zone: egress. The relay holds the verify key only; who signs (the operator, or the embedded stack
for its sandbox) holds the other half, so that no confined zone can write its own list. A file is
taken as a whole or not at all. Nothing here decides about a request: see ``portal.egress.policy``.

File: ``{"payload": "<JSON text>", "signature": "<base64>"}``, the Ed25519 signature over
``SIGNATURE_CONTEXT`` and the payload's bytes.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from portal.domain.errors import InvalidInput
from portal.domain.host import PORT_MAX, canonical_host
from portal.egress.grammar import (
    HEADERS_FOR_ALL,
    HEADERS_NEVER,
    METHODS,
    is_header_name,
    is_path,
    placeholders_in,
)
from portal.egress.query import faults_of_query
from portal.egress.rule import Rule
from portal.egress.signing import Signer
from portal.egress.template import MEMBER, ORDER, ORDER_PASS, TOKEN
from portal.kit.limits import DEBIT_FILE_BYTES_MAX

SIGNATURE_CONTEXT: Final = b"harai egress rules 1\n"
RULES_MAX: Final = 1_000
FILE_BYTES_MAX: Final = 4 * 1024 * 1024
ANSWER_BYTES_CEILING: Final = 4 * 1024 * 1024
KEPT_BYTES_CEILING: Final = DEBIT_FILE_BYTES_MAX
"""Answers that go to the vault: as many parts as it takes of one."""

TIMEOUT_CEILING_S: Final = 120.0
TUNNEL_LIFE_S: Final = 600.0

_BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "port": (1, PORT_MAX),
    "bytes_up_per_hour": (1, 1 << 50),
    "answer_bytes_max": (1, ANSWER_BYTES_CEILING),
    "connect_timeout_s": (0.1, TIMEOUT_CEILING_S),
    "timeout_s": (0.1, TIMEOUT_CEILING_S),
    "idle_timeout_s": (0.1, TUNNEL_LIFE_S),
    "concurrency_max": (1, 1_024),
}

_FILE: Final = frozenset({"delivery:collector", "delivery:reference", "delivery:file"})
_FILE_ITSELF: Final = "{{delivery:file}}"
_ORDERED: Final = frozenset({"instrument:amount", "instrument:reference"})
_SAID_BY_THE_VAULT: Final = (
    _ORDERED,
    # The sum was said when the order was registered, and the relay knows which order that was.
    frozenset({ORDER, ORDER_PASS, "instrument:reference"}),
)

_SAID_TO_PAYERS: Final = (_ORDERED, frozenset({ORDER, ORDER_PASS}))

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)
_PATH_END: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_BODY_PLACE: Final = re.compile(r"body:(?:/[^/~\x00-\x1f]{1,64}){1,8}")


class RulesRefused(Exception):
    """The file is not taken: ``faults`` says everything that is wrong with it."""

    def __init__(self, *faults: str) -> None:
        """Keep all faults, so that whoever signs sees them at once."""
        super().__init__("; ".join(faults))
        self.faults = faults


class Rules(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """The payload: ``version`` grows with every file ever signed for an installation."""

    version: int
    rules: tuple[Rule, ...]


class _Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    payload: str
    signature: str


def sign_rules(private_key: Ed25519PrivateKey, payload: Rules | Mapping[str, object]) -> bytes:
    """The bytes of a signed rule file. For the operator and the embedded stack, never the relay.

    Raises: RulesRefused when the relay would refuse the rules anyway (production apart).
    """
    try:
        rules = payload if isinstance(payload, Rules) else msgspec.convert(payload, Rules)
    except msgspec.ValidationError as error:
        raise RulesRefused(str(error)) from error
    faults = list(_faults(rules, production=False))
    if faults:
        raise RulesRefused(*faults)
    text = msgspec.json.encode(rules)
    signature = private_key.sign(SIGNATURE_CONTEXT + text)
    return msgspec.json.encode(
        _Envelope(payload=text.decode(), signature=base64.b64encode(signature).decode())
    )


def read_rules(raw: bytes, verify_key: Ed25519PublicKey, *, production: bool) -> Rules:
    """The rules of a signed file. The signature is checked before the payload is looked at.

    Raises: RulesRefused with every fault for a bad signature, an unknown field, a rule that breaks
    its own terms, or, in production, any sandbox rule.
    """
    if len(raw) > FILE_BYTES_MAX:
        raise RulesRefused("file_too_long")
    try:
        envelope = msgspec.json.decode(raw, type=_Envelope)
        signature = base64.b64decode(envelope.signature, validate=True)
        text = envelope.payload.encode()
        verify_key.verify(signature, SIGNATURE_CONTEXT + text)
    except InvalidSignature as error:
        raise RulesRefused("signature_invalid") from error
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise RulesRefused("not_a_rule_file") from error
    try:
        rules = msgspec.json.decode(text, type=Rules)
    except msgspec.DecodeError as error:
        raise RulesRefused("payload_invalid", str(error)) from error
    faults = list(_faults(rules, production=production))
    if faults:
        raise RulesRefused(*faults)
    return rules


def _faults(rules: Rules, *, production: bool) -> Iterator[str]:
    if rules.version < 1:
        yield "version: below 1"
    if len(rules.rules) > RULES_MAX:
        yield f"rules: more than {RULES_MAX}"
    seen: set[object] = set()
    for rule in rules.rules:
        for fault in (*_faults_of_rule(rule), *_faults_of_mode(rule)):
            yield f"{rule.id}: {fault}"
        if production and (rule.sandbox or rule.address is not None):
            yield f"{rule.id}: sandbox rule in production"
        for key in _keys(rule):
            if key in seen:
                yield f"{rule.id}: {key} is ruled twice"
            seen.add(key)
    yield from _faults_of_signing(rules)


def _faults_of_signing(rules: Rules) -> Iterator[str]:
    """A credential that signs is shown to nobody: no placeholder of any rule may name it."""
    signing = {name for rule in rules.rules for name in rule.unshown}
    for rule in rules.rules:
        for name in sorted(signing & set(rule.credentials)):
            yield f"{rule.id}: {name} signs, so no placeholder may show it"


def _keys(rule: Rule) -> Iterator[object]:
    """What no two rules may share, so that each request has one rule that decides."""
    yield rule.id
    if rule.mode != "originate":
        yield (rule.role, rule.host, rule.port, rule.mode)
        return
    for method in rule.methods:
        for prefix in rule.path_prefixes:
            place = (rule.role, rule.host, rule.port, method, prefix.rstrip("/"))
            yield (*place, rule.path_end) if rule.path_end else place


def _faults_of_rule(rule: Rule) -> Iterator[str]:
    if _NAME.fullmatch(rule.id) is None or _NAME.fullmatch(rule.role) is None:
        yield "id and role are names of [a-z0-9_.-]"
    try:
        if canonical_host(rule.host) != rule.host:
            yield "host is not in its canonical spelling"
    except InvalidInput as error:
        yield f"host: {error.context}"
    if not rule.purpose.strip():
        yield "no purpose"
    for name, (lowest, highest) in _BOUNDS.items():
        # Written so that a NaN is out of bounds too.
        if name == "answer_bytes_max" and rule.keeps_answers:
            highest = KEPT_BYTES_CEILING  # noqa: PLW2901  it is never in memory as a whole
        if not lowest <= getattr(rule, name) <= highest:
            yield f"{name} out of bounds"
    for moment in (rule.not_before, rule.expires_at):
        if moment is not None and moment.tzinfo is None:
            yield "a moment without its zone"
    yield from _faults_of_pin(rule)


def _faults_of_pin(rule: Rule) -> Iterator[str]:
    if rule.keeps_answers and rule.mode == "originate" and set(rule.methods) != {"GET"}:
        yield "answers_to: only what a GET brings goes to the vault"
    if rule.sandbox != (rule.address is not None):
        yield "address and sandbox go together"
    if rule.address is not None:
        try:
            ip_address(rule.address)
        except ValueError:
            yield "address is none"


def _faults_of_mode(rule: Rule) -> Iterator[str]:
    yield from _faults_of_terms(rule)
    if rule.mode != "originate":
        yield from _faults_of_shaping(rule)
        return
    if not rule.methods or not set(rule.methods) <= METHODS:
        yield "methods: none, or an unknown one"
    if not rule.path_prefixes or not all(is_path(path) for path in rule.path_prefixes):
        yield "path_prefixes: none, or one that is no plain path"
    if rule.path_end and _PATH_END.fullmatch(rule.path_end) is None:
        yield "path_end: not one plain segment"
    for name in rule.headers:
        if not is_header_name(name) or name != name.lower() or name in HEADERS_NEVER:
            yield f"headers: {name!r} can't be allowed"
    if not all(_NAME.fullmatch(name) for name in rule.secret_names):
        yield "credentials: not a name"
    if rule.signer is not None:
        yield from _faults_of_signer(rule, rule.signer)
    for place, template in rule.fixed.items():
        yield from _faults_of_place(rule, place, template)
    yield from _faults_of_alone(rule)
    yield from _faults_of_asking(rule)


def _faults_of_signer(rule: Rule, signer: Signer) -> Iterator[str]:
    yield from signer.faults()
    if "header:authorization" in rule.fixed:
        yield "signer: a fixed Authorization header"
    if signer.name == "aws4" and rule.query:
        yield "signer: aws4 signs no query"
    if any(name.startswith("x-amz-") for name in rule.headers):
        # What AWS reads there (a date, a token, a hash) is the signature's to say.
        yield "headers: x-amz-… beside a signer"


def _faults_of_terms(rule: Rule) -> Iterator[str]:
    """A mode that takes deliveries by terms of its own has them, and no other mode has."""
    for mode, terms in (("submit", rule.submission), ("push", rule.pushing)):
        if (rule.mode == mode) != (terms is not None):
            yield f"{mode}: terms for rules of this mode, and for those always"
        if terms is not None:
            yield from terms.faults()
    if rule.protocol == "h2" and (rule.pushing is None or rule.pushing.service == "web"):
        yield "protocol: by HTTP/2 go an app's notifications and nothing else"


def _faults_of_asking(rule: Rule) -> Iterator[str]:
    """Where a query says what is asked, nothing else may: servers read query and body as one."""
    if not rule.query:
        return
    yield from faults_of_query(rule.query)
    says_more = rule.shapes_body or rule.keeps_answers or rule.deposit
    if not set(rule.methods) <= {"GET", "HEAD"} or says_more:
        yield "query: only a GET that says nothing else is held to one"


def _faults_of_shaping(rule: Rule) -> Iterator[str]:
    shaping = (rule.methods, rule.path_prefixes, rule.headers, rule.credentials)
    shaping += (rule.fixed, rule.fields, rule.query, rule.signer, rule.deposit, rule.path_end)
    if any((*shaping, rule.keeps_answers, rule.refund, rule.charset != "utf-8")):
        yield f"a {rule.mode} can't be held to methods, paths, headers, credentials or a body"


def _faults_of_alone(rule: Rule) -> Iterator[str]:
    """A file or a charge is redeemed once a try: what could not be sent whole is no rule."""
    if rule.refund is not None:
        yield from rule.refund.faults()
        if rule.keeps_answers or rule.deposit or set(rule.methods) & {"GET", "HEAD"}:
            yield "refund: what gives money back asks nothing and keeps no answer"
    if rule.keeps_answers and rule.deposit:
        yield "answers_to and deposit: one answer can't go two ways"
    found = [name for text in rule.fixed.values() for name in placeholders_in(text) or ()]
    in_body = [text for place, text in rule.fixed.items() if place.startswith("body:")]
    files = [name for name in found if name in _FILE]
    if files and (rule.signer is not None or sum(_FILE_ITSELF in text for text in in_body) != 1):
        yield "fixed: a file stands once, in a body that nobody signs"
    yield from _faults_of_card(set(found), by_payer=rule.card_payment is not None)
    if rule.card_payment is not None:
        yield from rule.card_payment.faults(is_card=TOKEN in found)


def _faults_of_card(found: set[str], *, by_payer: bool) -> Iterator[str]:
    """A card is charged for what the vault says, or kept, or an order is registered for it.

    The order of a payer who is there is also what the last step is about, and nothing else.
    """
    if TOKEN in found and not any(found >= said for said in _SAID_BY_THE_VAULT):
        yield "fixed: with a card, its sum and reference are the vault's to say"
    if by_payer and not any(found >= said for said in _SAID_TO_PAYERS):
        yield "card_payment: it says a sum, or an order"
    if TOKEN not in found and {ORDER, ORDER_PASS} & found and not by_payer:
        yield "fixed: an order is nothing without the card that is charged for it"
    if MEMBER in found and (TOKEN in found or "instrument:amount" in found):
        yield "fixed: a card is charged or kept, not both"
    said = _ORDERED & found
    if said and said != _ORDERED and not {TOKEN, MEMBER} & found:
        yield "fixed: of an order sum and reference are both the vault's to say"


def _faults_of_place(rule: Rule, place: str, template: str) -> Iterator[str]:
    kind, _, name = place.partition(":")
    allowed = HEADERS_FOR_ALL | set(rule.headers)
    if (kind == "header" and name not in allowed) or (
        kind != "header" and _BODY_PLACE.fullmatch(place) is None
    ):
        yield f"fixed: {place!r} is no place"
    found = placeholders_in(template)
    if found is None:
        yield f"fixed: {place!r} holds an unknown placeholder"
        return
    for placeholder in found:
        source, _, credential = placeholder.partition(":")
        if source == "credential" and credential not in rule.credentials:
            yield f"fixed: {place!r} uses a credential that the rule does not list"
