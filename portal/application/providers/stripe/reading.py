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
    is_page_address,
)
from portal.application.providers.payment_answers import said_of
from portal.application.providers.stripe.shapes import read_failure, read_ok
from portal.domain.payment_word import stripe
from portal.domain.payment_word.stripe_body import Intent, Session
from portal.domain.refund_word.stripe import CURRENCY, read_refusal
from portal.domain.refund_word.word import RefundAnswer, Said
from portal.kit.outbound.wire import OutboundAnswer

_PAYMENT_REQUIRED: Final = 402


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
    return SessionAnswer("refused", provider_ref=intent.id, code=stripe.read_decline(failure))


def read_intent(answer: OutboundAnswer, reference: str) -> Intent | None:
    """The payment of our reference, from its own record, its session or a search; else None."""
    said = said_of(answer)
    return None if said is None else stripe.read_intent(said, reference)


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
