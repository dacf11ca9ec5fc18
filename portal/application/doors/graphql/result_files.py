"""Merchant schema, files back to the billing system: their plan, the files, saying they arrived.

Zone: application. The bytes of a file leave by ``GET /result-files/{number}``, never by GraphQL.
"""

from typing import Final

import strawberry

from portal.application.doors.graphql import result_enums as enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    DateTime,
    Info,
    Int64,
    Money,
    MoneyValue,
    PageEnd,
    PageInfo,
    by,
    optional,
    page_size,
    plain,
)
from portal.contract.result_file import (
    ACKNOWLEDGE_RESULT_FILE,
    LIST_RESULT_FILES,
    MAKE_RESULT_FILE,
    SET_RESULT_PLAN,
    AcknowledgeResultFile,
    ListResultFiles,
    MakeResultFile,
    ResultFileMade,
    ResultFilePage,
    ResultFileView,
    ResultPlanSet,
    ResultPlanView,
    SetResultPlan,
)
from portal.contract.result_file import ResultTotal as ResultTotalPart
from portal.domain.result_file import KINDS

PATH: Final = "/result-files/"
"""Where the bytes of a file are taken; its number follows."""


def _amount(total: strawberry.Parent[ResultTotalPart]) -> MoneyValue:
    return MoneyValue(total.amount_minor)


def _kind(total: strawberry.Parent[ResultTotalPart]) -> enums.ResultKind:
    return enums.ResultKind(total.kind)


@strawberry.type(description="The events of one kind in a file.")
class ResultTotal:
    """portal.contract.result_file.ResultTotal."""

    kind: enums.ResultKind = by(_kind, "What happened.")
    rows: int = plain("How often.")
    amount: Money = by(_amount, "How much it moved; nothing where no money moved.")


def _charset(thing: strawberry.Parent[ResultPlanView]) -> enums.ResultCharset:
    return enums.ResultCharset(thing.charset)


@strawberry.type(description="When files are made by themselves.")
class ResultPlan:
    """portal.contract.result_file.ResultPlanView."""

    every_minutes: int | None = plain("Every so many minutes, if anything happened.")
    daily_hour: int | None = plain("Once a day at this hour of the merchant's zone.")
    charset: enums.ResultCharset = by(_charset, "How files are written.")
    next_at: DateTime | None = plain("When the next one is due; null: on demand only.")
    set_at: DateTime = plain("Since when.")


def _file_charset(file: strawberry.Parent[ResultFileView]) -> enums.ResultCharset:
    return enums.ResultCharset(file.charset)


def _state(file: strawberry.Parent[ResultFileView]) -> enums.ResultState:
    return enums.ResultState(file.state)


def _totals(file: strawberry.Parent[ResultFileView]) -> tuple[ResultTotalPart, ...]:
    return file.totals


def _path(file: strawberry.Parent[ResultFileView]) -> str:
    return f"{PATH}{file.number}"


@strawberry.type(description="One file back to the billing system; it never changes.")
class ResultFile:
    """portal.contract.result_file.ResultFileView."""

    number: int = plain("Goes up by one a file.")
    state: enums.ResultState = by(_state, "How far it has come.")
    charset: enums.ResultCharset = by(_file_charset, "How it is written.")
    rows: Int64 = plain("Events in it; so far, while it is being written.")
    bytes: Int64 = plain("Its size.")
    sha256: str = plain("Of its bytes, in hexadecimal; empty while it is being written.")
    totals: list[ResultTotal] = by(_totals, "What is in it by kind.", rows=len(KINDS))
    path: str = by(_path, "Where to GET its bytes, with the same key.")
    made_by: str = plain("Who asked for it, or `system`.")
    made_at: DateTime = plain("What had happened by then is in it.")
    fetched_at: DateTime | None = plain("When it was taken whole first.")
    acknowledged_by: str | None = plain("Who said that it arrived.")
    acknowledged_at: DateTime | None = plain("When that was.")
    is_late: bool = plain("Whether nobody has said so for a day.")
    is_there: bool = plain("Whether its bytes can still be taken.")


def _nodes(page: strawberry.Parent[ResultFilePage]) -> tuple[ResultFileView, ...]:
    return page.files


def _page_end(page: strawberry.Parent[ResultFilePage]) -> PageEnd:
    return PageEnd(has_next_page=page.has_next, end_cursor=page.end_cursor)


def _plan(page: strawberry.Parent[ResultFilePage]) -> ResultPlanView | None:
    return page.plan


