"""Data zone, stage "payment": inquiries, as who makes them begins and ends them.

What a company says is told by the relay alone: portal.vault.operations.payment_relay.
"""

from typing import Final

from portal.contract.finding import finding_of
from portal.contract.payment import (
    RECORD_INQUIRY,
    VIEW_INQUIRY,
    AttemptNow,
    Finding,
    InquiryDue,
    RecordInquiry,
    ViewInquiry,
)
from portal.domain.errors import NotFound
from portal.domain.payment_word.word import PaymentFinding
from portal.vault.act import Act
from portal.vault.attempt import lock_whole, read_attempt
from portal.vault.attempt_view import to_now
from portal.vault.card_payment import is_left_behind, secures
from portal.vault.debit import METHOD as DEBIT
from portal.vault.finding import book_finding
from portal.vault.merchant import code_of
from portal.vault.number import check_number
from portal.vault.payer import require_own_attempt
from portal.vault.registry import operation
from portal.vault.texts import check_tokens
from portal.vault.unwanted import is_number_unwanted, is_page_unwanted

_LEASE: Final = frozenset({"lease"})
_UNHEARD: Final = finding_of(PaymentFinding(state="unclear"))


@operation(VIEW_INQUIRY, callers=frozenset({"work"}), kinds=_LEASE, audit="none")
async def view_inquiry(act: Act, request: ViewInquiry) -> InquiryDue:
    """Say what to ask the provider about, or that nothing needs asking any more.

    Raises: NotFound for another attempt than the lease's.
    """
    act.require_scope(request.attempt_id)
    attempt = await read_attempt(act, request.attempt_id)
    return InquiryDue(
        provider=attempt.provider,
        reference=attempt.reference,
        amount_minor=attempt.amount_minor,
        settled=not attempt.is_live and attempt.ask_at is None,
        provider_ref=attempt.provider_ref,
        method=attempt.method,
        unwanted=await is_number_unwanted(act, attempt),
        unwanted_page=await is_page_unwanted(act, attempt) or is_left_behind(act, attempt),
        secures=secures(act, attempt),
        merchant_code=await code_of(act),
    )


@operation(
    RECORD_INQUIRY,
    callers=frozenset({"web", "work"}),
    kinds=frozenset({"payer", "lease"}),
    audit="effect",
)
async def record_inquiry(act: Act, request: RecordInquiry) -> AttemptNow:
    """Take note that a company was asked about an attempt; finishes the lease's task.

    What the company said the relay has put here (``deposit_payment_answer``), and the next question
    is planned by it. Where it has not, nothing was learned, whatever is said of it, and it is asked
    again.

    Raises: NotFound for an attempt that this authority is not about, or by a method that nobody can
    be asked about; InvalidInput for a text that may not be stored.
    """
    _check(request.finding)
    is_payer = act.capability.kind == "payer"
    if not is_payer:
        act.require_scope(request.attempt_id)
    bills, attempt = await lock_whole(act, request.attempt_id)
    if is_payer:
        require_own_attempt(act, attempt)
    if attempt.method == DEBIT:  # only its bank's file tells how it stands
        raise NotFound("not_found", params={"kind": "inquiry"})
    is_due = attempt.ask_at is not None and attempt.ask_at <= act.now
    if is_due or (is_payer and attempt.is_live):
        attempt = await book_finding(act, bills, attempt, _UNHEARD)
    if not is_payer:
        await act.close_task()
    return to_now(attempt)


def _check(finding: Finding) -> None:
    """Refuse a text that may not be stored, though none of it is."""
    check_tokens(
        provider_ref=finding.provider_ref,
        decline_code=finding.decline_code,
        approval_no=finding.approval_no,
        instrument_hint=finding.instrument_hint,
        authentication=finding.authentication,
        saved_token=finding.saved_token,
        saved_customer=finding.saved_customer,
        saved_brand=finding.saved_brand,
    )
    check_number(finding.number)
    if finding.dispute is not None:
        check_tokens(dispute=finding.dispute.reference, reason=finding.dispute.reason)
