"""What adapters of all providers speak of: endpoints, capabilities, wishes and answers.

Application zone, lowest layer. An adapter is pure: it composes a request for the egress relay and
reads the answer that came back; it opens nothing, keeps nothing and knows no name, number or
credential (those are placeholders that the relay fills). Nothing here may import a stage, a
method or a channel.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Generic, Literal, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from portal.contract.message import SendOutcome
from portal.contract.payment import Finding, FindingState
from portal.domain.errors import InvalidInput
from portal.domain.fetch import FetchOutcome
from portal.domain.konbini import Store
from portal.domain.money import Money
from portal.domain.payment_word.word import PayNumbers
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

T = TypeVar("T")

NOTICE_EVENTS_MAX: Final = 500
"""Most claims one notice may make; more is refused as malformed."""

RETRY_AFTER_MAX_S: Final = 3_600.0
"""Longest wait a provider's Retry-After is believed for."""

_ADDRESS_CHARACTERS_MAX: Final = 2_000
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider's interface is: a host and port that the egress' rules list.

    ``account`` is what the provider calls us there, as far as that is no secret: it stands in the
    addresses of the provider's pages, so the relay could not keep it from us either.
    """

    host: str
    port: int
    account: tuple[str, ...] = ()


def parse_endpoints(text: str) -> dict[str, Endpoint]:
    """Read ``provider=host:port,provider=host:port/account/account`` as settings give it.

    Raises ValueError that lists every faulty item at once.
    """
    endpoints: dict[str, Endpoint] = {}
    faults: list[str] = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        provider, _, address = item.partition("=")
        address, *account = address.split("/")
        host, _, port = address.rpartition(":")
        whole = bool(provider and host) and all(map(_ACCOUNT.fullmatch, account))
        if not whole or not port.isdecimal() or not 0 < int(port) < 1 << 16:
            faults.append(item)
            continue
        endpoints[provider] = Endpoint(host, int(port), tuple(account))
    if faults:
        msg = f"not provider=host:port[/account]: {', '.join(faults)}"
        raise ValueError(msg)
    return endpoints


@dataclass(frozen=True, slots=True)
class ResultFetched:
    """What came of fetching a bank's answer; ``parts`` and ``sha256`` of what is in the vault."""

    outcome: FetchOutcome
    code: str
    parts: int = 0
    sha256: bytes = b""


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a provider takes requests, in the provider's own unit.

    Units: ``unit`` per second; one of our messages costs ``units_per_message`` of them.
    """

    unit: Literal["message", "part", "request"]
    per_s: float
    units_per_message: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can do, as data: stages ask this, never the provider's name.

    ``reference_max`` is the longest reference of ours that it stores, in characters;
    ``repeat_is_safe`` says that the same reference twice has one effect, for ``key_life_s`` seconds
    after the first, whatever else the request says; ``notices_signed`` that a
    notice proves its sender (ours are never believed either way, an inquiry follows).
    ``charge_repeat_is_safe`` says so of charges of cards on file, for half a day at least: one that
    it was too busy for is sent once more (the vault's own list is portal.domain.card_on_file's).
    ``notice_answer`` is the body that the provider takes for "stored", where it looks at one.
    """

    provider: str
    methods: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    reference_max: int
    repeat_is_safe: bool
    notices_signed: bool
    rate: Rate
    notice_answer: str = ""
    charge_repeat_is_safe: bool = False
    key_life_s: float = 86_400.0


@dataclass(frozen=True, slots=True)
class Exchange(Generic[T]):
    """One request to a provider and how its answer reads; ``read`` never raises on any answer.

    Some providers need two calls for one act (register the order, then act on it): ``then`` looks
    at the answer first and gives the next exchange, or None when the answer ends the act.
    """

    request: OutboundRequest
    read: Callable[[OutboundAnswer], T]
    then: "Callable[[OutboundAnswer], Exchange[T] | None] | None" = None


@dataclass(frozen=True, slots=True)
class SessionWanted:
    """A payment to be opened on the provider's own page, under our ``reference``.

    With ``enrol`` the payer agreed that later bills are charged to the same instrument: the
    provider keeps it under ``customer_reference``, which is ours and names nobody.
    """

    reference: str
    amount: Money
    return_url: str
    account: str
    description: str
    enrol: bool = False
    customer_reference: str = ""


@dataclass(frozen=True, slots=True)
class SessionAnswer:
    """``refused`` means that the provider holds nothing under our reference; else ``unknown``.

    ``app_url``: what the provider calls the way into its app; not looked at yet.
    """

    outcome: Literal["accepted", "refused", "unknown"]
    redirect_url: str = ""
    provider_ref: str = ""
    code: str = ""
    app_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberWanted:
    """A number to pay by at a counter, under our ``reference``, for ``days`` days.

    ``store`` is one of portal.domain.konbini. Name, reading and telephone are what the store shows
    its clerk: ``attempt_id`` names what the relay puts in for ``{{payer:name}}``,
    ``{{payer:kana}}`` and ``{{payer:phone}}``, no adapter sees it. The merchant's contact is
    printed on the receipt.
    """

    reference: str
    amount: Money
    store: Store
    days: int
    attempt_id: UUID
    contact_name: str
    contact_phone: str
    contact_hours: str


