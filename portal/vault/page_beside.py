"""Data zone: what a payer's page says beside the bill itself: pauses, a card, a mandate, a debit.

Most bills have none of these. Whether there is any is asked with the bill, in its statement; only
what is there is read.
"""

from datetime import date
from typing import Final

from portal.contract.card_on_file import CardShown
from portal.contract.mandate import START_MANDATE
from portal.contract.page import PagePause
from portal.domain.bill import is_payable
from portal.domain.mandate import ENDED
from portal.domain.methods import TAKES_MANDATES
from portal.domain.pause import is_in_force
from portal.vault.act import Act
from portal.vault.attempt import Attempt
from portal.vault.card_on_file import ChargedBill, show_card
from portal.vault.db import Row
from portal.vault.debit import METHOD, Mandate
from portal.vault.mandate_redirect import latest_of_bill
from portal.vault.pause import read_open

WHETHER: Final = """
b.settlement = 'unpaid' and exists (
    select from bill o
    where o.merchant_id = $1 and o.customer_blind = b.customer_blind and o.id <> b.id
          and o.contract_blind = b.contract_blind
          and o.lifecycle in ('open', 'overdue') and o.settlement = 'unpaid') as has_others,
b.settlement = 'unpaid' and exists (
    select from pause o
    where o.merchant_id = $1 and o.bill_id = b.id and o.ended_at is null) as has_pauses,
exists (select from card_on_file o
        where o.merchant_id = $1 and o.contract_blind = b.contract_blind
              and o.customer_blind = b.customer_blind
              and o.state in ('active', 'suspended')) as has_card,
exists (select from mandate o
        where o.merchant_id = $1 and o.customer_blind = b.customer_blind) as has_mandate,
array(select o.line from debit_contract o where o.merchant_id = $1 order by o.id) as debit_lines
"""
"""Columns of a bill ``b``: what there is beside it at all, and the merchant's lines to banks."""

_DEBIT_ON: Final = """
select f.debit_on from debit d join debit_file f on f.merchant_id = $1 and f.id = d.file_id
where d.merchant_id = $1 and d.id = $2
"""


async def read_pauses(act: Act, row: Row) -> tuple[PagePause, ...]:
    """What a payer who still owes is told of agreements; nothing else asks for them."""
    if not (row["has_pauses"] and is_payable(row["lifecycle"], row["settlement"])):
        return ()
    found = await read_open(act, [row["id"]])
    return tuple(
        PagePause(kind=pause.kind, until=pause.until)
        for pause in found.of.get(row["id"], ())
        if is_in_force(pause, found.today)
    )


async def read_card(act: Act, row: Row) -> CardShown | None:
    """The contract's card on file, where the merchant keeps any: nobody else's page asks."""
    if row["charge_days_before"] is None or not row["has_card"]:
        return None
    bill = ChargedBill(
        id=row["id"],
        lifecycle=row["lifecycle"],
        settlement=row["settlement"],
        due_on=row["due_on"],
    )
    return await show_card(act, bill)


async def read_mandate(act: Act, row: Row) -> Mandate | None:
    """The latest mandate of the bill's customer, in whatever state."""
    return await latest_of_bill(act, row["id"]) if row["has_mandate"] else None


def takes_mandates(act: Act, row: Row, mandate: Mandate | None) -> str:
    """The line to whose bank's page this payer may go for a mandate; "" for none."""
    if not act.capability.covers(START_MANDATE.name):
        return ""
    if mandate is not None and mandate.state not in ENDED:
        return ""
    lines: list[str] = row["debit_lines"]
    return next((line for line in lines if line in TAKES_MANDATES), "")


async def read_debit_day(act: Act, attempt: Attempt | None) -> date | None:
    """When the live attempt's file is to be debited, if it is a line of one."""
    if attempt is None or attempt.method != METHOD or not attempt.is_live:
        return None
    day: date | None = await act.db.fetchval(_DEBIT_ON, act.merchant_id, attempt.id)
    return day
