"""Data zone: an operator's word on banks' days, for a holiday that was made or moved late."""

from datetime import date
from typing import Final
from uuid import UUID

from portal.contract.debit import SET_BANK_DAY, BankDaySet, SetBankDay
from portal.domain.days import say_of_day
from portal.domain.errors import NotFound
from portal.kit.holidays import bank_calendar
from portal.vault.act import Act
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation

_CONTRACTS: Final = """
select id, closed_days, opened_days from debit_contract
where merchant_id = $1 and ($2 = '' or collector_code = $2) order by id for update
"""
_STORE: Final = """
update debit_contract set closed_days = $3, opened_days = $4 where merchant_id = $1 and id = $2
"""
_FILES: Final = """
select count(*) from debit_file where merchant_id = $1 and contract_id = any($2::uuid[])
    and debit_on = $3 and state not in ('discarded', 'rejected', 'answered')
"""


@operation(
    SET_BANK_DAY, callers=frozenset({"operator"}), kinds=frozenset({"caller"}), audit="effect"
)
async def set_bank_day(act: Act, request: SetBankDay) -> BankDaySet:
    """Close or open a day beside the calendar, or take that back; the same word twice is one.

    What follows from it follows from now on: debit days, cut-offs, when an answer is looked for.

    Raises: NotFound ``merchant_unknown``, ``not_found``; InvalidInput ``calendar_ends``,
    ``bank_days_too_many``.
    """
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    rows = await act.db.fetch(_CONTRACTS, act.merchant_id, request.collector_code)
    if not rows:
        raise NotFound("not_found", params={"kind": "debit_contract"})
    for row in rows:
        calendar = bank_calendar(row["closed_days"], row["opened_days"])
        closed, opened = say_of_day(calendar, request.day, request.word)
        await act.db.execute(_STORE, act.merchant_id, row["id"], sorted(closed), sorted(opened))
    files = await _files(act, [row["id"] for row in rows], request.day)
    return BankDaySet(contracts=len(rows), files=files)


async def _files(act: Act, contracts: list[UUID], day: date) -> int:
    count: int = await act.db.fetchval(_FILES, act.merchant_id, contracts, day)
    return count