@dataclass(frozen=True, slots=True)
class NumberAnswer:
    """``refused`` means that nobody can pay by anything of it; else ``unknown``."""

    outcome: Literal["accepted", "refused", "unknown"]
    numbers: PayNumbers | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class NumberFinding:
    """What an inquiry learned: how the payment stands, and by what it is paid if anybody can."""

    payment: Finding
    numbers: PayNumbers | None = None


@dataclass(frozen=True, slots=True)
class WithdrawAnswer:
    """``withdrawn``: nobody can pay by the number any more; ``refused``: it stands as it was."""

    outcome: Literal["withdrawn", "refused", "unknown"]
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateWanted:
    """A mandate to be given on the bank's own page, under our ``reference``."""

    reference: str
    collector: str
    bank_code: str
    branch_code: str
    return_url: str


@dataclass(frozen=True, slots=True)
class ChargeWanted:
    """A charge without the payer there, of an instrument that they enrolled.

    ``instrument_id`` names what the relay puts in for ``{{instrument:token}}`` and
    ``{{instrument:customer}}``: no adapter sees it. ``original_reference`` is the payment that
    enrolled it, which networks want to hear of.
    """

    reference: str
    amount: Money
    instrument_id: UUID
    original_reference: str
    account: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptWanted:
    """A payment by an instrument that the payer left, while they are there.

    ``attempt_id`` names what the relay puts in: no adapter sees it, nor the page that the company
    leads the payer to; the relay puts that into the vault. ``return_url``: where their bank sends
    them back to. ``payee_name``: whom the bank says that they pay.
    """

    reference: str
    amount: Money
    attempt_id: UUID
    return_url: str
    account: str
    description: str
    payee_name: str = ""


@dataclass(frozen=True, slots=True)
class RefundWanted:
    """Money to be given back of the payment ``reference`` (the provider's own: ``provider_ref``).

    ``refund_id`` is what the relay asks the vault's leave by: nothing leaves without it.
    ``refund_reference`` is ours, allocated before the call. ``remaining`` is what stays taken
    afterwards: some providers are told that instead of the difference.
    """

    refund_id: UUID
    reference: str
    provider_ref: str
    refund_reference: str
    amount: Money
    remaining: Money
    account: str


@dataclass(frozen=True, slots=True)
class MessageWanted:
    """A delivery to be sent; recipient and text are placeholders until the relay fills them."""

    delivery_id: UUID
    key: str
    account: str
    sender: str


@dataclass(frozen=True, slots=True)
class MessageAnswer:
    """What became of one message; ``retry_after_s`` when the provider asked for a pause.

    ``is_provider_fault``: the next message would fare the same. It counts for the circuit breaker
    and uses up no try of the message; a busy answer without it is about this very message.
    ``is_sender_fault``: the same merchant's next message would fare the same by this road, another
    merchant's would not (portal.application.providers.refusal says which answers those are).
    """

    outcome: SendOutcome
    provider_ref: str = ""
    code: str = ""
    retry_after_s: float = 0.0
    is_provider_fault: bool = False
    is_sender_fault: bool = False


def read_json(answer: OutboundAnswer, shape: type[T]) -> T | None:
    """The answer's body as ``shape``, or None when it is anything else."""
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def bare_finding(state: FindingState, *, code: str = "") -> Finding:
    """A finding that tells a state and, at most, why; no money, no instrument."""
    return Finding(
        state=state,
        amount_minor=0,
        provider_ref="",
        decline_code=code,
        approval_no="",
        instrument_hint="",
        authentication="",
    )


def in_utc(at: datetime | None) -> datetime | None:
    """A provider's moment in UTC; an offset can push one at the calendar's end out of it.

    Raises InvalidInput ``notice_malformed``.
    """
    try:
        return None if at is None else at.astimezone(UTC)
    except OverflowError:
        raise InvalidInput("notice_malformed") from None


def read_retry_after(answer: OutboundAnswer) -> float:
    """Seconds the provider asked us to wait, 0 when it named none (dates are not supported).

    Source: RFC 9110 §10.2.3.
    """
    for name, value in answer.headers.items():
        if name.lower() == "retry-after" and value.strip().isdecimal():
            return min(float(value.strip()), RETRY_AFTER_MAX_S)
    return 0.0


def is_page_address(url: str) -> bool:
    """Whether a payer's browser may be sent there: absolute https, or http on this host only.

    The address comes from outside, so everything that a browser reads differently from us
    (credentials, backslashes, control characters) is refused.
    """
    if not 0 < len(url) <= _ADDRESS_CHARACTERS_MAX or not url.isascii() or not url.isprintable():
        return False
    if any(letter in url for letter in "\\ \"'<>"):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None:
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" and host in {"localhost", "127.0.0.1"}
    )