@strawberry.type(description="A page of result files, newest first.")
class ResultFileConnection:
    """portal.contract.result_file.ResultFilePage."""

    nodes: list[ResultFile] = by(_nodes, "The files.")
    plan: ResultPlan | None = by(_plan, "When they are made; null: never, and nothing is kept.")
    waiting: int = plain("Events since the last file, counted up to 10,000.")
    unacknowledged: int = plain("Files that nobody has said arrived, counted up to 10,000.")
    page_info: PageInfo = by(_page_end, "Where this page ends.")


async def list_files(info: Info, first: int, after: str | None = None) -> ResultFilePage:
    """A page of files; the cursor is the vault's own, sealed there."""
    request = ListResultFiles(first=page_size(first), after=after)
    return await info.context.call(LIST_RESULT_FILES, request)


@strawberry.type
class ResultFilesQuery:
    """Files back to the billing system."""

    result_files: ResultFileConnection = by(
        list_files, "Files back to the billing system.", cost=VAULT_CALL
    )


@strawberry.input(description="Say when files are made; at most one of the two times.")
class ResultPlanSetInput:
    """portal.contract.result_file.SetResultPlan."""

    charset: enums.ResultCharset = plain("How files are to be written.")
    every_minutes: int | None = optional("Every so many minutes, 5 to 1,440.")
    daily_hour: int | None = optional("Once a day at this hour of the merchant's zone, 0 to 23.")


@strawberry.input(description="Make a file of what happened since the last one.")
class ResultFileMakeInput:
    """portal.contract.result_file.MakeResultFile."""

    idempotency_key: str = plain("Yours; the same key makes one file.")


@strawberry.input(description="Say that a file arrived whole.")
class ResultFileAcknowledgeInput:
    """portal.contract.result_file.AcknowledgeResultFile."""

    number: int = plain("The file's number.")
    sha256: str = plain("Of the bytes that arrived, in hexadecimal.")


def _set_plan(outcome: strawberry.Parent[Outcome[ResultPlanSet]]) -> ResultPlanView | None:
    return outcome.entity.plan if outcome.entity else None


def _made(outcome: strawberry.Parent[Outcome[ResultFileMade]]) -> ResultFileView | None:
    return outcome.entity.file if outcome.entity else None


@strawberry.type(description="The plan, or why it does not hold.")
class ResultPlanSetPayload:
    """Outcome of resultPlanSet."""

    plan: ResultPlan | None = by(_set_plan, "The plan that holds now.")
    errors: list[UserError] = plain("Why it was not taken; empty when it was.")


@strawberry.type(description="The file that is being written, or why there is none.")
class ResultFileMakePayload:
    """Outcome of resultFileMake."""

    file: ResultFile | None = by(_made, "The file as it is now.")
    errors: list[UserError] = plain("Why it was not begun; empty when it was.")


@strawberry.type(description="The file that arrived, or why it does not count as that.")
class ResultFileAcknowledgePayload:
    """Outcome of resultFileAcknowledge."""

    file: ResultFile | None = by(_made, "The file as it is now.")
    errors: list[UserError] = plain("Why it was not noted; empty when it was.")


async def set_plan(info: Info, input: ResultPlanSetInput) -> Outcome[ResultPlanSet]:  # noqa: A002 - the argument's name in the schema
    """Set it; an owner's act."""
    request = SetResultPlan(
        every_minutes=input.every_minutes,
        daily_hour=input.daily_hour,
        charset=input.charset.value,
    )
    return await outcome_of(info, info.context.call(SET_RESULT_PLAN, request))


async def make_file(info: Info, input: ResultFileMakeInput) -> Outcome[ResultFileMade]:  # noqa: A002 - the argument's name in the schema
    """Begin one; a task writes it."""
    request = MakeResultFile(idempotency_key=input.idempotency_key)
    return await outcome_of(info, info.context.call(MAKE_RESULT_FILE, request))


async def acknowledge(info: Info, input: ResultFileAcknowledgeInput) -> Outcome[ResultFileMade]:  # noqa: A002 - the argument's name in the schema
    """Note that it arrived."""
    request = AcknowledgeResultFile(number=input.number, sha256=input.sha256)
    return await outcome_of(info, info.context.call(ACKNOWLEDGE_RESULT_FILE, request))


@strawberry.type
class ResultFilesMutation:
    """What is done about files back to the billing system."""

    result_plan_set: ResultPlanSetPayload = by(
        set_plan, "Say when result files are made; an owner's act.", cost=VAULT_CALL
    )
    result_file_make: ResultFileMakePayload = by(
        make_file, "Make a file of all that happened since the last one.", cost=VAULT_CALL
    )
    result_file_acknowledge: ResultFileAcknowledgePayload = by(
        acknowledge, "Say by number and hash that a file arrived.", cost=VAULT_CALL
    )
