"""Merchant schema, cards on file: taking one back for a payer who asked by telephone.

Zone: application. Whether it may be done is decided in the vault; here a refusal becomes data.
"""

import strawberry

from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import VAULT_CALL, Info, by, plain
from portal.contract.card_on_file import REMOVE_BILL_CARD, CardRemoved, RemoveBillCard
from portal.domain.ids import BillId, from_public


@strawberry.input(description="Charge the card of a bill's contract no more.")
class BillCardRemoveInput:
    """portal.contract.card_on_file.RemoveBillCard."""

    id: strawberry.ID = plain("`bill_…`; its contract's card is meant.")
    idempotency_key: str = plain("Yours; the same key removes once.")


def _was_removed(outcome: strawberry.Parent[Outcome[CardRemoved]]) -> bool:
    return outcome.entity is not None and outcome.entity.removed


@strawberry.type(description="Whether there was a card, or why it was not removed.")
class BillCardRemovePayload:
    """Outcome of billCardRemove."""

    removed: bool = by(_was_removed, "True when there was one; none is charged now either way.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def remove_card(info: Info, input: BillCardRemoveInput) -> Outcome[CardRemoved]:  # noqa: A002 - the argument's name in the schema
    """Take it back; a charge that its company may have goes on to its end."""

    async def act() -> CardRemoved:
        request = RemoveBillCard(
            bill_id=BillId(from_public("bill", input.id)), idempotency_key=input.idempotency_key
        )
        return await info.context.call(REMOVE_BILL_CARD, request)

    return await outcome_of(info, act())


@strawberry.type
class CardActsMutation:
    """What is done about a contract's card."""

    bill_card_remove: BillCardRemovePayload = by(
        remove_card, "Charge the card of a bill's contract no more.", cost=VAULT_CALL
    )
