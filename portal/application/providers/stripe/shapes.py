"""How Stripe is asked, and how its answers are opened. Application zone; pure.

Source: docs.stripe.com/api (version of VERSION): Idempotent requests, Errors.
"""

from typing import Final, TypeVar
from urllib.parse import urlencode

import msgspec

from portal.application.providers.exchange import Endpoint, read_json
from portal.domain.payment_word.stripe_body import OK, Failure, payment_at
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

T = TypeVar("T")

VERSION: Final = "2025-03-31.basil"
"""Pinned in every request, so that an upgrade of the account changes nothing here."""

_HEADERS: Final = {
    "authorization": "Bearer {{credential:stripe}}",
    "stripe-version": VERSION,
    "accept": "application/json",
}
_WRITE_TIMEOUT_S: Final = 10.0
_READ_TIMEOUT_S: Final = 6.0


class Refusal(msgspec.Struct, frozen=True):
    """The body of every answer that is not 200."""

    error: Failure


def post(endpoint: Endpoint, path: str, key: str, fields: dict[str, str]) -> OutboundRequest:
    """A call that changes something: as a form, under our reference as its idempotency key."""
    return OutboundRequest(
        host=endpoint.host,
        port=endpoint.port,
        method="POST",
        path=path,
        headers={**_HEADERS, "idempotency-key": key},
        body=urlencode(fields),
        body_kind="form",
        timeout_s=_WRITE_TIMEOUT_S,
    )


def get(endpoint: Endpoint, path: str) -> OutboundRequest:
    """A call that only looks; ``path`` with its query."""
    return OutboundRequest(
        host=endpoint.host,
        port=endpoint.port,
        method="GET",
        path=path,
        headers=_HEADERS,
        timeout_s=_READ_TIMEOUT_S,
    )


def find_payment(endpoint: Endpoint, reference: str, provider_ref: str) -> OutboundRequest:
    """The request that finds a payment."""
    return get(endpoint, payment_at(reference, provider_ref))


def read_ok(answer: OutboundAnswer, shape: type[T]) -> T | None:
    """A complete answer of 200 as ``shape``, else None."""
    if answer.fate != "answered" or answer.status != OK:
        return None
    return read_json(answer, shape)


def read_failure(answer: OutboundAnswer) -> Failure | None:
    """What Stripe itself says went wrong; None when it was not Stripe that spoke."""
    refusal = read_json(answer, Refusal)
    return None if refusal is None else refusal.error
