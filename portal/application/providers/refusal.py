"""Whom an answer speaks of: one message, one merchant's sender, or the road that all share.

Application zone; pure, one table for all companies. An adapter reads what its company said as one
of our codes; whom that code speaks of is said here, and nowhere else. ``road``: every merchant's
next message would fare the same, so the road's breaker counts it (portal.application.message.pace).
``sender``: the company was there and refused the number, address or app of one merchant, whose next
message would fare the same and nobody else's; that merchant's own breaker counts it, in the vault
(portal.domain.sender_hold). All else speaks of the one message or its reader.
"""

from collections.abc import Mapping
from typing import Final, Literal

from portal.application.providers.exchange import MessageAnswer
from portal.kit.outbound.wire import OutboundAnswer

Blame = Literal["message", "sender", "road"]

REFUSALS: Final[Mapping[str, Blame]] = {
    "sender_refused": "sender",
    "app_refused": "sender",
    "app_busy": "sender",
    "credential_refused": "road",
    "account_refused": "road",
    "provider_busy": "road",
}
"""Our words for what a company says of whoever asks → whom it speaks of. ``sender_refused``: the
number, address or domain that messages come from; ``app_refused`` and ``app_busy``: the credential
of a merchant's own app, or its quota; ``account_refused``: the installation's account, or what is
set up in it."""

OWN_SIDE: Final[Mapping[str, Blame]] = {
    "delivery_refused": "message",
    "value_unfit": "message",
    "push_host_not_listed": "message",
    "sender_not_as_ruled": "sender",
    "push_app_not_listed": "sender",
    "push_app_refused": "sender",
}
"""Codes with which the relay sends nothing → whom they speak of; every other: the road."""


def busy(code: str, *, retry_after_s: float = 0.0) -> MessageAnswer:
    """Nothing happened there, for a reason of REFUSALS that is not about this message."""
    blame = REFUSALS[code]
    return MessageAnswer(
        "busy",
        code=code,
        retry_after_s=retry_after_s,
        is_provider_fault=blame == "road",
        is_sender_fault=blame == "sender",
    )


def read_way(answer: OutboundAnswer) -> MessageAnswer | None:
    """What became of a message whose company was not heard; None when it answered."""
    match answer.fate:
        case "answered":
            return None
        case "unclear":
            return MessageAnswer("unknown", code=answer.code, is_provider_fault=True)
        case "not_sent":
            blame = OWN_SIDE.get(answer.code, "road")
            return MessageAnswer(
                "busy",
                code=answer.code,
                is_provider_fault=blame == "road",
                is_sender_fault=blame == "sender",
            )


def unreadable() -> MessageAnswer:
    """An answer that says nothing that we understand: whatever it was may have sent the message."""
    return MessageAnswer("unknown", code="answer_unreadable", is_provider_fault=True)
