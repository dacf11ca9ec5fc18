"""Data zone, stage "payment": a refund's way to its provider: one submission, then only questions.

The refund moves to ``submitting`` and commits, with the inquiry that will find out about it
whatever happens, before the provider hears of it. Whoever takes the task up later finds it so and
sends nothing.
"""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from portal.contract.refund import (
    BEGIN_REFUND,
    RECORD_REFUND_FINDING,
    RECORD_REFUND_SUBMISSION,
    REDEEM_REFUND,
    RETURN_REFUND,
    VIEW_REFUND,
    BeginRefund,
    RecordRefundFinding,
    RecordRefundSubmission,
    RedeemRefund,
    RefundBegun,
    RefundDue,
    RefundNow,
    RefundOutcome,
    RefundRedeemed,
    RefundReturned,
    ReturnRefund,
    ViewRefund,
)
from portal.domain import refund as rules
from portal.domain.doubt import SUBMIT_GRACE, ask_again_s
from portal.domain.errors import NotFound, TryLater
from portal.domain.refund import ASKED, RefundEvent, RefundFacts
from portal.vault.act import Act
from portal.vault.attempt import LockedBill, read_attempt
from portal.vault.dispute import is_disputed
from portal.vault.ledger import lost_of
from portal.vault.refund import (
    Refund,
    lock_payment,
    lock_refund,
    open_refund_case,
    plan_inquiry,
    read_refund,
    room_of,
    step,
    store_refund,
)
from portal.vault.registry import operation
from portal.vault.texts import check_tokens

_WORK: Final = frozenset({"work"})
_LEASE: Final = frozenset({"lease"})
_EGRESS: Final = frozenset({"egress"})
_CALLER: Final = frozenset({"caller"})
_CROSSING: Final = "select set_config('harai.crossing', $1, true)"
_WHOSE: Final = "select merchant_id from refund where id = $1"
_EVENTS: Final[dict[RefundOutcome, RefundEvent]] = {
    "succeeded": "given",
    "accepted": "accepted",
    "refused": "refused",
    "unknown": "lost",
}
_PAYMENT: Final = """
select a.reference, a.provider_ref, m.code, a.amount_minor - coalesce(
    (select sum(r.amount_minor) from refund r
     where r.merchant_id = $1 and r.attempt_id = $2 and r.id <> $3
           and r.way = 'provider' and r.state in ('pending', 'succeeded')), 0)::bigint as left_minor
from attempt a join merchant m on m.id = a.merchant_id where a.merchant_id = $1 and a.id = $2
"""
_IN_DOUBT: Final = """
select count(*) as others, max(ask_at) filter (where state = 'unknown') as ask_at from refund
where merchant_id = $1 and attempt_id = $2 and id <> $3 and state = any($4::text[])
"""


@dataclass(frozen=True, slots=True)
class _Paid:
    """The payment that a refund is of, as its provider knows it.

    ``remaining_minor`` is what the provider keeps of it once this refund has gone back, whatever
    else is set aside here or was transferred past it.
    """

    reference: str
    provider_ref: str
    remaining_minor: int
    account: str


async def _read_paid(act: Act, refund: Refund) -> _Paid:
    row = await act.db.fetchrow(_PAYMENT, act.merchant_id, refund.attempt_id, refund.id)
    if row is None:
        raise NotFound("not_found", params={"kind": "attempt"})
    remaining = row["left_minor"] - refund.amount_minor
    return _Paid(row["reference"], row["provider_ref"], remaining, row["code"])


async def _wait_for_others(act: Act, refund: Refund) -> None:
    row = await act.db.fetchrow(
        _IN_DOUBT, act.merchant_id, refund.attempt_id, refund.id, list(rules.WAITS_BEHIND)
    )
    if row is not None and row["others"]:
        # Nothing is learned of it before its next inquiry; a task waits no longer than its most.
        ahead_s = (row["ask_at"] - act.now).total_seconds() if row["ask_at"] else 0.0
        raise TryLater("refund_waits", retry_after_s=max(ahead_s, rules.WAIT_S))


