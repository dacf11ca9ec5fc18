"""One delivery of a message: its states, and what each means for the bill's message state. Pure.

A delivery is handed out to a worker, redeemed once at the border for recipient and text, and then
either the provider's answer or its receipt says what became of it. When nobody knows whether a
redeemed delivery was sent it is ``ambiguous``; only a receipt leads out, never a second sending.
"""

from typing import Final, Literal

from portal.domain.transition import Edge, take

Channel = Literal["sms", "email", "push", "voice"]
DeliveryState = Literal[
    "planned", "handed", "redeemed", "accepted", "ambiguous", "delivered", "undelivered",
    "failed", "left_out",
]  # fmt: skip
DeliveryEvent = Literal[
    "hand_out", "redeem", "leave_out", "accept", "reject", "put_back", "lose", "give_up",
    "receipt_delivered", "receipt_undelivered", "receipt_failed",
]  # fmt: skip
MessageState = Literal[
    "none", "planned", "sending", "accepted", "delivered", "undelivered", "failed", "ambiguous"
]

LEFT_OUT: Final = frozenset({"not_due", "paused", "no_contact", "contact_faulty", "opted_out"})
"""Why the vault gives nothing out for a delivery that it handed out itself: the bill was paid,
withdrawn or paused meanwhile, the payer has no such contact, or none that still takes messages, or
wants nothing by it. Any other refusal is somebody's attempt, or a bug."""

DELIVERY: Final[dict[tuple[DeliveryState, DeliveryEvent], Edge[DeliveryState]]] = {
    ("planned", "hand_out"): Edge("handed", "message.handed"),
    ("planned", "leave_out"): Edge("left_out", "message.left_out"),
    ("planned", "give_up"): Edge("failed", "message.failed"),
    ("handed", "hand_out"): Edge("handed", "message.handed"),
    ("handed", "redeem"): Edge("redeemed", "message.redeemed"),
    ("handed", "leave_out"): Edge("left_out", "message.left_out"),
    ("handed", "put_back"): Edge("planned", "message.put_back"),
    ("handed", "lose"): Edge("planned", "message.put_back"),
    ("handed", "reject"): Edge("failed", "message.failed"),
    ("handed", "give_up"): Edge("failed", "message.failed"),
    ("redeemed", "accept"): Edge("accepted", "message.accepted"),
    ("redeemed", "reject"): Edge("failed", "message.failed"),
    ("redeemed", "put_back"): Edge("planned", "message.put_back"),
    ("redeemed", "lose"): Edge("ambiguous", "message.ambiguous"),
    ("redeemed", "give_up"): Edge("failed", "message.failed"),
    ("redeemed", "receipt_delivered"): Edge("delivered", "message.delivered"),
    ("redeemed", "receipt_undelivered"): Edge("undelivered", "message.undelivered"),
    ("redeemed", "receipt_failed"): Edge("failed", "message.failed"),
    ("accepted", "receipt_delivered"): Edge("delivered", "message.delivered"),
    ("accepted", "receipt_undelivered"): Edge("undelivered", "message.undelivered"),
    ("accepted", "receipt_failed"): Edge("failed", "message.failed"),
    ("ambiguous", "receipt_delivered"): Edge("delivered", "message.delivered"),
    ("ambiguous", "receipt_undelivered"): Edge("undelivered", "message.undelivered"),
    ("ambiguous", "receipt_failed"): Edge("failed", "message.failed"),
    ("undelivered", "receipt_delivered"): Edge("delivered", "message.delivered"),
}
"""``put_back``: the provider certainly has nothing. A ``handed`` delivery that is lost was never
redeemed, so nothing can have been sent. ``failed`` ends: the provider or we gave up for good."""

MESSAGE: Final[dict[DeliveryState, MessageState]] = {
    "planned": "planned",
    "handed": "sending",
    "redeemed": "sending",
    "accepted": "accepted",
    "ambiguous": "ambiguous",
    "delivered": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "left_out": "none",
}
"""What a bill's newest delivery makes of its message state."""

RECEIPTS: Final[dict[str, DeliveryEvent]] = {
    "delivered": "receipt_delivered",
    "undelivered": "receipt_undelivered",
    "failed": "receipt_failed",
    "bounced": "receipt_failed",
    "complained": "receipt_delivered",
}
"""A provider's claim → event; any other claim says nothing that we act on. Who complains of a
message has received it."""

TOLD_BY_MAIL: Final = frozenset({"smtp"})
"""Providers without notices of their own: what comes back of a message is a mail, which anybody can
write, so it must bring the token that was made for this very message."""

CONTACT_FAULTS: Final = frozenset({"bounced", "complained"})
"""Claims after which nothing more goes to that number or address: it does not exist, or whoever
reads there wants no more. Source: RFC 3464 §2.3.4, RFC 3463 §3.2 (5.1.x); RFC 5965."""

TRIES_MAX: Final = 12
"""Hand-outs of one delivery that came back busy, for a reason of its own, before it is given up.

An outage of the provider is no such reason: however long it lasts, and however often the delivery
was the one that asked whether it is over, the message still goes out afterwards."""

REDEEM_GRACE_S: Final = 60.0
"""A hand-out whose worker lost the relay may still be redeemed for so long; then it can't."""

RESENDS_PER_DAY_MAX: Final = 3
"""Resent messages of one bill within 24 hours, first message not counted."""


def advance(state: DeliveryState, event: DeliveryEvent) -> Edge[DeliveryState]:
    """The next state and the code of what happened.

    Raises: Conflict ``delivery_state`` (params ``state``, ``event``) for an edge not in the table.
    """
    return take(DELIVERY, state, event, "delivery_state")


def event_of_result(
    state: DeliveryState, outcome: str, code: str, tries: int, *, uses_try: bool = True
) -> DeliveryEvent:
    """What a worker's report on one delivery means; ``uses_try``: it is about this very message.

    A redeemed delivery that the relay was refused again was redeemed by someone else's hand-out:
    whether that one was sent is not known, so it is lost. Too many busy answers end it.
    """
    match outcome:
        case "accepted":
            return "accept"
        case "rejected":
            return "reject"
        case "busy" if state == "redeemed" and code == "delivery_refused":
            return "lose"
        case "busy":
            return "give_up" if uses_try and tries + 1 >= TRIES_MAX else "put_back"
        case _:
            return "lose"


def is_lost(state: DeliveryState, code: str) -> bool:
    """Whether a message surely did not reach the payer. One of which nobody knows may have."""
    return state in {"undelivered", "failed"} or (
        state == "left_out" and code in {"no_contact", "contact_faulty"}
    )
