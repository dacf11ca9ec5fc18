"""Data zone, stage "payment": a try to pay is born here, before any provider hears of it.

The attempt, its reference and the inquiry that will find out about it whatever happens commit
together; only then may anyone submit. One attempt per bill is live: the row locks on all bills that
it pays, a unique index and a trigger see to it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.page import VIEW_PAGE
from portal.contract.payment import (
    RECORD_INQUIRY,
    RECORD_SUBMISSION,
    START_PAYMENT,
    VIEW_ATTEMPT,
    VIEW_RETURN,
    AttemptNow,
    AttemptStarted,
    RecordSubmission,
    Returned,
    StartPayment,
    ViewAttempt,
    ViewReturn,
)
from portal.domain import payment as rules
from portal.domain.card_number import refuse_card_number
from portal.domain.card_on_file import METHOD as CARD
from portal.domain.doubt import SUBMIT_GRACE
from portal.domain.errors import Conflict, Expired, NotFound
from portal.domain.ids import AttemptId
from portal.domain.number import METHOD as NUMBER
from portal.domain.payment import AttemptEvent
from portal.domain.reference import form_of, reference_for
from portal.kit.crypto import sha256
from portal.vault.act import Act
from portal.vault.attempt import (
    Attempt,
    Instrument,
    LockedBill,
    emit_attempt,
    insert_attempt,
    lock_whole,
    move,
    plan_inquiry,
    read_attempt,
    store_attempt,
)
from portal.vault.attempt_view import to_now
from portal.vault.card_on_file import agree, check_consent
from portal.vault.card_payment import (
    KeptCard,
    as_deposited,
    asks_soon,
    choose_card,
    come_back,
    note_begun,
    secures,
    stop_card,
)
from portal.vault.chosen import arguments_of, check_intent, lock_chosen, shares_of
from portal.vault.finding import finish_cancels
from portal.vault.merchant import code_of
from portal.vault.number import check_number, order_number, terms_of
from portal.vault.payee import Payee, read_payee
from portal.vault.payer import (
    bill_of,
    enter_merchant,
    new_return_token,
    page_ref_of,
    require_own_attempt,
)
from portal.vault.registry import operation
from portal.vault.resume import lives_of, resume
from portal.vault.texts import check_app_link, check_page_address, check_tokens

RETURN_TOKEN_LIFE: Final = timedelta(hours=24)
RETURN_AUTHORITY_S: Final = 15 * 60
RETURN_VIEWS_MAX: Final = 60
_RETURN_OPS: Final = (VIEW_PAGE.name, VIEW_ATTEMPT.name, RECORD_INQUIRY.name)
_ONCE: Final = "start_payment"
_RETURN: Final = """
select attempt_id, bill_id, expires_at from return_token where merchant_id = $1 and token_hash = $2
"""
_WEB: Final = frozenset({"web"})
_PAYER: Final = frozenset({"payer"})


@operation(START_PAYMENT, callers=_WEB, kinds=_PAYER, audit="effect")
async def start_payment(act: Act, request: StartPayment) -> AttemptStarted:
    """Start a try to pay the bill of this authority: one live try per bill.

    Who presses the button has opened the page, so that is noted too. A second intent while the
    payer is still on the provider's page leads back to that page; it replaces the try only if
    nobody can ever have got the page's address. The reply then, and for a key seen before, is not
    ``fresh``. By another method, or for other bills, it is refused: on the page that they left they
    may still pay.

    Raises: Conflict ``not_payable``, ``other_not_payable``, ``amount_changed`` (param
    ``amount_minor``), ``attempt_running``, ``attempt_elsewhere`` (param ``method``),
    ``method_unavailable``, ``method_unconfigured`` (param ``provider``), ``part_not_taken``,
    ``payer_unfit``, ``card_not_kept``, ``card_not_there``, ``card_tries_spent``,
    ``idempotency_mismatch``; InvalidInput ``method_unknown``, ``part_out_of_bounds``,
    ``part_of_several``, ``too_many_bills``, ``consent_unknown``, ``store_unknown``.
    """
    check_tokens(
        method=request.method,
        idempotency_key=request.idempotency_key,
        consent=request.consent,
        store=request.store,
    )
    check_tokens(**{f"also_{place}": ref for place, ref in enumerate(request.also)})
    refuse_card_number(request.idempotency_key)
    bills = await lock_chosen(act, request)
    bill = bills[bill_of(act)]
    key = f"{bill.id.hex}:{request.idempotency_key}"
    seen = await act.once(_ONCE, key, arguments_of(request))
    if seen is not None:
        attempt = await read_attempt(act, AttemptId(_read_id(seen)))
        payee = await read_payee(act, bill.id)
        return _started(act, payee, bill, attempt, fresh=False)
    check_intent(bills, bill, request)
    payee = await read_payee(act, bill.id)
    shares = await shares_of(act, payee, bills, bill, request)
    card = await choose_card(act, bill.id, request)
    resumed = await resume(act, await lives_of(act, payee, shares), shares, request)
    attempt = resumed or await _create(
        act, _provider(act, payee, request, card), bill, request, shares
    )
    if card is not None and resumed is None:
        attempt = await note_begun(act, attempt, card)
    card_id = await _agree(act, payee, attempt, request, is_fresh=resumed is None)
    if bill.opened_at is None:
        act.closing.add("opened", act.merchant_id, bill.id, act.business)
    await act.answer_once(_ONCE, key, attempt.id.bytes)
    started = _started(act, payee, bill, attempt, fresh=resumed is None)
    is_number = started.fresh and attempt.method == NUMBER
    number = await terms_of(act, attempt.id) if is_number else None
    return msgspec.structs.replace(started, card_id=card_id, number=number)


@operation(RECORD_SUBMISSION, callers=_WEB, kinds=_PAYER, audit="effect")
async def record_submission(act: Act, request: RecordSubmission) -> AttemptNow:
    """Record what the provider said to the first call; once, however often it is repeated.

    An attempt that has moved on since (an inquiry was quicker) keeps its state; if the provider
    accepted, it is asked again at once.

    Raises: NotFound for another payer's attempt; InvalidInput for a text that may not be stored.
    """
    check_tokens(provider_ref=request.provider_ref, code=request.code)
    check_page_address(request.redirect_url)
    check_number(request.number)
    bills, attempt = await lock_whole(act, request.attempt_id)
    require_own_attempt(act, attempt)
    check_app_link(attempt.provider, request.app_url)
    if attempt.card_payment is not None:
        request = as_deposited(attempt, request)
    if attempt.state != "submitting":
        return to_now(await _record_late(act, attempt, request))
    edge = rules.advance(attempt.state, _event_of(request))
    decline = rules.read_decline(request.code) if edge.state == "failed" else None
    moved = move(act, _with_answer(attempt, request), edge.state, decline)
    wait_s = rules.ask_again_s(moved.state, 0, 0.0) if moved.is_live else asks_soon(moved)
    stored = await store_attempt(act, _asked_at(moved, await plan_inquiry(act, moved, wait_s)))
    await emit_attempt(act, stored, edge.code)
    if not stored.is_live:
        await stop_card(act, stored)
        await finish_cancels(act, bills.values())
    return to_now(stored)


@operation(
    VIEW_ATTEMPT,
    callers=_WEB,
    kinds=_PAYER,
    audit="reveal",
    reveals=("card (last 4)", "approval number", "provider's page"),
)
async def view_attempt(act: Act, request: ViewAttempt) -> AttemptNow:
    """Show the payer their own attempt, with the provider's page while they have to act there."""
    attempt = await read_attempt(act, request.attempt_id)
    require_own_attempt(act, attempt)
    act.reveal(1)
    now = to_now(attempt)
    if now.attempt.number is None:
        return now
    return msgspec.structs.replace(now, merchant_code=await code_of(act))


