"""A rule for payments by a card on file whose payer is there: where they may be led.

Zone: egress; pure. Some banks ask a payer who they are, on a page whose address the company tells.
It goes into the vault from here, and only if it is at a host that the signed rule lists: whoever
reads the answer could else lead the payer to a page of their own.
"""

import re
from collections.abc import Iterator
from typing import Final, cast
from urllib.parse import unquote_plus, urlsplit

import msgspec
import orjson

from portal.domain.errors import InvalidInput
from portal.domain.host import canonical_host
from portal.kit.outbound.wire import OutboundAnswer

_PLACE: Final = re.compile(r"(?:form:/[A-Za-z0-9_]{1,64}|json:(?:/[A-Za-z0-9_]{1,64}){1,8})")
_SUCCESSFUL: Final = frozenset({200, 201})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1"})
_BYTES_MAX: Final = 64 * 1024


class CardPayment(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Where an answer names the page, as ``form:/RedirectUrl`` or ``json:/a/b``, and its hosts.

    Both are empty on a rule whose answers lead nowhere: an order, or the last step.
    """

    page: str = ""
    hosts: tuple[str, ...] = ()

    def faults(self, *, is_card: bool) -> Iterator[str]:
        """What is wrong with it; ``is_card``: the rule is the one by which the card pays."""
        if self.page and _PLACE.fullmatch(self.page) is None:
            yield "card_payment: page is no place of an answer"
        if bool(self.page) != bool(self.hosts) or bool(self.page) != is_card:
            yield "card_payment: the page, and its hosts, belong to the rule by which a card pays"
        if not all(_is_host(host) for host in self.hosts):
            yield "card_payment: not all hosts are plain names"

    def page_in(self, answer: OutboundAnswer) -> str:
        """The address that an answer leads the payer to; '' where it leads nowhere."""
        is_told = answer.fate == "answered" and answer.status in _SUCCESSFUL
        if not self.page or not is_told or len(answer.body) > _BYTES_MAX:
            return ""
        kind, _, place = self.page.partition(":/")
        return _in_form(answer.body, place) if kind == "form" else _in_json(answer.body, place)

    def may_lead(self, page: str, *, is_sandbox: bool) -> bool:
        """Whether a payer may be led to that address; plain HTTP is the sandbox's alone."""
        try:
            parts = urlsplit(page)
            host = canonical_host(parts.hostname or "")
            _ = parts.port
        except (ValueError, InvalidInput):
            return False
        if parts.username is not None or parts.password is not None or "\\" in page:
            return False
        is_plain = is_sandbox and parts.scheme == "http" and host in _LOOPBACK
        return host in self.hosts and (parts.scheme == "https" or is_plain)


def _in_form(body: bytes, name: str) -> str:
    """Some companies escape the address in their answer, and some do not."""
    try:
        pairs = [pair.partition("=") for pair in body.decode("ascii").strip().split("&")]
    except UnicodeDecodeError:
        return ""
    found = [text for key, _, text in pairs if key == name]
    if len(found) != 1:
        return ""
    return found[0] if "://" in found[0] else unquote_plus(found[0])


def _in_json(body: bytes, place: str) -> str:
    try:
        tree: object = orjson.loads(body)
    except ValueError:
        return ""
    for name in place.split("/"):
        tree = cast("dict[str, object]", tree).get(name) if isinstance(tree, dict) else None
    return tree if isinstance(tree, str) else ""


def _is_host(host: str) -> bool:
    try:
        return canonical_host(host) == host
    except InvalidInput:
        return False
