"""Requests with holes, and how values get into the holes without ever becoming structure.

Zone: egress; pure. A JSON body is parsed, its strings are filled and the whole is written anew; a
form likewise; so a value can't end a string, add a field or a line, whatever it holds. Everything
that can be refused is refused by :func:`read_template`, before the vault is asked for anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast
from urllib.parse import parse_qsl, urlencode

import orjson

from portal.domain.card_on_file import InstrumentPart
from portal.egress.denial import Denied
from portal.egress.grammar import (
    HEADERS_FOR_ALL,
    is_header_name,
    is_header_value,
    placeholders_in,
    substitute,
)
from portal.egress.rule import Charset, Rule
from portal.kit.outbound.wire import BodyKind, OutboundRequest

BODY_BYTES_MAX: Final = 1024 * 1024
DEPTH_MAX: Final = 16
FIELDS_MAX: Final = 1_000
CONTENT_TYPES: Final[Mapping[BodyKind, str]] = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
}
CODECS: Final[Mapping[Charset, str]] = {"utf-8": "utf-8", "windows-31j": "cp932"}
MESSAGE_PLACEHOLDERS: Final = frozenset(
    {"delivery:to", "delivery:body", "delivery:subject", "delivery:html", "delivery:callback"}
)
FILE: Final = "delivery:file"
FILE_PLACEHOLDERS: Final = frozenset({"delivery:collector", "delivery:reference", FILE})
"""A bank file's; of the answer to such a request the caller learns the status alone."""

TOKEN: Final = "instrument:token"  # noqa: S105  a placeholder
MEMBER: Final = "instrument:member"
"""The name that a card is to be kept by, which we give it."""

ORDER: Final = "instrument:order"
ORDER_PASS: Final = "instrument:order_pass"  # noqa: S105  a placeholder
"""What a company calls an order that was registered, and what acts on it: see ``egress.orders``."""

INSTRUMENT_PLACEHOLDERS: Final = frozenset(
    {
        TOKEN, "instrument:customer", "instrument:reference", "instrument:amount", MEMBER, ORDER,
        ORDER_PASS,
    }
)  # fmt: skip
"""A card on file, and what is charged to it: sum and reference are the vault's to say as well."""

INSTRUMENT_SECRETS: Final = frozenset({TOKEN, "instrument:customer", ORDER, ORDER_PASS})
"""Of these what is scrubbed out of answers; sum and reference the caller knows, and reads by."""

PAYER_PLACEHOLDERS: Final = frozenset({"payer:name", "payer:kana", "payer:phone"})
"""Who pays by a number that is being made."""

_KINDS: Final = (
    MESSAGE_PLACEHOLDERS,
    FILE_PLACEHOLDERS,
    INSTRUMENT_PLACEHOLDERS,
    PAYER_PLACEHOLDERS,
)
DELIVERY_PLACEHOLDERS: Final = frozenset[str]().union(*_KINDS)

Tree = str | int | float | bool | None | list["Tree"] | dict[str, "Tree"]
"""A JSON document as Python values."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The request as it will be sent, without its line and framing.

    Where a bank's file goes in, ``body`` is what stands before it and ``tail`` what stands behind.
    """

    headers: dict[str, str]
    body: bytes
    tail: bytes = b""


