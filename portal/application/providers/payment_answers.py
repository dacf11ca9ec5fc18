"""Answers of the relay about payments, read by the code that the vault reads them by.

Application zone; pure. What an adapter reads here moves nothing: the vault has the same answer from
the relay, and reads it itself.
"""

from collections.abc import Callable

from portal.application.providers.exchange import bare_finding
from portal.contract.finding import finding_of
from portal.contract.payment import Finding
from portal.domain.payment_word.word import PaymentFinding
from portal.domain.refund_word.word import Said
from portal.kit.outbound.wire import OutboundAnswer


def said_of(answer: OutboundAnswer) -> Said | None:
    """What the company said; None where it was not heard."""
    return Said(answer.status, answer.body) if answer.fate == "answered" else None


def read_finding(answer: OutboundAnswer, read: Callable[[Said], PaymentFinding]) -> Finding:
    """What the company knows of a payment."""
    said = said_of(answer)
    return bare_finding("unclear", code=answer.code) if said is None else finding_of(read(said))
