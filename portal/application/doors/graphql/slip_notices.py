"""Merchant schema, slips: an agency's file of notices goes in, a verdict for each line comes out.

Zone: application. The file travels as it came (base64 of its bytes): its charset is part of what
is judged. A file that is sent again gets the same answer and changes nothing, so there is no key.
"""

import strawberry

from portal.application.doors.graphql import enums
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
from portal.application.doors.locales import TEXTS
from portal.application.payment.slips import FileTaken, take_file
from portal.contract.slip import SlipLine


def _result(line: strawberry.Parent[SlipLine]) -> enums.SlipLineResult:
    return enums.SlipLineResult(line.result)


def _amount(line: strawberry.Parent[SlipLine]) -> MoneyValue:
    return MoneyValue(line.amount_minor)


def _reason_code(line: strawberry.Parent[SlipLine]) -> str | None:
    return line.reason or None


def _reason(line: strawberry.Parent[SlipLine], info: Info) -> str | None:
    if not line.reason:
        return None
    texts = TEXTS[info.context.language]
    if line.result == "refused":
        return texts.code(line.reason)
    return texts.say(f"cases.kinds.{line.reason.upper()}.text")


def _remedy(line: strawberry.Parent[SlipLine], info: Info) -> str | None:
    if not line.remedy:
        return None
    return TEXTS[info.context.language].say(f"slips.remedies.{line.remedy}")


def _bill_number(line: strawberry.Parent[SlipLine]) -> str | None:
    return line.bill_number or None


@strawberry.type(description="What became of one line of an agency's file.")
class SlipNoticeLine:
    """portal.contract.slip.SlipLine."""

    line_no: int = plain("Counted from 1, header included.")
    result: enums.SlipLineResult = by(_result, "What became of it.")
    reason_code: str | None = by(_reason_code, "Why it was set aside or could not be read.")
    reason: str | None = by(_reason, "That reason in the viewer's language.")
    remedy: str | None = by(_remedy, "What to do about it.")
    bill_number: str | None = by(_bill_number, "The bill that it is about, if it is yours.")
    amount: Money = by(_amount, "What it says was paid; 0 where it could not be read.")


@strawberry.input(description="A collection agency's file of notices, as it came.")
class SlipNoticesTakeInput:
    """portal.contract.slip.TakeSlipNotices."""

    content: str = plain("The file's bytes in base64; what the whole call may be long bounds them.")


def _lines(outcome: strawberry.Parent[Outcome[FileTaken]]) -> list[SlipLine]:
    return list(outcome.entity.lines) if outcome.entity else []


def _seen_before(outcome: strawberry.Parent[Outcome[FileTaken]]) -> bool:
    return outcome.entity is not None and outcome.entity.seen_before


@strawberry.type(description="A verdict for every line, or why the file was not taken.")
class SlipNoticesTakePayload:
    """Outcome of slipNoticesTake."""

    lines: list[SlipNoticeLine] = by(_lines, "Every line that says something, in order.")
    seen_before: bool = by(_seen_before, "True when the very same file was taken before.")
    errors: list[UserError] = plain("Why it was not taken; empty when it was.")


async def take_notices(info: Info, input: SlipNoticesTakeInput) -> Outcome[FileTaken]:  # noqa: A002 - the argument's name in the schema
    """Take the file; staff only."""

    async def act() -> FileTaken:
        context = info.context
        return await take_file(context.doors.vault, context.authority, read_content(input.content))

    return await outcome_of(info, act())


@strawberry.type
class SlipNoticesMutation:
    """What agencies tell."""

    slip_notices_take: SlipNoticesTakePayload = by(
        take_notices, "Take a collection agency's file of notices; staff only.", cost=VAULT_CALL * 4
    )