@dataclass(frozen=True, slots=True)
class Template:
    """A request that kept to its rule, with its holes.

    ``placeholders`` are those found, as ``source:name``. ``body`` is a JSON tree, a list of form
    fields, raw text or None, by ``kind``; a form is written in ``charset``.
    """

    kind: BodyKind
    headers: dict[str, str]
    body: Tree | list[tuple[str, str]]
    placeholders: frozenset[str] = field(default_factory=frozenset[str])
    charset: Charset = "utf-8"

    @property
    def is_file(self) -> bool:
        """Whether a bank's file goes into it, and no message."""
        return bool(self.placeholders & FILE_PLACEHOLDERS)

    @property
    def is_charge(self) -> bool:
        """Whether a card on file goes into it, or the vault's word about one."""
        return bool(self.placeholders & INSTRUMENT_PLACEHOLDERS)

    @property
    def part(self) -> InstrumentPart:
        """What of a card it is about: it charges it, has it kept, orders, or takes a last step."""
        if TOKEN in self.placeholders:
            return "charge"
        if ORDER in self.placeholders:
            return "secure"
        return "keep" if MEMBER in self.placeholders else "order"

    @property
    def names_payer(self) -> bool:
        """Whether it tells a company who pays by a number."""
        return bool(self.placeholders & PAYER_PLACEHOLDERS)

    def stands_at(self, place: str) -> object:
        """What the body has at a place as rules name it (``body:/amount/amount``), or None."""
        names = place.removeprefix("body:/").split("/")
        if self.kind == "form":
            return dict(cast("list[tuple[str, str]]", self.body)).get("/".join(names))
        tree: Tree = cast("Tree", self.body) if self.kind == "json" else None
        for name in names:
            tree = tree.get(name) if isinstance(tree, dict) else None
        return tree

    def fill_around(self, values: Mapping[str, str], mark: str) -> Filled:
        """Put the values in, and cut the body where the bank's file goes.

        ``mark`` stands for the file meanwhile: letters of base64 that nobody can have foreseen.

        Raises: as :meth:`fill`; Denied ``placeholder_misplaced`` unless there is just one place.
        """
        filled = self.fill({**values, FILE: mark})
        pieces = filled.body.split(mark.encode())
        if self.kind != "json" or len(pieces) != 2:  # noqa: PLR2004  before and behind
            raise Denied("placeholder_misplaced")
        return Filled(filled.headers, *pieces)

    def fill(self, values: Mapping[str, str]) -> Filled:
        """Put the values in their places.

        Raises: Denied ``value_unfit`` when one can't stand in a header, or be written in the form's
        charset; KeyError when a value is missing, which is our own fault.
        """
        known = dict(values)
        headers = {name: substitute(text, known) for name, text in self.headers.items()}
        if not all(is_header_value(text) for text in headers.values()):
            raise Denied("value_unfit")
        match self.kind:
            case "json":
                body = orjson.dumps(_filled(cast("Tree", self.body), known))
            case "form":
                fields = cast("list[tuple[str, str]]", self.body)
                filled = [(name, substitute(text, known)) for name, text in fields]
                body = _written(filled, self.charset)
            case "raw":
                body = str(self.body).encode()
            case "none":
                body = b""
        return Filled(headers, body)


def _written(fields: list[tuple[str, str]], charset: Charset) -> bytes:
    """A form as it is sent; a letter that the charset has not is refused, never left out.

    Windows-31J has a few letters under one code where Unicode has two (the wave dash, the minus
    sign): they leave under that one.
    """
    try:
        return urlencode(fields, encoding=CODECS[charset], errors="strict").encode()
    except UnicodeEncodeError as error:
        raise Denied("value_unfit") from error


def read_template(request: OutboundRequest, rule: Rule) -> Template:
    """The request's headers and body, held to the rule.

    Raises: Denied ``header_not_allowed``, ``header_invalid``, ``body_invalid``,
    ``field_not_allowed``, ``placeholder_unknown``, ``placeholder_misplaced``,
    ``place_not_as_fixed``, ``credential_not_allowed``, ``delivery_missing``, ``delivery_unused``,
    ``deposit_missing``, ``deposit_unused`` or ``signer_not_as_ruled``.
    """
    _check_deposits(request, rule)
    if request.signer != rule.signer_name:
        raise Denied("signer_not_as_ruled")
    headers = _read_headers(request, rule)
    body = _read_body(request, rule)
    _check_fields(body, request.body_kind, rule)
    places = {f"header:{name}": text for name, text in headers.items()}
    _collect_places(body, request.body_kind, places)
    for place, text in rule.fixed.items():
        if places.get(place) != text:
            raise Denied("place_not_as_fixed")
    placeholders = _check_placeholders(places, rule)
    deliveries = placeholders & DELIVERY_PLACEHOLDERS
    if sum(bool(deliveries & kind) for kind in _KINDS) > 1:
        raise Denied("placeholder_misplaced")
    if deliveries and (rule.keeps_answers or rule.refund is not None):
        raise Denied("placeholder_misplaced")
    needs_delivery = bool(deliveries) or rule.keeps_answers or rule.refund is not None
    if needs_delivery and request.delivery_id is None:
        raise Denied("delivery_missing")
    if request.delivery_id is not None and not needs_delivery:
        raise Denied("delivery_unused")
    return Template(request.body_kind, headers, body, placeholders, rule.charset)


