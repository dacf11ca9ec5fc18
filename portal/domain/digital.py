"""Billing a contract digitally: who agreed, when paper ends, and when it comes back. Pure.

A contract of which nothing was said is billed by the merchant's plan of messages. Once its payer
agreed, paper and message run beside each other until bills were read by message often enough, at a
contact that is verified: one whose link the payer has opened. Then nothing is printed any more,
until the payer says otherwise, staff do, or no message reaches them.
"""

from typing import Final, Literal

from portal.domain.errors import Conflict
from portal.domain.ladder import ChoiceSource
from portal.domain.paper import PaperReason
from portal.domain.transition import Edge, take

Billing = Literal["none", "paper", "parallel", "digital"]
"""How a contract is billed. ``none``: nothing was ever said. ``paper``: again, after it was not."""

DigitalEvent = Literal["agree", "confirm", "convert", "take_back"]
DigitalSource = ChoiceSource | Literal["file", "system"]
"""Where it was said: as :data:`portal.domain.ladder.ChoiceSource`, in the merchant's file, or by
nobody: the product saw it."""

ReturnReason = Literal[
    "asked", "not_theirs", "mistake", "complaint", "no_contact", "undelivered", "opted_out"
]
"""Why a contract is billed on paper again: the payer asked, the contact is somebody else's, consent
was noted by mistake, they complained; or a reason for which no message reaches them."""

STAFF_REASONS: Final[frozenset[ReturnReason]] = frozenset(
    {"asked", "not_theirs", "mistake", "complaint"}
)

TABLE: Final[dict[tuple[Billing, DigitalEvent], Edge[Billing]]] = {
    ("none", "agree"): Edge("parallel", "digital.agreed"),
    ("paper", "agree"): Edge("parallel", "digital.agreed"),
    ("parallel", "confirm"): Edge("digital", "digital.confirmed"),
    ("parallel", "convert"): Edge("digital", "digital.converted"),
    ("parallel", "take_back"): Edge("paper", "digital.returned"),
    ("digital", "take_back"): Edge("paper", "digital.returned"),
}
"""``confirm``: enough bills were read; ``convert``: staff end the parallel run before that."""

PARALLEL_BILLS: Final = 2
"""Bills that are printed beside their message, at least, before paper ends."""

WORDS: Final = "1"
"""Version of the words on the payer's page to which its press agrees."""


def move(state: Billing, event: DigitalEvent, *, is_verified: bool = True) -> Edge[Billing]:
    """The edge that ``event`` takes. No contract becomes digital by a contact nobody verified.

    Raises: Conflict ``billing_state``, ``billing_unverified`` (params ``state``, ``event``).
    """
    edge: Edge[Billing] = take(TABLE, state, event, "billing_state")
    if edge.state == "digital" and not is_verified:
        raise Conflict("billing_unverified", params={"state": state, "event": event})
    return edge


def ends_parallel(seen: int, *, is_verified: bool) -> bool:
    """Whether the parallel run is over: so many bills were read where they were sent."""
    return seen >= PARALLEL_BILLS and is_verified


def paper_at_issue(
    state: Billing, *, is_verified: bool, has_message: bool = True
) -> PaperReason | None:
    """Why a bill of such a contract is printed as soon as it is issued; None when it is not.

    ``has_message``: the plan by which it is issued tells of it by message. Where it does not, paper
    is what is left; the payer's consent stays, as the plan may have messages again.
    """
    match state:
        case "paper":
            return "returned"
        case "parallel":
            return "parallel" if has_message else "no_message"
        case "digital":
            unsaid: PaperReason | None = None if has_message else "no_message"
            return unsaid if is_verified else "unverified"
        case _:
            return None
