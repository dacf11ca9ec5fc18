"""Data zone: cards on file as operations read and move them.

Whoever moves a contract's cards locks all of them that stand or are awaited, in the order of their
ids, and after the bill if they lock one. States move by portal.domain.card_on_file only. What its
company calls a card is erased as soon as the card can't be charged again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.card_on_file import CardShown
from portal.contract.payment import Finding
from portal.domain import card_on_file as rules
from portal.domain.bill import Lifecycle, Settlement, is_payable
from portal.domain.card_on_file import CardState
from portal.domain.errors import Conflict, InvalidInput
from portal.domain.pause import Pause, is_in_force
from portal.domain.transition import Edge
from portal.vault.act import Act
from portal.vault.attempt import Attempt
from portal.vault.db import Row
from portal.vault.pause import FIRST_DUE, read_open

CARD_TABLE: Final = "card_on_file"
SEALED_VERSION: Final = 1
"""An instrument never changes: another card is another row."""

_CONTRACT: Final = """
select contract_blind, customer_blind from bill where merchant_id = $1 and id = $2
"""
_LOCK: Final = """
select id, attempt_id, state, customer_blind from card_on_file
where merchant_id = $1 and contract_blind = $2 and state in ('awaited', 'active', 'suspended')
order by id for update
"""
_AWAITED: Final = """
select c.id, c.contract_blind, m.zone from card_on_file c join merchant m on m.id = c.merchant_id
where c.merchant_id = $1 and c.attempt_id = $2 and c.state = 'awaited'
"""
_INSERT: Final = """
insert into card_on_file (merchant_id, id, attempt_id, contract_blind, customer_blind, provider,
                          state, consent, consent_at, days_before, state_at)
values ($1, $2, $3, $4, $5, $6, 'awaited', $7, $8, $9, $10)
"""
_ENROL: Final = """
update card_on_file set state = $3, instrument = $4, enrolled_on = $5, state_at = $6
where merchant_id = $1 and id = $2
"""
_MOVE: Final = """
update card_on_file set state = $3, code = $4, state_at = $5,
    instrument = case when $3 = 'suspended' then instrument end
where merchant_id = $1 and id = $2
"""
_STATE: Final = """
select state from card_on_file where merchant_id = $1 and id = $2 for update
"""
IS_CONTESTED: Final = """
exists (select from dispute d where d.merchant_id = b.merchant_id and d.bill_id = b.id)
"""
"""Whether a payment of a bill ``b`` was ever contested: then no card is charged for it unasked."""

_SHOW: Final = f"""
select c.id, c.state, c.code, c.provider, c.enrolled_on, c.instrument, c.days_before,
       m.charge_days_before, m.zone, h.state as charge, a.state as attempt_state,
       {FIRST_DUE} as first_due_on, {IS_CONTESTED} as is_contested
from card_on_file c join merchant m on m.id = c.merchant_id
join bill b on b.merchant_id = $1 and b.id = $2
left join card_charge h on h.merchant_id = $1 and h.bill_id = $2 and h.state <> 'left_out'
left join attempt a on a.merchant_id = $1 and a.id = h.attempt_id
where c.merchant_id = $1 and c.state in ('active', 'suspended')
      and (c.contract_blind, c.customer_blind) = (b.contract_blind, b.customer_blind)
"""  # noqa: S608  # constant text


class CardInstrument(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed of a card on file: its company's names for it, its brand and last digits."""

    token: str
    customer: str
    brand: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedBill:
    """What showing a card beside a bill needs to know of the bill."""

    id: UUID
    lifecycle: Lifecycle
    settlement: Settlement
    due_on: date


async def agree(
    act: Act, attempt: Attempt, consent: str, days_before: int, *, is_fresh: bool
) -> UUID | None:
    """Keep what the payer said about their card while starting this attempt; the card awaited.

    ``days_before``: what the words said of the day.

    The last word counts: leave that was given with an earlier try of the contract, and not used
    yet, ends with a try that gives none. A try that was begun without leave can't get it any more,
    because its company was asked for the payment alone.
    """
    bill = await act.db.fetchrow(_CONTRACT, act.merchant_id, attempt.bill_id)
    if bill is None:
        return None
    for row in await _lock_own(act, bill):
        is_same = row["attempt_id"] == attempt.id and bool(consent)
        if row["state"] == "awaited" and not is_same:
            edge = rules.advance(row["state"], "drop")
            await _move(act, row["id"], edge)
            await act.emit(attempt.bill_id, edge.code)
    if not consent or not is_fresh:
        return None
    card_id = act.new_id()
    await act.db.execute(
        _INSERT, act.merchant_id, card_id, attempt.id, bill["contract_blind"],
        bill["customer_blind"], attempt.provider, consent, act.business,
        days_before, act.now,
    )  # fmt: skip
    return card_id


def check_consent(consent: str, method: str, provider: str, days_before: int | None) -> None:
    """Refuse leave that nobody asked for, or that was given to other words than today's.

    Raises: Conflict ``card_not_kept``; InvalidInput ``consent_unknown``.
    """
    if not consent:
        return
    if days_before is None or not rules.is_enrollable(method, provider, days_before):
        raise Conflict("card_not_kept")
    if consent != rules.words(days_before):
        raise InvalidInput("consent_unknown")


