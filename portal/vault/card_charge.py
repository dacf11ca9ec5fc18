"""Data zone: charges of bills to cards on file: chosen once a day, begun once, ended by attempts.

A charge's money moves by an attempt like any other, so the page offers nothing else while it runs
and only an inquiry leads out of not knowing. A charge is written under its bill's lock.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from portal.domain import card_on_file as rules
from portal.domain.card_on_file import CardState, ChargeState
from portal.domain.card_payment import is_at_company
from portal.domain.errors import NotFound
from portal.domain.pause import is_in_force
from portal.domain.payment import AttemptState
from portal.vault import card_on_file as cards
from portal.vault.act import Act
from portal.vault.attempt import Attempt
from portal.vault.card_payment import stop_card
from portal.vault.db import Db
from portal.vault.messages import plan_declined_message
from portal.vault.outbox import NewTask
from portal.vault.pause import FIRST_DUE, read_open

CARDS_MAX: Final = 500
"""Cards that one step of choosing looks at."""

_BEGIN_DAY: Final = """
update due_day set charged_on = $2
where merchant_id = $1 and day = $2 and charged_on < $2
returning exists (select from card_on_file where merchant_id = $1 and state = 'active')
      and (select charge_days_before is not null from merchant where id = $1)
"""
_TERMS: Final = "select charge_days_before, zone from merchant where id = $1"
_CARDS: Final = """
select id, customer_blind, contract_blind, enrolled_on, days_before from card_on_file
where merchant_id = $1 and state = 'active' and ($2::uuid is null or id > $2)
order by id limit $3
"""
_DUE: Final = f"""
select b.id, b.contract_blind, b.customer_blind, b.due_on, {FIRST_DUE} as first_due_on from bill b
where b.merchant_id = $1 and b.customer_blind = any($2::bytea[])
      and b.lifecycle in ('open', 'overdue') and b.settlement = 'unpaid' and b.due_on <= $3
      and not {cards.IS_CONTESTED}
order by b.id
"""  # noqa: S608  # constant text
TAKEN: Final = """
select bill_id from card_charge
where merchant_id = $1 and bill_id = any($2::uuid[]) and state <> 'left_out'
union
select bill_id from attempt
where merchant_id = $1 and bill_id = any($2::uuid[])
      and state in ('created', 'submitting', 'requires_action', 'processing', 'unknown')
union
select s.bill_id from attempt_share s
where s.merchant_id = $1 and s.bill_id = any($2::uuid[])
      and (select a.state in ('created', 'submitting', 'requires_action', 'processing', 'unknown')
           from attempt a where a.merchant_id = $1 and a.id = s.attempt_id)
"""
_INSERT: Final = """
insert into card_charge (merchant_id, id, bill_id, card_id, state, tries, planned_on, state_at)
select $1, t.id, t.bill_id, t.card_id, 'planned', 0, $2, $3
from unnest($4::uuid[], $5::uuid[], $6::uuid[]) as t (id, bill_id, card_id)
on conflict (merchant_id, bill_id) where state <> 'left_out' do nothing
returning id
"""
_READ: Final = f"""
select h.id, h.bill_id, h.card_id, h.attempt_id, h.state, h.tries, c.state as card_state,
       c.provider, c.enrolled_on, c.days_before, c.instrument, o.reference as original_reference,
       b.due_on, {FIRST_DUE} as first_due_on, b.number, m.code as merchant_code, m.zone,
       m.charge_days_before is not null and not {cards.IS_CONTESTED} as is_on