def _check_deposits(request: OutboundRequest, rule: Rule) -> None:
    """Whose the answer is, so that it is no answer about something else."""
    if bool(rule.deposit) != (request.deposit_id is not None):
        raise Denied("deposit_missing" if rule.deposit else "deposit_unused")
    is_elsewhere = bool(rule.deposit) or rule.keeps_answers or rule.refund is not None
    if is_elsewhere and (request.about_refund or request.about_attempt):
        raise Denied("deposit_unused")
    if request.about_attempt and request.delivery_id not in {None, request.about_attempt}:
        # Its answer would be about another payment than the vault is told.
        raise Denied("deposit_unused")


def read_submission(request: OutboundRequest) -> Template:
    """The template of a mail: it has none, all that a caller may say is which delivery.

    Raises: Denied ``submission_invalid`` or ``delivery_missing``.
    """
    deposits = (request.deposit_id, request.about_refund, request.about_attempt)
    said = (request.headers, request.body, request.signer, *deposits)
    if any(said) or request.body_kind != "none" or request.path != "/":
        raise Denied("submission_invalid")
    if request.delivery_id is None:
        raise Denied("delivery_missing")
    return Template("none", {}, None)


def _read_headers(request: OutboundRequest, rule: Rule) -> dict[str, str]:
    """Lower-case names → texts; the content type is ours for the bodies that we write."""
    headers: dict[str, str] = {}
    for raw_name, text in request.headers.items():
        name = raw_name.lower()
        if not is_header_name(raw_name) or name in headers or not is_header_value(text):
            raise Denied("header_invalid")
        if name not in HEADERS_FOR_ALL and name not in rule.headers:
            raise Denied("header_not_allowed")
        if name == "authorization" and rule.signer is not None:
            # What it says there is the relay's to say, and nobody else's.
            raise Denied("header_not_allowed")
        headers[name] = text
    ours = CONTENT_TYPES.get(request.body_kind)
    if ours is not None:
        given = headers.get("content-type", ours).lower().replace(" ", "")
        if given not in {ours, f"{ours};charset=utf-8"}:
            raise Denied("body_invalid")
        headers["content-type"] = ours
    return headers


def _read_body(request: OutboundRequest, rule: Rule) -> Tree | list[tuple[str, str]]:
    if len(request.body) > BODY_BYTES_MAX:
        raise Denied("body_invalid")
    if request.body_kind == "none" and request.body:
        raise Denied("body_invalid")
    if rule.shapes_body and request.body_kind not in CONTENT_TYPES:
        raise Denied("place_not_as_fixed")
    if rule.signer is not None and request.body_kind == "raw":
        raise Denied("body_invalid")  # a signature stands for a body that we wrote, type and all
    try:
        match request.body_kind:
            case "json":
                return cast("Tree", orjson.loads(request.body))
            case "form":
                return parse_qsl(
                    request.body,
                    keep_blank_values=True,
                    strict_parsing=bool(request.body),
                    errors="strict",
                    max_num_fields=FIELDS_MAX,
                )
            case "raw":
                return request.body
            case "none":
                return None
    except ValueError as error:
        # Both parsers raise leaves of ValueError, whose text quotes the body.
        raise Denied("body_invalid") from error


