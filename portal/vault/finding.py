"""Data zone: asking about attempts; what an inquiry's finding means for one, booked at once.

What it means is decided by portal.domain.payment; the bills are locked by whoever calls, as
portal.vault.attempt has it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.payment import Finding
from portal.domain import bill as bill_rules
from portal.domain import debit as debits
from portal.domain import payment as rules
from portal.domain.bill import BillSums
from portal.domain.card_on_file import METHOD as CARD
from portal.domain.ids import to_public
from portal.domain.ledger import Paid, attempt_paid, with_entries
from portal.domain.number import GRACE, ask_unwanted_in_s, is_unwanted
from portal.domain.number import METHOD as NUMBER
from portal.domain.payment import AttemptFacts, Verdict
from portal.vault.act import Act
from portal.vault.attempt import (
    Attempt,
    Instrument,
    LockedBill,
    emit_attempt,
    move,
    plan_inquiry,
    store_attempt,
)
from portal.vault.cancel import finish_cancel
from portal.vault.card_charge import ENDED_BADLY, end_declined, is_missing_believed
from portal.vault.card_on_file import enrol
from portal.vault.card_payment import as_secured, forget_order
from portal.vault.card_policy import falls_short
from portal.vault.due import owed_again
from portal.vault.ledger import owes_back, post, settle, sums_of_all
from portal.vault.replacement import keep_paid

_CERTAIN: Final = frozenset({"succeeded", "failed", "requires_action", "pending", "not_found"})
"""Findings that say how the attempt stands at the provider, whatever may come of it."""


async def ask_for_payer(act: Act, attempt: Attempt, *, at_least_s: float = 0.0) -> None:
    """A payer looks and we don't know: inquire now, at most as often as after notices.

    Nothing is locked beforehand; who looks at the same moment plans nothing more. With
    ``at_least_s`` it has time for so long; an inquiry that comes before that is enough.
    """
    wait_s = rules.ask_after_notice_s(attempt.ask_at, act.now)
    if wait_s is None:
        return
    wait_s = max(wait_s, at_least_s)
    if attempt.ask_at is not None and act.now < attempt.ask_at <= act.now + timedelta(
        seconds=at_least_s
    ):
        return
    ask_at = act.now + timedelta(seconds=wait_s)
    planned = await act.db.fetchval(
        "update attempt set ask_at = $4 where merchant_id = $1 and id = $2 and version = $5"
        " and ask_at is not distinct from $3::timestamptz returning true",
        act.merchant_id,
        attempt.id,
        attempt.ask_at,
        ask_at,
        attempt.version,
    )
    if planned:
        await act.plan_task("payment.inquire", attempt.id, attempt.asked, due_in_s=wait_s)


async def book_finding(
    act: Act,
    bills: Mapping[UUID, LockedBill],
    attempt: Attempt,
    finding: Finding,
    asked_at: datetime | None = None,
) -> Attempt:
    """Do what an inquiry's finding means, all in this transaction: state, money, events, cases.

    ``bills`` are all that the attempt pays, locked, and ``attempt`` was read under these locks.
    ``asked_at``: when it was asked about, now unless it is said.
    """
    asked_at = asked_at or act.now
    if finding.state == "not_found" and attempt.method == CARD:
        finding = await _weighed(act, attempt, finding)
    finding = as_secured(attempt, finding)
    if finding.state == "not_found" and attempt.instrument.number is not None:
        # Somebody holds the number: whoever denies it has not looked.
        finding = msgspec.structs.replace(finding, state="unclear")
    facts = facts_of(attempt)
    verdict = rules.judge(
        facts, finding.state, finding.amount_minor, finding.decline_code, asked_at
    )
    planned = _still_planned(act, attempt)
    moved = _apply(act, attempt, verdict, finding, asked_at)
    ask_in_s = verdict.ask_in_s
    if _is_unwanted(bills, moved):
        ask_in_s = ask_unwanted_in_s(ask_in_s)
    ask_at = await plan_inquiry(act, replace(attempt, ask_at=planned), ask_in_s)
    if ask_at is None and (moved.state != "succeeded" or attempt.state == "succeeded"):
        ask_at = _told_meanwhile(act, planned)
    stored = await store_attempt(act, replace(moved, ask_at=ask_at))
    if verdict.edge is not None and (stored.method, verdict.edge.code) not in debits.TELLS_ITSELF:
        await emit_attempt(act, stored, verdict.edge.code)
    if verdict.case is not None:
        await act.open_case(verdict.case, stored.id, reference=stored.reference)
    if verdict.booked:
        await _book_money(act, bills, stored)
    if stored.method == CARD:
        await _tell_card(act, stored, finding, verdict)
    if not stored.is_live:
        await finish_cancels(act, bills.values())
    return stored


def _is_unwanted(bills: Mapping[UUID, LockedBill], attempt: Attempt) -> bool:
    """Whether it is a number that still stands, and one of its bills is asked for no more."""
    if attempt.method != NUMBER or not attempt.is_live:
        return False
    parts = [bills[bill_id] for bill_id in attempt.parts]
    return any(is_unwanted(bill.lifecycle, bill.settlement) for bill in parts)


async def finish_cancels(act: Act, bills: Iterable[LockedBill]) -> None:
    """An attempt has ended: those of its bills that were only waiting for that are canceled now."""
    for bill in bills:
        if bill.lifecycle == "canceling":
            await finish_cancel(act, bill.id)


def facts_of(attempt: Attempt) -> AttemptFacts:
    """What judging a finding about this attempt needs to know of it."""
    number = attempt.instrument.number
    return AttemptFacts(
        state=attempt.state,
        amount_minor=attempt.amount_minor,
        doubt_at=attempt.doubt_at,
        silent_since=max(attempt.state_at, attempt.heard_at or attempt.state_at),
        asked=attempt.asked,
        missing_at=attempt.missing_at,
        is_known=bool(attempt.provider_ref),
        patient_until=number and number.pay_by + GRACE,
    )


async def _weighed(act: Act, attempt: Attempt, finding: Finding) -> Finding:
    """A "not found" that is worth nothing yet learned nothing."""
    if attempt.provider_ref or await is_missing_believed(act, attempt):
        return finding
    return msgspec.structs.replace(finding, state="unclear")


async def _tell_card(act: Act, attempt: Attempt, finding: Finding, verdict: Verdict) -> None:
    """What the finding means for its card: doubted, enrolled, or a charge to it was declined.

    A card that nobody stood for is not kept, whatever becomes of this payment.
    """
    if verdict.booked:
        await forget_order(act, attempt)
    if attempt.state == "succeeded" and (verdict.booked or finding.saved_token):
        short = await falls_short(act, attempt)
        if short and verdict.booked:
            await act.open_case(
                "card_unauthenticated", attempt.id, reference=attempt.reference,
                authentication=attempt.authentication,
            )  # fmt: skip
        if finding.saved_token and not short:
            await enrol(act, attempt, finding)
    elif verdict.edge is not None and attempt.state in ENDED_BADLY:
        await end_declined(act, attempt)


async def _book_money(act: Act, bills: Mapping[UUID, LockedBill], attempt: Attempt) -> None:
    """Book what each bill gets of the payment, in one transaction of the ledger.

    A bill that waits to be replaced is kept: the money came first.
    """
    kept = await keep_paid(act, {bill_id: bills[bill_id] for bill_id in attempt.parts})
    bills = {**bills, **kept}
    sums = await sums_of_all(act, list(attempt.parts))
    shares = [
        Paid(
            bill_id=bill_id,
            amount_minor=amount,
            owed_minor=bill_rules.owed_minor(
                bills[bill_id].lifecycle, sums.get(bill_id, BillSums())
            ),
        )
        for bill_id, amount in attempt.parts.items()
    ]
    transaction = attempt_paid(attempt.id, shares)
    is_new = await post(act, [transaction])
    for paid in shares:
        bill = bills[paid.bill_id]
        found = sums.get(bill.id, BillSums())
        after = with_entries(found, transaction, bill.id) if is_new else found
        settlement = await settle(act, bill.id, bill.settlement, after)
        if bill.id in kept and settlement == "unpaid":
            await owed_again(act, bill.id, bill.lifecycle)
        if paid.over_minor and await owes_back(act, bill.id, after):
            await act.open_case(
                "overpaid", bill.id, attempt=to_public("attempt", attempt.id),
                amount_minor=paid.over_minor,
            )  # fmt: skip


def _apply(
    act: Act, attempt: Attempt, verdict: Verdict, finding: Finding, asked_at: datetime
) -> Attempt:
    """The attempt after a verdict; planning the next inquiry is the caller's."""
    told = replace(
        attempt,
        asked=_asked(attempt, finding),
        missing_at=verdict.missing_at,
        heard_at=_heard_at(attempt, finding, asked_at),
        provider_ref=finding.provider_ref or attempt.provider_ref,
        authentication=finding.authentication or attempt.authentication,
        instrument=Instrument(
            redirect_url=attempt.instrument.redirect_url,
            app_url=attempt.instrument.app_url,
            number=finding.number or attempt.instrument.number,
            approval_no=finding.approval_no or attempt.instrument.approval_no,
            hint=finding.instrument_hint or attempt.instrument.hint,
        ),
    )
    if verdict.edge is None:
        return told
    return move(act, told, verdict.edge.state, verdict.decline_code)


def _heard_at(attempt: Attempt, finding: Finding, asked_at: datetime) -> datetime | None:
    """When the provider was asked what it last answered; a late answer makes it no earlier."""
    if finding.state not in _CERTAIN:
        return attempt.heard_at
    return asked_at if attempt.heard_at is None else max(asked_at, attempt.heard_at)


def _asked(attempt: Attempt, finding: Finding) -> int:
    """How often it was asked without an answer: of booked money every answer ends the counting."""
    answered = attempt.state == "succeeded" and finding.state in _CERTAIN
    return 0 if answered else attempt.asked + 1


def _still_planned(act: Act, attempt: Attempt) -> datetime | None:
    """The inquiry still to come: one that was due before now is the one that just spoke."""
    planned = attempt.ask_at
    return planned if planned is not None and planned > act.now else None


def _told_meanwhile(act: Act, planned: datetime | None) -> datetime | None:
    """An inquiry that comes so soon that a notice may have planned it while this one was asking.

    What this one found ends the attempt, but may be older than the notice: it must not be the last.
    """
    soon = act.now + timedelta(seconds=rules.NOTICE_PAUSE_S)
    return planned if planned is not None and planned <= soon else None
