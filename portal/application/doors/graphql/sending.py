"""Merchant schema, sending: how far an import's messages are, how long they take, and holding them.

Zone: application. The time left is reckoned from what each company takes a second.
"""

import strawberry

from portal.application.doors.graphql import enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import VAULT_CALL, Info, by, plain
from portal.application.providers.registry import CAPABILITIES
from portal.contract.intake import ImportView
from portal.contract.sending import (
    STEER_SENDING,
    VIEW_SENDING,
    RoadLoad,
    SendingView,
    SteerSending,
    ViewSending,
)
from portal.domain.ids import ImportId, from_public
from portal.domain.sending import seconds_left


def _left(view: strawberry.Parent[SendingView]) -> int:
    return sum(road.left for road in view.left)


def _rate_of(road: RoadLoad) -> float:
    able = CAPABILITIES.get(road.provider)
    return able.rate.per_s / able.rate.units_per_message if able else 1.0


def _per_s(view: strawberry.Parent[SendingView]) -> float:
    return sum(_rate_of(road) for road in view.left)


def _seconds_left(view: strawberry.Parent[SendingView]) -> int:
    return seconds_left([(road.left, _rate_of(road)) for road in view.left])


@strawberry.type(description="An import's messages on their way. Counts are messages.")
class ImportSending:
    """portal.contract.sending.SendingView."""

    state: enums.SendingState = plain("Whether they go, are held, or were ended.")
    planned: int = plain("All that were planned; before the decision, what there would be at most.")
    left: int = by(_left, "Of those, what still has to go.")
    per_s: float = by(_per_s, "What the companies that carry them take in a second together.")
    unfit: int = plain("Sent in the built-in words, because the merchant's own did not fit.")
    seconds_left: int = by(_seconds_left, "How long the rest takes at that rate.")


async def view_sending(view: strawberry.Parent[ImportView], info: Info) -> SendingView:
    """How far the import's messages are."""
    return await info.context.look(VIEW_SENDING, ViewSending(import_id=view.id))


@strawberry.input(description="Hold an import's messages, let them go on, or end them for good.")
class ImportSteerInput:
    """portal.contract.sending.SteerSending."""

    id: strawberry.ID = plain("`imp_…`")
    act: enums.SendingAct = plain("What to do.")
    idempotency_key: str = plain("Yours; the same key and arguments act once.")


def _steered(outcome: strawberry.Parent[Outcome[SendingView]]) -> SendingView | None:
    return outcome.entity


@strawberry.type(description="The import's messages after that, or why it was not done.")
class ImportSteerPayload:
    """Outcome of importSteer."""

    sending: ImportSending | None = by(_steered, "Its messages.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def steer_sending(info: Info, input: ImportSteerInput) -> Outcome[SendingView]:  # noqa: A002 - the argument's name in the schema
    """Do it; what has left already is not called back."""

    async def act() -> SendingView:
        request = SteerSending(
            import_id=ImportId(from_public("import", input.id)),
            act=input.act.value,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(STEER_SENDING, request)

    return await outcome_of(info, act())


@strawberry.type
class SendingMutation:
    """Messages under way."""

    import_steer: ImportSteerPayload = by(
        steer_sending, "Hold an import's messages, let them go on, or end them.", cost=VAULT_CALL
    )