@operation(VIEW_RETURN, callers=_WEB, kinds=frozenset({"caller"}), audit="effect")
async def view_return(act: Act, request: ViewReturn) -> Returned:
    """Exchange a return address' token for a short authority over just its attempt.

    Works in any browser, as often as the address is opened while the token lives. Who says that
    they come back from another order than the attempt's brings nothing about, and is an incident.

    Raises: NotFound ``return_unknown``; Expired ``return_expired``.
    """
    known = await enter_merchant(act, request.merchant_code)
    row = await act.db.fetchrow(
        _RETURN,
        act.merchant_id,
        sha256(request.return_token.encode()),
    )
    if row is None or not known:
        raise NotFound("return_unknown")
    if row["expires_at"] <= act.now:
        raise Expired("return_expired")
    attempt = await read_attempt(act, row["attempt_id"])
    attempt = await come_back(act, attempt, request.access)
    authority = await act.mint(
        kind="payer",
        subject=row["attempt_id"],
        scope_id=row["bill_id"],
        ops=_RETURN_OPS,
        life_s=RETURN_AUTHORITY_S,
        budget_rows=RETURN_VIEWS_MAX,
    )
    page_ref = page_ref_of(await act.fields(), row["bill_id"])
    return Returned(
        authority=authority,
        attempt_id=AttemptId(row["attempt_id"]),
        page_ref=page_ref,
        provider=attempt.provider,
        reference=attempt.reference,
        state=attempt.state,
        provider_ref=attempt.provider_ref,
        secures=secures(act, attempt),
    )


