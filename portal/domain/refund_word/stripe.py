"""How Stripe speaks of refunds, and what its refusals leave behind. Pure.

Source: docs.stripe.com/api (Create a refund; List all refunds; The Refund object; Errors;
Idempotent requests), docs.stripe.com/error-codes (lock_timeout, idempotency_key_in_use,
rate_limit).
"""

import re
from typing import Final, Literal
from urllib.parse import parse_qsl, quote

import msgspec

from portal.domain.refund_word.word import (
    Asked,
    RefundAnswer,
    RefundFinding,
    RefundKnown,
    Said,
    read_json,
)

CURRENCY: Final = "jpy"
LIST_MAX: Final = "100"
REFUNDS_PATH: Final = "/v1/refunds"
_OK: Final = 200
_TOO_MANY: Final = 429
_REFUSALS: Final = frozenset({400, 401, 403, 404})
"""With a readable error of Stripe's own, nothing was carried out; 409 says that another call under
our key may be under way, 424 and 5xx that Stripe does not know either."""

_UNDER_WAY: Final = frozenset({"lock_timeout", "idempotency_key_in_use"})
_HEADERS: Final = frozenset({"authorization", "stripe-version", "accept"})
"""A header of Stripe's own could ask at another account."""

_INTENT: Final = re.compile(r"pi_[A-Za-z0-9_]{1,100}")


class _Error(msgspec.Struct, frozen=True):
    type: str = ""
    code: str | None = None


class _Refusal(msgspec.Struct, frozen=True):
    error: _Error


class Refund(msgspec.Struct, frozen=True):
    """Money given back."""

    id: str
    status: Literal["pending", "requires_action", "succeeded", "failed", "canceled"]
    amount: int
    currency: str
    metadata: dict[str, str]


class Refunds(msgspec.Struct, frozen=True):
    """The first page of an intent's refunds, newest first."""

    data: tuple[Refund, ...]
    has_more: bool


class StripeRefunds:
    """See :class:`portal.domain.refund_word.word.RefundReader`."""

    def name_payment(self, asked: Asked) -> str:
        """Stripe is told its own id of the payment."""
        name = dict(parse_qsl(asked.body)).get("payment_intent", "")
        return name if _INTENT.fullmatch(name) else ""

    def is_question(self, asked: Asked, known: RefundKnown) -> bool:
        """All refunds of the payment are asked for; the list is never behind."""
        intent = quote(known.payment_name, safe="")
        path = f"{REFUNDS_PATH}?payment_intent={intent}&limit={LIST_MAX}"
        is_right = (asked.method, asked.path) == ("GET", path) and asked.headers <= _HEADERS
        return is_right and _INTENT.fullmatch(known.payment_name) is not None

    def read_answer(self, said: Said, known: RefundKnown) -> RefundAnswer:
        """A refusal, or the refund that was made or taken on."""
        refusal = read_refusal(said)
        if refusal is not None:
            return refusal
        refund = read_json(said.body, Refund) if said.status == _OK else None
        if refund is None or not _is_the_refund(refund, known):
            return RefundAnswer("unknown", code="answer_unreadable")
        if refund.status == "succeeded":
            return RefundAnswer("succeeded", provider_ref=refund.id)
        if refund.status in {"failed", "canceled"}:
            return RefundAnswer("refused", provider_ref=refund.id, code="provider_refused")
        return RefundAnswer("accepted", provider_ref=refund.id)

    def read_finding(self, said: Said, known: RefundKnown) -> RefundFinding:
        """The refunds of a payment: ours is among them, or it never was made."""
        page = read_json(said.body, Refunds) if said.status == _OK else None
        if page is None:
            return RefundFinding("unclear", code="answer_unreadable")
        named = [one for one in page.data if one.metadata.get("reference") == known.reference]
        if not named:
            return RefundFinding("unclear" if page.has_more else "not_found")
        [refund, *others] = named
        if others or refund.currency != CURRENCY:
            return RefundFinding("unclear", code="answer_unreadable")
        if refund.status == "succeeded":
            return RefundFinding("succeeded", refund.amount, refund.id)
        if refund.status in {"failed", "canceled"}:
            return RefundFinding("failed", 0, refund.id, "provider_refused")
        return RefundFinding("pending", 0, refund.id)


def _is_the_refund(refund: Refund, known: RefundKnown) -> bool:
    return (
        refund.metadata.get("reference") == known.reference
        and (refund.amount, refund.currency) == (known.amount_minor, CURRENCY)
    )  # fmt: skip


def read_refusal(said: Said) -> RefundAnswer | None:
    """What an error in Stripe's own words means: nothing was carried out, or who knows.

    None where it was not an error of Stripe's own.
    """
    refusal = read_json(said.body, _Refusal)
    if refusal is None:
        return None
    error = refusal.error
    if error.type == "idempotency_error" or error.code in _UNDER_WAY:
        return RefundAnswer("unknown", code="reference_exists")
    if said.status == _TOO_MANY:
        return RefundAnswer("refused", code="provider_busy")
    if said.status in _REFUSALS:
        return RefundAnswer("refused", code="provider_refused")
    return RefundAnswer("unknown", code="provider_unclear")