def _check_fields(body: Tree | list[tuple[str, str]], kind: BodyKind, rule: Rule) -> None:
    """Hold the top of the body to the rule's list of fields, if it has one.

    What is asked by a query has no body: path and query say all of it.
    """
    if rule.query and kind != "none":
        raise Denied("body_invalid")
    if not rule.fields:
        return
    if kind == "form":
        names = {name for name, _ in cast("list[tuple[str, str]]", body)}
    elif isinstance(body, dict):
        names = set(body)
    else:
        raise Denied("field_not_allowed")
    if not names <= set(rule.fields):
        raise Denied("field_not_allowed")


def _collect_places(
    body: Tree | list[tuple[str, str]], kind: BodyKind, places: dict[str, str]
) -> None:
    """Add every text of the body under its place; keys may hold no placeholder."""
    match kind:
        case "json":
            _walk(cast("Tree", body), "", places, 0)
        case "form":
            for name, text in cast("list[tuple[str, str]]", body):
                _refuse_in_key(name)
                place = f"body:/{name}"
                if place in places:
                    # Which of two equal fields counts is the provider's guess, so neither goes.
                    raise Denied("body_invalid")
                places[place] = text
        case "raw":
            if "{{" in str(body):
                raise Denied("placeholder_misplaced")
        case "none":
            pass


def _walk(tree: Tree, path: str, places: dict[str, str], depth: int) -> None:
    if depth > DEPTH_MAX or len(places) > FIELDS_MAX:
        raise Denied("body_invalid")
    if isinstance(tree, str):
        places[f"body:{path}"] = tree
    elif isinstance(tree, dict):
        for key, child in tree.items():
            _refuse_in_key(key)
            _walk(child, f"{path}/{key}", places, depth + 1)
    elif isinstance(tree, list):
        for number, child in enumerate(tree):
            _walk(child, f"{path}/{number}", places, depth + 1)


def _refuse_in_key(key: str) -> None:
    # A slash would let one key pass for the path of another.
    if "{{" in key or "/" in key:
        raise Denied("placeholder_misplaced" if "{{" in key else "body_invalid")


_ONLY_FIXED: Final = FILE_PLACEHOLDERS | INSTRUMENT_PLACEHOLDERS | PAYER_PLACEHOLDERS


def _check_placeholders(places: Mapping[str, str], rule: Rule) -> frozenset[str]:
    """Every placeholder of every place, each allowed where it stands."""
    everything: set[str] = set()
    fixed = {name for text in rule.fixed.values() for name in placeholders_in(text) or ()}
    for place, text in places.items():
        found = placeholders_in(text)
        if found is None:
            raise Denied("placeholder_unknown")
        for placeholder in found:
            if placeholder in _ONLY_FIXED and place not in rule.fixed:
                # Only where the rule itself puts it is the request one that hands a file over,
                # that charges a card, or that tells a company who pays.
                raise Denied("placeholder_misplaced")
            source, _, name = placeholder.partition(":")
            if source == "credential" and (
                name not in rule.credentials
                # In a message's text a credential would be sent to whoever reads the message.
                or (place != "header:authorization" and place not in rule.fixed)
            ):
                raise Denied("credential_not_allowed")
            if source == "delivery" and placeholder in fixed and place not in rule.fixed:
                # In a reference the provider would tell it back to the application in its notices.
                raise Denied("placeholder_misplaced")
        everything.update(found)
    return frozenset(everything)


def _filled(tree: Tree, values: dict[str, str]) -> Tree:
    if isinstance(tree, str):
        return substitute(tree, values)
    if isinstance(tree, dict):
        return {key: _filled(child, values) for key, child in tree.items()}
    if isinstance(tree, list):
        return [_filled(child, values) for child in tree]
    return tree
