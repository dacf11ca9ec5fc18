"""Merchant schema, pauses: stopping dunning for a bill and letting it go on.

Zone: application. Whether it may be done is decided in the vault; here a refusal becomes data.
"""

import strawberry

from portal.application.doors.graphql import enums
from portal.application.doors.graphql.bills import Bill
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import VAULT_CALL, Date, Info, by, optional, plain
from portal.contract.bills import BillChanged, BillRow
from portal.contract.pause import PLACE_PAUSE, RELEASE_PAUSE, PlacePause, ReleasePause
from portal.domain.ids import BillId, from_public


def _changed(outcome: strawberry.Parent[Outcome[BillChanged]]) -> BillRow | None:
    return outcome.entity.row if outcome.entity else None


@strawberry.input(description="Stop dunning for a bill: hold it, note a promise, or extend it.")
class BillPauseInput:
    """portal.contract.pause.PlacePause."""

    id: strawberry.ID = plain("`bill_…`")
    kind: enums.PauseKind = plain("What is placed.")
    until: Date | None = optional("Its last day; only an owner's hold may have none.")
    note: str = optional("Anything more, at most 500 characters; stored sealed.", default="")
    idempotency_key: str = plain("Yours; the same key and arguments place once.")


@strawberry.type(description="The bill after that, or why it was not done.")
class BillPausePayload:
    """Outcome of billPause."""

    bill: Bill | None = by(_changed, "The bill.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def place_pause(info: Info, input: BillPauseInput) -> Outcome[BillChanged]:  # noqa: A002 - the argument's name in the schema
    """Place it; what may be agreed is the vault's to say."""

    async def act() -> BillChanged:
        request = PlacePause(
            bill_id=BillId(from_public("bill", input.id)),
            kind=input.kind.value,
            until=input.until,
            note=input.note,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(PLACE_PAUSE, request)

    return await outcome_of(info, act())


@strawberry.input(description="End a bill's hold or promise: dunning goes on.")
class BillResumeInput:
    """portal.contract.pause.ReleasePause."""

    id: strawberry.ID = plain("`bill_…`")
    idempotency_key: str = plain("Yours; the same key releases once.")


@strawberry.type(description="The bill after that, or why it was not done.")
class BillResumePayload:
    """Outcome of billResume."""

    bill: Bill | None = by(_changed, "The bill.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def release_pause(info: Info, input: BillResumeInput) -> Outcome[BillChanged]:  # noqa: A002 - the argument's name in the schema
    """Release it."""

    async def act() -> BillChanged:
        request = ReleasePause(
            bill_id=BillId(from_public("bill", input.id)),
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(RELEASE_PAUSE, request)

    return await outcome_of(info, act())


@strawberry.type
class PausesMutation:
    """What is done about a bill's dunning."""

    bill_pause: BillPausePayload = by(
        place_pause, "Hold a bill, note a payer's promise, or extend it.", cost=VAULT_CALL
    )
    bill_resume: BillResumePayload = by(
        release_pause, "End a bill's hold or promise.", cost=VAULT_CALL
    )
