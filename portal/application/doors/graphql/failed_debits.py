"""Merchant schema: debits that the merchant made by itself and that brought no money.

Zone: application. The file travels as it came (base64 of its bytes): its charset and its line ends
are part of what is judged. A file that is sent again gets the same answer, so there is no key.
"""

import strawberry

from portal.application.doors.graphql import debit_enums as enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.file_content import read_content
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    Info,
    Money,
    MoneyValue,
    by,
    plain,
)
from portal.application.payment.failed_debits import FailedTaken, take_failed
from portal.contract.failed_debit import FailedDebitTold


def _result(line: strawberry.Parent[FailedDebitTold]) -> enums.FailedDebitResult:
    return enums.FailedDebitResult(line.result)


def _amount(line: strawberry.Parent[FailedDebitTold]) -> MoneyValue:
    return MoneyValue(line.amount_minor)


def _bill_number(line: strawberry.Parent[FailedDebitTold]) -> str | None:
    return line.bill_number or None


@strawberry.type(description="What became of one failed debit of a bank's answer.")
class FailedDebitLine:
    """portal.contract.failed_debit.FailedDebitTold."""

    record_no: int = plain("Counted from 1, header included.")
    result: enums.FailedDebitResult = by(_result, "What became of it.")
    bill_number: str | None = by(_bill_number, "The bill that it is about, if there is one.")
    amount: Money = by(_amount, "What was to be debited.")


@strawberry.input(description="A bank's answer to debits that were not made here, as it came.")
class FailedDebitsTakeInput:
    """portal.application.payment.failed_debits."""

    content: str = plain("The file's bytes in base64; what the whole call may be long bounds them.")


def _lines(outcome: strawberry.Parent[Outcome[FailedTaken]]) -> list[FailedDebitTold]:
    return list(outcome.entity.lines) if outcome.entity else []


def _succeeded(outcome: strawberry.Parent[Outcome[FailedTaken]]) -> int:
    return outcome.entity.succeeded if outcome.entity else 0


def _seen_before(outcome: strawberry.Parent[Outcome[FailedTaken]]) -> bool:
    return outcome.entity is not None and outcome.entity.seen_before


@strawberry.type(description="A verdict for every failed debit, or why the file was not taken.")
class FailedDebitsTakePayload:
    """Outcome of failedDebitsTake."""

    lines: list[FailedDebitLine] = by(_lines, "Every debit that brought no money, in order.")
    succeeded: int = by(_succeeded, "How many brought money; nothing is booked by that.")
    seen_before: bool = by(_seen_before, "True when the very same file was taken before.")
    errors: list[UserError] = plain("Why it was not taken; empty when it was.")


async def take_failed_debits(
    info: Info,
    input: FailedDebitsTakeInput,  # noqa: A002 - the argument's name in the schema
) -> Outcome[FailedTaken]:
    """Take the file."""

    async def act() -> FailedTaken:
        context = info.context
        return await take_failed(
            context.doors.vault, context.authority, read_content(input.content)
        )

    return await outcome_of(info, act())


@strawberry.type
class FailedDebitsMutation:
    """What other banks told of the merchant's own debits."""

    failed_debits_take: FailedDebitsTakePayload = by(
        take_failed_debits,
        "Take a bank's answer to debits that were not made here: unpaid bills among those that"
        " failed are told to their payers as the merchant's plan has it.",
        cost=VAULT_CALL * 4,
    )
