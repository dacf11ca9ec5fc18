"""Data zone: which card payments fall short of what a merchant accepts of 3-D Secure."""

from typing import Final

from portal.domain.authentication import CardPolicy, is_accepted, is_accepted_by_all
from portal.domain.card_on_file import METHOD as CARD
from portal.vault.act import Act
from portal.vault.attempt import Attempt

_FACTS: Final = """
select m.card_policy,
       exists (select from card_charge c where c.merchant_id = $1 and c.attempt_id = $2) as charged
from merchant m where m.id = $1
"""


async def falls_short(act: Act, attempt: Attempt) -> bool:
    """Whether a card payment that succeeded is one that its merchant's policy does not accept.

    A charge to a card on file never does: its payer is not there.
    """
    if attempt.method != CARD or is_accepted_by_all(attempt.authentication):
        return False
    row = await act.db.fetchrow(_FACTS, act.merchant_id, attempt.id)
    if row is None or row["charged"]:
        return False
    policy: CardPolicy = row["card_policy"]
    return not is_accepted(policy, attempt.authentication)
