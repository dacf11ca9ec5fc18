"""Data zone: payers who agreed to no paper, as the merchant's file of bills says it.

The word is the payer's, noted with its day and where they said it, as staff note one on a screen:
it counts when the bill is issued, and moves the contract by portal.domain.digital's table. A file
says it again month after month, so only what is newer than the contract's own last word is news.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from portal.vault.act import Act
from portal.vault.digital import Said, lock_contract, state_of, step

# OFFSET 0 makes it a look-up by key for each contract, whatever the table may hold.
AGREED: Final = """
select distinct on (b.contract_blind) b.id, b.consent_on, b.consent_source from bill b
left join lateral (
    select c.state, (c.since at time zone m.zone)::date as on_date
    from digital_contract c join merchant m on m.id = $1
    where c.merchant_id = $1 and c.contract_blind = b.contract_blind offset 0) c on true
where b.merchant_id = $1 and b.id = any($2::uuid[]) and b.consent_on is not null
  and (c.state is null or (c.state = 'paper' and c.on_date < b.consent_on))
order by b.contract_blind, b.consent_on desc, b.id
"""


async def agree_by_file(act: Act, bill_ids: Sequence[UUID]) -> None:
    """Note the consent that came with these bills, whose locks are held, and their contracts.

    Raises: TryLater ``contract_moved`` when somebody else moved one just now.
    """
    for row in await act.db.fetch(AGREED, act.merchant_id, list(bill_ids)):
        bill = await lock_contract(act, row["id"])
        before = await state_of(act, bill["contract_blind"])
        if before in {"none", "paper"}:
            said = Said(source=row["consent_source"], words=f"file {row['consent_on']}")
            await step(act, bill, "agree", said, before)
