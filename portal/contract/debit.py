"""Bank debits: a bank's contract, payers' mandates, files with a second person's yes, results."""

from datetime import date, datetime, time
from typing import Literal

from portal.contract.envelope import Done, Operation, Part, Reply, Request
from portal.domain.days import DayWord
from portal.domain.debit import BankWord, FileDecision, FileState
from portal.domain.ids import DebitContractId, DebitFileId, MandateId
from portal.domain.mandate import MandateDecision, MandateState, MandateWay

ResultState = Literal["booked", "checking", "refused"]


class OpenDebitContract(Request, frozen=True, kw_only=True):
    """What a bank or an agency agreed to with a merchant; an operator writes it down.

    ``collector_name`` in kana as the bank has it. ``account_number`` empty: the header names no
    account. ``record_end`` says what stands after a record. ``presents_again``: a debit without
    funds may come in the next file once more. ``line``: the provider that takes its files by
    a line; empty where an owner brings them. ``result_days``: so many business days after a debit
    the line is asked for its answer, for the first time.

    Refused: ``merchant_unknown``, ``bank_unknown``, ``branch_unknown``, ``debit_terms``,
    ``debit_contract`` (param ``field``), ``debit_contract_exists``.
    """

    merchant_code: str
    collector_code: str
    collector_name: str
    bank_code: str
    branch_code: str
    account_kind: str
    account_number: str
    record_end: Literal["", "\r\n"]
    has_blank_result: bool
    more_letters: str
    lines_max: int
    day_of_month: int
    submit_days: int
    submit_by: time
    presents_again: bool
    line: str = ""
    result_days: int = 1


class DebitContractOpened(Reply, frozen=True, kw_only=True):
    """The contract's id."""

    contract_id: DebitContractId


class SetBankDay(Request, frozen=True, kw_only=True):
    """An operator's word on one day of a merchant's banks, over the calendar's.

    ``collector_code``: of the contract that it is about, of debits or of transfers (there the
    company's code); "" for all of the merchant's. NotFound
    ``merchant_unknown``, ``not_found``; InvalidInput ``calendar_ends``, ``bank_days_too_many``.
    """

    merchant_code: str
    day: date
    word: DayWord
    collector_code: str = ""


class BankDaySet(Reply, frozen=True, kw_only=True):
    """How many contracts it was said of, and how many of their files are for that very day.

    Such a file was made by the calendar of before; its bank, or who built it, has to be asked.
    """

    contracts: int
    files: int


class DebitContractView(Part, frozen=True, kw_only=True):
    """A contract as staff choose it. ``next_debit_on`` is the next day whose file is in time."""

    id: DebitContractId
    bank_code: str
    bank_name: str
    collector_code: str
    next_debit_on: date | None
    submit_until: datetime | None


class RegisterMandate(Request, frozen=True, kw_only=True):
    """A payer's account that may be debited; it waits for the bank's answer.

    NotFound ``bank_unknown``, ``branch_unknown``; InvalidInput as portal.domain.mandate has it;
    Conflict ``mandate_exists`` while the customer has another that has not ended.
    """

    contract_id: DebitContractId
    customer_no: str
    bank_code: str
    branch_code: str
    account_kind: str
    account_number: str
    payer_name: str
    idempotency_key: str


class DecideMandate(Request, frozen=True, kw_only=True):
    """The bank's answer, or the payer's will. Conflict ``mandate_state``.

    ``reason``: one of portal.domain.mandate.REASONS, or empty; InvalidInput ``mandate_reason``.
    """

    mandate_id: MandateId
    decision: MandateDecision
    idempotency_key: str
    reason: str = ""


class MandateView(Part, frozen=True, kw_only=True):
    """A mandate, its account but for the last digits hidden.

    ``account_hint`` is empty while only the bank is known. ``branch_name`` in kana.
    """

    id: MandateId
    contract_id: DebitContractId
    state: MandateState
    code: str | None
    customer_hint: str
    bank_code: str
    bank_name: str
    account_hint: str
    state_at: datetime
    choices: tuple[MandateDecision, ...]
    way: MandateWay = "paper"
    branch_name: str = ""
    created_by: str = ""
    created_at: datetime | None = None