@operation(BEGIN_REFUND, callers=_WORK, kinds=_LEASE, audit="effect")
async def begin_refund(act: Act, request: BeginRefund) -> RefundBegun:
    """Say what to send, to the one caller who may: the refund is ``submitting`` from here on.

    One whose payment has become contested meanwhile fails here, and so does one of what a company
    has given back by a lost dispute since; nobody outside hears of either.

    Raises: NotFound for another refund than the lease's; TryLater ``refund_waits`` while nobody
    knows what became of another refund of the same payment.
    """
    act.require_scope(request.refund_id)
    bill, refund = await lock_refund(act, request.refund_id)
    fresh = refund.state == "reserved"
    if fresh and await _must_not_go(act, bill, refund):
        refund = await _give_up(act, bill, refund)
        fresh = False
    if fresh:
        await lock_payment(act, refund.attempt_id)
        await _wait_for_others(act, refund)
        moved = await step(act, bill, refund, rules.advance(refund.state, "submit"))
        moved = replace(moved, doubt_at=act.now, left_at=None)
        # Whoever is to send it may die before or after it: this inquiry finds out either way.
        moved = await plan_inquiry(act, moved, SUBMIT_GRACE.total_seconds())
        refund = await store_refund(act, moved)
    paid = await _read_paid(act, refund)
    return RefundBegun(
        fresh=fresh,
        provider=refund.provider,
        reference=paid.reference,
        provider_ref=paid.provider_ref,
        refund_reference=refund.reference,
        amount_minor=refund.amount_minor,
        remaining_minor=paid.remaining_minor,
        account=paid.account,
    )


async def _must_not_go(act: Act, bill: LockedBill, refund: Refund) -> bool:
    """Whether its payment is contested or lost, or what it gives back is with the payer already."""
    if await is_disputed(act, bill.id, refund.attempt_id):
        return True
    return refund.owed_minor > 0 and bool(await lost_of(act, bill.id))


async def _give_up(act: Act, bill: LockedBill, refund: Refund) -> Refund:
    """Fail a refund that must not be sent any more; what was set aside is free again."""
    moved = await step(act, bill, refund, rules.advance(refund.state, "submit"))
    refused = rules.advance(moved.state, "refused")
    failed = await store_refund(act, await step(act, bill, moved, refused, "payment_disputed"))
    await open_refund_case(act, failed, "refund_failed")
    return failed


@operation(REDEEM_REFUND, callers=_EGRESS, kinds=_CALLER, audit="effect")
async def redeem_refund(act: Act, request: RedeemRefund) -> RefundRedeemed:
    """Let the relay send a refund to ``host``, once for a submission: from now on it left.

    What a worker says afterwards does not decide any more whether it left.

    Refused: ``delivery_unknown``, ``host_wrong``, ``delivery_redeemed``, ``refund_differs`` (the
    request says something else of it than we know), each an incident; ``not_due`` for one that is
    not being submitted any more, or is contested since.
    """
    found = await _enter(act, request.refund_id)
    if found is None:
        return RefundRedeemed(refused=_refuse(act, "delivery_unknown", request.refund_id))
    bill, refund = found
    if act.settings.provider_host(refund.provider) != request.host:
        return RefundRedeemed(refused=_refuse(act, "host_wrong", refund.id))
    is_contested = refund.left_at is None and await _must_not_go(act, bill, refund)
    if refund.state != "submitting" or is_contested:
        return RefundRedeemed(refused="not_due")
    if refund.left_at is not None:
        return RefundRedeemed(refused=_refuse(act, "delivery_redeemed", refund.id))
    if not _is_told_right(request, refund, await _read_paid(act, refund)):
        return RefundRedeemed(refused=_refuse(act, "refund_differs", refund.id))
    # The company may have it from now on: what was not found before says nothing.
    await store_refund(act, replace(refund, left_at=act.now, doubt_at=act.now, missing_at=None))
    return RefundRedeemed(refused=None)


