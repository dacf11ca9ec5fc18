"""Both schemas: what payers say of reminders, on their page or to the merchant's staff.

Zone: application. Whether it may be said is decided in the vault; here a refusal becomes data.
"""

from typing import TYPE_CHECKING, cast

import strawberry

from portal.application.doors.graphql import enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import VAULT_CALL, Info, by, optional, plain
from portal.contract.ladder import (
    SET_CONTACT_CHOICE,
    STOP_REMINDERS,
    Choices,
    SetContactChoice,
    StopReminders,
)
from portal.domain.ids import BillId, from_public

if TYPE_CHECKING:
    from portal.domain.ladder import ChoiceSource


def _was_noted(outcome: strawberry.Parent[Outcome[Choices]]) -> bool:
    return outcome.entity is not None


@strawberry.input(description="Stop reminders by a channel, or have them again.")
class RemindersSetInput:
    """portal.contract.ladder.StopReminders."""

    channel: enums.MessageChannel = plain("By what they come.")
    wanted: bool = plain("False stops them; a bill's first notice still comes.")


@strawberry.type(description="Whether it was noted, or why not.")
class RemindersSetPayload:
    """Outcome of remindersSet."""

    noted: bool = by(_was_noted, "True when it holds now.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def set_reminders(info: Info, input: RemindersSetInput) -> Outcome[Choices]:  # noqa: A002 - the argument's name in the schema
    """The payer's own word."""
    request = StopReminders(channel=input.channel.value, is_wanted=input.wanted)
    return await outcome_of(info, info.context.call(STOP_REMINDERS, request))


@strawberry.type
class RemindersMutation:
    """What a payer says of reminders."""

    reminders_set: RemindersSetPayload = by(
        set_reminders, "Stop reminders by a channel, or have them again.", cost=VAULT_CALL
    )


@strawberry.input(description="Note what the payer of a bill said of messages.")
class ContactChoiceSetInput:
    """portal.contract.ladder.SetContactChoice."""

    id: strawberry.ID = plain("`bill_…`; it holds for its number or address, over all bills.")
    channel: enums.MessageChannel = plain("By what they come.")
    wanted: bool = plain("Whether the payer wants them.")
    marketing: bool = optional(
        "About messages that advertise, which need a yes; otherwise about reminders.",
        default=False,
    )
    source: enums.ChoiceSource = plain("Where it was said.")


@strawberry.type(description="Whether a payer's word was noted, or why not.")
class ContactChoiceSetPayload:
    """Outcome of contactChoiceSet."""

    noted: bool = by(_was_noted, "True when it holds now.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def set_contact_choice(info: Info, input: ContactChoiceSetInput) -> Outcome[Choices]:  # noqa: A002 - the argument's name in the schema
    """Staff's note; the same word twice is noted once."""

    async def act() -> Choices:
        request = SetContactChoice(
            bill_id=BillId(from_public("bill", input.id)),
            channel=input.channel.value,
            kind="marketing" if input.marketing else "transactional",
            is_wanted=input.wanted,
            source=cast("ChoiceSource", input.source.value),
        )
        return await info.context.call(SET_CONTACT_CHOICE, request)

    return await outcome_of(info, act())


@strawberry.type
class ContactChoicesMutation:
    """What staff note of payers' words about messages."""

    contact_choice_set: ContactChoiceSetPayload = by(
        set_contact_choice, "Note what the payer of a bill said of messages.", cost=VAULT_CALL
    )
