"""How Stripe speaks of payments, and of those that are contested. Pure.

The charge says only that there is or was a dispute; which, how it stands and what was taken back is
told by the list of the intent's disputes, which is another question.

Source: docs.stripe.com/api (The Session object; The PaymentIntent object; The Dispute object; List
all disputes, payment_intent), docs.stripe.com/declines/codes,
docs.stripe.com/disputes/how-disputes-work (statuses; inquiries take no money).
"""

from datetime import UTC, datetime
from typing import Final

from portal.domain.dispute import DisputeState
from portal.domain.payment import DeclineCode, Found
from portal.domain.payment_word.stripe_body import (
    Card,
    Charge,
    Dispute,
    Disputes,
    Failure,
    Intent,
    Search,
    Session,
    disputes_at,
    payment_at,
    read_ok,
)
from portal.domain.payment_word.word import (
    UNREADABLE,
    DisputeWord,
    PaymentFinding,
    PaymentKnown,
)
from portal.domain.refund_word.stripe import CURRENCY
from portal.domain.refund_word.word import Asked, Said

_HEADERS: Final = frozenset({"authorization", "stripe-version", "accept"})
"""A header of Stripe's own could ask at another account."""

_DECLINES: Final[dict[str, DeclineCode]] = {
    "insufficient_funds": "insufficient_funds",
    "authentication_required": "authentication_failed",
    "authentication_not_handled": "authentication_failed",
    "payment_intent_authentication_failure": "authentication_failed",
    "expired_card": "card_expired",
    "invalid_expiry_month": "card_expired",
    "invalid_expiry_year": "card_expired",
    "lost_card": "card_stopped",
    "stolen_card": "card_stopped",
    "pickup_card": "card_stopped",
    "restricted_card": "card_stopped",
    "revocation_of_authorization": "card_stopped",
    "revocation_of_all_authorizations": "card_stopped",
    "stop_payment_order": "card_stopped",
    "processing_error": "declined",
    "try_again_later": "declined",
    "issuer_not_available": "declined",
}
"""Decline and error codes; what is not here is a plain ``card_declined``."""

_FOUND: Final[dict[str, Found]] = {
    "requires_payment_method": "requires_action",
    "requires_confirmation": "requires_action",
    "requires_action": "requires_action",
    "processing": "pending",
    # We always capture at once: somebody has set the account up otherwise, and no money came.
    "requires_capture": "pending",
    "canceled": "failed",
    "succeeded": "succeeded",
}
_AUTHENTICATED: Final = {
    "authenticated": "Y",
    "attempt_acknowledged": "A",
    "exempted": "I",
    "failed": "N",
    "not_supported": "U",
    "processing_error": "U",
}
"""Stripe's words for EMV 3-D Secure's transStatus."""
_STATES: Final[dict[str, DisputeState]] = {
    "warning_needs_response": "opened",
    "warning_under_review": "opened",
    "needs_response": "opened",
    "under_review": "opened",
    # An inquiry that came to nothing, or a dispute that was headed off: the money stayed.
    "warning_closed": "won",
    "prevented": "won",
    "won": "won",
    "lost": "lost",
}


class StripePayments:
    """See :class:`portal.domain.payment_word.word.PaymentReader`."""

    def read(
        self, asked: Asked, said: Said, known: PaymentKnown, at: datetime
    ) -> PaymentFinding | None:
        """A payment is asked for by Stripe's name where we know it, its disputes by its intent's.

        A search is behind: that there is none of a payment which has a name says nothing. Disputes
        of one that is not paid are another payment's: its name is web's word until then.
        """
        del at
        if asked.method != "GET" or not asked.headers <= _HEADERS or asked.body:
            return None
        if asked.path == payment_at(known.reference, known.provider_ref):
            return read_payment(said, known.reference)
        is_named = known.is_paid and known.provider_ref.startswith("pi_")
        if is_named and asked.path == disputes_at(known.provider_ref):
            dispute = read_dispute(said, known.provider_ref)
            if dispute is None:
                return UNREADABLE
            paid = known.amount_minor
            return PaymentFinding(state="succeeded", amount_minor=paid, dispute=dispute)
        return None


