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

_DEBITS: Final = """
select id, closed_days, opened_days from debit_contract
where merchant_id = $1 and ($2 = '' or collector_code = $2) order by id for update
"""
_TRANSFERS: Final = """
select id, closed_days, opened_days from transfer_contract
where merchant_id = $1 and ($2 = '' or company_code = $2) order by id for update
"""
_STORE_DEBITS: Final = """
update debit_contract set closed_days = $3, opened_days = $4 where merchant_id = $1 and id = $2
"""
_STORE_TRANSFERS: Final = """
update transfer_contract set closed_days = $3, opened_days = $4 where merchant_id = $1 and id = $2
"""
_KINDS: Final = ((_DEBITS, _STORE_DEBITS), (_TRANSFERS, _STORE_TRANSFERS))
_FILES: Final = """
select (select count(*) from debit_file where merchant_id = $1 and contract_id = any($2::uuid[])
            and debit_on = $3 and state not in ('discarded', 'rejected', 'answered'))
     + (select count(*) from transfer_file where merchant_id = $1
            and contract_id = any($2::uuid[]) and transfer_on = $3
            and state not in ('discarded', 'rejected'))
"""


@operation(
    SET_BANK_DAY, callers=frozenset({"operator"}), kinds=frozenset({"caller"}), audit="effect"
)
async def set_bank_day(act: Act, request: SetBankDay) -> BankDaySet:
    """Close or open a day beside the calendar, or take that back; the same word twice is one.

    Of debits and of transfers alike. What follows from it follows from now on: days, cut-offs, when
    an answer is looked for.

    Raises: NotFound ``merchant_unknown``, ``not_found``; InvalidInput ``calendar_ends``,
    ``bank_days_too_many``.
    """
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    told: list[UUID] = []
    for select, store in _KINDS:
        for row in await act.db.fetch(select, act.merchant_id, request.collector_code):
            calendar = bank_calendar(row["closed_days"], row["opened_days"])
            closed, opened = say_of_day(calendar, request.day, request.word)
            await act.db.execute(store, act.merchant_id, row["id"], sorted(closed), sorted(opened))
            told.append(row["id"])
    if not told:
        raise NotFound("not_found", params={"kind": "debit_contract"})
    return BankDaySet(contracts=len(told), files=await _files(act, told, request.day))


async def _files(act: Act, contracts: list[UUID], day: date) -> int:
    count: int = await act.db.fetchval(_FILES, act.merchant_id, contracts, day)
    return count
