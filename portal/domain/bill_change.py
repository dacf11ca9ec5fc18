"""What a merchant's file may do to bills that are there: withdraw or replace them. Pure.

A change is judged twice: when its row is read, and again under the bill's lock when the file is
sent. Money decides: a bill of which something is paid, or on its way, is not changed by a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from portal.domain.bill import WITHDRAWN, Lifecycle, LifecycleEvent, Settlement, advance

ChangeAction = Literal["cancel", "paid_elsewhere", "replace"]
"""``paid_elsewhere``: withdrawn because the merchant has its money by another way; ``replace``:
the bill of this row takes the place of another."""

RowAction = Literal["bill", "cancel", "paid_elsewhere", "replace"]

ACTIONS: Final[Mapping[str, RowAction]] = {
    "": "bill", "bill": "bill", "new": "bill", "新規": "bill", "請求": "bill",
    "cancel": "cancel", "取消": "cancel", "取り消し": "cancel",
    "paid_elsewhere": "paid_elsewhere", "他で入金": "paid_elsewhere", "入金済": "paid_elsewhere",
    "replace": "replace", "差替": "replace", "差し替え": "replace",
}  # fmt: skip
"""What a merchant may write → what the row does."""

EVENTS: Final[Mapping[ChangeAction, LifecycleEvent]] = {
    "cancel": "cancel",
    "paid_elsewhere": "cancel",
    "replace": "supersede",
}
PAID_ELSEWHERE: Final = "bill.paid_elsewhere"
"""The event beside those of the cancel, so that a bill's timeline says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedBill:
    """The bill that a change is about, as it stands. ``has_live``: a payment is on its way."""

    lifecycle: Lifecycle
    settlement: Settlement
    has_live: bool
    is_part_paid: bool


def judge_change(action: ChangeAction, bill: ChangedBill) -> str:
    """``do``, ``known`` when it was done before, or the code of the row's fault."""
    if bill.lifecycle in WITHDRAWN:
        is_same = action != "replace" and bill.lifecycle != "superseded"
        return "known" if is_same else "change_withdrawn"
    if bill.settlement in {"settled", "over", "reversed"}:
        return "change_paid"
    if bill.settlement == "provisional" or bill.has_live:
        return "change_under_way"
    return "change_part_paid" if bill.is_part_paid else "do"


def path_of(action: ChangeAction, lifecycle: Lifecycle) -> tuple[Lifecycle, tuple[str, ...]]:
    """Where a change leads a bill on which nothing is on its way, and the events on the way there.

    Raises: Conflict ``bill_state`` for a bill that :func:`judge_change` does not let be changed.
    """
    edge = advance(lifecycle, EVENTS[action])
    codes = [edge.code]
    if edge.state == "canceling":
        edge = advance(edge.state, "finish_cancel")
        codes.append(edge.code)
    if action == "paid_elsewhere":
        codes.append(PAID_ELSEWHERE)
    return edge.state, tuple(codes)
