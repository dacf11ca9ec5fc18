"""Data zone, stage "payment": a card on file is charged: one submission, then only questions.

The attempt, its reference and the inquiry that finds out about it whatever happens commit before
anybody can have the card's token; the relay alone gets that, once, for its company's host.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from portal.contract.card_on_file import (
    BEGIN_CHARGE,
    CHOOSE_CHARGES,
    RECORD_CHARGE,
    REDEEM_INSTRUMENT,
    BeginCharge,
    ChargeBegun,
    ChargeNow,
    ChargesChosen,
    ChooseCharges,
    InstrumentRedeemed,
    RecordCharge,
    RedeemInstrument,
)
from portal.domain import card_on_file as rules
from portal.domain import payment as attempts
from portal.domain.bill import is_payable, owed_minor
from portal.domain.card_on_file import ChargeFacts, ChargeOutcome, ChargeState
from portal.domain.doubt import SUBMIT_GRACE
from portal.domain.ids import AttemptId
from portal.domain.payment import AttemptEvent, AttemptState
from portal.domain.reference import form_of, reference_for
from portal.vault.act import Act
from portal.vault.attempt import (
    Attempt,
    Instrument,
    LockedBill,
    emit_attempt,
    find_live,
    insert_attempt,
    lock_bill,
    move,
    plan_inquiry,
    read_attempt,
    store_attempt,
)
from portal.vault.cancel import finish_cancel
from portal.vault.card_charge import (
    Charge,
    bill_of_charge,
    choose,
    end_declined,
    is_paused,
    read_charge,
    store_charge,
)
from portal.vault.card_keep import look_across, name_kept, refusal, refuse, told
from portal.vault.card_on_file import open_instrument
from portal.vault.card_payment import redeem_for_payer
from portal.vault.ledger import sums_of
from portal.vault.registry import operation
from portal.vault.texts import check_tokens

_WORK: Final = frozenset({"work"})
_LEASE: Final = frozenset({"lease"})
_WHOSE: Final = "select merchant_id, id from card_charge where attempt_id = $1"
_REDEEMABLE: Final[dict[ChargeState, AttemptState]] = {"handed": "submitting", "again": "unknown"}
"""State of a charge whose values the relay may have → the state of its attempt then."""

_EVENTS: Final[dict[ChargeOutcome, AttemptEvent]] = {
    "accepted": "accepted",
    "refused": "refused",
    "unknown": "lost",
}


@operation(CHOOSE_CHARGES, callers=_WORK, kinds=_LEASE, audit="effect", is_heavy=True)
async def choose_charges(act: Act, request: ChooseCharges) -> ChargesChosen:
    """Plan what the day brings to up to 500 cards on file; the task ends with the last of them.

    A bill is chosen once: asked again, the same cards bring nothing.
    """
    act.require_scope(act.merchant_id)
    planned, after = await choose(act, request.after)
    if after is None:
        await act.close_task(rows=planned)
    else:
        act.rows_done = planned
    return ChargesChosen(charges=planned, after=after)


@operation(BEGIN_CHARGE, callers=_WORK, kinds=_LEASE, audit="effect")
async def begin_charge(act: Act, request: BeginCharge) -> ChargeBegun:
    """Start the attempt of a charge and say what to send, to the one caller who may.

    What was paid, held, promised or begun otherwise since it was chosen is left out: all of that
    waits for the bill's lock, which is held here. What is repeated is the attempt that there is,
    unless an inquiry has found something out about it, or its company may have forgotten it.

    Raises: NotFound for another charge than the lease's.
    """
    act.require_scope(request.charge_id)
    bill = await lock_bill(act, await bill_of_charge(act, request.charge_id))
    charge = await read_charge(act, request.charge_id)
    if charge.state not in {"planned", "again"}:
        return ChargeBegun(fresh=False)
    live = await find_live(act, bill.id)
    is_repeat = charge.state == "again"
    if is_repeat and (live is None or not _is_open(act, charge, live)):
        await store_charge(act, charge, "redeemed")  # from now on it is only asked about
        return ChargeBegun(fresh=False)
    amount_minor = owed_minor(bill.lifecycle, await sums_of(act, bill.id))
    code = rules.why_not(
        ChargeFacts(
            lifecycle=bill.lifecycle,
            settlement=bill.settlement,
            amount_minor=amount_minor,
            is_day=charge.is_day(act.clock.business_today(charge.zone)),
            has_live=live is not None and not is_repeat,
            is_paused=await is_paused(act, bill.id),
            card=charge.card_state,
        )
    )
    if code is not None:
        await store_charge(act, charge, "redeemed" if is_repeat else "left_out", code=code)
        return ChargeBegun(fresh=False)
    if is_repeat and live is not None:
        return _begun(charge, live)
    return _begun(charge, await _create(act, bill, charge, amount_minor))


def _is_open(act: Act, charge: Charge, live: Attempt) -> bool:
    """Whether a bill's live attempt is this charge's and may leave once more."""
    is_unknown = live.id == charge.attempt_id and live.state == "unknown"
    return is_unknown and rules.is_known_yet(_age(act, live))


def _age(act: Act, attempt: Attempt) -> timedelta:
    """Since it was made: no report moves that, and it was not sent before."""
    return act.business - attempt.created_at


def _begun(charge: Charge, attempt: Attempt) -> ChargeBegun:
    return ChargeBegun(
        fresh=True,
        provider=attempt.provider,
        reference=attempt.reference,
        attempt_id=AttemptId(attempt.id),
        amount_minor=attempt.amount_minor,
        original_reference=charge.original_reference,
        account=charge.merchant_code,
        description=charge.number,
    )


async def _create(act: Act, bill: LockedBill, charge: Charge, amount_minor: int) -> Attempt:
    attempt_id = act.new_id()
    edge = attempts.advance("created", "submit")
    attempt = Attempt(
        id=attempt_id,
        bill_id=bill.id,
        method=rules.METHOD,
        provider=charge.provider,
        reference=reference_for(form_of(charge.provider), attempt_id),
        state=edge.state,
        version=1,
        amount_minor=amount_minor,
        created_at=act.business,
        finished_at=None,
        state_at=act.now,
        doubt_at=act.now,
        asked=0,
        ask_at=None,
        missing_at=None,
        decline_code=None,
        authentication="",
        provider_ref="",
        instrument=Instrument(),
    )
    # Whoever is to send it may die before or after it: this inquiry finds out, whatever happened.
    ask_at = await plan_inquiry(act, attempt, SUBMIT_GRACE.total_seconds())
    attempt = replace(attempt, ask_at=ask_at)
    await insert_attempt(act, attempt)
    await store_charge(act, charge, "handed", attempt_id=attempt_id)
    await emit_attempt(act, attempt, rules.CHARGE_BEGUN)
    return attempt


@operation(RECORD_CHARGE, callers=_WORK, kinds=_LEASE, audit="effect")
async def record_charge(act: Act, request: RecordCharge) -> ChargeNow:
    """Record what the company said to the one call; finishes the lease's task.

    An attempt that has moved on since (an inquiry was quicker) keeps its state. What never left the
    relay is tried again later, by another attempt; once it had the card, a denial is asked about,
    and the same attempt is sent once more where its company lets that have no second effect.

    Raises: NotFound for another charge than the lease's; InvalidInput for a text that may not be
    stored.
    """
    check_tokens(provider_ref=request.provider_ref, code=request.code)
    act.require_scope(request.charge_id)
    bill = await lock_bill(act, await bill_of_charge(act, request.charge_id))
    charge = await read_charge(act, request.charge_id)
    await act.close_task()
    if charge.attempt_id != request.attempt_id:
        return ChargeNow(state="")
    attempt = await read_attempt(act, request.attempt_id)
    if attempt.state == "unknown" and charge.tries > 1:
        await _record_repeat(act, charge, attempt, request)
    if attempt.state != "submitting":
        return ChargeNow(state=attempt.state)
    outcome = rules.weighed(request.outcome, request.code, charge.state)
    edge = attempts.advance(attempt.state, _EVENTS[outcome])
    decline = attempts.read_decline(request.code) if edge.state == "failed" else None
    told = replace(attempt, provider_ref=request.provider_ref or attempt.provider_ref)
    moved = move(act, told, edge.state, decline)
    wait_s = attempts.ask_again_s(moved.state, 0, 0.0) if moved.is_live else None
    ask_at = await plan_inquiry(act, moved, wait_s)
    stored = await store_attempt(act, replace(moved, ask_at=ask_at))
    await emit_attempt(act, stored, edge.code)
    if stored.state == "unknown":
        await _repeat_later(act, charge, stored, request)
    if not stored.is_live:
        await _end(act, charge, stored, outcome, request.code)
        if bill.lifecycle == "canceling":
            await finish_cancel(act, bill.id)
    return ChargeNow(state=stored.state)


async def _repeat_later(act: Act, charge: Charge, attempt: Attempt, request: RecordCharge) -> None:
    """Plan the same attempt once more, if a worker says that its company took nothing on."""
    is_denied = rules.is_denial(request.outcome, request.code)
    if is_denied and rules.is_repeated(charge.provider, charge.tries, _age(act, attempt)):
        await store_charge(act, charge, "again", code=request.code, is_repeat=True)
        await act.plan_task("charge.send", charge.id, due_in_s=rules.TRY_PAUSE_S)


async def _record_repeat(act: Act, charge: Charge, attempt: Attempt, request: RecordCharge) -> None:
    """What a company said to a repeat: any word but a denial is asked about, and soon."""
    if rules.is_denial(request.outcome, request.code):
        await _repeat_later(act, charge, attempt, request)
        return
    wait_s = attempts.ask_again_s(attempt.state, 0, 0.0)
    ask_at = await plan_inquiry(act, attempt, wait_s)
    await store_attempt(act, replace(attempt, ask_at=ask_at))


async def _end(
    act: Act, charge: Charge, attempt: Attempt, outcome: ChargeOutcome, code: str
) -> None:
    following = rules.goes_on(outcome, code, charge.tries)
    if following is None:
        await end_declined(act, attempt)
        return
    await store_charge(act, charge, following, code=code)
    if following == "planned":
        await act.plan_task("charge.send", charge.id, due_in_s=rules.TRY_PAUSE_S)


@operation(
    REDEEM_INSTRUMENT,
    callers=frozenset({"egress"}),
    kinds=frozenset({"caller"}),
    reveals=("card token",),
    audit="reveal",
)
async def redeem_instrument(act: Act, request: RedeemInstrument) -> InstrumentRedeemed:
    """Give out what a card's company calls it, to be charged at ``host``, once for a try.

    Where a company wants what is charged registered first, that gives out no card and may be asked
    for again: no money can move by it. What a card is to be kept by is given out while its payment
    is awaited (:mod:`portal.vault.card_keep`).

    A payer who is there has the bank asked, by rules of their own
    (:mod:`portal.vault.card_payment`): what is theirs is given to no charge, and the other way.

    A repeat is a try of the same attempt: it has the same reference, which the relay fills in. It
    gets nothing once its company may have forgotten that.

    Refused: ``delivery_unknown``, ``host_wrong``, ``delivery_redeemed``, each an incident;
    ``not_due`` for a bill that was paid, or a card that was taken back, since the try began.
    """
    if request.by_payer or request.part == "keep":
        redeem = redeem_for_payer if request.by_payer else name_kept
        return await redeem(act, request)
    found = await _find(act, request.attempt_id)
    if found is None:
        return refuse(act, "delivery_unknown", request.attempt_id)
    await act.act_for(found[0])
    bill = await lock_bill(act, await bill_of_charge(act, found[1]))
    charge = await read_charge(act, found[1])
    fault = _fault(act, charge, request)
    if fault is not None:
        return refuse(act, fault, request.attempt_id)
    attempt = await read_attempt(act, request.attempt_id)
    is_wanted = charge.card_state == "active" and is_payable(bill.lifecycle, bill.settlement)
    # Past its time the try is asked about; it must not leave behind the question's back.
    is_wanted &= attempt.state == _REDEEMABLE[charge.state]
    is_wanted &= charge.state != "again" or rules.is_known_yet(_age(act, attempt))
    if charge.instrument is None or not is_wanted:
        return refusal("not_due")
    if request.part == "order":
        return told(attempt)
    if charge.state == "again":
        # From now on the company may have it anew: what was not found before says nothing.
        await store_attempt(act, replace(attempt, doubt_at=act.now, missing_at=None))
    await store_charge(act, charge, "redeemed")
    card = await open_instrument(act, charge.card_id, charge.instrument)
    act.reveal(1)
    return told(attempt, card.token, card.customer)


def _fault(act: Act, charge: Charge, request: RedeemInstrument) -> str | None:
    if act.settings.provider_host(charge.provider) != request.host:
        return "host_wrong"
    is_open = charge.attempt_id == request.attempt_id and charge.state in _REDEEMABLE
    return None if is_open else "delivery_redeemed"


async def _find(act: Act, attempt_id: UUID) -> tuple[UUID, UUID] | None:
    """Whose it is."""
    row = await look_across(act, _WHOSE, attempt_id)
    return None if row is None else (row["merchant_id"], row["id"])
