"""What a merchant's file may do to bills that are there: withdraw or replace them. Pure.

A change is judged twice: when its row is read, and again under the bill's lock when the file is
sent. Money decides: a bill of which something is paid, or on its way, is not changed by a file.
Nothing is on its way by a number for a store that somebody holds, as long as nobody has paid by
it: such a bill is withdrawn or replaced like any other, and is ``canceling`` until its number is.
Who pays by the number before that wins over the replacement: the bill is kept, and the row refused.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from portal.domain.bill import WITHDRAWN, Lifecycle, LifecycleEvent, Settlement, advance
from portal.domain.number import METHOD as NUMBER

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


Live = Literal["none", "number", "payment"]
"""``number``: somebody holds one for a store, and nothing else can pay; ``payment``: one is on its
way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedBill:
    """The bill that a change is about, as it stands. ``live``: by what it may be paid just now."""

    lifecycle: Lifecycle
    settlement: Settlement
    live: Live
    is_part_paid: bool


def live_of(methods: Collection[str]) -> Live:
    """By what a bill may be paid, from the methods of its live attempts."""
    if not methods:
        return "none"
    return "number" if set(methods) == {NUMBER} else "payment"


def judge_change(action: ChangeAction, bill: ChangedBill) -> str:
    """``do``, ``known`` when it was done before, or the code of the row's fault."""
    if bill.lifecycle in WITHDRAWN:
        is_same = action != "replace" and bill.lifecycle != "superseded"
        return "known" if is_same else "change_withdrawn"
    if bill.settlement in {"settled", "over", "reversed"}:
        return "change_paid"
    if bill.settlement == "provisional" or bill.live == "payment":
        return "change_under_way"
    return "change_part_paid" if bill.is_part_paid else "do"


def path_of(
    action: ChangeAction, lifecycle: Lifecycle, live: Live = "none"
) -> tuple[Lifecycle, tuple[str, ...]]:
    """Where a change leads a bill now, and the events on the way there.

    As far as ``canceling`` where somebody holds a number: who withdraws that ends the change.

    Raises: Conflict ``bill_state`` for a bill that :func:`judge_change` does not let be changed.
    """
    event = EVENTS[action]
    if event == "supersede" and live == "number":
        event = "await_supersede"
    edge = advance(lifecycle, event)
    codes = [edge.code]
    if edge.state == "canceling" and live == "none":
        edge = advance(edge.state, "finish_cancel")
        codes.append(edge.code)
    if action == "paid_elsewhere":
        codes.append(PAID_ELSEWHERE)
    return edge.state, tuple(codes)
