"""One delivery of a message: its states, and what each means for the bill's message state. Pure.

A delivery is handed out to a worker, redeemed once at the border for recipient and text, and then
either the provider's answer or its receipt says what became of it. When nobody knows whether a
redeemed delivery was sent it goes again under the same key, if its provider takes a repeated key
once and still knows this one; else it is ``ambiguous``, and only a receipt leads out.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

from portal.domain.transition import Edge, take

Channel = Literal["sms", "email", "push", "voice"]
DeliveryState = Literal[
    "planned", "handed", "redeemed", "accepted", "ambiguous", "delivered", "undelivered",
    "failed", "left_out",
]  # fmt: skip
DeliveryEvent = Literal[
    "hand_out", "redeem", "leave_out", "accept", "reject", "put_back", "lose", "give_up",
    "receipt_delivered", "receipt_undelivered", "receipt_failed", "repeat", "doubt",
]  # fmt: skip
Unclear = Literal["same_key", "leave"]
"""What a merchant wants of a channel's messages in doubt: ``same_key`` sends again where that can't
double and nowhere else; ``leave`` never sends again by itself."""

MessageState = Literal[
    "none", "planned", "sending", "accepted", "delivered", "undelivered", "failed", "ambiguous"
]

LEFT_OUT: Final = frozenset({
    "not_due", "paused", "no_contact", "contact_faulty", "opted_out", "key_over",
    "sending_canceled",
})  # fmt: skip
"""Why the vault gives nothing out for a delivery that it handed out itself: the bill was paid,
withdrawn or paused meanwhile; the payer has no such contact, or none that still takes messages, or
wants nothing by it; the provider may have forgotten the key under which a message in doubt would go
again; or staff ended the sending. Any other refusal is somebody's attempt, or a bug."""

HELD: Final = frozenset({"sending_paused", "quiet_hours"})
"""Why it gives nothing out now and will later: staff hold the messages, or it is too late in the
day to write to people."""

