"""Data zone: an attempt as its payer and the payment stage see it."""

from portal.contract.page import AttemptView
from portal.contract.payment import AttemptNow
from portal.domain.ids import AttemptId
from portal.vault.attempt import Attempt


def to_view(attempt: Attempt) -> AttemptView:
    """The attempt as its payer may see it."""
    return AttemptView(
        id=AttemptId(attempt.id),
        method=attempt.method,
        state=attempt.state,
        amount_minor=attempt.amount_minor,
        decline_code=attempt.decline_code,
        approval_no=attempt.instrument.approval_no or None,
        instrument_hint=attempt.instrument.hint or None,
        finished_at=attempt.finished_at,
        number=attempt.instrument.number if attempt.state == "requires_action" else None,
    )


def to_now(attempt: Attempt) -> AttemptNow:
    """The attempt after an act, with the provider's page and app while the payer has to act."""
    acting = attempt.state == "requires_action"
    held = attempt.instrument
    return AttemptNow(
        attempt=to_view(attempt),
        provider=attempt.provider,
        reference=attempt.reference,
        redirect_url=(held.redirect_url or None) if acting else None,
        app_url=(held.app_url or None) if acting and held.redirect_url else None,
    )
