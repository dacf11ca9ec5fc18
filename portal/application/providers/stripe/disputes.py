"""Stripe's disputes: a second question about a payment that Stripe says is contested.

Application zone; pure. The charge says only that there is or was a dispute; which, how it stands
and what was taken back is told by the list of the intent's disputes.

Source: docs.stripe.com/api/disputes (The Dispute object; List all disputes, payment_intent),
docs.stripe.com/disputes/how-disputes-work (statuses; inquiries take no money).
"""

from datetime import UTC, datetime
from typing import Final

import msgspec

from portal.application.providers.exchange import Endpoint, Exchange, bare_finding
from portal.application.providers.stripe import reading
from portal.application.providers.stripe.shapes import (
    Charge,
    Dispute,
    Disputes,
    Intent,
    get,
    read_ok,
)
from portal.contract.payment import DisputeFound, Finding
from portal.domain.dispute import DisputeState
from portal.domain.refund_word.stripe import CURRENCY
from portal.kit.outbound.wire import OutboundAnswer

_PATH: Final = "/v1/disputes"
_LIST_MAX: Final = "100"
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


def ask_of_disputes(
    endpoint: Endpoint, answer: OutboundAnswer, reference: str
) -> Exchange[Finding] | None:
    """The question that follows a payment of ours which is contested; None where none has to."""
    intent = reading.read_intent(answer, reference)
    finding = reading.read_payment(answer, reference)
    if intent is None or finding.state != "succeeded" or not _is_disputed(intent):
        return None
    request = get(endpoint, _PATH, payment_intent=intent.id, limit=_LIST_MAX)
    return Exchange(request, lambda told: _read(told, finding, intent.id))


def _is_disputed(intent: Intent) -> bool:
    return isinstance(intent.latest_charge, Charge) and intent.latest_charge.disputed


def _read(answer: OutboundAnswer, finding: Finding, intent_id: str) -> Finding:
    """What was found of the payment with its newest dispute; unclear where that is not readable."""
    page = read_ok(answer, Disputes)
    newest = page.data[0] if page is not None and page.data else None
    if newest is None or newest.payment_intent != intent_id or not _is_in_yen(newest):
        return bare_finding("unclear", code=answer.code or "answer_unreadable")
    return msgspec.structs.replace(finding, dispute=_found(newest))


def _is_in_yen(dispute: Dispute) -> bool:
    moved = dispute.balance_transactions
    return dispute.currency == CURRENCY and all(one.currency == CURRENCY for one in moved)


def _found(dispute: Dispute) -> DisputeFound:
    evidence = dispute.evidence_details
    due_by = None if evidence is None else evidence.due_by
    return DisputeFound(
        reference=dispute.id,
        state=_STATES[dispute.status],
        amount_minor=dispute.amount,
        taken_minor=max(0, -sum(one.amount for one in dispute.balance_transactions)),
        reason=dispute.reason,
        respond_by=None if due_by is None else datetime.fromtimestamp(due_by, UTC),
    )
