"""How Stripe's answers read: did anything happen there, is it certain, is it about our reference.

Application zone; pure, and no function raises on anything that can come back.

Source: docs.stripe.com/api (Errors; Idempotent requests), docs.stripe.com/error-codes
(lock_timeout, idempotency_key_in_use, rate_limit), docs.stripe.com/declines/codes.
"""

from typing import Final

from portal.application.providers.exchange import (
    ChargeWanted,
    KeptWanted,
    SessionAnswer,
    SessionWanted,
    bare_finding,
    is_page_address,
)
from portal.application.providers.stripe.shapes import (
    Card,
    Charge,
    Failure,
    Found,
    Intent,
    Session,
    read_failure,
    read_ok,
)
from portal.contract.payment import Finding, FindingState
from portal.domain.payment import DeclineCode
from portal.domain.refund_word.stripe import CURRENCY, read_refusal
from portal.domain.refund_word.word import RefundAnswer, Said
from portal.kit.outbound.wire import OutboundAnswer

_PAYMENT_REQUIRED: Final = 402
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

_FOUND: Final[dict[str, FindingState]] = {
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


def read_session(answer: OutboundAnswer, wanted: SessionWanted) -> SessionAnswer:
    """The answer to opening a session."""
    unsettled = _unsettled(answer)
    if unsettled is not None:
        return unsettled
    session = read_ok(answer, Session)
    if (
        session is None
        or session.status != "open"
        or session.client_reference_id != wanted.reference
        or (session.amount_total, session.currency) != (wanted.amount.amount_minor, CURRENCY)
        or not is_page_address(session.url or "")
    ):
        return SessionAnswer("unknown", code="answer_unreadable")
    return SessionAnswer("accepted", redirect_url=session.url or "", provider_ref=session.id)


def read_charge(answer: OutboundAnswer, wanted: ChargeWanted | KeptWanted) -> SessionAnswer:
    """The answer to a charge of a kept card, with its payer there or not.

    What was accepted is still asked about; where its payer has to go the relay tells the vault.
    """
    if answer.fate == "answered" and answer.status == _PAYMENT_REQUIRED:
        return _read_decline(answer, wanted.reference)
    unsettled = _unsettled(answer)
    if unsettled is not None:
        return unsettled
    intent = read_ok(answer, Intent)
    if (
        intent is None
        or intent.metadata.get("reference") != wanted.reference
        or (intent.amount, intent.currency) != (wanted.amount.amount_minor, CURRENCY)
    ):
        return SessionAnswer("unknown", code="answer_unreadable")
    return SessionAnswer("accepted", provider_ref=intent.id)


def is_canceled(answer: OutboundAnswer) -> bool:
    """Whether an intent was canceled; nothing is believed of it but what an inquiry finds."""
    intent = read_ok(answer, Intent)
    return intent is not None and intent.status == "canceled"


def _read_decline(answer: OutboundAnswer, reference: str) -> SessionAnswer:
    """A decline counts when it names our payment: nobody can confirm that one any more."""
    failure = read_failure(answer)
    intent = None if failure is None else failure.payment_intent
    if failure is None or intent is None or intent.metadata.get("reference") != reference:
        return SessionAnswer("unknown", code="answer_unreadable")
    return SessionAnswer("refused", provider_ref=intent.id, code=_decline(failure))


def read_payment(answer: OutboundAnswer, reference: str) -> Finding:
    """The answer to any of the three ways to ask about a payment."""
    session = read_ok(answer, Session)
    if session is not None:
        return _read_visit(session, reference)
    found = read_ok(answer, Found)
    if found is not None and not found.data and not found.has_more:
        return bare_finding("not_found")
    intent = read_intent(answer, reference)
    if intent is None:
        code = answer.code if answer.fate != "answered" else "answer_unreadable"
        return bare_finding("unclear", code=code)
    if intent.status == "requires_payment_method" and intent.last_payment_error is not None:
        return bare_finding("failed", code=_decline(intent.last_payment_error))
    return _finding(intent)


def read_intent(answer: OutboundAnswer, reference: str) -> Intent | None:
    """The payment of our reference, from its own record, its session or a search; else None."""
    found = read_ok(answer, Found)
    if found is not None:
        intents = found.data
    else:
        session = read_ok(answer, Session)
        intent = read_ok(answer, Intent) if session is None else session.payment_intent
        intents = (intent,) if isinstance(intent, Intent) else ()
    ours = [one for one in intents if one.metadata.get("reference") == reference]
    # Two under one reference, or one in another currency, are nothing that a rule could settle.
    if len(intents) != 1 or not ours or ours[0].currency != CURRENCY:
        return None
    return ours[0]


def _read_visit(session: Session, reference: str) -> Finding:
    """A session: what its payment says comes first, then how the visit ended."""
    if session.client_reference_id != reference or session.currency != CURRENCY:
        return bare_finding("unclear", code="answer_unreadable")
    intent = session.payment_intent
    if isinstance(intent, Intent):
        if intent.metadata.get("reference") != reference or intent.currency != CURRENCY:
            return bare_finding("unclear", code="answer_unreadable")
        if intent.status in {"succeeded", "processing", "requires_capture", "canceled"}:
            return _finding(intent)
    if session.status == "complete":
        return bare_finding("unclear", code="answer_unreadable")
    if session.status == "expired":
        return bare_finding("failed", code="expired")
    # After a decline the payer is still on the page and may try another card.
    return bare_finding("requires_action")


def _finding(intent: Intent) -> Finding:
    card = _card_of(intent)
    secure = None if card is None else card.three_d_secure
    paid = intent.status == "succeeded"
    # Captured at once and whole, so that the amount says the same where a copy leaves this out.
    received = intent.amount if intent.amount_received is None else intent.amount_received
    # A charge off session names the same card again, and enrols nothing.
    kept = paid and intent.setup_future_usage == "off_session" and bool(intent.customer)
    return Finding(
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
    )


def _card_of(intent: Intent) -> Card | None:
    charge = intent.latest_charge
    if not isinstance(charge, Charge) or charge.payment_method_details is None:
        return None
    return charge.payment_method_details.card


def read_refund_unsent(answer: OutboundAnswer) -> RefundAnswer:
    """The payment was looked for and not found: nothing has been asked of it yet."""
    away = answer.fate != "answered"
    return RefundAnswer("refused", code="provider_away" if away else "provider_refused")


def _unsettled(answer: OutboundAnswer) -> SessionAnswer | None:
    """How an answer other than 200 to a call that changes something reads; None for a 200."""
    if answer.fate == "not_sent":
        return SessionAnswer("refused", code="provider_away")
    if answer.fate == "unclear":
        return SessionAnswer("unknown", code=answer.code or "provider_unclear")
    refusal = read_refusal(Said(answer.status, answer.body))
    if refusal is None:
        return None
    outcome = "refused" if refusal.outcome == "refused" else "unknown"
    return SessionAnswer(outcome, code=refusal.code)


def _decline(failure: Failure) -> DeclineCode:
    for code in (failure.decline_code, failure.code):
        if code is not None and code in _DECLINES:
            return _DECLINES[code]
    return "card_declined"
