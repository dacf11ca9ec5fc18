"""Data zone: from the bytes of one chunk to rows that can be stored: judged, sealed, blinded.

Pure computation over one chunk (about 1,000 rows, at most a few 100 KiB), made to run in a thread
beside the event loop. What is already stored is not known here.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from portal.domain.contact import check_code_of, normalise_customer_no
from portal.domain.intake.judge import Judge
from portal.domain.intake.row import BillChange, BillRequest, Fault, shown
from portal.domain.intake.split import ROW_BYTES_MAX, RawRow, split_rows
from portal.vault.changes import WantedChange
from portal.vault.fields import Fields
from portal.vault.sealed import BILL_TABLE, BillBilling, BillContact, BillItem, BillTax

SEALED_VERSION: Final = 1
"""Row version under which a new bill's blobs are sealed."""


@dataclass(frozen=True, slots=True)
class SealedBill:
    """One good row, ready to be stored; ``key`` is what makes a request unique in a merchant."""

    id: UUID
    request: BillRequest
    contract_blind: bytes
    customer_blind: bytes
    phone_blind: bytes | None
    email_blind: bytes | None
    check_code: int
    contact: bytes
    billing: bytes

    @property
    def key(self) -> tuple[str, bytes, str, str]:
        """Number, contract, period and kind: also the order in which rows are stored."""
        return (
            self.request.number, self.contract_blind, self.request.period, self.request.kind
        )  # fmt: skip


@dataclass(slots=True)
class Verdicts:
    """What the rows of a chunk say by themselves. ``bills`` are in the order of their lines.

    ``changes`` are of bills that are there already; a bill that replaces another has one, too.
    ``faulty`` counts rows, ``faults`` may be several of one row.
    """

    bills: list[SealedBill] = field(default_factory=list[SealedBill])
    changes: list[WantedChange] = field(default_factory=list[WantedChange])
    faults: list[Fault] = field(default_factory=list[Fault])
    faulty: int = 0

    def refuse(self, faults: Sequence[Fault]) -> None:
        """Note one row's faults."""
        self.faults += faults
        self.faulty += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkBytes:
    """One chunk as it lies in the file. ``is_oversize``: one row, too long to be read."""

    body: bytes
    first_line: int
    encoding: str
    is_oversize: bool


def judge_chunk(chunk: ChunkBytes, judge: Judge, fields: Fields, ids: Iterator[UUID]) -> Verdicts:
    """Judge every row; seal the good ones under fresh ``ids`` (one for each row, in order)."""
    verdicts = Verdicts()
    if chunk.is_oversize:
        params: dict[str, str | int] = {"max": ROW_BYTES_MAX}
        verdicts.refuse([Fault(chunk.first_line, "", "row_too_long", params, "")])
        return verdicts
    for request in _requests(chunk, judge, verdicts):
        if isinstance(request, BillChange):
            verdicts.changes.append(_change(fields, request))
            continue
        bill = _seal(fields, next(ids), request)
        verdicts.bills.append(bill)
        if request.replaces:
            verdicts.changes.append(_replacement(bill))
    return verdicts


def _change(fields: Fields, request: BillChange) -> WantedChange:
    return WantedChange(
        line=request.line,
        action=request.action,
        number=request.number,
        contract_blind=fields.blind("contract_no", normalise_customer_no(request.contract_no)),
        period=request.period,
        kind=request.kind,
    )


def _replacement(bill: SealedBill) -> WantedChange:
    """What a bill that replaces another does to it: the other is of its contract and period."""
    return WantedChange(
        line=bill.request.line,
        action="replace",
        number=bill.request.replaces,
        contract_blind=bill.contract_blind,
        period=bill.request.period,
        kind=bill.request.kind,
        new_bill_id=bill.id,
    )


def _requests(
    chunk: ChunkBytes, judge: Judge, verdicts: Verdicts
) -> Iterator[BillRequest | BillChange]:
    """The good rows; faults of the others are noted on the way."""
    rows: list[RawRow] = []
    texts: list[str] = []
    for raw in split_rows(chunk.body, chunk.first_line):
        text = _decode(raw, chunk.encoding, verdicts)
        if text is not None:
            rows.append(raw)
            texts.append(text)
    for raw, cells in zip(rows, csv.reader(texts), strict=True):
        verdict = judge.judge(raw.line, cells)
        if isinstance(verdict, tuple):
            verdicts.refuse(verdict)
        else:
            yield verdict


def _decode(raw: RawRow, encoding: str, verdicts: Verdicts) -> str | None:
    """The row's text; None for one that can't be read, whose fault is noted."""
    try:
        text = raw.body.decode(encoding)
    except UnicodeDecodeError:
        readable = raw.body.decode(encoding, "replace")
        params: dict[str, str | int] = {"encoding": encoding}
        verdicts.refuse([Fault(raw.line, "", "bad_encoding", params, shown(readable))])
        return None
    if raw.is_open:
        verdicts.refuse([Fault(raw.line, "", "quote_open", {}, shown(text))])
        return None
    return text


def _seal(fields: Fields, bill_id: UUID, request: BillRequest) -> SealedBill:
    """Seal the two blobs of a bill and compute what finds it again."""
    contact = BillContact(
        payer_name=request.payer_name,
        phone=request.phone,
        email=request.email,
        customer_no=request.customer_no,
        contract_no=request.contract_no,
        postal_code=request.postal_code,
        address=request.address,
        payer_kana=request.payer_kana,
    )
    billing = BillBilling(
        lines=tuple(
            BillItem(item.label, item.amount_minor, item.tax_rate_percent) for item in request.items
        ),
        taxes=tuple(BillTax(tax.rate_percent, tax.tax_minor) for tax in request.taxes),
    )
    return SealedBill(
        id=bill_id,
        request=request,
        contract_blind=fields.blind("contract_no", normalise_customer_no(request.contract_no)),
        customer_blind=fields.blind("customer_no", normalise_customer_no(request.customer_no)),
        phone_blind=fields.blind("phone", request.phone) if request.phone else None,
        email_blind=fields.blind("email", request.email) if request.email else None,
        check_code=check_code_of(fields.blind("check_code", bill_id.hex)),
        contact=fields.seal(BILL_TABLE, "contact", bill_id, SEALED_VERSION, contact),
        billing=fields.seal(BILL_TABLE, "billing", bill_id, SEALED_VERSION, billing),
    )
