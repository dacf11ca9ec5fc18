"""Data zone: numbers for stores, and wallets' pages, whose bills are asked for no more.

No state says so and no task of its own: a worker that asks about such a number withdraws it first
(portal.application.payment.inquire), as often as it asks, until nobody can pay by it.

A few are looked at now. Many at once, as of a file, are spread out for each merchant and company
(``number_pace``): they share that company's patience with payers who look at their pages.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING, Final
from uuid import UUID

from portal.domain.number import AT_ONCE, METHOD, is_unwanted, spread
from portal.vault.act import Act
from portal.vault.attempt import Attempt, find_all_live
from portal.vault.finding import ask_for_payer

if TYPE_CHECKING:
    from datetime import datetime

WALLET: Final = "wallet"
"""Whose companies can close a page that somebody may still pay on."""

_BILLS: Final = """
select lifecycle, settlement from bill where merchant_id = $1 and id = any($2::uuid[])
"""
_PACE: Final = """
insert into number_pace (merchant_id, provider, free_at) values ($1, $2, $3)
on conflict (merchant_id, provider) do update
set free_at = greatest(number_pace.free_at, excluded.free_at)
returning free_at
"""
_PACED: Final = """
update number_pace set free_at = $3 where merchant_id = $1 and provider = $2
"""


async def ask_about_numbers(act: Act, bill_ids: Collection[UUID]) -> None:
    """These bills may be asked for no more: see to it that a worker looks at their numbers.

    Whether they are is read when it looks: what this act does to them may not be written yet.
    Call it when all bills of the act are locked: acts with many of a merchant wait for each other.
    """
    if not bill_ids:
        return
    by_company: defaultdict[str, list[Attempt]] = defaultdict(list)
    for attempt in await find_all_live(act, list(bill_ids)):
        if attempt.method in {METHOD, WALLET}:
            by_company[attempt.provider].append(attempt)
    for provider, attempts in sorted(by_company.items()):
        if len(attempts) <= AT_ONCE:
            waits = [0.0] * len(attempts)
        else:
            waits = await _spread(act, provider, len(attempts))
        for attempt, wait_s in zip(attempts, waits, strict=True):
            await ask_for_payer(act, attempt, at_least_s=wait_s)


async def _spread(act: Act, provider: str, count: int) -> list[float]:
    """How long each of so many waits, behind those that were planned before them."""
    free_at: datetime = await act.db.fetchval(_PACE, act.merchant_id, provider, act.now)
    waits, free_at = spread(free_at, act.now, count)
    await act.db.execute(_PACED, act.merchant_id, provider, free_at)
    return waits


async def is_number_unwanted(act: Act, attempt: Attempt) -> bool:
    """Whether a live attempt is by a number, and one of its bills is asked for no more."""
    return attempt.method == METHOD and await _is_unwanted(act, attempt)


async def is_page_unwanted(act: Act, attempt: Attempt) -> bool:
    """The same of a wallet's page: who is there would pay what is owed back at once."""
    return attempt.method == WALLET and await _is_unwanted(act, attempt)


async def _is_unwanted(act: Act, attempt: Attempt) -> bool:
    if not attempt.is_live:
        return False
    rows = await act.db.fetch(_BILLS, act.merchant_id, list(attempt.parts))
    return any(is_unwanted(row["lifecycle"], row["settlement"]) for row in rows)
