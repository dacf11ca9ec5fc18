"""`portal merchant transfer-contract`, and the demo merchant's contract at the sandbox's bank.

Stack only. Speaks to the vault with the operator's certificate, which no server process holds.
"""

import asyncio
import sys
from contextlib import suppress
from datetime import time
from pathlib import Path

import msgspec

from portal.contract.client import VaultClient
from portal.contract.transfer import OPEN_TRANSFER_CONTRACT, OpenTransferContract
from portal.domain.errors import Conflict, InvalidInput
from portal.domain.ids import to_public
from portal.stack.install import DEMO_CODE
from portal.stack.operator import ask


def open_transfer_contract(state: Path, code: str, terms: Path) -> None:
    """Write down a bank's contract from a JSON file.

    Raises: InvalidInput ``transfer_contract`` (param ``field``); NotFound; Conflict; OSError.
    """
    request = read_transfer_contract(code, terms.read_bytes())
    done = asyncio.run(ask(state, OPEN_TRANSFER_CONTRACT, request))
    sys.stdout.write(f"{code} transfers by {to_public('transfer_contract', done.contract_id)}\n")


def read_transfer_contract(code: str, raw: bytes) -> OpenTransferContract:
    """The terms in a JSON file, for that merchant.

    Raises: InvalidInput ``transfer_contract`` (param ``field``: what the reader says is wrong).
    """
    try:
        terms = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        terms["merchant_code"] = msgspec.Raw(msgspec.json.encode(code))
        return msgspec.json.decode(msgspec.json.encode(terms), type=OpenTransferContract)
    except msgspec.MsgspecError as fault:
        params = {"field": str(fault)}
        raise InvalidInput("transfer_contract", params=params, context=str(fault)) from fault


async def open_demo_transfers(vault: VaultClient) -> None:
    """The demo merchant's contract with the sandbox's bank; one that is there already stays."""
    contract = OpenTransferContract(
        merchant_code=DEMO_CODE,
        company_code="0000054321",
        company_name="アオゾラデンリヨク",
        bank_code="0001",
        branch_code="001",
        account_kind="1",
        account_number="7654321",
        submit_days=1,
        submit_by=time(15),
        line="sandbox_bank",
    )
    with suppress(Conflict):
        await vault.call(OPEN_TRANSFER_CONTRACT, contract)
