"""Data zone: numbers for stores, and wallets' pages, whose bills are asked for no more.

No state says so and no task of its own: a worker that asks about such a number withdraws it first
(portal.application.payment.inquire), as often as it asks, until nobody can pay by it.
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from portal.domain.number import METHOD, is_unwanted
from portal.vault.act import Act
from portal.vault.attempt import Attempt, find_all_live
from portal.vault.finding import ask_for_payer

WALLET: Final = "wallet"
"""Whose companies can close a page that somebody may still pay on."""

_BILLS: Final = """
select lifecycle, settlement from bill where merchant_id = $1 and id = any($2::uuid[])
"""


async def ask_about_numbers(act: Act, bill_ids: Collection[UUID]) -> None:
    """These bills may be asked for no more: see to it that a worker looks at their numbers now.

    Whether they are is read when it looks: what this act does to them may not be written yet.
    """
    if not bill_ids:
        return
    for attempt in await find_all_live(act, list(bill_ids)):
        if attempt.method in {METHOD, WALLET}:
            await ask_for_payer(act, attempt)


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