class MandateEventView(Part, frozen=True, kw_only=True):
    """What happened to a mandate. ``code`` is a timeline code; ``reason`` a code, or None."""

    at: datetime
    actor: str
    code: str
    reason: str | None


class ViewMandate(Request, frozen=True, kw_only=True):
    """One mandate of the merchant. NotFound ``not_found``."""

    mandate_id: MandateId


class MandateSeen(Reply, frozen=True, kw_only=True):
    """The mandate and what happened to it, newest first (100 at most)."""

    mandate: MandateView
    history: tuple[MandateEventView, ...]


class MandateChanged(Reply, frozen=True, kw_only=True):
    """The mandate as it is now."""

    mandate: MandateView


class ListMandates(Request, frozen=True, kw_only=True):
    """Newest first; ``customer_no`` narrows to one customer's. ``after`` as in other lists.

    ``states`` and ``contract_id`` narrow further; empty and None ask for all.
    """

    customer_no: str
    first: int
    after: str | None
    states: tuple[MandateState, ...] = ()
    contract_id: DebitContractId | None = None


class MandatePage(Reply, frozen=True, kw_only=True):
    """One page of mandates."""

    mandates: tuple[MandateView, ...]
    end_cursor: str | None
    has_next: bool


class BuildDebitFile(Request, frozen=True, kw_only=True):
    """Begin the file of a contract for one day; workers fill it.

    InvalidInput ``debit_day_wrong``, ``calendar_ends``; Conflict ``debit_too_late`` past the
    bank's hour, ``debit_file_exists`` when there is one for that day.
    """

    contract_id: DebitContractId
    debit_on: date
    idempotency_key: str


class DecideDebitFile(Request, frozen=True, kw_only=True):
    """Approve a file that someone else built, or discard one that no bank has.

    Approving takes ``totp``, a code not used before; discarding takes none. NotAllowed
    ``totp_refused``; LimitReached ``login_locked``.
    """

    file_id: DebitFileId
    decision: FileDecision
    idempotency_key: str
    totp: str = ""


class ReportDebitFile(Request, frozen=True, kw_only=True):
    """What the bank said to a file that was taken out. Conflict ``debit_file_state``."""

    file_id: DebitFileId
    word: BankWord
    idempotency_key: str


class DebitOutcomes(Part, frozen=True, kw_only=True):
    """Lines of a file by what became of them. Units: yen for the sums."""

    waiting: int
    succeeded: int
    succeeded_minor: int
    no_funds: int
    failed: int
    unknown: int


class DebitFileView(Part, frozen=True, kw_only=True):
    """One file. ``choices`` are for the one who asks; ``sha256`` in hexadecimal, once sealed.

    ``is_on_line``: a worker brings it, so nobody else may. ``is_full``: the bank's limit of lines
    left bills out. ``refused_result``: why the last result
    that came for it was not taken, or empty. ``record_no`` beside it is where, or 0.
    ``checked_lines``: of an answer that is being checked, so many so far; else None.
    """

    id: DebitFileId
    contract_id: DebitContractId
    bank_name: str
    debit_on: date
    state: FileState
    count: int
    total_minor: int
    sha256: str
    parts: int
    is_full: bool
    built_by: str
    built_at: datetime
    approve_until: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    outcomes: DebitOutcomes
    refused_result: str
    record_no: int
    choices: tuple[FileDecision, ...]
    is_on_line: bool = False
    checked_lines: int | None = None


class DebitFileChanged(Reply, frozen=True, kw_only=True):
    """The file as it is now."""

    file: DebitFileView


