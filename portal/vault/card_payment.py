"""Data zone: payments by the card on file whose payer is there.

Which card pays is chosen under the bill's lock, and what its company calls it leaves by the relay
alone, once, for that company's host. The relay also brings what the company answered: the order
that it registered, which nobody else ever holds, and the page at which the payer's bank asks them.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.card_on_file import DepositCardStep, InstrumentRedeemed, RedeemInstrument
from portal.contract.payment import Finding, RecordSubmission, StartPayment
from portal.domain import card_on_file as cards
from portal.domain import card_payment as rules
from portal.domain.bill import is_payable
from portal.domain.card_on_file import CardState
from portal.domain.card_payment import CardPaymentState, Secures
from portal.domain.errors import Conflict, InvalidInput
from portal.kit.crypto import same
from portal.vault.act import Act
from portal.vault.attempt import Attempt, LockedBill, lock_whole, store_attempt
from portal.vault.card_keep import look_across, refusal, refuse, told
from portal.vault.card_on_file import open_instrument, suspend
from portal.vault.texts import check_page_address

TABLE: Final = "card_payment"
_VERSION: Final = 1
"""What a company calls an order never changes."""

_WHOSE: Final = "select merchant_id, attempt_id as id from card_payment where attempt_id = $1"
_CARD: Final = """
select c.id, c.provider from card_on_file c
join bill b on b.merchant_id = $1 and b.id = $2
join merchant m on m.id = $1 and m.charge_days_before is not null
where c.merchant_id = $1 and c.state = 'active'
      and (c.contract_blind, c.customer_blind) = (b.contract_blind, b.customer_blind)
for update of c
"""
_TRIED: Final = """
select count(*) from card_payment p join attempt a on a.merchant_id = $1 and a.id = p.attempt_id
where p.merchant_id = $1 and a.bill_id = $2 and p.state <> 'begun' and p.state_at > $3
"""
_INSERT: Final = """
insert into card_payment (merchant_id, attempt_id, card_id, state, state_at)
values ($1, $2, $3, 'begun', $4)
"""
_READ: Final = """
select p.card_id, p.state, p.access, c.state as card_state, c.instrument
from card_payment p join card_on_file c on c.merchant_id = $1 and c.id = p.card_id
where p.merchant_id = $1 and p.attempt_id = $2 for update
"""
_MOVE: Final = """
update card_payment set state = $3, state_at = $4 where merchant_id = $1 and attempt_id = $2
"""
_KEEP: Final = """
update card_payment set access = $3, state_at = $4
where merchant_id = $1 and attempt_id = $2 and state = 'begun' and access is null
returning true
"""
_BACK: Final = """
update card_payment set state = 'returned', state_at = $3
where merchant_id = $1 and attempt_id = $2 and state = 'redeemed' returning true
"""
_FORGET: Final = """
update card_payment set access = null where merchant_id = $1 and attempt_id = $2
"""
_CARD_OF: Final = "select card_id from card_payment where merchant_id = $1 and attempt_id = $2"


class CardAccess(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed of an order that was registered: its name there, and what acts on it."""

    order: str
    order_pass: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCard:
    """The card that pays."""

    id: UUID
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Payment:
    """A card payment with its card, as read under the bills' locks and the card's."""

    card_id: UUID
    state: CardPaymentState
    access: bytes | None
    card_state: CardState
    instrument: bytes | None


async def choose_card(act: Act, bill_id: UUID, request: StartPayment) -> KeptCard | None:
    """The card by which the payer of a locked bill wants to pay; None where they type one.

    Raises: Conflict ``card_not_there``, ``card_tries_spent``; InvalidInput ``method_unknown`` where
    it is no card's payment, ``consent_unknown`` where a card that is kept already is to be kept.
    """
    if not request.kept:
        return None
    if request.method != cards.METHOD:
        raise InvalidInput("method_unknown")
    if request.consent:
        raise InvalidInput("consent_unknown")
    row = await act.db.fetchrow(_CARD, act.merchant_id, bill_id)
    if row is None or row["provider"] not in rules.PAYS:
        raise Conflict("card_not_there")
    since = act.now - rules.TRIES_WITHIN
    if await act.db.fetchval(_TRIED, act.merchant_id, bill_id, since) >= rules.TRIES_MAX:
        raise Conflict("card_tries_spent")
    return KeptCard(**row)


