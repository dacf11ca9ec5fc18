"""Cards on file: the type that both schemas have, and the payer's way to take theirs back.

Zone: application. No field can hold a card's number, or what its company calls it.
"""

import strawberry

from portal.application.doors.graphql import enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import VAULT_CALL, Date, Info, by, plain
from portal.application.doors.locales import TEXTS
from portal.contract.card_on_file import REMOVE_CARD, CardRemoved, CardShown
from portal.contract.envelope import Nothing


def _card_reason(card: strawberry.Parent[CardShown], info: Info) -> str | None:
    return TEXTS[info.context.language].code(card.code) if card.code is not None else None


@strawberry.type(description="A card that is charged for the bills of a contract to come.")
class CardOnFile:
    """portal.contract.card_on_file.CardShown; both schemas have it."""

    state: enums.CardState = plain("Whether it is charged.")
    brand: str = plain("Its brand, as its company writes it.")
    hint: str = plain("Its last digits.")
    enrolled_on: Date = plain("Bills that are due after this day are charged to it.")
    charge_on: Date | None = plain("The day on which this bill is charged to it, if it is.")
    is_declined: bool = plain("It was charged for this bill, and no money came.")
    code: str | None = plain("Why its company stopped it, if it did.")
    reason: str | None = by(_card_reason, "That reason in the viewer's language.")


def _was_removed(outcome: strawberry.Parent[Outcome[CardRemoved]]) -> bool:
    return outcome.entity is not None


@strawberry.type(description="Whether no card is charged any more, or why not.")
class CardRemovePayload:
    """Outcome of cardRemove."""

    removed: bool = by(_was_removed, "True when no card is on file now.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def remove_card(info: Info) -> Outcome[CardRemoved]:
    """Take the contract's card back; where there is none, nothing happens."""
    return await outcome_of(info, info.context.call(REMOVE_CARD, Nothing()))


@strawberry.type
class CardsMutation:
    """What a payer does about the card of their contract."""

    card_remove: CardRemovePayload = by(
        remove_card, "Charge the contract's card no more.", cost=VAULT_CALL
    )
