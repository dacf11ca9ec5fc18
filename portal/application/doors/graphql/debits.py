"""Merchant schema, bank debits: contracts, files for a bank, and the bank's answers to them.

Zone: application. Staff only. Who may approve or discard is the vault's to say: what the viewer may
do comes with each file and mandate.
"""

import secrets

import strawberry

from portal.application.doors.graphql import debit_enums as enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    Date,
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
from portal.application.doors.results import seal_result_address
from portal.contract.debit import (
    BUILD_DEBIT_FILE,
    DECIDE_DEBIT_FILE,
    LIST_DEBIT_FILES,
    REPORT_DEBIT_FILE,
    BuildDebitFile,
    DebitContractView,
    DebitFileChanged,
    DebitFilePage,
    DebitFileView,
    DebitOutcomes,
    DecideDebitFile,
    ListDebitFiles,
    ReportDebitFile,
)
from portal.domain.debit import ANSWERABLE
from portal.domain.ids import DebitContractId, DebitFileId, from_public, to_public

# Contracts


def _contract_id(contract: strawberry.Parent[DebitContractView]) -> strawberry.ID:
    return strawberry.ID(to_public("debit_contract", contract.id))


@strawberry.type(description="What a bank or an agency agreed to with the merchant.")
class DebitContract:
    """portal.contract.debit.DebitContractView."""

    id: strawberry.ID = by(_contract_id, "`dct_…`")
    bank_code: str = plain("The bank's 4 digits.")
    bank_name: str = plain("What it is called.")
    collector_code: str = plain("The merchant's 10 digits there.")
    next_debit_on: Date | None = plain("The next day whose file is in time, if the calendar says.")
    submit_until: DateTime | None = plain("Until when that file may come.")


# Files


def _file_id(file: strawberry.Parent[DebitFileView]) -> strawberry.ID:
    return strawberry.ID(to_public("debit_file", file.id))


def _file_contract(file: strawberry.Parent[DebitFileView]) -> strawberry.ID:
    return strawberry.ID(to_public("debit_contract", file.contract_id))


def _total(file: strawberry.Parent[DebitFileView]) -> MoneyValue:
    return MoneyValue(file.total_minor)


def _result_url(file: strawberry.Parent[DebitFileView], info: Info) -> str | None:
    if file.state not in ANSWERABLE:
        return None
    return seal_result_address(info.context, file.id, secrets.token_urlsafe(16))


def _succeeded_sum(outcomes: strawberry.Parent[DebitOutcomes]) -> MoneyValue:
    return MoneyValue(outcomes.succeeded_minor)


@strawberry.type(description="A file's debits by what became of them.")
class DebitFileOutcomes:
    """portal.contract.debit.DebitOutcomes."""

    waiting: int = plain("Nobody has said anything yet.")
    succeeded: int = plain("The bank debited them.")
    succeeded_total: Money = by(_succeeded_sum, "What these brought.")
    no_funds: int = plain("The account did not hold enough.")
    failed: int = plain("The bank refused or stopped them, or they were withdrawn.")
    unknown: int = plain("Nobody knows; money may have moved.")


@strawberry.type(description="A file of debits for one day at one bank.")
class DebitFile:
    """portal.contract.debit.DebitFileView."""

    id: strawberry.ID = by(_file_id, "`dbf_…`")
    contract_id: strawberry.ID = by(_file_contract, "`dct_…`")
    bank_name: str = plain("What the bank is called.")
    debit_on: Date = plain("When the accounts are debited.")
    state: enums.DebitFileState = plain("How far it has come.")
    count: int = plain("Debits in it.")
    total: Money = by(_total, "What they ask for.")
    sha256: str = plain("The sealed bytes' SHA-256 in hexadecimal, or empty.")
    is_full: bool = plain("Whether the bank's limit left bills out.")
    is_on_line: bool = plain("Whether a worker brings it to the bank, so that nobody else may.")
    built_by: str = plain("Who built it.")
    built_at: DateTime = plain("When that was.")
    approve_until: DateTime | None = plain("Until when a second person may approve it.")
    decided_by: str | None = plain("Who approved or discarded it.")
    decided_at: DateTime | None = plain("When that was.")
    outcomes: DebitFileOutcomes = plain("What became of its debits.")
    refused_result: str = plain("Why the last answer of the bank was not taken, or empty.")
    record_no: int = plain("The record of that answer where this showed, or 0.")
    checked_lines: int | None = plain(
        "Of a long answer that is being checked, so many debits so far; else null."
    )
    result_url: str | None = by(
        _result_url, "PUT the bank's answer there as it is, within the hour; a secret."
    )
    choices: list[enums.DebitFileDecision] = plain("What the viewer may decide about it now.")


def _file_nodes(page: strawberry.Parent[DebitFilePage]) -> tuple[DebitFileView, ...]:
    return page.files


def _contracts(page: strawberry.Parent[DebitFilePage]) -> tuple[DebitContractView, ...]:
    return page.contracts


