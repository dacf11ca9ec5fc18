"""Data zone: what a bank agreed to with a merchant that transfers refunds by its files."""

from datetime import date
from typing import Final
from uuid import UUID

from portal.contract.transfer import (
    OPEN_TRANSFER_CONTRACT,
    OpenTransferContract,
    TransferContractOpened,
)
from portal.domain.errors import Conflict, InvalidInput, NotFound
from portal.domain.ids import TransferContractId
from portal.domain.mandate import BANK_CHARACTERS_MAX, read_kana
from portal.domain.zengin.kana import to_kana
from portal.domain.zengin.record import LINES_MAX, write_header
from portal.kit.banks import banks
from portal.vault.act import Act
from portal.vault.bank_file import ContractDetails
from portal.vault.operations.mandate import COLLECTOR_CHARACTERS_MAX, MORE_LETTERS
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation
from portal.vault.transfer import CONTRACT_TABLE, SEALED_VERSION, TransferContract

_ANY_DAY: Final = date(2026, 1, 1)
_KINDS: Final = frozenset("129")
"""Kinds of account from which transfers go. Source: the header of 総合振込 (依頼人預金種目)."""

_INSERT: Final = """
insert into transfer_contract (merchant_id, id, bank_code, company_code, details, record_end,
    more_letters, lines_max, submit_days, submit_by, line, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict do nothing returning true
"""


@operation(
    OPEN_TRANSFER_CONTRACT,
    callers=frozenset({"operator"}),
    kinds=frozenset({"caller"}),
    audit="effect",
)
async def open_transfer_contract(act: Act, request: OpenTransferContract) -> TransferContractOpened:
    """Write down what a bank agreed to with a merchant; it is never changed afterwards.

    Raises: NotFound ``merchant_unknown``, ``bank_unknown``, ``branch_unknown``; InvalidInput
    ``transfer_contract``, ``zengin_field``, ``kana_unwritable`` (param ``field``); Conflict
    ``transfer_contract_exists``.
    """
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    if request.line and act.settings.provider_host(request.line) is None:
        raise InvalidInput("transfer_contract", params={"field": "line"})
    contract = _to_contract(act.new_id(), request)
    write_header(contract.header(_ANY_DAY), contract.form)
    fields = await act.fields()
    sealed = fields.seal(
        CONTRACT_TABLE, "instrument", contract.id, SEALED_VERSION, contract.details
    )
    added = await act.db.fetchval(
        _INSERT,
        act.merchant_id,
        contract.id,
        contract.bank_code,
        contract.company_code,
        sealed,
        contract.record_end,
        contract.more_letters,
        contract.lines_max,
        contract.submit_days,
        contract.submit_by,
        contract.line,
        act.now,
    )
    if not added:
        raise Conflict("transfer_contract_exists")
    return TransferContractOpened(contract_id=TransferContractId(contract.id))


def _to_contract(contract_id: UUID, request: OpenTransferContract) -> TransferContract:
    """The contract, if its terms are some that a bank can have."""
    faults = {
        "more_letters": not set(request.more_letters) <= MORE_LETTERS,
        "lines_max": not 1 <= request.lines_max <= LINES_MAX,
        "account_kind": request.account_kind not in _KINDS,
        "account_number": not request.account_number,
    }
    for field, is_wrong in faults.items():
        if is_wrong:
            raise InvalidInput("transfer_contract", params={"field": field})
    bank = banks().bank(request.bank_code)
    branch = banks().branch(request.bank_code, request.branch_code)
    contract = TransferContract(
        id=contract_id,
        bank_code=bank.code,
        company_code=request.company_code,
        details=ContractDetails(
            collector_name=read_kana(
                request.company_name, "company_name", COLLECTOR_CHARACTERS_MAX
            ),
            branch_code=branch.code,
            bank_name=to_kana(bank.kana)[:BANK_CHARACTERS_MAX].rstrip(),
            branch_name=to_kana(branch.kana)[:BANK_CHARACTERS_MAX].rstrip(),
            account_kind=request.account_kind,
            account_number=request.account_number,
        ),
        record_end=request.record_end,
        more_letters=request.more_letters,
        lines_max=request.lines_max,
        submit_days=request.submit_days,
        submit_by=request.submit_by,
        line=request.line,
    )
    _ = contract.terms  # refuses days that no bank asks for
    return contract
