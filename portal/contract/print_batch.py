"""Slips for a print shop: making a batch, looking at batches, taking one out."""

from datetime import datetime

from portal.contract.envelope import Operation, Part, Reply, Request
from portal.domain.ids import BillId, PrintBatchId
from portal.domain.print_batch import Charset, RemarkReason


class MakePrintBatch(Request, frozen=True, kw_only=True):
    """Put what no channel reaches, and what no slip on a screen can carry, into one file.

    ``bill_ids``: just these instead, at most 100, whether they were in a batch before or not.
    Refused: ``print_charset``, ``too_many_bills``, ``nothing_to_print``.
    """

    charset: str
    bill_ids: tuple[BillId, ...] = ()
    idempotency_key: str


class PrintRemark(Part, frozen=True, kw_only=True):
    """What a person has to know of one bill; ``letters`` that the file's charset lacks, or ''."""

    bill_number: str
    reason: RemarkReason
    letters: str = ""


class PrintBatchView(Part, frozen=True, kw_only=True):
    """A batch. Units: yen. ``with_bars`` of its ``bills`` have a barcode, the others a text.

    ``taken_at``: when it was taken out first. ``sha256`` of the whole file, as hexadecimal; empty
    for one that was made before there were any. ``handed_at``: the print shop has it, as
    ``handed_by`` says.
    """

    id: PrintBatchId
    charset: Charset
    bills: int
    with_bars: int
    total_minor: int
    made_by: str
    made_at: datetime
    taken_at: datetime | None
    remarks: tuple[PrintRemark, ...]
    is_there: bool = True
    """False once the file was forgotten."""
    sha256: str = ""
    handed_at: datetime | None = None
    handed_by: str = ""


class PrintBatchMade(Reply, frozen=True, kw_only=True):
    """The batch; the same key again gives the same."""

    batch: PrintBatchView


class ListPrintBatches(Request, frozen=True, kw_only=True):
    """A page of batches, newest first."""

    first: int
    after: str | None = None


class PrintBatchPage(Reply, frozen=True, kw_only=True):
    """``waiting``: bills that the next batch would take, counted up to 10,000."""

    batches: tuple[PrintBatchView, ...]
    waiting: int
    end_cursor: str | None
    has_next: bool


class TakeOutPrintBatch(Request, frozen=True, kw_only=True):
    """The next part of a batch's file.

    ``sha256``: of the file whose first part was given, so that none of another comes after it.
    Refused: ``not_found``, ``print_changed``.
    """

    batch_id: PrintBatchId
    part_no: int
    sha256: str = ""


class PrintBatchPart(Reply, frozen=True, kw_only=True):
    """Bytes as they lie in the file; ``is_last`` with the last. ``sha256`` is of all of it."""

    body: bytes
    is_last: bool
    charset: Charset
    sha256: str = ""


class HandOverPrintBatch(Request, frozen=True, kw_only=True):
    """The print shop has a batch's file. Refused: ``not_found``, ``print_not_taken``."""

    batch_id: PrintBatchId


MAKE_PRINT_BATCH = Operation("make_print_batch", MakePrintBatch, PrintBatchMade)
LIST_PRINT_BATCHES = Operation("list_print_batches", ListPrintBatches, PrintBatchPage)
TAKE_OUT_PRINT_BATCH = Operation("take_out_print_batch", TakeOutPrintBatch, PrintBatchPart)
HAND_OVER_PRINT_BATCH = Operation("hand_over_print_batch", HandOverPrintBatch, PrintBatchMade)
