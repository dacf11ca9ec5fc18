"""Merchant schema, slips for a print shop: batches as staff see them, and making the next one.

Zone: application. Staff only. The file itself leaves by a form of the screen, never by GraphQL.
"""

import strawberry

from portal.application.doors.graphql import enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    DateTime,
    Info,
    Money,
    MoneyValue,
    PageEnd,
    PageInfo,
    by,
    optional,
    page_size,
    plain,
)
from portal.contract.print_batch import (
    LIST_PRINT_BATCHES,
    MAKE_PRINT_BATCH,
    ListPrintBatches,
    MakePrintBatch,
    PrintBatchMade,
    PrintBatchPage,
    PrintBatchView,
)
from portal.contract.print_batch import PrintRemark as PrintRemarkPart
from portal.domain.ids import BillId, from_public, to_public


@strawberry.type(description="What a person has to know of a bill in, or not in, a batch.")
class PrintRemark:
    """portal.contract.print_batch.PrintRemark."""

    bill_number: str = plain("The merchant's number of the bill.")
    reason: enums.PrintRemarkReason = plain("What it is.")
    letters: str = plain("The letters that the file's charset lacks, or empty.")


def _batch_id(batch: strawberry.Parent[PrintBatchView]) -> strawberry.ID:
    return strawberry.ID(to_public("print_batch", batch.id))


def _total(batch: strawberry.Parent[PrintBatchView]) -> MoneyValue:
    return MoneyValue(batch.total_minor)


def _charset(batch: strawberry.Parent[PrintBatchView]) -> enums.PrintCharset:
    return enums.PrintCharset(batch.charset)


def _remarks(batch: strawberry.Parent[PrintBatchView]) -> tuple[PrintRemarkPart, ...]:
    return batch.remarks


@strawberry.type(description="One file of slips for a print shop.")
class PrintBatch:
    """portal.contract.print_batch.PrintBatchView."""

    id: strawberry.ID = by(_batch_id, "`prt_…`")
    charset: enums.PrintCharset = by(_charset, "How the file is written.")
    bills: int = plain("Bills in it.")
    with_bars: int = plain("How many of them have a barcode; the others say how to transfer.")
    total: Money = by(_total, "What they ask for.")
    made_by: str = plain("Who made it.")
    made_at: DateTime = plain("When that was.")
    taken_at: DateTime | None = plain("When its file was taken out first.")
    is_there: bool = plain("Whether the file can still be taken out.")
    remarks: list[PrintRemark] = by(_remarks, "What a person has to know of single bills.", rows=20)


def _nodes(page: strawberry.Parent[PrintBatchPage]) -> tuple[PrintBatchView, ...]:
    return page.batches


def _page_end(page: strawberry.Parent[PrintBatchPage]) -> PageEnd:
    return PageEnd(has_next_page=page.has_next, end_cursor=page.end_cursor)


@strawberry.type(description="A page of batches, newest first.")
class PrintBatchConnection:
    """portal.contract.print_batch.PrintBatchPage."""

    nodes: list[PrintBatch] = by(_nodes, "The batches.")
    waiting: int = plain("Bills that the next batch would take, counted up to 10,000.")
    page_info: PageInfo = by(_page_end, "Where this page ends.")


async def list_batches(info: Info, first: int, after: str | None = None) -> PrintBatchPage:
    """A page of batches; the cursor is the vault's own, sealed there."""
    request = ListPrintBatches(first=page_size(first), after=after)
    return await info.context.call(LIST_PRINT_BATCHES, request)


@strawberry.type
class PrintBatchesQuery:
    """Slips for a print shop."""

    print_batches: PrintBatchConnection = by(
        list_batches, "Batches of slips for a print shop; staff only.", cost=VAULT_CALL
    )


@strawberry.input(description="Put bills that want a slip on paper into one file.")
class PrintBatchMakeInput:
    """portal.contract.print_batch.MakePrintBatch."""

    charset: enums.PrintCharset = plain("How the file is to be written.")
    bill_ids: list[strawberry.ID] | None = optional(
        "`bill_…`: just these instead, though they may be in a batch already; at most 100."
    )
    idempotency_key: str = plain("Yours; the same key and arguments make one batch.")


def _made(outcome: strawberry.Parent[Outcome[PrintBatchMade]]) -> PrintBatchView | None:
    return outcome.entity.batch if outcome.entity else None


@strawberry.type(description="The batch, or why there is none.")
class PrintBatchMakePayload:
    """Outcome of printBatchMake."""

    batch: PrintBatch | None = by(_made, "The batch with its remarks.")
    errors: list[UserError] = plain("Why it was not made; empty when it was.")


async def make_batch(info: Info, input: PrintBatchMakeInput) -> Outcome[PrintBatchMade]:  # noqa: A002 - the argument's name in the schema
    """Make one; staff only."""

    async def act() -> PrintBatchMade:
        request = MakePrintBatch(
            charset=input.charset.value,
            bill_ids=tuple(BillId(from_public("bill", one)) for one in input.bill_ids or ()),
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(MAKE_PRINT_BATCH, request)

    return await outcome_of(info, act())


@strawberry.type
class PrintBatchesMutation:
    """What is done about slips on paper."""

    print_batch_make: PrintBatchMakePayload = by(
        make_batch, "Make a file of slips for a print shop; staff only.", cost=VAULT_CALL * 4
    )