@operation(RETURN_REFUND, callers=_EGRESS, kinds=_CALLER, audit="effect")
async def return_refund(act: Act, request: ReturnRefund) -> RefundReturned:
    """Hear from the relay that a refund which it may send surely moved nothing; twice is once.

    Refused: ``delivery_unknown``, ``host_wrong``, which are incidents; ``not_due`` for one that is
    not being submitted any more, of which only an inquiry tells.
    """
    found = await _enter(act, request.refund_id)
    if found is None:
        return RefundReturned(refused=_refuse(act, "delivery_unknown", request.refund_id))
    _, refund = found
    if act.settings.provider_host(refund.provider) != request.host:
        return RefundReturned(refused=_refuse(act, "host_wrong", refund.id))
    if refund.state != "submitting":
        return RefundReturned(refused="not_due")
    if refund.left_at is not None:
        await store_refund(act, replace(refund, left_at=None))
    return RefundReturned(refused=None)


async def _enter(act: Act, refund_id: UUID) -> tuple[LockedBill, Refund] | None:
    """The refund and its bill, locked. Only this look-up crosses merchants; it reads ids alone."""
    await act.db.execute(_CROSSING, "redeem_refund")
    await act.db.execute("select set_config('harai.merchant', $1, true)", str(UUID(int=0)))
    merchant_id: UUID | None = await act.db.fetchval(_WHOSE, refund_id)
    await act.db.execute(_CROSSING, "")
    if merchant_id is None:
        return None
    await act.act_for(merchant_id)
    return await lock_refund(act, refund_id)


def _is_told_right(said: RedeemRefund, refund: Refund, paid: _Paid) -> bool:
    """Whether what a request says of a refund is so; what its rule names no place for is not asked.

    Of the payment a company may know our reference or its own name, which some adapters keep behind
    a mark of its kind (``p-…``).
    """
    marked = paid.provider_ref.partition("-")[2]
    pairs = (
        (said.reference, {refund.reference}),
        (said.payment, {paid.reference, paid.provider_ref, marked} - {""}),
        (said.amount_minor, {refund.amount_minor}),
        (said.remaining_minor, {paid.remaining_minor}),
    )
    return all(word is None or word in known for word, known in pairs)


def _refuse(act: Act, code: str, subject: UUID) -> str:
    act.note_incident("delivery_host" if code == "host_wrong" else code, subject)
    return code


@operation(RECORD_REFUND_SUBMISSION, callers=_WORK, kinds=_LEASE, audit="effect")
async def record_refund_submission(act: Act, request: RecordRefundSubmission) -> RefundNow:
    """Record what the provider said to the one call; finishes the lease's task.

    A refund that has moved on since (an inquiry was quicker) keeps its state; if the provider took
    it on, it is asked about at once. One that was not sent, as its provider was away or busy, waits
    to be sent again by a task of its own; only this submission's lease can say so. Where the relay
    has sent it, that is not believed: it is in doubt and asked about, like a lost answer.

    Raises: NotFound for another refund than the lease's; InvalidInput for a text that may not be
    stored.
    """
    check_tokens(provider_ref=request.provider_ref, code=request.code)
    act.require_scope(request.refund_id)
    bill, refund = await lock_refund(act, request.refund_id)
    told = replace(refund, provider_ref=request.provider_ref or refund.provider_ref)
    again_s = _send_again_in_s(act, refund, request)
    if again_s is not None:
        edge = rules.advance(refund.state, "not_sent")
        told = replace(await step(act, bill, refund, edge), doubt_at=None, ask_at=None)
        told = await store_refund(act, told)
        await act.plan_task("payment.refund", refund.id, told.version, due_in_s=again_s)
    elif refund.state == "submitting":
        is_believed = rules.is_believed(request.code, has_left=refund.left_at is not None)
        outcome = "unknown" if request.outcome == "refused" and not is_believed else request.outcome
        edge = rules.advance(refund.state, _EVENTS[outcome])
        code = request.code or None if edge.state == "failed" else None
        told = await step(act, bill, told, edge, code)
        wait_s = ask_again_s(0, 0.0) if told.state in ASKED else None
        told = await store_refund(act, await plan_inquiry(act, told, wait_s))
        if told.state == "failed":
            await open_refund_case(act, told, "refund_failed")
    elif request.outcome in {"succeeded", "accepted"} and refund.state != "succeeded":
        told = await store_refund(act, await plan_inquiry(act, told, 0.0))
    await act.close_task()
    return RefundNow(state=told.state)