async def enrol(act: Act, attempt: Attempt, finding: Finding) -> None:
    """A payment succeeded whose company says that it kept the card: the leave is good from now on.

    Only where the payer agreed with just this attempt. It takes the place of the contract's card.
    The bill is locked. Told again, it changes nothing.
    """
    row = await act.db.fetchrow(_AWAITED, act.merchant_id, attempt.id)
    if row is None:
        return
    cards = await act.db.fetch(_LOCK, act.merchant_id, row["contract_blind"])
    if not any(card["id"] == row["id"] and card["state"] == "awaited" for card in cards):
        return
    for card in cards:
        if card["state"] in rules.STANDING:
            await _move(act, card["id"], rules.advance(card["state"], "replace"))
    edge = rules.advance("awaited", "enrol")
    token = rules.name_card(attempt.provider, row["id"], finding.saved_token)
    instrument = CardInstrument(
        token, finding.saved_customer, finding.saved_brand, finding.instrument_hint
    )
    fields = await act.fields()
    blob = fields.seal(CARD_TABLE, "instrument", row["id"], SEALED_VERSION, instrument)
    today = act.clock.business_today(row["zone"])
    await act.db.execute(
        _ENROL, act.merchant_id, row["id"], edge.state, blob, today, act.now
    )  # fmt: skip
    await act.emit(attempt.bill_id, edge.code)


async def suspend(act: Act, card_id: UUID, bill_id: UUID, code: str) -> None:
    """Charge a card no more, for a reason that came up about this bill."""
    state: CardState | None = await act.db.fetchval(_STATE, act.merchant_id, card_id)
    if state != "active":
        return
    edge = rules.advance(state, "suspend")
    await _move(act, card_id, edge, code)
    await act.emit(bill_id, edge.code, decline_code=code)


async def remove(act: Act, bill_id: UUID) -> bool:
    """End its customer's leave for a bill's contract; whether there was one. Its names are erased.

    Leave that a payment under way would make good ends with it: this word came later. A charge that
    the company may have already goes on to its end; one that has not left does not.
    """
    bill = await act.db.fetchrow(_CONTRACT, act.merchant_id, bill_id)
    if bill is None:
        return False
    removed = False
    for row in await _lock_own(act, bill):
        edge = rules.advance(row["state"], "revoke" if row["state"] in rules.STANDING else "drop")
        await _move(act, row["id"], edge)
        await act.emit(bill_id, edge.code)
        removed = True
    return removed


async def _lock_own(act: Act, bill: Row) -> list[Row]:
    """Lock the contract's cards; those of the bill's own customer, not of who had it before."""
    rows = await act.db.fetch(_LOCK, act.merchant_id, bill["contract_blind"])
    return [row for row in rows if row["customer_blind"] == bill["customer_blind"]]


async def _move(act: Act, card_id: UUID, edge: Edge[CardState], code: str | None = None) -> None:
    await act.db.execute(_MOVE, act.merchant_id, card_id, edge.state, code, act.now)


async def open_instrument(act: Act, card_id: UUID, blob: bytes) -> CardInstrument:
    """What a card's column ``instrument`` holds."""
    fields = await act.fields()
    return fields.open(CARD_TABLE, "instrument", card_id, SEALED_VERSION, blob, CardInstrument)


async def show_card(act: Act, bill: ChargedBill) -> CardShown | None:
    """The card of a bill's contract, and what it means for that bill; None where there is none.

    A merchant that keeps no cards any more charges none, and shows none.
    """
    row = await act.db.fetchrow(_SHOW, act.merchant_id, bill.id)
    if row is None or row["charge_days_before"] is None:
        return None
    card = await open_instrument(act, row["id"], row["instrument"])
    pauses = (await read_open(act, [bill.id])).of.get(bill.id, ())
    return CardShown(
        state=row["state"],
        brand=card.brand,
        hint=card.hint,
        enrolled_on=row["enrolled_on"],
        charge_on=_charge_on(act, bill, row, pauses),
        is_declined=row["charge"] == "redeemed" and row["attempt_state"] in {"failed", "expired"},
        code=row["code"],
        provider=row["provider"],
    )


def _charge_on(act: Act, bill: ChargedBill, row: Row, pauses: Sequence[Pause]) -> date | None:
    """The day of the charge, after what stops it; None where none is to come, as far as we know."""
    today = act.clock.business_today(row["zone"])
    ends = [
        pause.until for pause in pauses if pause.kind != "extension" and is_in_force(pause, today)
    ]
    is_open = is_payable(bill.lifecycle, bill.settlement) and row["charge"] in {None, "planned"}
    if row["state"] != "active" or not is_open or None in ends:
        return None
    if row["is_contested"] or not rules.covers(row["enrolled_on"], row["first_due_on"]):
        return None
    day = rules.charge_on(bill.due_on, row["days_before"], today)
    return max([day, *(end + timedelta(days=1) for end in ends if end is not None)])
