"""How the sandbox's card company speaks of payments. Pure."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from urllib.parse import quote

import msgspec

from portal.domain.dispute import DisputeState
from portal.domain.payment import Found
from portal.domain.payment_word.word import (
    MOMENT_MAX_S,
    UNREADABLE,
    DisputeWord,
    PaymentFinding,
    PaymentKnown,
)
from portal.domain.refund_word.word import Asked, Said, read_json

_OK: Final = 200
_NOT_FOUND: Final = 404
_HEADERS: Final = frozenset({"authorization", "accept"})

_States = Literal["open", "processing", "succeeded", "failed", "expired"]
_FOUND: Final[dict[_States, Found]] = {
    "open": "requires_action",
    "processing": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "expired": "failed",
}


class _Dispute(msgspec.Struct, frozen=True):
    id: str
    status: DisputeState
    amount: int
    taken: int
    reason: str
    respond_by: Annotated[int, msgspec.Meta(ge=0, lt=MOMENT_MAX_S)]


class _Payment(msgspec.Struct, frozen=True):
    id: str
    reference: str
    status: _States
    amount: int
    currency: Literal["JPY"]
    decline_code: str | None
    approval_no: str | None
    card_hint: str | None
    authentication: str | None
    card: str | None = None
    customer: str | None = None
    brand: str | None = None
    dispute: _Dispute | None = None


class _Refusal(msgspec.Struct, frozen=True):
    code: str


class SandboxPayments:
    """See :class:`portal.domain.payment_word.word.PaymentReader`."""

    def read(
        self, asked: Asked, said: Said, known: PaymentKnown, at: datetime
    ) -> PaymentFinding | None:
        """A payment is asked for by our reference, which the company always finds."""
        del at
        is_right = (asked.method, asked.path) == ("GET", path_of(known.reference))
        if not is_right or not asked.headers <= _HEADERS or asked.body:
            return None
        return read_payment(said, known.reference)


def path_of(reference: str) -> str:
    """Where the company tells of the payment under our reference."""
    return f"/v1/payments/{quote(reference, safe='')}"


def read_payment(said: Said, reference: str) -> PaymentFinding:
    """The payment, or the company's own word that there is none."""
    if said.status == _NOT_FOUND:
        refusal = read_json(said.body, _Refusal)
        found_nothing = refusal is not None and refusal.code == "not_found"
        return PaymentFinding(state="not_found" if found_nothing else "unclear")
    payment = read_json(said.body, _Payment) if said.status == _OK else None
    if payment is None or payment.reference != reference:
        return UNREADABLE
    decline = "expired" if payment.status == "expired" else payment.decline_code
    return PaymentFinding(
        state=_FOUND[payment.status],
        amount_minor=payment.amount,
        provider_ref=payment.id,
        decline_code=decline or "",
        approval_no=payment.approval_no or "",
        instrument_hint=payment.card_hint or "",
        authentication=payment.authentication or "",
        saved_token=payment.card or "",
        saved_customer=payment.customer or "",
        saved_brand=payment.brand or "",
        dispute=None if payment.dispute is None else _read_dispute(payment.dispute),
    )


def _read_dispute(dispute: _Dispute) -> DisputeWord:
    return DisputeWord(
        reference=dispute.id,
        state=dispute.status,
        amount_minor=dispute.amount,
        taken_minor=dispute.taken,
        reason=dispute.reason,
        respond_by=datetime.fromtimestamp(dispute.respond_by, UTC),
    )