def _send_again_in_s(act: Act, refund: Refund, said: RecordRefundSubmission) -> float | None:
    if refund.state != "submitting" or said.outcome != "refused" or refund.left_at is not None:
        return None
    decided_at = refund.decided_at or refund.asked_at
    return rules.send_again_in_s(said.code, decided_at, act.business)


@operation(VIEW_REFUND, callers=_WORK, kinds=_LEASE, audit="none")
async def view_refund(act: Act, request: ViewRefund) -> RefundDue:
    """Say what to ask the provider about, or that nothing needs asking any more.

    Raises: NotFound for another refund than the lease's; TryLater ``refund_waits`` for one that is
    over while nobody knows what became of another of the same payment.
    """
    act.require_scope(request.refund_id)
    refund = await read_refund(act, request.refund_id)
    settled = refund.state not in ASKED and refund.ask_at is None
    if refund.state not in ASKED and not settled:
        await _wait_for_others(act, refund)
    paid = await _read_paid(act, refund)
    return RefundDue(
        settled=settled,
        provider=refund.provider,
        reference=paid.reference,
        provider_ref=paid.provider_ref,
        refund_reference=refund.reference,
        amount_minor=refund.amount_minor,
        remaining_minor=paid.remaining_minor,
        account=paid.account,
    )


@operation(RECORD_REFUND_FINDING, callers=_WORK, kinds=_LEASE, audit="effect")
async def record_refund_finding(act: Act, request: RecordRefundFinding) -> RefundNow:
    """Book what an inquiry found; the only way out of unknown. Finishes the lease's task.

    A success that comes late is booked if the payment still has room for it, and opens a case.

    Raises: NotFound for another refund than the lease's; InvalidInput for a text that may not be
    stored; TryLater ``refund_waits`` for a finding that another refund has overtaken.
    """
    check_tokens(provider_ref=request.provider_ref, code=request.code)
    act.require_scope(request.refund_id)
    bill, refund = await lock_refund(act, request.refund_id)
    await lock_payment(act, refund.attempt_id)
    await _require_current(act, refund, request.remaining_minor)
    verdict = rules.judge(
        await _facts(act, refund), request.state, request.amount_minor, request.code, act.now
    )
    told = replace(
        refund,
        asked=refund.asked + 1,
        missing_at=verdict.missing_at,
        provider_ref=request.provider_ref or refund.provider_ref,
        ask_at=refund.ask_at if refund.ask_at and refund.ask_at > act.now else None,
    )
    if verdict.edge is not None:
        told = await step(act, bill, told, verdict.edge, verdict.code)
    told = await store_refund(act, await plan_inquiry(act, told, verdict.ask_in_s))
    if verdict.case is not None:
        await open_refund_case(act, told, verdict.case)
    await act.close_task()
    return RefundNow(state=told.state)


async def _require_current(act: Act, refund: Refund, remaining_minor: int | None) -> None:
    """Refuse a finding that was read while another refund of the payment moved.

    Where all that a company knows is the amount it keeps, the other's money would be taken for
    this one's, and booked twice.
    """
    if refund.state not in ASKED:
        await _wait_for_others(act, refund)
    paid = await _read_paid(act, refund)
    if remaining_minor is not None and remaining_minor != paid.remaining_minor:
        raise TryLater("refund_waits", retry_after_s=rules.WAIT_S)


async def _facts(act: Act, refund: Refund) -> RefundFacts:
    attempt = await read_attempt(act, refund.attempt_id)
    return RefundFacts(
        state=refund.state,
        amount_minor=refund.amount_minor,
        doubt_at=refund.doubt_at or refund.state_at,
        asked=refund.asked,
        missing_at=refund.missing_at,
        room_minor=await room_of(act, attempt, refund.bill_id),
        is_known=bool(refund.provider_ref),
    )