from card_charge h
join card_on_file c on c.merchant_id = $1 and c.id = h.card_id
join attempt o on o.merchant_id = $1 and o.id = c.attempt_id
join bill b on b.merchant_id = $1 and b.id = h.bill_id
join merchant m on m.id = $1
where h.merchant_id = $1 and h.id = $2 for update of c
"""  # noqa: S608  # constant text
_BILL_OF: Final = "select bill_id from card_charge where merchant_id = $1 and id = $2"
_STORE: Final = """
update card_charge set state = $3, attempt_id = $4, tries = $5, code = $6, state_at = $7
where merchant_id = $1 and id = $2
"""
_OF_ATTEMPT: Final = """
select id, card_id, state from card_charge where merchant_id = $1 and attempt_id = $2
"""
_PAID_BY: Final = """
select card_id as id from card_charge where merchant_id = $1 and attempt_id = $2
union
select card_id from card_payment where merchant_id = $1 and attempt_id = $2
union
select id from card_on_file where merchant_id = $1 and attempt_id = $2 and state = 'active'
"""
_LEAVE_OUT: Final = """
update card_charge set state = 'left_out', code = $3, state_at = $4
where merchant_id = $1 and id = $2
"""
_TELLABLE: Final = """
update bill set message = 'planned'
where merchant_id = $1 and id = $2 and phone_blind is not null and settlement = 'unpaid'
      and lifecycle in ('open', 'overdue') returning true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A charge with its card, as read under the bill's lock and the card's.

    ``instrument``: sealed; None once the card is gone. ``first_due_on``: before any extension.
    ``is_on``: the merchant keeps cards, and no payment of the bill was ever contested.
    """

    id: UUID
    bill_id: UUID
    card_id: UUID
    attempt_id: UUID | None
    state: ChargeState
    tries: int
    card_state: CardState
    provider: str
    enrolled_on: date | None
    instrument: bytes | None
    original_reference: str
    due_on: date
    first_due_on: date
    number: str
    merchant_code: str
    zone: str
    days_before: int
    is_on: bool

    def is_day(self, today: date) -> bool:
        """Whether the card's leave lets the bill be charged by now, and nothing forbids it."""
        if not self.is_on or self.enrolled_on is None:
            return False
        if not rules.covers(self.enrolled_on, self.first_due_on):
            return False
        return rules.is_day(self.enrolled_on, self.due_on, self.days_before, today)


async def begin_day(db: Db, merchant_id: UUID, day: date) -> bool:
    """Note that charges are chosen for a business day that has begun; whether there is a card.

    False too when it was noted before. To be called in the transaction that begins the day.
    """
    return bool(await db.fetchval(_BEGIN_DAY, merchant_id, day))


async def choose(act: Act, after: UUID | None) -> tuple[int, UUID | None]:
    """Plan the charges of the next cards: how many, and the last card looked at; None at the end.

    Bills of the contract and the customer of a card that are due by the words of the leave, come
    after it, are unpaid and neither held nor promised, without a live try, and were not charged
    before. Who has taken a contract over is not charged to the card of who had it.
    """
    terms = await act.db.fetchrow(_TERMS, act.merchant_id)
    if terms is None or terms["charge_days_before"] is None:
        return 0, None
    rows = await act.db.fetch(_CARDS, act.merchant_id, after, CARDS_MAX)
    if not rows:
        return 0, None
    today = act.clock.business_today(terms["zone"])
    until = today + timedelta(days=max(row["days_before"] for row in rows))
    of_contract = {(row["contract_blind"], row["customer_blind"]): row for row in rows}
    customers = list({bytes(row["customer_blind"]) for row in rows})
    due = await act.db.fetch(_DUE, act.merchant_id, customers, until)
    ids = [bill["id"] for bill in due]
    taken = {row["bill_id"] for row in await act.db.fetch(TAKEN, act.merchant_id, ids)}
    pauses = await read_open(act, ids)
    chosen: list[tuple[UUID, UUID]] = []
    for bill in due:
        card = of_contract.get((bill["contract_blind"], bill["customer_blind"]))
        paused = any(
            pause.kind != "extension" and is_in_force(pause, pauses.today)
            for pause in pauses.of.get(bill["id"], ())
        )
        if card is None or paused or bill["id"] in taken:
            continue
        # An old bill that was given more time is none of those to come.
        if not rules.covers(card["enrolled_on"], bill["first_due_on"]):
            continue
        if rules.is_day(card["enrolled_on"], bill["due_on"], card["days_before"], today):
            chosen.append((bill["id"], card["id"]))
    planned = await _plan(act, chosen, today)
    return planned, rows[-1]["id"] if len(rows) == CARDS_MAX else None


async def _plan(act: Act, chosen: list[tuple[UUID, UUID]], today: date) -> int:
    if not chosen:
        return 0
    ids = [act.new_id() for _ in chosen]
    bills, card_ids = [bill for bill, _ in chosen], [card for _, card in chosen]
    rows = await act.db.fetch(_INSERT, act.merchant_id, today, act.now, ids, bills, card_ids)
    await act.plan_tasks([NewTask(act.new_id(), "charge.send", row["id"]) for row in rows])
    return len(rows)


