"""Refunds by a bank's file: its contract, files with a second person's yes, what comes back."""

from datetime import date, datetime, time
from typing import Literal

from portal.contract.envelope import Operation, Part, Reply, Request
from portal.contract.refund import RefundChanged
from portal.domain.ids import BillId, RefundId, TransferContractId, TransferFileId
from portal.domain.transfer import LineState, TransferDecision, TransferState, TransferWord


class OpenTransferContract(Request, frozen=True, kw_only=True):
    """What a bank agreed to with a merchant that transfers refunds; an operator writes it down.

    ``company_code``: 10 digits by which the bank knows the merchant; ``company_name`` in kana as
    the bank has it. The account is the one from which the money goes. ``submit_days``: so many
    business days before a transfer its file has to be there, by ``submit_by`` in Japan. ``line``:
    the provider that takes its files by a line; empty where an owner brings them.

    Refused: ``merchant_unknown``, ``bank_unknown``, ``branch_unknown``, ``transfer_contract``
    (param ``field``), ``zengin_field``, ``kana_unwritable``, ``transfer_contract_exists``.
    """

    merchant_code: str
    company_code: str
    company_name: str
    bank_code: str
    branch_code: str
    account_kind: str
    account_number: str
    submit_days: int
    submit_by: time
    record_end: Literal["", "\r\n"] = "\r\n"
    more_letters: str = ""
    lines_max: int = 10_000
    line: str = ""


class TransferContractOpened(Reply, frozen=True, kw_only=True):
    """The contract's id."""

    contract_id: TransferContractId


class TransferContractView(Part, frozen=True, kw_only=True):
    """A contract as staff choose it. ``next_on`` is the next day whose file is in time."""

    id: TransferContractId
    bank_code: str
    bank_name: str
    company_code: str
    next_on: date | None
    submit_until: datetime | None


class BuildTransferFile(Request, frozen=True, kw_only=True):
    """Begin the file of a contract for one day; workers fill it.

    InvalidInput ``transfer_day_wrong``, ``calendar_ends``; Conflict ``transfer_too_late`` past the
    bank's hour, ``transfer_file_exists`` when there is one for that day.
    """

    contract_id: TransferContractId
    transfer_on: date
    idempotency_key: str


class DecideTransferFile(Request, frozen=True, kw_only=True):
    """Approve a file that someone else built, or discard one that no bank has.

    Approving takes ``totp``, a code not used before; discarding takes none. NotAllowed
    ``totp_refused``; LimitReached ``login_locked``; Conflict ``transfer_disputed``.
    """

    file_id: TransferFileId
    decision: TransferDecision
    idempotency_key: str
    totp: str = ""


class ReportTransferFile(Request, frozen=True, kw_only=True):
    """What the bank said to a file that was taken out. Conflict ``transfer_file_state``."""

    file_id: TransferFileId
    word: TransferWord
    idempotency_key: str


class TransferOutcomes(Part, frozen=True, kw_only=True):
    """Lines of a file by what became of them. Units: yen for the sum."""

    waiting: int
    transferred: int
    transferred_minor: int
    returned: int
    released: int


class TransferFileView(Part, frozen=True, kw_only=True):
    """One file. ``choices`` are for the one who asks; ``sha256`` in hexadecimal, once sealed.

    ``is_on_line``: a worker brings it, so nobody else may. ``is_full``: the bank's limit of lines
    left refunds out.
    """

    id: TransferFileId
    contract_id: TransferContractId
    bank_name: str
    transfer_on: date
    state: TransferState
    count: int
    total_minor: int
    sha256: str
    is_full: bool
    built_by: str
    built_at: datetime
    approve_until: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    outcomes: TransferOutcomes
    choices: tuple[TransferDecision, ...]
    is_on_line: bool


class TransferFileChanged(Reply, frozen=True, kw_only=True):
    """The file as it is now."""

    file: TransferFileView


class ListTransferFiles(Request, frozen=True, kw_only=True):
    """Files, those of the latest day first. ``after`` as in other lists."""

    first: int
    after: str | None


class TransferFilePage(Reply, frozen=True, kw_only=True):
    """One page of files, all contracts, and what waits for a file.

    ``waiting`` refunds could go into the next one; ``accountless`` wait for their payer's account.
    """

    files: tuple[TransferFileView, ...]
    contracts: tuple[TransferContractView, ...]
    end_cursor: str | None
    has_next: bool
    waiting: int
    waiting_minor: int
    accountless: int


class ViewTransferFile(Request, frozen=True, kw_only=True):
    """One file with its lines from ``after_line`` on. NotFound ``not_found``."""

    file_id: TransferFileId
    first: int
    after_line: int = 0


class TransferLineView(Part, frozen=True, kw_only=True):
    """A line as the sealed bytes have it: whose account, by its last digits.

    Units: yen. ``state``: what became of it.
    """

    line_no: int
    refund_id: RefundId
    bill_id: BillId
    bill_number: str
    bank_name: str
    holder: str
    account_hint: str
    amount_minor: int
    state: LineState


class TransferFileSeen(Reply, frozen=True, kw_only=True):
    """``end_line``: from where to go on, None behind the last line."""

    file: TransferFileView
    lines: tuple[TransferLineView, ...]
    end_line: int | None


class TakeOutTransferFile(Request, frozen=True, kw_only=True):
    """The next part of an approved file; the first one says that it is on its way to the bank.

    Conflict ``transfer_file_state`` for one that was not approved, or whose end is known;
    ``debit_on_line`` for one that a worker brings.
    """

    file_id: TransferFileId
    part_no: int


class TransferFilePart(Reply, frozen=True, kw_only=True):
    """Bytes as the bank wants them; ``is_last`` with the last."""

    body: bytes
    is_last: bool


class AdvanceTransferFile(Request, frozen=True, kw_only=True):
    """The next step of a file's lines, whatever its state asks for. Authority: its lease."""

    file_id: TransferFileId


class TransferFileAdvanced(Reply, frozen=True, kw_only=True):
    """``remaining`` is True while it must be called again."""

    lines: int
    remaining: bool


class RecordReturn(Request, frozen=True, kw_only=True):
    """The bank sent a transferred refund back on this day, in the merchant's time zone.

    InvalidInput ``transfer_day``, ``return_reason`` without a reason, or what is wrong with it;
    Conflict ``refund_state``, ``idempotency_mismatch``; NotFound ``not_found``.
    """

    refund_id: RefundId
    returned_on: date
    reason: str
    idempotency_key: str


OPEN_TRANSFER_CONTRACT = Operation(
    "open_transfer_contract", OpenTransferContract, TransferContractOpened
)
BUILD_TRANSFER_FILE = Operation("build_transfer_file", BuildTransferFile, TransferFileChanged)
DECIDE_TRANSFER_FILE = Operation("decide_transfer_file", DecideTransferFile, TransferFileChanged)
REPORT_TRANSFER_FILE = Operation("report_transfer_file", ReportTransferFile, TransferFileChanged)
LIST_TRANSFER_FILES = Operation("list_transfer_files", ListTransferFiles, TransferFilePage)
VIEW_TRANSFER_FILE = Operation("view_transfer_file", ViewTransferFile, TransferFileSeen)
TAKE_OUT_TRANSFER_FILE = Operation("take_out_transfer_file", TakeOutTransferFile, TransferFilePart)
ADVANCE_TRANSFER_FILE = Operation(
    "advance_transfer_file", AdvanceTransferFile, TransferFileAdvanced
)
RECORD_RETURN = Operation("record_return", RecordReturn, RefundChanged)
