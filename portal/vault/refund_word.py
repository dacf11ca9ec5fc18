"""Data zone: a refund and its company: what that knows of it, and what its word does here.

The word comes from the relay, which heard it (portal.vault.operations.refund_relay). It is read by
portal.domain.refund_word and judged by portal.domain.refund; here it is booked, under the locks of
the bill and, where others of the payment count, of the payment.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from portal.domain import refund as rules
from portal.domain.doubt import ask_again_s
from portal.domain.errors import InvalidInput, NotFound, TryLater
from portal.domain.refund import ASKED
from portal.domain.refund_finding import RefundFacts, judge
from portal.domain.refund_word.word import RefundAnswer, RefundFinding, RefundKnown
from portal.vault.act import Act
from portal.vault.attempt import LockedBill, read_attempt
from portal.vault.dispute import is_disputed
from portal.vault.ledger import lost_of
from portal.vault.refund import (
    Refund,
    open_refund_case,
    plan_inquiry,
    room_of,
    step,
    store_refund,
)
from portal.vault.texts import check_tokens

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
_MOVED: Final = """
select exists (select 1 from refund where merchant_id = $1 and attempt_id = $2 and id <> $3
               and state in ('pending', 'succeeded', 'failed') and state_at > $4)
"""


@dataclass(frozen=True, slots=True)
class Paid:
    """The payment that a refund is of, as its provider knows it.

    ``remaining_minor`` is what the provider keeps of it once this refund has gone back, whatever
    else is set aside here or was transferred past it. ``provider_ref`` is the name under which the
    refund left, where the relay has told it: what anybody says of the payment since changes it not.
    """

    reference: str
    provider_ref: str
    remaining_minor: int
    account: str


async def read_paid(act: Act, refund: Refund) -> Paid:
    """The payment of a refund. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(_PAYMENT, act.merchant_id, refund.attempt_id, refund.id)
    if row is None:
        raise NotFound("not_found", params={"kind": "attempt"})
    remaining = row["left_minor"] - refund.amount_minor
    name = refund.payment_ref or row["provider_ref"]
    return Paid(row["reference"], name, remaining, row["code"])


def known_of(refund: Refund, paid: Paid) -> RefundKnown:
    """What its company's words are held to."""
    return RefundKnown(
        payment=paid.reference,
        payment_name=paid.provider_ref,
        reference=refund.reference,
        amount_minor=refund.amount_minor,
        remaining_minor=paid.remaining_minor,
    )


async def wait_for_others(act: Act, refund: Refund) -> None:
    """Go on only while no other refund of the payment is in doubt.

    Raises: TryLater ``refund_waits``.
    """
    row = await act.db.fetchrow(
        _IN_DOUBT, act.merchant_id, refund.attempt_id, refund.id, list(rules.WAITS_BEHIND)
    )
    if row is not None and row["others"]:
        # Nothing is learned of it before its next inquiry; a task waits no longer than its most.
        ahead_s = (row["ask_at"] - act.now).total_seconds() if row["ask_at"] else 0.0
        raise TryLater("refund_waits", retry_after_s=max(ahead_s, rules.WAIT_S))


async def is_overtaken(act: Act, refund: Refund, asked_at: datetime) -> bool:
    """Whether another refund of the payment moved since ``asked_at``, or is in doubt beside it.

    Where all that a company knows is the amount it keeps, the other's money would be taken for
    this one's, and booked twice.
    """
    if refund.state not in ASKED:
        try:
            await wait_for_others(act, refund)
        except TryLater:
            return True
    moved: bool = await act.db.fetchval(
        _MOVED, act.merchant_id, refund.attempt_id, refund.id, asked_at
    )
    return moved


async def must_not_go(act: Act, bill: LockedBill, refund: Refund) -> bool:
    """Whether its payment is contested or lost, or what it gives back is with the payer already."""
    if await is_disputed(act, bill.id, refund.attempt_id):
        return True
    return refund.owed_minor > 0 and bool(await lost_of(act, bill.id))


async def book_answer(
    act: Act, bill: LockedBill, refund: Refund, answer: RefundAnswer, asked_at: datetime
) -> Refund:
    """Do what a company's answer to the one call means.

    One that comes after somebody has begun to ask is a finding like another.
    """
    if refund.state != "submitting":
        found = rules.finding_of(answer.outcome, answer.code)
        told = RefundFinding(found, refund.amount_minor, answer.provider_ref, answer.code)
        return await book_finding(act, bill, refund, told, asked_at)
    edge = rules.advance(refund.state, rules.event_of(answer.outcome, answer.code))
    named = replace(refund, provider_ref=_fit(answer.provider_ref) or refund.provider_ref)
    code = answer.code or None if edge.state == "failed" else None
    moved = await step(act, bill, named, edge, code)
    wait_s = ask_again_s(0, 0.0) if moved.state in ASKED else None
    stored = await store_refund(act, await plan_inquiry(act, moved, wait_s))
    if stored.state == "failed":
        await open_refund_case(act, stored, "refund_failed")
    return stored


async def book_finding(
    act: Act, bill: LockedBill, refund: Refund, found: RefundFinding, asked_at: datetime
) -> Refund:
    """Do what a finding of ``asked_at`` means; the only way out of unknown.

    A success that comes late is booked if the payment still has room for it, and opens a case.
    """
    facts = await _facts(act, refund)
    verdict = judge(facts, found.state, found.amount_minor, found.code, asked_at)
    told = replace(
        refund,
        asked=refund.asked + 1,
        missing_at=verdict.missing_at,
        provider_ref=_fit(found.provider_ref) or refund.provider_ref,
        ask_at=refund.ask_at if refund.ask_at and refund.ask_at > act.now else None,
    )
    if verdict.edge is not None:
        told = await step(act, bill, told, verdict.edge, verdict.code)
    if verdict.edge is not None or verdict.ask_in_s is not None:
        # Else nothing was learned: a question that is still to come, a look back, stays.
        told = await plan_inquiry(act, told, verdict.ask_in_s)
    told = await store_refund(act, told)
    if verdict.case is not None:
        await open_refund_case(act, told, verdict.case)
    return told


def _fit(name: str) -> str:
    """A company's own name of something, where it is one that may be stored."""
    try:
        check_tokens(provider_ref=name)
    except InvalidInput:
        return ""
    return name


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
