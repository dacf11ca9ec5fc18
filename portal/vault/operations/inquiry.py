"""Data zone, stage "payment": inquiries, the only way out of not knowing.

What a finding means is decided by portal.domain.payment; here it is booked: state, ledger,
settlement, events, cases and the next inquiry in one transaction.
"""

from typing import Final

from portal.contract.payment import (
    RECORD_INQUIRY,
    VIEW_INQUIRY,
    AttemptNow,
    InquiryDue,
    RecordInquiry,
    ViewInquiry,
)
from portal.domain.errors import NotFound
from portal.vault.act import Act
from portal.vault.attempt import lock_whole, read_attempt
from portal.vault.attempt_view import to_now
from portal.vault.card_payment import is_left_behind, secures
from portal.vault.debit import METHOD as DEBIT
from portal.vault.dispute import book_dispute
from portal.vault.finding import book_finding
from portal.vault.number import check_number
from portal.vault.payer import require_own_attempt
from portal.vault.registry import operation
from portal.vault.texts import check_tokens
from portal.vault.unwanted import ask_about_numbers, is_number_unwanted, is_page_unwanted

_LEASE: Final = frozenset({"lease"})


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
    )


@operation(
    RECORD_INQUIRY,
    callers=frozenset({"web", "work"}),
    kinds=frozenset({"payer", "lease"}),
    audit="effect",
)
async def record_inquiry(act: Act, request: RecordInquiry) -> AttemptNow:
    """Book what an inquiry found; the only way out of unknown. Finishes the lease's task.

    A success that comes late, twice or for a canceled bill is booked and opens a case; a success
    over another amount than ours is not booked and opens one. A payer who contests a payment takes
    its money back, as far as the company says so, and opens one.

    Raises: NotFound for an attempt that this authority is not about, or by a method that nobody can
    be asked about; InvalidInput for a text that may not be stored.
    """
    finding = request.finding
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
    is_payer = act.capability.kind == "payer"
    if not is_payer:
        act.require_scope(request.attempt_id)
    bills, attempt = await lock_whole(act, request.attempt_id)
    if is_payer:
        require_own_attempt(act, attempt)
    if attempt.method == DEBIT:  # only its bank's file tells how it stands
        raise NotFound("not_found", params={"kind": "inquiry"})
    stored = await book_finding(act, bills, attempt, finding)
    if stored.state == "succeeded" and not attempt.is_live:
        # It came late: somebody may hold a number for the same bill by now.
        await ask_about_numbers(act, bills)
    is_looked_back = attempt.state == "succeeded"
    if stored.state == "succeeded" and (finding.dispute is not None or is_looked_back):
        await book_dispute(act, stored, finding.dispute)
    if not is_payer:
        await act.close_task()
    return to_now(stored)
