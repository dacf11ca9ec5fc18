"""Merchant schema, slips for a print shop: batches as staff see them, and making the next one.

Zone: application. For staff, and for systems with a key of its own scope. The file itself leaves by
a form of the screen, which is an owner's; a system fetches it part by part.
"""

from base64 import b64encode

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
    HAND_OVER_PRINT_BATCH,
    LIST_PRINT_BATCHES,
    MAKE_PRINT_BATCH,
    TAKE_OUT_PRINT_BATCH,
    HandOverPrintBatch,
    ListPrintBatches,
    MakePrintBatch,
    PrintBatchMade,
    PrintBatchPage,
    PrintBatchView,
    TakeOutPrintBatch,
)
from portal.contract.print_batch import PrintBatchPart as BatchPart
from portal.contract.print_batch import PrintRemark as PrintRemarkPart
from portal.domain.ids import BillId, PrintBatchId, from_public, to_public


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
    sha256: str = plain("SHA-256 of the whole file, in hexadecimal; empty if it was made before.")
    handed_at: DateTime | None = plain("When the print shop had it, as somebody said.")
    handed_by: str = plain("Who said so, or empty.")
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


def _content(part: strawberry.Parent[BatchPart]) -> str:
    return b64encode(part.body).decode()


@strawberry.type(description="A part of a batch's file.")
class PrintBatchPart:
    """portal.contract.print_batch.PrintBatchPart."""

    content: str = by(_content, "Its bytes in base64: up to 250 lines, the header in part 0.")
    is_last: bool = plain("Whether the file ends with it.")
    sha256: str = plain("Of the whole file, in hex; to be said for each part after the first.")


async def take_part(
    info: Info,
    id: strawberry.ID,  # noqa: A002 - the argument's name in the schema
    part_no: int,
    sha256: str = "",
) -> BatchPart:
    """A part of a file; every line counts as customer data seen."""
    batch_id = PrintBatchId(from_public("print_batch", id))
    request = TakeOutPrintBatch(batch_id=batch_id, part_no=part_no, sha256=sha256)
    return await info.context.call(TAKE_OUT_PRINT_BATCH, request)


@strawberry.type
class PrintBatchesQuery:
    """Slips for a print shop."""

    print_batches: PrintBatchConnection = by(
        list_batches, "Batches of slips for a print shop.", cost=VAULT_CALL
    )
    print_batch_part: PrintBatchPart = by(
        take_part,
        "A part of a batch's file, by parts from 0; for keys. With `sha256` of part 0 none of"
        " another file: `print_changed` when it was made anew meanwhile.",
        cost=VAULT_CALL * 4,
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
    """Make one."""

    async def act() -> PrintBatchMade:
        request = MakePrintBatch(
            charset=input.charset.value,
            bill_ids=tuple(BillId(from_public("bill", one)) for one in input.bill_ids or ()),
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(MAKE_PRINT_BATCH, request)

    return await outcome_of(info, act())


@strawberry.input(description="The print shop has a batch's file.")
class PrintBatchHandOverInput:
    """portal.contract.print_batch.HandOverPrintBatch."""

    id: strawberry.ID = plain("`prt_…`; said again, nothing changes.")


@strawberry.type(description="The batch as it is now, or why nothing was noted.")
class PrintBatchHandOverPayload:
    """Outcome of printBatchHandOver."""

    batch: PrintBatch | None = by(_made, "The batch.")
    errors: list[UserError] = plain("Why it was not noted; empty when it was.")


async def hand_over(info: Info, input: PrintBatchHandOverInput) -> Outcome[PrintBatchMade]:  # noqa: A002 - the argument's name in the schema
    """Note it once."""

    async def act() -> PrintBatchMade:
        request = HandOverPrintBatch(batch_id=PrintBatchId(from_public("print_batch", input.id)))
        return await info.context.call(HAND_OVER_PRINT_BATCH, request)

    return await outcome_of(info, act())


@strawberry.type
class PrintBatchesMutation:
    """What is done about slips on paper."""

    print_batch_make: PrintBatchMakePayload = by(
        make_batch, "Make a file of slips for a print shop.", cost=VAULT_CALL * 4
    )
    print_batch_hand_over: PrintBatchHandOverPayload = by(
        hand_over, "Say that the print shop has a batch's file.", cost=VAULT_CALL
    )
