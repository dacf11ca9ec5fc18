"""Answers of the relay about refunds, read by the code that the vault reads them by.

Application zone; pure. What an adapter reads here moves nothing: the vault has the same answer from
the relay, and reads it itself.
"""

from portal.application.providers.exchange import RefundWanted
from portal.domain.refund_word.word import (
    RefundAnswer,
    RefundFinding,
    RefundKnown,
    RefundReader,
    Said,
)
from portal.kit.outbound.wire import OutboundAnswer


def known_of(wanted: RefundWanted) -> RefundKnown:
    """A wish as its answer is held to it."""
    return RefundKnown(
        payment=wanted.reference,
        payment_name=wanted.provider_ref,
        reference=wanted.refund_reference,
        amount_minor=wanted.amount.amount_minor,
        remaining_minor=wanted.remaining.amount_minor,
    )


def read_answer(reader: RefundReader, answer: OutboundAnswer, known: RefundKnown) -> RefundAnswer:
    """What came of giving it back."""
    match answer.fate:
        case "not_sent":
            return RefundAnswer("refused", code="provider_away")
        case "unclear":
            return RefundAnswer("unknown", code=answer.code or "provider_unclear")
        case "answered":
            return reader.read_answer(Said(answer.status, answer.body), known)


def read_finding(reader: RefundReader, answer: OutboundAnswer, known: RefundKnown) -> RefundFinding:
    """What its company knows of it."""
    if answer.fate != "answered":
        return RefundFinding("unclear", code=answer.code)
    return reader.read_finding(Said(answer.status, answer.body), known)
