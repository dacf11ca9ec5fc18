"""Data zone: bank debits as people see them, with what the one who asks may do about each."""

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.debit import (
    DebitContractView,
    DebitFileView,
    DebitOutcomes,
    MandateView,
)
from portal.domain import debit as rules
from portal.domain import mandate as mandates
from portal.domain.contact import customer_hint
from portal.domain.days import BankCalendar, cut_off, debit_day
from portal.domain.errors import InvalidInput, NotFound
from portal.domain.ids import DebitContractId, DebitFileId, MandateId
from portal.domain.mandate import MandateDetails
from portal.kit.banks import banks
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.debit import (
    FILES,
    Contract,
    DebitFile,
    Mandate,
    read_contract,
    to_file,
)
from portal.vault.debit_reading import Reading
from portal.vault.handover import those_on_line

_MONTHS_AHEAD: Final = 3
_NOTHING: Final = DebitOutcomes(
    waiting=0, succeeded=0, succeeded_minor=0, no_funds=0, failed=0, unknown=0
)
_OUTCOMES: Final = """
select file_id,
       count(*) filter (where state in ('selected', 'in_file')) as waiting,
       count(*) filter (where state = 'succeeded') as succeeded,
       coalesce(sum(amount_minor) filter (where state = 'succeeded'), 0)::bigint
           as succeeded_minor,
       count(*) filter (where state = 'nsf') as no_funds,
       count(*) filter (where state in ('failed', 'stopped', 'withdrawn')) as failed,
       count(*) filter (where state = 'unknown') as unknown
from debit where merchant_id = $1 and file_id = any($2::uuid[]) group by file_id
"""


async def view_file(act: Act, file_id: UUID) -> DebitFileView:
    """One file as it is now. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(FILES + " and id = $2", act.merchant_id, file_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "debit_file"})
    debit_file = to_file(row)
    contract = await read_contract(act, debit_file.contract_id)
    return (await view_files(act, [debit_file], {contract.id: contract}))[0]


async def view_files(
    act: Act, files: list[DebitFile], contracts: dict[UUID, Contract]
) -> tuple[DebitFileView, ...]:
    """Files with what became of their lines; ``contracts`` has those of all of them."""
    rows = await act.db.fetch(_OUTCOMES, act.merchant_id, [one.id for one in files])
    outcomes = {row["file_id"]: _outcomes(row) for row in rows}
    on_line = await those_on_line(act, [one.id for one in files])
    return tuple(
        msgspec.structs.replace(
            _view(act, one, contracts[one.contract_id], outcomes.get(one.id, _NOTHING)),
            is_on_line=one.id in on_line,
        )
        for one in files
    )


def _outcomes(row: Row) -> DebitOutcomes:
    return DebitOutcomes(**{name: row[name] for name in DebitOutcomes.__struct_fields__})


def _view(
    act: Act, debit_file: DebitFile, contract: Contract, outcomes: DebitOutcomes
) -> DebitFileView:
    until = debit_file.approve_until
    return DebitFileView(
        id=DebitFileId(debit_file.id),
        contract_id=DebitContractId(debit_file.contract_id),
        bank_name=bank_name(contract.bank_code),
        debit_on=debit_file.debit_on,
        state=debit_file.state,
        count=debit_file.lines,
        total_minor=debit_file.total_minor,
        sha256="" if debit_file.sha256 is None else debit_file.sha256.hex(),
        parts=debit_file.parts,
        is_full=debit_file.is_full,
        built_by=debit_file.built_by,
        built_at=debit_file.built_at,
        approve_until=until,
        decided_by=debit_file.decided_by,
        decided_at=debit_file.decided_at,
        outcomes=outcomes,
        refused_result=debit_file.refused_result,
        record_no=debit_file.refused_record,
        checked_lines=_checked(debit_file),
        choices=rules.choices_of(
            debit_file.state,
            act.capability.role,
            is_builder=debit_file.built_by == act.actor,
            is_late=until is not None and until <= act.now,
        ),
    )


def _checked(debit_file: DebitFile) -> int | None:
    reading = Reading.of(debit_file)
    if reading is None or reading.phase != "check":
        return None
    return reading.progress.count


def view_contract(contract: Contract, now: datetime) -> DebitContractView:
    """A contract with the next day whose file would be in time, if the calendar knows it."""
    debit_on, until = next_day(contract.calendar, contract, now)
    return DebitContractView(
        id=DebitContractId(contract.id),
        bank_code=contract.bank_code,
        bank_name=bank_name(contract.bank_code),
        collector_code=contract.collector_code,
        next_debit_on=debit_on,
        submit_until=until,
    )


def next_day(
    calendar: BankCalendar, contract: Contract, now: datetime
) -> tuple[date | None, datetime | None]:
    """The next day on which a contract debits and whose file can still come, and until when."""
    month = now.date().replace(day=1)
    for _ in range(_MONTHS_AHEAD):
        try:
            debit_on = debit_day(calendar, contract.terms, month.year, month.month)
            until = cut_off(calendar, contract.terms, debit_on)
        except InvalidInput:  # past the calendar's end: nobody guesses
            break
        if now <= until:
            return debit_on, until
        month = (month + timedelta(days=31)).replace(day=1)
    return None, None


def bank_name(code: str) -> str:
    """What a bank is called; its code where the list does not know it any more."""
    try:
        return banks().bank(code).name
    except NotFound:
        return code


def view_mandate(mandate: Mandate) -> MandateView:
    """A mandate as staff see it: whose it is and which account, by their last digits."""
    details = mandate.details
    account = details.account
    return MandateView(
        id=MandateId(mandate.id),
        contract_id=DebitContractId(mandate.contract_id),
        state=mandate.state,
        code=mandate.code,
        customer_hint=customer_hint(details.customer_no),
        bank_code=account.bank_code,
        bank_name=bank_name(account.bank_code),
        account_hint=account_hint(details),
        state_at=mandate.state_at,
        choices=mandates.choices_of(mandate.state, has_account=details.has_account),
        way=mandate.way,
        branch_name=details.branch_name,
        created_by=mandate.created_by,
        created_at=mandate.created_at,
    )


def account_hint(details: MandateDetails) -> str:
    """The last digits of an account; empty where the bank has not named it yet."""
    return f"****{details.account.number[-3:]}" if details.has_account else ""
