"""Data zone: transfer files as people see them, with what the one who asks may do about each."""

from datetime import datetime
from typing import Final
from uuid import UUID

from portal.contract.transfer import (
    TransferContractView,
    TransferFileView,
    TransferLineView,
    TransferOutcomes,
)
from portal.domain import transfer as rules
from portal.domain.ids import BillId, RefundId, TransferContractId, TransferFileId
from portal.domain.zengin.record import RECORD_BYTES
from portal.domain.zengin.transfer import TransferLine, read_transfers
from portal.vault import file as parts
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.debit_view import bank_name
from portal.vault.handover import those_on_line
from portal.vault.transfer import (
    TRANSFER_FILES,
    TransferContract,
    TransferFile,
    read_transfer_contract,
)

_NOTHING: Final = TransferOutcomes(
    waiting=0, transferred=0, transferred_minor=0, returned=0, released=0
)
_OUTCOMES: Final = """
select file_id,
       count(*) filter (where state = 'in_file') as waiting,
       count(*) filter (where state = 'transferred') as transferred,
       coalesce(sum(amount_minor) filter (where state = 'transferred'), 0)::bigint
           as transferred_minor,
       count(*) filter (where state = 'returned') as returned,
       count(*) filter (where state = 'released') as released
from transfer_line where merchant_id = $1 and file_id = any($2::uuid[]) group by file_id
"""
_LINES: Final = """
select l.line_no, l.refund_id, l.state, r.bill_id, b.number from transfer_line l
join refund r on r.merchant_id = $1 and r.id = l.refund_id
join bill b on b.merchant_id = $1 and b.id = r.bill_id
where l.merchant_id = $1 and l.file_id = $2 and l.line_no > $3 order by l.line_no limit $4
"""


async def view_file(act: Act, file_id: UUID) -> TransferFileView:
    """One file as it is now. Raises: NotFound ``not_found``."""
    file = await TRANSFER_FILES.find(act, file_id)
    contract = await read_transfer_contract(act, file.contract_id)
    return (await view_files(act, [file], {contract.id: contract}))[0]


async def view_files(
    act: Act, files: list[TransferFile], contracts: dict[UUID, TransferContract]
) -> tuple[TransferFileView, ...]:
    """Files with what became of their lines; ``contracts`` has those of all of them."""
    ids = [one.id for one in files]
    rows = await act.db.fetch(_OUTCOMES, act.merchant_id, ids)
    outcomes = {row["file_id"]: _outcomes(row) for row in rows}
    on_line = await those_on_line(act, ids)
    return tuple(
        _view(
            act,
            one,
            contracts[one.contract_id],
            outcomes.get(one.id, _NOTHING),
            is_on_line=one.id in on_line,
        )
        for one in files
    )


def _outcomes(row: Row) -> TransferOutcomes:
    return TransferOutcomes(**{name: row[name] for name in TransferOutcomes.__struct_fields__})


def _view(
    act: Act,
    file: TransferFile,
    contract: TransferContract,
    outcomes: TransferOutcomes,
    *,
    is_on_line: bool,
) -> TransferFileView:
    until = file.approve_until
    return TransferFileView(
        id=TransferFileId(file.id),
        contract_id=TransferContractId(file.contract_id),
        bank_name=bank_name(contract.bank_code),
        transfer_on=file.transfer_on,
        state=file.state,
        count=file.lines,
        total_minor=file.total_minor,
        sha256="" if file.sha256 is None else file.sha256.hex(),
        is_full=file.is_full,
        built_by=file.built_by,
        built_at=file.built_at,
        approve_until=until,
        decided_by=file.decided_by,
        decided_at=file.decided_at,
        outcomes=outcomes,
        choices=rules.choices_of(
            file.state,
            act.capability.role,
            is_builder=file.built_by == act.actor,
            is_late=until is not None and until <= act.now,
        ),
        is_on_line=is_on_line,
    )


async def view_lines(
    act: Act, file: TransferFile, first: int, after_line: int
) -> tuple[TransferLineView, ...]:
    """Lines as the sealed bytes have them; each counts as revealed."""
    rows = await act.db.fetch(_LINES, act.merchant_id, file.id, after_line, first)
    if not rows:
        return ()
    act.reveal(len(rows))
    sealed = await _between(act, file, rows[0]["line_no"], rows[-1]["line_no"])
    return tuple([_line(row, sealed[row["line_no"]]) for row in rows])


async def _between(act: Act, file: TransferFile, first: int, last: int) -> dict[int, TransferLine]:
    """The lines from ``first`` to ``last`` by their numbers, and their neighbours of a part.

    Only parts that hold any are taken apart: a long file's whole takes seconds, in which the loop
    serves nobody else.
    """
    found: dict[int, TransferLine] = {}
    behind = 0
    for part_no in range(1, file.parts):  # the first part is the header
        if behind >= last:
            break
        body = await parts.read_part(act, file.id, part_no)
        count = len(body.replace(b"\r\n", b"")) // RECORD_BYTES
        if behind + count >= first:
            found |= dict(enumerate(read_transfers([body]), behind + 1))
        behind += count
    return found


def _line(row: Row, line: TransferLine) -> TransferLineView:
    return TransferLineView(
        line_no=row["line_no"],
        refund_id=RefundId(row["refund_id"]),
        bill_id=BillId(row["bill_id"]),
        bill_number=row["number"],
        bank_name=bank_name(line.account.bank_code),
        holder=line.holder,
        account_hint=f"****{line.account.number[-3:]}",
        amount_minor=line.amount_minor,
        state=row["state"],
    )


def view_contract(contract: TransferContract, now: datetime) -> TransferContractView:
    """A contract with the next day whose file would be in time, if the calendar knows it."""
    found = rules.next_day(contract.calendar, contract.terms, now)
    return TransferContractView(
        id=TransferContractId(contract.id),
        bank_code=contract.bank_code,
        bank_name=bank_name(contract.bank_code),
        company_code=contract.company_code,
        next_on=None if found is None else found[0],
        submit_until=None if found is None else found[1],
    )
