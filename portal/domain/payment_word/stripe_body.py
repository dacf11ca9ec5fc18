"""The parts of Stripe's objects that we read, and where they are asked for. Pure.

Source: docs.stripe.com/api: The Session object, The PaymentIntent object, The Charge object, The
Dispute object, The Search Result object, Errors.
"""

from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from portal.domain.payment_word.word import MOMENT_MAX_S
from portal.domain.refund_word.word import Said, read_json

T = TypeVar("T")

OK: Final = 200
_DISPUTES: Final = "/v1/disputes"
_LIST_MAX: Final = "100"

Metadata = dict[str, str]


class ThreeDSecure(msgspec.Struct, frozen=True):
    """``result``: authenticated, attempt_acknowledged, failed and others."""

    result: str | None = None


class Card(msgspec.Struct, frozen=True):
    """What a charge tells of the card: never its number."""

    last4: str | None = None
    brand: str | None = None
    three_d_secure: ThreeDSecure | None = None
    authorization_code: str | None = None


class MethodDetails(msgspec.Struct, frozen=True):
    """``card`` is there when a card was charged."""

    card: Card | None = None


class Charge(msgspec.Struct, frozen=True):
    """The last try of an intent. ``disputed``: its payer contests it, or did."""

    payment_method_details: MethodDetails | None = None
    disputed: bool = False


class Failure(msgspec.Struct, frozen=True):
    """An error of a call, or the last one of an intent."""

    type: str = ""
    code: str | None = None
    decline_code: str | None = None
    payment_intent: "Intent | None" = None


class Intent(msgspec.Struct, frozen=True):
    """A payment. ``latest_charge`` is an id unless it was asked to be expanded."""

    id: str
    status: Literal[
        "requires_payment_method", "requires_confirmation", "requires_action", "processing",
        "requires_capture", "canceled", "succeeded",
    ]  # fmt: skip
    amount: int
    currency: str
    metadata: Metadata
    amount_received: int | None = None
    latest_charge: Charge | str | None = None
    last_payment_error: Failure | None = None
    setup_future_usage: str | None = None
    customer: str | None = None
    payment_method: str | None = None


class Session(msgspec.Struct, frozen=True):
    """A visit to Checkout. It has no intent before the payer has pressed the button."""

    id: str
    status: Literal["open", "complete", "expired"]
    client_reference_id: str | None
    amount_total: int
    currency: str
    url: str | None = None
    payment_intent: Intent | str | None = None


class Search(msgspec.Struct, frozen=True):
    """The first page of a search."""

    data: tuple[Intent, ...]
    has_more: bool


class Movement(msgspec.Struct, frozen=True):
    """A balance transaction of a dispute: what was withdrawn is negative."""

    amount: int
    currency: str


class Evidence(msgspec.Struct, frozen=True):
    """``due_by``: until when an answer counts; absent where none is wanted."""

    due_by: Annotated[int, msgspec.Meta(ge=0, lt=MOMENT_MAX_S)] | None = None


class Dispute(msgspec.Struct, frozen=True):
    """A payer's objection at the card company. A ``warning`` has taken no money (yet)."""

    id: str
    status: Literal[
        "warning_needs_response", "warning_under_review", "warning_closed", "needs_response",
        "under_review", "won", "lost", "prevented",
    ]  # fmt: skip
    amount: int
    currency: str
    reason: str
    payment_intent: str | None = None
    balance_transactions: tuple[Movement, ...] = ()
    evidence_details: Evidence | None = None


class Disputes(msgspec.Struct, frozen=True):
    """The first page of an intent's disputes, newest first."""

    data: tuple[Dispute, ...]
    has_more: bool


def where(path: str, **query: str) -> str:
    """A path with its query; ``expand`` of it is sent as Stripe spells lists."""
    pairs = [("expand[]" if name == "expand" else name, text) for name, text in query.items()]
    return f"{path}?{urlencode(pairs, quote_via=quote, safe='')}"


def payment_at(reference: str, provider_ref: str) -> str:
    """Where a payment is found: by Stripe's own name, else by searching for ours.

    A search is behind by a minute, in bad times by an hour (docs.stripe.com/search, Data
    freshness), so it is only for a payment whose first answer we never got.
    """
    name = quote(provider_ref, safe="")
    if provider_ref.startswith("cs_"):
        return where(f"/v1/checkout/sessions/{name}", expand="payment_intent.latest_charge")
    if provider_ref.startswith("pi_"):
        return where(f"/v1/payment_intents/{name}", expand="latest_charge")
    wanted = f"metadata['reference']:'{reference}'"
    path = "/v1/payment_intents/search"
    return where(path, query=wanted, limit="2", expand="data.latest_charge")


def disputes_at(intent_id: str) -> str:
    """Where the disputes of an intent are found."""
    return where(_DISPUTES, payment_intent=intent_id, limit=_LIST_MAX)


def read_ok(said: Said, shape: type[T]) -> T | None:
    """An answer of 200 as ``shape``, else None."""
    return read_json(said.body, shape) if said.status == OK else None