def _provider(act: Act, payee: Payee, request: StartPayment, card: KeptCard | None) -> str:
    """Who is to carry it out: the merchant's company, or the one that keeps the card."""
    method = request.method
    provider = payee.providers.get(method)
    if provider is None:
        raise Conflict("method_unavailable", params={"method": method})
    provider = provider if card is None else card.provider
    is_unheard = act.settings.provider_host(provider) is None  # what it answers could not be told
    if is_unheard or (request.reachable is not None and provider not in request.reachable):
        raise Conflict("method_unconfigured", params={"method": method, "provider": provider})
    return provider


async def _create(
    act: Act,
    provider: str,
    bill: LockedBill,
    request: StartPayment,
    shares: Mapping[UUID, int],
) -> Attempt:
    method = request.method
    attempt_id = act.new_id()
    if method == NUMBER:
        await order_number(act, attempt_id, bill.id, request.store)
    edge = rules.advance("created", "submit")
    attempt = Attempt(
        id=attempt_id,
        bill_id=bill.id,
        method=method,
        provider=provider,
        reference=reference_for(form_of(provider), attempt_id),
        state=edge.state,
        version=1,
        amount_minor=sum(shares.values()),
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
        shares=shares if len(shares) > 1 else {},
    )
    # Whoever was to submit may die before or after it: this inquiry finds out, whatever happened.
    ask_at = await plan_inquiry(act, attempt, SUBMIT_GRACE.total_seconds())
    attempt = _asked_at(attempt, ask_at)
    await insert_attempt(act, attempt)
    await emit_attempt(act, attempt, edge.code)
    return attempt


async def _agree(
    act: Act, payee: Payee, attempt: Attempt, request: StartPayment, *, is_fresh: bool
) -> UUID | None:
    """What the payer said about keeping the card; the card that the attempt is to enrol."""
    check_consent(request.consent, attempt.method, attempt.provider, payee.charge_days_before)
    if payee.charge_days_before is None or attempt.method != CARD:
        return None
    if not (request.consent or payee.awaits_card):
        return None  # nothing is said, and nothing was that it would take back
    return await agree(act, attempt, request.consent, payee.charge_days_before, is_fresh=is_fresh)


async def _record_late(act: Act, attempt: Attempt, request: RecordSubmission) -> Attempt:
    """A report that was overtaken, or is repeated: keep what it tells, leave the state alone."""
    if request.outcome != "accepted" or attempt.state == "succeeded":
        return attempt
    told = _with_answer(attempt, request)
    if told == attempt:
        return attempt
    wait_s = None if attempt.state == "requires_action" else 0.0
    ask_at = await plan_inquiry(act, attempt, wait_s)
    return await store_attempt(act, _asked_at(told, ask_at or attempt.ask_at))


def _started(
    act: Act, payee: Payee, bill: LockedBill, attempt: Attempt, *, fresh: bool
) -> AttemptStarted:
    """The reply; with a return token, stored by its hash, for whoever may submit the attempt."""
    token = ""
    if fresh:
        token = new_return_token()
        act.closing.add(
            "return_token",
            act.merchant_id,
            sha256(token.encode()),
            attempt.id,
            bill.id,
            act.now + RETURN_TOKEN_LIFE,
        )
    return AttemptStarted(
        attempt_id=AttemptId(attempt.id),
        provider=attempt.provider,
        reference=attempt.reference,
        amount_minor=attempt.amount_minor,
        state=attempt.state,
        fresh=fresh,
        return_token=token,
        merchant_code=payee.code,
        description=_description(bill, attempt),
        kept=attempt.card_payment is not None,
        payee_name=payee.name,
    )


def _description(bill: LockedBill, attempt: Attempt) -> str:
    """What the payer reads at the provider: the bill's number, and how many come with it."""
    others = len(attempt.parts) - 1
    return f"{bill.number} +{others}" if others else bill.number


def _event_of(request: RecordSubmission) -> AttemptEvent:
    match request.outcome:
        case "accepted":
            if request.number is not None:
                return "number_made"
            return "redirected" if request.redirect_url else "accepted"
        case "refused":
            return "refused"
        case "unknown":
            return "lost"


def _with_answer(attempt: Attempt, request: RecordSubmission) -> Attempt:
    sealed = msgspec.structs.replace(
        attempt.instrument,
        redirect_url=request.redirect_url or attempt.instrument.redirect_url,
        app_url=request.app_url if request.redirect_url else attempt.instrument.app_url,
        number=request.number or attempt.instrument.number,
    )
    ref = request.provider_ref or attempt.provider_ref
    return replace(attempt, provider_ref=ref, instrument=sealed)


def _asked_at(attempt: Attempt, ask_at: datetime | None) -> Attempt:
    return replace(attempt, ask_at=ask_at)


def _read_id(stored: bytes) -> UUID:
    return UUID(bytes=stored)
