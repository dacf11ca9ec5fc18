"""Data zone: what starting a payment of a bill needs to know of its merchant, in one statement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from portal.domain.errors import NotFound
from portal.vault.act import Act
from portal.vault.attempt import BESIDE, IS_LIVE, OF_BILL, Attempt, open_beside
from portal.vault.merchant import providers_of

_PAYEE: Final = f"""
select m.code, m.name, m.part_least_minor, m.card_provider, m.wallet_provider, m.number_provider,
       m.charge_days_before, {BESIDE},
       coalesce((select p.paid_minor from part_paid p
                 where p.merchant_id = $1 and p.bill_id = $2), 0)::bigint as paid_minor,
       exists (select from card_on_file c join bill b on b.merchant_id = $1 and b.id = $2
               where c.merchant_id = $1 and c.contract_blind = b.contract_blind
                     and c.customer_blind = b.customer_blind and c.state = 'awaited') as awaits_card
from merchant m
left join lateral (select * from ({OF_BILL}) a where {IS_LIVE} limit 1) a on true
where m.id = $1
"""  # noqa: S608  constant columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Payee:
    """A merchant's part in starting a payment, and the bill's live attempt if there is one.

    ``providers``: method → provider, for the methods that the merchant takes. ``part_least_minor``:
    the least that it takes of a bill at once, None where it takes all or nothing. ``paid_minor``:
    what of the bill is paid, if it is not all. ``charge_days_before``: None where no card is kept.
    ``awaits_card``: leave to keep a card was given for the contract and not used yet. ``name``:
    whom the payer pays. Units: minor units.
    """

    code: str
    name: str
    providers: Mapping[str, str]
    part_least_minor: int | None
    paid_minor: int
    live: Attempt | None
    charge_days_before: int | None = None
    awaits_card: bool = False


async def read_payee(act: Act, bill_id: UUID) -> Payee:
    """What starting a payment of a locked bill needs to know. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(_PAYEE, act.merchant_id, bill_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "merchant"})
    live = await open_beside(act, row)
    return Payee(
        code=row["code"],
        name=row["name"],
        providers=providers_of(row),
        part_least_minor=row["part_least_minor"],
        paid_minor=row["paid_minor"],
        live=live,
        charge_days_before=row["charge_days_before"],
        awaits_card=row["awaits_card"],
    )