async def bill_of_charge(act: Act, charge_id: UUID) -> UUID:
    """Which bill it charges. Raises: NotFound ``not_found``."""
    bill_id: UUID | None = await act.db.fetchval(_BILL_OF, act.merchant_id, charge_id)
    if bill_id is None:
        raise NotFound("not_found", params={"kind": "charge"})
    return bill_id


async def read_charge(act: Act, charge_id: UUID) -> Charge:
    """A charge of a locked bill; locks its card. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(_READ, act.merchant_id, charge_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "charge"})
    return Charge(**row)


async def store_charge(
    act: Act,
    charge: Charge,
    state: ChargeState,
    *,
    attempt_id: UUID | None = None,
    code: str | None = None,
    is_repeat: bool = False,
) -> None:
    """Write where a charge of a locked bill stands. A new ``attempt_id`` is one more try.

    So is a repeat of the same.
    """
    is_new = is_repeat or (attempt_id is not None and attempt_id != charge.attempt_id)
    await act.db.execute(
        _STORE, act.merchant_id, charge.id, state, attempt_id or charge.attempt_id,
        charge.tries + is_new, code, act.now,
    )  # fmt: skip


async def is_paused(act: Act, bill_id: UUID) -> bool:
    """Whether a bill is held or promised today."""
    found = await read_open(act, [bill_id])
    return any(
        pause.kind != "extension" and is_in_force(pause, found.today)
        for pause in found.of.get(bill_id, ())
    )


async def is_missing_believed(act: Act, attempt: Attempt) -> bool:
    """Whether a company's "not found" about an attempt by card may count at all."""
    if is_at_company(attempt.card_payment):
        return rules.is_believed_missing("redeemed", act.now - attempt.doubt_at)
    row = await act.db.fetchrow(_OF_ATTEMPT, act.merchant_id, attempt.id)
    return row is None or rules.is_believed_missing(row["state"], act.now - attempt.doubt_at)


async def has_left(act: Act, attempt: Attempt) -> bool:
    """Whether the relay had the kept card that an attempt is by: its company may charge it."""
    row = await act.db.fetchrow(_OF_ATTEMPT, act.merchant_id, attempt.id)
    is_charge = row is not None and row["state"] in {"redeemed", "again"}
    return is_charge or is_at_company(attempt.card_payment)


async def end_declined(act: Act, attempt: Attempt) -> None:
    """An attempt has failed: if it was a charge, its payer is told and a bad card is suspended.

    So is one by which a payer paid who was there, and saw it themselves.

    The bill is locked. Nothing that the relay had is charged again by itself; what nobody redeemed
    before its attempt ended was never sent, and the next day chooses the bill anew.
    """
    row = await act.db.fetchrow(_OF_ATTEMPT, act.merchant_id, attempt.id)
    if row is None:
        await stop_card(act, attempt)
        return
    if row["state"] == "handed":
        await act.db.execute(_LEAVE_OUT, act.merchant_id, row["id"], attempt.decline_code, act.now)
        return
    if rules.is_stopped_by(attempt.state, attempt.decline_code):
        await cards.suspend(act, row["card_id"], attempt.bill_id, attempt.decline_code or "")
    if await act.db.fetchval(_TELLABLE, act.merchant_id, attempt.bill_id):
        await plan_declined_message(act, attempt.bill_id)


async def stop_contested(act: Act, attempt: Attempt) -> None:
    """Suspend the card on file that a contested payment was by, or that was left with it.

    Whoever denies one charge would deny the next. A dispute that is won does not bring the leave
    back: only its payer can. The bill is locked.
    """
    for row in await act.db.fetch(_PAID_BY, act.merchant_id, attempt.id):
        await cards.suspend(act, row["id"], attempt.bill_id, CONTESTED)


CONTESTED: Final = "payment_disputed"
"""Why a card is suspended that no decline suspended."""

ENDED_BADLY: Final[frozenset[AttemptState]] = frozenset({"failed", "expired"})
"""Ends of an attempt that brought no money."""
