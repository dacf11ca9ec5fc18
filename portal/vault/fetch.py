"""Data zone: the row of an answer that is fetched by the line, as operations read and move it.

Whoever changes it has locked the file first, but for the relay, which moves a try of its own by one
statement. States move by portal.domain.fetch only.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from portal.domain.errors import InvalidInput
from portal.domain.fetch import FetchState, ask_again_s, result_due
from portal.kit.holidays import bank_calendar
from portal.vault.act import Act
from portal.vault.db import Db
from portal.vault.debit import DebitFile, read_contract
from portal.vault.handover import read_handover


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """One row of the table."""

    file_id: UUID
    id: UUID
    provider: str
    state: FetchState
    tries: int
    since: datetime
    code: str
    state_at: datetime


_READ: Final = """
select file_id, id, provider, state, tries, since, code, state_at from debit_fetch
where merchant_id = $1 and file_id = $2
"""
_INSERT: Final = """
insert into debit_fetch (merchant_id, file_id, id, provider, state, tries, since, code, state_at)
values ($1, $2, $3, $4, 'planned', 0, $5, '', $6) on conflict do nothing returning true
"""
_UNASKED: Final = """
select f.file_id, d.debit_on, c.result_days, c.closed_days, c.opened_days
from debit_fetch f
join debit_file d on d.merchant_id = $1 and d.id = f.file_id and d.debit_on <= $2
join debit_contract c on c.merchant_id = $1 and c.id = d.contract_id
where f.merchant_id = $1 and f.state = 'planned' and f.tries = 0
order by f.file_id
"""
_STORE: Final = """
update debit_fetch set id = $3, state = $4, tries = $5, code = $6, state_at = $7
where merchant_id = $1 and file_id = $2
"""


async def plan_fetch(act: Act, debit_file: DebitFile) -> None:
    """A bank took a file by the line: its answer is looked for from its day on. Safe to repeat."""
    handover = await read_handover(act, debit_file.id)
    if handover is None or handover.state == "by_hand":
        return
    contract = await read_contract(act, debit_file.contract_id)
    try:
        due_at = result_due(contract.calendar, debit_file.debit_on, contract.result_days)
    except InvalidInput:  # past the calendar's end: nobody guesses, a person puts it up
        return
    wait_s = max(0.0, (due_at - act.business).total_seconds())
    since = act.now + timedelta(seconds=wait_s)
    planned = await act.db.fetchval(
        _INSERT, act.merchant_id, debit_file.id, act.new_id(), handover.provider, since, act.now
    )
    if planned:
        await act.plan_task("debit.fetch", debit_file.id, due_in_s=wait_s)


async def due_fetches(db: Db, merchant_id: UUID, today: date, now: datetime) -> list[UUID]:
    """Files whose answer's hour has passed by the business clock, and that nobody asked for yet.

    The task that was planned with the acceptance comes by the clock on the wall, which a clock that
    was moved ahead has left behind.
    """
    due: list[UUID] = []
    for row in await db.fetch(_UNASKED, merchant_id, today):
        calendar = bank_calendar(row["closed_days"], row["opened_days"])
        try:
            is_due = result_due(calendar, row["debit_on"], row["result_days"]) <= now
        except InvalidInput:
            continue
        if is_due:
            due.append(row["file_id"])
    return due


async def read_fetch(act: Act, file_id: UUID) -> Fetch | None:
    """The row of a file's answer, or None for one that nobody fetches."""
    row = await act.db.fetchrow(_READ, act.merchant_id, file_id)
    return None if row is None else Fetch(**dict(row))


async def store_fetch(act: Act, fetch: Fetch) -> None:
    """Write a row that moved; the file is locked."""
    await act.db.execute(
        _STORE,
        act.merchant_id,
        fetch.file_id,
        fetch.id,
        fetch.state,
        fetch.tries,
        fetch.code,
        fetch.state_at,
    )


def fetch_at(act: Act, fetch: Fetch, state: FetchState, code: str = "") -> Fetch:
    """The row in another state, not yet written."""
    return replace(fetch, state=state, state_at=act.now, code=code)


async def ask_again(act: Act, fetch: Fetch) -> None:
    """Plan another try, or leave it to a person; the file is locked."""
    wait_s = ask_again_s(fetch.tries, fetch.since, act.now)
    if wait_s is None:
        await store_fetch(act, replace(fetch, state="by_hand"))
        await tell_people(act, fetch.file_id, "asking_ended")
        return
    await store_fetch(act, fetch)
    await act.plan_task("debit.fetch", fetch.file_id, due_in_s=wait_s)


async def tell_people(act: Act, file_id: UUID, code: str) -> None:
    """Somebody has to look at what a bank gave, or did not give."""
    await act.open_case("task.debit.fetch", file_id, code=code)


async def fetch_again(act: Act, file_id: UUID, fetch_id: UUID, code: str) -> None:
    """What a try brought was found doubtful after it was put in; nothing for any other answer."""
    fetch = await read_fetch(act, file_id)
    if fetch is None or fetch.id != fetch_id:
        return
    await tell_people(act, file_id, code)
    await ask_again(act, fetch_at(act, fetch, "planned", code))