DELIVERY: Final[dict[tuple[DeliveryState, DeliveryEvent], Edge[DeliveryState]]] = {
    ("planned", "hand_out"): Edge("handed", "message.handed"),
    ("planned", "leave_out"): Edge("left_out", "message.left_out"),
    ("planned", "give_up"): Edge("failed", "message.failed"),
    ("planned", "doubt"): Edge("ambiguous", "message.ambiguous"),
    ("handed", "hand_out"): Edge("handed", "message.handed"),
    ("handed", "redeem"): Edge("redeemed", "message.redeemed"),
    ("handed", "leave_out"): Edge("left_out", "message.left_out"),
    ("handed", "put_back"): Edge("planned", "message.put_back"),
    ("handed", "lose"): Edge("planned", "message.put_back"),
    ("handed", "reject"): Edge("failed", "message.failed"),
    ("handed", "give_up"): Edge("failed", "message.failed"),
    ("handed", "doubt"): Edge("ambiguous", "message.ambiguous"),
    ("redeemed", "accept"): Edge("accepted", "message.accepted"),
    ("redeemed", "reject"): Edge("failed", "message.failed"),
    ("redeemed", "put_back"): Edge("planned", "message.put_back"),
    ("redeemed", "lose"): Edge("ambiguous", "message.ambiguous"),
    ("redeemed", "doubt"): Edge("ambiguous", "message.ambiguous"),
    ("redeemed", "repeat"): Edge("planned", "message.repeated"),
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
redeemed, so nothing can have been sent. ``failed`` ends: the provider or we gave up for good.
``repeat`` plans a message in doubt once more; ``doubt`` ends one that may not go again."""

_ENDS_UNSENT: Final[frozenset[DeliveryEvent]] = frozenset({"leave_out", "give_up"})
_WAITS: Final[frozenset[DeliveryState]] = frozenset({"planned", "handed"})

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

TOLD_BY_MAIL: Final = frozenset({"aws_ses", "smtp"})
"""Providers without notices of their own: what comes back of a message is a mail, which anybody can
write, so it must bring the token that was made for this very message."""

TOLD_BY_ADDRESS: Final = frozenset({"sandbox_tel", "twilio"})
"""Providers that tell what became of a message at an address that is given to them with it: it
holds a token for this very message, and is all that tells whom they speak of."""

CONTACT_FAULTS: Final = frozenset({"bounced", "complained"})
"""Claims after which nothing more goes to that number or address: it does not exist, or whoever
reads there wants no more. Source: RFC 3464 §2.3.4, RFC 3463 §3.2 (5.1.x); RFC 5965."""

REJECTED_FAULTS: Final[Mapping[str, str]] = {
    "number_unknown": "bounced",
    "number_no_sms": "bounced",
    "recipient_opted_out": "complained",
}
"""Why a company refused a message for good → what that says of where it would have gone."""

TRIES_MAX: Final = 12
"""Hand-outs of one delivery that came back busy, for a reason of its own, before it is given up.

An outage of the provider is no such reason: however long it lasts, and however often the delivery
was the one that asked whether it is over, the message still goes out afterwards."""

REDEEM_GRACE_S: Final = 60.0
"""A hand-out whose worker lost the relay may still be redeemed for so long; then it can't."""

RESENDS_PER_DAY_MAX: Final = 3
"""Resent messages of one bill within 24 hours, first message not counted."""


def next_edge(
    state: DeliveryState, event: DeliveryEvent, *, is_unclear: bool
) -> Edge[DeliveryState] | None:
    """The event's edge; None when the table has none.

    One in doubt that waits to go again may be out already (``is_unclear``): a receipt is believed
    as if it were ambiguous, and it never ends as if nothing had been sent.
    """
    if is_unclear and event in _ENDS_UNSENT:
        return DELIVERY.get((state, "doubt"))
    edge = DELIVERY.get((state, event))
    if edge is None and is_unclear and state in _WAITS:
        return DELIVERY.get(("ambiguous", event))
    return edge


REPEAT_AFTER_S: Final = 15.0
"""How long one in doubt waits before it goes again: mostly its receipt comes first."""

KEY_MARGIN: Final = timedelta(minutes=10)
"""So much before a provider forgets a key nothing is sent under it any more."""


def key_lives_until(since: datetime, remembers_s: float) -> datetime:
    """Until when a key that a provider may have seen ``since`` may be used again."""
    return since + timedelta(seconds=remembers_s) - KEY_MARGIN


def may_repeat(
    policy: Unclear, tries: int, since: datetime, now: datetime, *, remembers_s: float
) -> bool:
    """Whether one in doubt since then goes again under its key.

    ``remembers_s``: how long its provider knows a key again; 0 when it takes every one for another
    message, and nothing is repeated there. Units: seconds; ``tries`` it had before.
    """
    if policy != "same_key" or tries + 1 >= TRIES_MAX:
        return False
    return now + timedelta(seconds=REPEAT_AFTER_S) < key_lives_until(since, remembers_s)


def split_by_share(roads: Mapping[str, int], count: int) -> dict[str, int]:
    """How many of ``count`` messages each road carries, by largest remainder; the sum is ``count``.

    ``roads``: name → share. Equal remainders go to the road named first, so the same input gives
    the same answer. Without any share all go by the first road.
    """
    weights = _weights(roads)
    total = sum(weights.values())
    parts = {name: count * weight // total for name, weight in weights.items()}
    left = count - sum(parts.values())
    by_remainder = sorted(weights, key=lambda name: -(count * weights[name] % total))
    for name in by_remainder[:left]:
        parts[name] += 1
    return parts


def road_of_one(roads: Mapping[str, int], number: int) -> str:
    """By which road a single message goes: ``number`` is its own, and as good as drawn by lot."""
    weights = _weights(roads)
    place = number % sum(weights.values())
    for name, weight in weights.items():
        if place < weight:
            return name
        place -= weight
    raise AssertionError(place)


def _weights(roads: Mapping[str, int]) -> Mapping[str, int]:
    return roads if any(roads.values()) else {next(iter(roads)): 1}


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


def has_told(state: DeliveryState) -> bool:
    """Whether a message tells its payer of the bill, as far as anybody can know.

    It arrived, or a company has it and nothing came back. One in doubt, or still to be sent, does
    not.
    """
    return state in {"accepted", "delivered"}


def is_lost(state: DeliveryState, code: str) -> bool:
    """Whether a message surely did not reach the payer. One of which nobody knows may have."""
    return state in {"undelivered", "failed"} or (
        state == "left_out" and code in {"no_contact", "contact_faulty"}
    )