async def note_begun(act: Act, attempt: Attempt, card: KeptCard) -> Attempt:
    """Keep by which card a new attempt is paid."""
    await act.db.execute(_INSERT, act.merchant_id, attempt.id, card.id, act.now)
    return replace(attempt, card_payment="begun")


def as_deposited(attempt: Attempt, request: RecordSubmission) -> RecordSubmission:
    """What web says of the first answer, with the relay's word about it in place of its own.

    The page is the one that the relay deposited, and a company that led the payer there has the
    payment. Once the relay had the card, "nothing was carried out" is asked about like any doubt.
    """
    page = attempt.instrument.redirect_url
    said = msgspec.structs.replace(request, redirect_url=page, app_url="")
    if page:
        return msgspec.structs.replace(said, outcome="accepted", code="")
    is_denial = cards.is_denial(request.outcome, request.code)
    if is_denial and rules.is_at_company(attempt.card_payment):
        return msgspec.structs.replace(said, outcome="unknown")
    return said


def as_secured(attempt: Attempt, finding: Finding) -> Finding:
    """What a finding says of a payment whose last step was taken: its payer has nothing to do."""
    if attempt.card_payment != "secured" or finding.state != "requires_action":
        return finding
    return msgspec.structs.replace(finding, state="pending")


def secures(act: Act, attempt: Attempt) -> Secures:
    """Whether the last step of an attempt is to be taken now."""
    if not attempt.is_live:
        return ""
    return rules.secures(attempt.provider, attempt.card_payment, _age(act, attempt))


def is_left_behind(act: Act, attempt: Attempt) -> bool:
    """Whether its company is to be told that nobody comes back to pay."""
    is_open = attempt.state == "requires_action"
    behind = rules.is_left_behind(attempt.provider, attempt.card_payment, _age(act, attempt))
    return is_open and behind


async def come_back(act: Act, attempt: Attempt, access: str) -> Attempt:
    """A payer is back from their bank, with what the company calls the order: it must be this one.

    Another order's is an incident, and brings nothing about.
    """
    if not access or attempt.card_payment != "redeemed":
        return attempt
    payment = await _read(act, attempt.id)
    known = await _open(act, attempt.id, payment.access)
    if known is None:
        return attempt  # given up since, or of a company that names no order
    if not same(known.order.encode(), access.encode()):
        act.note_incident("card_order", attempt.id)
        return attempt
    is_back = await act.db.fetchval(_BACK, act.merchant_id, attempt.id, act.now)
    return replace(attempt, card_payment="returned") if is_back else attempt


def asks_soon(attempt: Attempt) -> float | None:
    """Seconds until an attempt is asked about that failed on web's word alone; None: no need.

    The company may have the card: if it took the money all the same, that is known soon.
    """
    return rules.ASK_SOON_S if rules.is_at_company(attempt.card_payment) else None


async def forget_order(act: Act, attempt: Attempt) -> None:
    """What acts on the order of an attempt is not needed any more: erase it."""
    if attempt.card_payment is not None:
        await act.db.execute(_FORGET, act.merchant_id, attempt.id)


async def stop_card(act: Act, attempt: Attempt) -> None:
    """A payment has failed: suspend its card if that stops it. Its bills are locked."""
    if attempt.card_payment is None:
        return
    await forget_order(act, attempt)
    if cards.is_stopped_by(attempt.state, attempt.decline_code):
        card_id = await act.db.fetchval(_CARD_OF, act.merchant_id, attempt.id)
        await suspend(act, card_id, attempt.bill_id, attempt.decline_code or "")


async def redeem_for_payer(act: Act, request: RedeemInstrument) -> InstrumentRedeemed:
    """What the relay may say of a payment by the card on file whose payer is there.

    The card is given out once, while the attempt is being submitted; what acts on its order
    besides for the last step, once, when the payer is back or surely stays away.

    Refused: ``delivery_unknown``, ``host_wrong``, ``delivery_redeemed``, each an incident;
    ``not_due`` for what was paid, taken back or given up since, or a step that is not due.
    """
    found = await _enter(act, request.attempt_id, request.host)
    if isinstance(found, str):
        return refuse(act, found, request.attempt_id)
    bills, attempt = found
    payment = await _read(act, attempt.id)
    if request.part == "secure":
        return await _secure(act, bills, attempt, payment)
    if payment.state != "begun" or request.part == "keep":
        return refuse(act, "delivery_redeemed", attempt.id)
    if attempt.state != "submitting" or not _is_wanted(bills, payment):
        return refusal("not_due")
    if request.part == "order":
        return told(attempt)
    return await _pay(act, attempt, payment)


