"""Stripe's disputes: a second question about a payment that Stripe says is contested.

Application zone; pure. How the answers read is portal.domain.payment_word.stripe's to say.
"""

import msgspec

from portal.application.providers.exchange import Endpoint, Exchange, bare_finding
from portal.application.providers.payment_answers import said_of
from portal.application.providers.stripe import reading
from portal.application.providers.stripe.shapes import get
from portal.contract.finding import dispute_of, finding_of
from portal.contract.payment import Finding
from portal.domain.payment_word.stripe import read_dispute, read_payment
from portal.domain.payment_word.stripe_body import disputes_at
from portal.kit.outbound.wire import OutboundAnswer


def ask_of_disputes(
    endpoint: Endpoint, answer: OutboundAnswer, reference: str
) -> Exchange[Finding] | None:
    """The question that follows a payment of ours which is contested; None where none has to."""
    said, intent = said_of(answer), reading.read_intent(answer, reference)
    if said is None or intent is None:
        return None
    word = read_payment(said, reference)
    if not word.disputes_follow:
        return None
    finding = finding_of(word)
    request = get(endpoint, disputes_at(intent.id))
    return Exchange(request, lambda told: _read(told, finding, intent.id))


def _read(answer: OutboundAnswer, finding: Finding, intent_id: str) -> Finding:
    """What was found of the payment with its newest dispute; unclear where that is not readable."""
    said = said_of(answer)
    dispute = None if said is None else read_dispute(said, intent_id)
    if dispute is None:
        return bare_finding("unclear", code=answer.code or "answer_unreadable")
    return msgspec.structs.replace(finding, dispute=dispute_of(dispute))
