"""Merchant schema, pauses: what stops dunning for a bill, and the acts that place and release it.

Zone: application. What may be agreed, by whom and until when is the vault's to say; what the
viewer may do now comes with the bill.
"""

import strawberry

from portal.application.doors.graphql import enums
from portal.application.doors.graphql.schema import Date, DateTime, Info, plain
from portal.contract.bills import BillRow
from portal.contract.pause import LIST_BILL_PAUSES, BillPauses, ListBillPauses, PauseView


@strawberry.type(description="One hold, promise or extension of a bill, in force or over.")
class Pause:
    """portal.contract.pause.PauseView."""

    kind: enums.PauseKind = plain("What it is.")
    state: enums.PauseState = plain("How it stands, or how it ended.")
    until: Date | None = plain("Its last day; a hold may have none.")
    was_due_on: Date | None = plain("The due date that an extension replaced.")
    note: str = plain("What was written about it, or empty.")
    placed_by: str = plain("Who placed it.")
    placed_at: DateTime = plain("When that was.")
    ended_by: str | None = plain("Who ended it, if somebody did.")
    ended_at: DateTime | None = plain("When that was.")


@strawberry.type(description="What can be agreed about a bill today, and until when.")
class BillPausing:
    """The bounds of portal.contract.pause.BillPauses."""

    choices: list[enums.PauseChoice] = plain("What the merchant's staff may do now.")
    first_due_on: Date = plain("The due date before any extension.")
    latest_hold: Date = plain("The last day that a dated hold may have.")
    latest_promise: Date = plain("The last day that a promise may have.")
    latest_extension: Date = plain("The last day that the bill may be extended to.")


async def _of_bill(row: BillRow, info: Info) -> BillPauses:
    return await info.context.look(LIST_BILL_PAUSES, ListBillPauses(bill_id=row.id))


async def pauses_of(row: strawberry.Parent[BillRow], info: Info) -> tuple[PauseView, ...]:
    """All pauses of a bill."""
    return (await _of_bill(row, info)).pauses


async def pausing_of(row: strawberry.Parent[BillRow], info: Info) -> BillPauses:
    """What can be agreed about a bill."""
    return await _of_bill(row, info)