def _page_end(page: strawberry.Parent[DebitFilePage]) -> PageEnd:
    return PageEnd(has_next_page=page.has_next, end_cursor=page.end_cursor)


@strawberry.type(description="A page of debit files, those of the latest day first.")
class DebitFileConnection:
    """portal.contract.debit.DebitFilePage."""

    nodes: list[DebitFile] = by(_file_nodes, "The files.")
    contracts: list[DebitContract] = by(_contracts, "All contracts of the merchant.", rows=20)
    page_info: PageInfo = by(_page_end, "Where this page ends.")


async def list_files(info: Info, first: int, after: str | None = None) -> DebitFilePage:
    """A page of files; the cursor is the vault's own, sealed there."""
    request = ListDebitFiles(first=page_size(first), after=after)
    return await info.context.call(LIST_DEBIT_FILES, request)


@strawberry.type
class DebitsQuery:
    """Bank debits."""

    debit_files: DebitFileConnection = by(
        list_files, "Files of bank debits; staff only.", cost=VAULT_CALL
    )


# What is done


def _file(outcome: strawberry.Parent[Outcome[DebitFileChanged]]) -> DebitFileView | None:
    return outcome.entity.file if outcome.entity else None


@strawberry.type
class _FileOutcome:
    file: DebitFile | None = by(_file, "The file as it is now.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


@strawberry.type(description="The file that is being built, or why it is not.")
class DebitFileBuildPayload(_FileOutcome):
    """Outcome of debitFileBuild."""


@strawberry.type(description="The file as it was decided, or why it was not.")
class DebitFileDecidePayload(_FileOutcome):
    """Outcome of debitFileDecide."""


@strawberry.type(description="The file with the bank's word, or why that was not recorded.")
class DebitFileReportPayload(_FileOutcome):
    """Outcome of debitFileReport."""


@strawberry.input(description="Build the file of a contract for one day.")
class DebitFileBuildInput:
    """portal.contract.debit.BuildDebitFile."""

    contract_id: strawberry.ID = plain("`dct_…`")
    debit_on: Date = plain("The day on which the accounts are debited.")
    idempotency_key: str = plain("Yours; the same key and arguments build once.")


async def build_file(info: Info, input: DebitFileBuildInput) -> Outcome[DebitFileChanged]:  # noqa: A002 - the argument's name in the schema
    """Begin; a worker fills it."""

    async def act() -> DebitFileChanged:
        request = BuildDebitFile(
            contract_id=DebitContractId(from_public("debit_contract", input.contract_id)),
            debit_on=input.debit_on,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(BUILD_DEBIT_FILE, request)

    return await outcome_of(info, act())


@strawberry.input(description="Approve a file that someone else built, or discard one.")
class DebitFileDecideInput:
    """portal.contract.debit.DecideDebitFile."""

    id: strawberry.ID = plain("`dbf_…`")
    decision: enums.DebitFileDecision = plain("What to do with it.")
    totp: str = optional(
        "To approve: a code of the viewer's authenticator that was not used before.", default=""
    )
    idempotency_key: str = plain("Yours; the same key and arguments decide once.")


async def decide_file(info: Info, input: DebitFileDecideInput) -> Outcome[DebitFileChanged]:  # noqa: A002 - the argument's name in the schema
    """Decide; who may is the vault's to say."""

    async def act() -> DebitFileChanged:
        request = DecideDebitFile(
            file_id=DebitFileId(from_public("debit_file", input.id)),
            decision=input.decision.value,
            totp=input.totp,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(DECIDE_DEBIT_FILE, request)

    return await outcome_of(info, act())


@strawberry.input(description="Record what the bank said to a file as a whole.")
class DebitFileReportInput:
    """portal.contract.debit.ReportDebitFile."""

    id: strawberry.ID = plain("`dbf_…`")
    word: enums.DebitBankWord = plain("What it said.")
    idempotency_key: str = plain("Yours; the same key and arguments record once.")


async def report_file(info: Info, input: DebitFileReportInput) -> Outcome[DebitFileChanged]:  # noqa: A002 - the argument's name in the schema
    """Record; an owner's act."""

    async def act() -> DebitFileChanged:
        request = ReportDebitFile(
            file_id=DebitFileId(from_public("debit_file", input.id)),
            word=input.word.value,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(REPORT_DEBIT_FILE, request)

    return await outcome_of(info, act())


@strawberry.type
class DebitsMutation:
    """What is done about bank debits."""

    debit_file_build: DebitFileBuildPayload = by(
        build_file, "Build a file; staff only.", cost=VAULT_CALL
    )
    debit_file_decide: DebitFileDecidePayload = by(
        decide_file, "Approve or discard a file; staff only.", cost=VAULT_CALL
    )
    debit_file_report: DebitFileReportPayload = by(
        report_file, "Record what the bank said to a file; owners only.", cost=VAULT_CALL
    )