async def deposit_step(act: Act, request: DepositCardStep) -> str | None:
    """Keep what the company answered, or that it heard nothing; why not, as a code."""
    found = await _enter(act, request.attempt_id, request.host)
    if isinstance(found, str):
        act.note_incident("delivery_host" if found == "host_wrong" else found, request.attempt_id)
        return found
    _, attempt = found
    if request.page:
        return await _deposit_page(act, attempt, request.page)
    if request.is_nothing:
        return await _take_back(act, attempt)
    if attempt.state != "submitting":
        return "not_due"
    access = CardAccess(request.order, request.order_pass)
    fields = await act.fields()
    blob = fields.seal(TABLE, "instrument", attempt.id, _VERSION, access)
    is_kept = await act.db.fetchval(_KEEP, act.merchant_id, attempt.id, blob, act.now)
    return None if is_kept else "delivery_redeemed"


async def _deposit_page(act: Act, attempt: Attempt, page: str) -> str | None:
    """The first page counts, and only while the payer may have to go there."""
    check_page_address(page)
    is_open = attempt.state in {"submitting", "unknown", "requires_action"}
    is_due = is_open and attempt.card_payment == "redeemed"
    if not is_due or attempt.instrument.redirect_url:
        return "not_due"
    sealed = msgspec.structs.replace(attempt.instrument, redirect_url=page)
    await store_attempt(act, replace(attempt, instrument=sealed))
    return None


async def _take_back(act: Act, attempt: Attempt) -> str | None:
    """Nothing came of naming the card: whoever says so now is believed."""
    if attempt.card_payment != "redeemed" or attempt.instrument.redirect_url:
        return "not_due"
    await _move(act, attempt, "begun")
    return None


async def _pay(act: Act, attempt: Attempt, payment: _Payment) -> InstrumentRedeemed:
    access = await _open(act, attempt.id, payment.access)
    is_ordered = access is not None or attempt.provider not in rules.SECURED_BY_US
    if not is_ordered or payment.instrument is None:
        return refusal("not_due")
    await _move(act, attempt, "redeemed")
    card = await open_instrument(act, payment.card_id, payment.instrument)
    act.reveal(1)
    return _with_order(told(attempt, card.token, card.customer), access)


async def _secure(
    act: Act, bills: dict[UUID, LockedBill], attempt: Attempt, payment: _Payment
) -> InstrumentRedeemed:
    access = await _open(act, attempt.id, payment.access)
    if access is None or not secures(act, attempt) or not _is_wanted(bills, payment):
        return refusal("not_due")
    await _move(act, attempt, "secured")
    await forget_order(act, attempt)
    return _with_order(told(attempt), access)


async def _enter(
    act: Act, attempt_id: UUID, host: str
) -> tuple[dict[UUID, LockedBill], Attempt] | str:
    """The attempt with all its bills locked, or why the host may hear nothing of it."""
    found = await look_across(act, _WHOSE, attempt_id)
    if found is None:
        return "delivery_unknown"
    await act.act_for(found["merchant_id"])
    bills, attempt = await lock_whole(act, attempt_id)
    if act.settings.provider_host(attempt.provider) != host:
        return "host_wrong"
    return bills, attempt


async def _read(act: Act, attempt_id: UUID) -> _Payment:
    return _Payment(**dict(await act.db.fetchrow(_READ, act.merchant_id, attempt_id) or {}))


async def _move(act: Act, attempt: Attempt, state: CardPaymentState) -> None:
    await act.db.execute(_MOVE, act.merchant_id, attempt.id, state, act.now)


async def _open(act: Act, attempt_id: UUID, blob: bytes | None) -> CardAccess | None:
    if blob is None:
        return None
    fields = await act.fields()
    return fields.open(TABLE, "instrument", attempt_id, _VERSION, blob, CardAccess)


def _with_order(said: InstrumentRedeemed, access: CardAccess | None) -> InstrumentRedeemed:
    if access is None:
        return said
    return msgspec.structs.replace(said, order=access.order, order_pass=access.order_pass)


def _is_wanted(bills: dict[UUID, LockedBill], payment: _Payment) -> bool:
    """Whether all that is paid is still owed, and the card may still pay it."""
    are_owed = all(is_payable(bill.lifecycle, bill.settlement) for bill in bills.values())
    return are_owed and payment.card_state == "active"


def _age(act: Act, attempt: Attempt) -> timedelta:
    """Since it was made: nothing that is said of it moves that."""
    return act.now - attempt.doubt_at