class ListDebitFiles(Request, frozen=True, kw_only=True):
    """Files, those of the latest day first. ``after`` as in other lists."""

    first: int
    after: str | None


class DebitFilePage(Reply, frozen=True, kw_only=True):
    """One page of files, and all contracts of the merchant."""

    files: tuple[DebitFileView, ...]
    contracts: tuple[DebitContractView, ...]
    end_cursor: str | None
    has_next: bool


class TakeOutDebitFile(Request, frozen=True, kw_only=True):
    """The next part of an approved file; the first one says that it is on its way to the bank.

    Conflict ``debit_file_state`` for one that was not approved, or whose end is known.
    """

    file_id: DebitFileId
    part_no: int


class DebitFilePart(Reply, frozen=True, kw_only=True):
    """Bytes as the bank wants them; ``is_last`` with the last."""

    body: bytes
    is_last: bool


class StoreDebitResult(Request, frozen=True, kw_only=True):
    """A part of a bank's answer to a file, in order, each but the last of 1 MiB.

    ``result_id`` is made by the caller, once for one upload.
    """

    file_id: DebitFileId
    upload_key: str
    part_no: int
    body: bytes


class ReadDebitResult(Request, frozen=True, kw_only=True):
    """The answer has come whole: check it line by line, and have it booked if it is right."""

    file_id: DebitFileId
    upload_key: str
    parts: int


class DebitResultRead(Reply, frozen=True, kw_only=True):
    """What a result said. ``refused`` books nothing: ``reason`` and ``record_no`` say why.

    ``checking``: it is long, and workers check all of it before they book; its file says how far.

    ``known``: this very file was read before, so nothing happened now.
    """

    state: ResultState
    reason: str
    record_no: int
    known: bool
    lines: int
    unknown: int
    unexpected: int


class FillDebitFile(Request, frozen=True, kw_only=True):
    """The next bills of a file that is being built. Authority: its task's lease."""

    file_id: DebitFileId


class DebitFileFilled(Reply, frozen=True, kw_only=True):
    """``remaining`` is True while it must be called again."""

    lines: int
    remaining: bool


class BookDebits(Request, frozen=True, kw_only=True):
    """The next lines of a file whose end is known. Authority: its task's lease."""

    file_id: DebitFileId


class DebitsBooked(Reply, frozen=True, kw_only=True):
    """``remaining`` is True while it must be called again."""

    lines: int
    remaining: bool


OPEN_DEBIT_CONTRACT = Operation("open_debit_contract", OpenDebitContract, DebitContractOpened)
SET_BANK_DAY = Operation("set_bank_day", SetBankDay, BankDaySet)
REGISTER_MANDATE = Operation("register_mandate", RegisterMandate, MandateChanged)
DECIDE_MANDATE = Operation("decide_mandate", DecideMandate, MandateChanged)
VIEW_MANDATE = Operation("view_mandate", ViewMandate, MandateSeen)
LIST_MANDATES = Operation("list_mandates", ListMandates, MandatePage)
BUILD_DEBIT_FILE = Operation("build_debit_file", BuildDebitFile, DebitFileChanged)
DECIDE_DEBIT_FILE = Operation("decide_debit_file", DecideDebitFile, DebitFileChanged)
REPORT_DEBIT_FILE = Operation("report_debit_file", ReportDebitFile, DebitFileChanged)
LIST_DEBIT_FILES = Operation("list_debit_files", ListDebitFiles, DebitFilePage)
TAKE_OUT_DEBIT_FILE = Operation("take_out_debit_file", TakeOutDebitFile, DebitFilePart)
STORE_DEBIT_RESULT = Operation("store_debit_result", StoreDebitResult, Done)
READ_DEBIT_RESULT = Operation("read_debit_result", ReadDebitResult, DebitResultRead)
FILL_DEBIT_FILE = Operation("fill_debit_file", FillDebitFile, DebitFileFilled)
BOOK_DEBITS = Operation("book_debits", BookDebits, DebitsBooked)
