"""Paper as the last way to tell of a bill: why one goes to the print shop. Pure.

A merchant's plan may end with paper (portal.domain.ladder). Whom no message of the plan reaches
gets paper at once, whatever the plan says: there is nothing to wait for.
"""

from collections.abc import Collection
from typing import Final, Literal

PaperReason = Literal[
    "rung", "no_contact", "undelivered", "opted_out", "parallel", "returned", "unverified",
    "no_message",
]  # fmt: skip
"""Why a bill goes to the print shop. Its plan says so (``rung``); or no message of the plan reaches
its payer: nothing to write to, all that was sent comes back, or they want none. Or its contract is
billed so (portal.domain.digital): on paper beside the message, on paper again, or digitally by a
contact that nobody has verified, or by a plan that has no message for it (``no_message``)."""

UNREACHED: Final[frozenset[PaperReason]] = frozenset({"no_contact", "undelivered", "opted_out"})
"""Reasons that end the digital billing of a contract: it is billed on paper again."""

_HEAVIEST: Final[tuple[PaperReason, ...]] = ("opted_out", "undelivered")


def no_way(reasons: Collection[str | None]) -> PaperReason | None:
    """Why nothing reaches the payer, from why each message of the plan does not; None: one does.

    A plan without messages has nobody to reach.
    """
    if None in reasons or not reasons:
        return None
    for reason in _HEAVIEST:
        if reason in reasons:
            return reason
    return "no_contact"


def why_untold(reasons: Collection[str | None], standing: str | None) -> PaperReason | None:
    """Why nothing tells of the bill at all: no message of the plan, and no address for paper.

    As for :func:`why_paper`; None when something does.
    """
    return no_way(reasons) if standing == "no_address" else None


def why_paper(
    reasons: Collection[str | None], standing: str | None, *, is_due: bool
) -> PaperReason | None:
    """Why the bill goes to the print shop now; None when it does not.

    ``reasons``: as for :func:`no_way`. ``standing``: why paper does not tell of it, None if it can.
    ``is_due``: a rung by paper has come. Whom nothing reaches waits for none.
    """
    lost = no_way(reasons)
    # That they agreed to no paper holds as long as something else reaches them.
    if lost is not None and standing in {None, "digital"}:
        return lost
    return "rung" if is_due else None