def read_payment(said: Said, reference: str) -> PaymentFinding:
    """The answer to any of the three ways to ask about a payment."""
    session = read_ok(said, Session)
    if session is not None:
        return _read_visit(session, reference)
    found = read_ok(said, Search)
    if found is not None and not found.data and not found.has_more:
        return PaymentFinding(state="not_found")
    intent = read_intent(said, reference)
    if intent is None:
        return UNREADABLE
    if intent.status == "requires_payment_method" and intent.last_payment_error is not None:
        return PaymentFinding(state="failed", decline_code=read_decline(intent.last_payment_error))
    return _finding(intent)


def read_intent(said: Said, reference: str) -> Intent | None:
    """The payment of our reference, from its own record, its session or a search; else None."""
    found = read_ok(said, Search)
    if found is not None:
        intents = found.data
    else:
        session = read_ok(said, Session)
        intent = read_ok(said, Intent) if session is None else session.payment_intent
        intents = (intent,) if isinstance(intent, Intent) else ()
    ours = [one for one in intents if one.metadata.get("reference") == reference]
    # Two under one reference, or one in another currency, are nothing that a rule could settle.
    if len(intents) != 1 or not ours or ours[0].currency != CURRENCY:
        return None
    return ours[0]


def _read_visit(session: Session, reference: str) -> PaymentFinding:
    """A session: what its payment says comes first, then how the visit ended."""
    if session.client_reference_id != reference or session.currency != CURRENCY:
        return UNREADABLE
    intent = session.payment_intent
    if isinstance(intent, Intent):
        if intent.metadata.get("reference") != reference or intent.currency != CURRENCY:
            return UNREADABLE
        if intent.status in {"succeeded", "processing", "requires_capture", "canceled"}:
            return _finding(intent)
    if session.status == "complete":
        return UNREADABLE
    if session.status == "expired":
        return PaymentFinding(state="failed", decline_code="expired")
    # After a decline the payer is still on the page and may try another card.
    return PaymentFinding(state="requires_action")


def _finding(intent: Intent) -> PaymentFinding:
    charge, card = intent.latest_charge, _card_of(intent)
    secure = None if card is None else card.three_d_secure
    paid = intent.status == "succeeded"
    # Captured at once and whole, so that the amount says the same where a copy leaves this out.
    received = intent.amount if intent.amount_received is None else intent.amount_received
    # A charge off session names the same card again, and enrols nothing.
    kept = paid and intent.setup_future_usage == "off_session" and bool(intent.customer)
    return PaymentFinding(
        state=_FOUND[intent.status],
        amount_minor=received if paid else 0,
        # While the payer may still act the session's name is the better one to ask by.
        provider_ref=intent.id if paid else "",
        decline_code="declined" if intent.status == "canceled" else "",
        approval_no=(card.authorization_code or "") if card is not None else "",
        instrument_hint=(card.last4 or "") if card is not None else "",
        authentication=_AUTHENTICATED.get((secure.result or "") if secure is not None else "", ""),
        saved_token=(intent.payment_method or "") if kept else "",
        saved_customer=(intent.customer or "") if kept else "",
        saved_brand=(card.brand or "") if kept and card is not None else "",
        disputes_follow=paid and isinstance(charge, Charge) and charge.disputed,
    )


def _card_of(intent: Intent) -> Card | None:
    charge = intent.latest_charge
    if not isinstance(charge, Charge) or charge.payment_method_details is None:
        return None
    return charge.payment_method_details.card


def read_dispute(said: Said, intent_id: str) -> DisputeWord | None:
    """The newest dispute of a payment; None where that is not readable."""
    page = read_ok(said, Disputes)
    newest = page.data[0] if page is not None and page.data else None
    if newest is None or newest.payment_intent != intent_id or not _is_in_yen(newest):
        return None
    return _read_contested(newest)


def _is_in_yen(dispute: Dispute) -> bool:
    moved = dispute.balance_transactions
    return dispute.currency == CURRENCY and all(one.currency == CURRENCY for one in moved)


def _read_contested(dispute: Dispute) -> DisputeWord:
    evidence = dispute.evidence_details
    due_by = None if evidence is None else evidence.due_by
    return DisputeWord(
        reference=dispute.id,
        state=_STATES[dispute.status],
        amount_minor=dispute.amount,
        taken_minor=max(0, -sum(one.amount for one in dispute.balance_transactions)),
        reason=dispute.reason,
        respond_by=None if due_by is None else datetime.fromtimestamp(due_by, UTC),
    )


def read_decline(failure: Failure) -> DeclineCode:
    """Why a card was declined, in our words."""
    for code in (failure.decline_code, failure.code):
        if code is not None and code in _DECLINES:
            return _DECLINES[code]
    return "card_declined"
