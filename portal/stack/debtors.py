"""The demo merchant's bank: a contract with a line, and payers whose accounts may be debited.

Stack only. The contract is the operator's, the mandates are taken down as staff do it. Some of the
accounts are the sandbox's magic ones, so that a result has every end in it.
"""

import csv
import io
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, time, timedelta
from typing import Any, Final

from portal.contract.client import VaultClient
from portal.contract.debit import OPEN_DEBIT_CONTRACT, OpenDebitContract
from portal.domain.errors import Conflict
from portal.stack.install import DEMO_CODE
from portal.stack.merchant import PortalRefusedError, StaffSession

_DEBIT_IN_DAYS: Final = 26
"""The first debit day is about so far away: some bills are due by then, and its file is in time."""

_BANK: Final = "0001"
_BRANCH: Final = "001"
ACCOUNTS: Final = (
    "1234567", "1234568", "1234569", "1234570", "9990001", "9990002", "9990003", "9990009",
)  # fmt: skip
"""Four that have the money, and one each without it, unknown, stopped, and otherwise refused."""


async def open_bank(vault: VaultClient, today: date) -> None:
    """The contract with the sandbox's bank; one that is there already stays."""
    contract = OpenDebitContract(
        merchant_code=DEMO_CODE,
        collector_code="0000012345",
        collector_name="アオゾラデンリヨク",
        bank_code=_BANK,
        branch_code=_BRANCH,
        account_kind="1",
        account_number="7654321",
        record_end="\r\n",
        has_blank_result=False,
        more_letters="",
        lines_max=50_000,
        day_of_month=(today + timedelta(days=_DEBIT_IN_DAYS)).day,
        submit_days=4,
        submit_by=time(15),
        presents_again=True,
        line="sandbox_bank",
    )
    with suppress(Conflict):
        await vault.call(OPEN_DEBIT_CONTRACT, contract)


async def take_mandates(origin: str, ticket: str, bills: bytes) -> int:
    """Register mandates of payers whose bills are in this file, and say that the bank agreed.

    Raises: PortalRefusedError when the portal says no.
    """
    session = StaffSession(origin)
    try:
        await session.enter(ticket)
        page = await session.run("debits", {"first": 1, "after": None})
        [contract] = page["debitFiles"]["contracts"]
        by = date.fromisoformat(contract["nextDebitOn"])
        payers = zip(ACCOUNTS, _customers(bills, by), strict=False)
        taken = 0
        for account, customer in payers:
            await _take(session, contract["id"], customer, account)
            taken += 1
        return taken
    finally:
        await session.close()


async def _take(session: StaffSession, contract_id: str, customer: str, account: str) -> None:
    wanted = {
        "contractId": contract_id, "customerNo": customer, "bankCode": _BANK,
        "branchCode": _BRANCH, "accountKind": "1", "accountNumber": account,
        "holderName": "アオゾラ タロウ",
    }  # fmt: skip
    mandate = await _done(session, "register", wanted)
    await _done(session, "decide", {"id": mandate["id"], "decision": "ACTIVATE"})


async def _done(session: StaffSession, act: str, wanted: dict[str, str]) -> Any:  # noqa: ANN401 - parsed JSON
    variables = {"input": {**wanted, "idempotencyKey": str(uuid.uuid4())}}
    data = await session.run(f"mandate_{act}", variables)
    answer = data[f"mandate{act.capitalize()}"]
    if answer["errors"]:
        msg = f"no mandate: {answer['errors'][0]['message']}"
        raise PortalRefusedError(msg)
    return answer["mandate"]


def _customers(bills: bytes, by: date) -> Iterator[str]:
    """Customer numbers of bills that are due by a day, in the file's order."""
    for row in csv.DictReader(io.StringIO(bills.decode("utf-8-sig"))):
        digits = "".join(filter(str.isdigit, row["due_on"] or ""))
        if row["customer_no"] and len(digits) == len("20261128") and digits <= f"{by:%Y%m%d}":
            yield row["customer_no"]
