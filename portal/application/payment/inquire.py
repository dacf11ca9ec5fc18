"""Asking the provider what became of an attempt: on the payer's return, and by the worker.

Application zone. An inquiry changes nothing at the provider, so it may be repeated at will; what a
finding means for the attempt is decided in the vault.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from portal.application.methods.redirect import TakesBack
from portal.application.methods.registry import find_number, find_redirect
from portal.application.methods.saved import Secures
from portal.application.payment.desk import PayDesk
from portal.application.payment.number import finding_of
from portal.contract.envelope import Authority
from portal.contract.payment import (
    RECORD_INQUIRY,
    VIEW_INQUIRY,
    VIEW_RETURN,
    AttemptNow,
    Finding,
    InquiryDue,
    RecordInquiry,
    Returned,
    ViewInquiry,
    ViewReturn,
)
from portal.domain.errors import TryLater, Unknown
from portal.domain.ids import AttemptId
from portal.domain.number import METHOD as NUMBER
from portal.domain.payment import AttemptState
from portal.kit.crashpoint import crash_point

SETTLED: Final[AttemptState] = "succeeded"
"""The one state in which nothing needs asking: even a failed or expired attempt may have been paid
on a page that the payer had kept open."""


@dataclass(frozen=True, slots=True)
class PayerBack:
    """The payer after the provider's page: the short authority for the receipt of this attempt."""

    authority: Authority
    page_ref: str
    attempt_id: AttemptId


async def arrive(desk: PayDesk, merchant_code: str, return_token: str, access: str) -> None:
    """Note that the payer is back, with what the company says it calls the order they come from.

    Raises: NotFound or Expired from the vault for a token that leads nowhere.
    """
    back = ViewReturn(merchant_code=merchant_code, return_token=return_token, access=access)
    await desk.vault.call(VIEW_RETURN, back)


async def finish_return(desk: PayDesk, merchant_code: str, return_token: str) -> PayerBack:
    """Find the attempt behind the return address, ask the provider once, and book what it says.

    Where the last step of the payment is ours it is taken first. Works in another browser than the
    one that left. When the finding can't be booked just now the attempt stays as it was: the
    inquiry that the vault has planned will book it.

    Raises: NotFound or Expired from the vault for a token that leads nowhere.
    """
    back = await desk.vault.call(
        VIEW_RETURN, ViewReturn(merchant_code=merchant_code, return_token=return_token)
    )
    if back.state != SETTLED:
        finding = await _ask(desk, back)
        crash_point("web.after_inquiry")
        with suppress(TryLater, Unknown):
            await _book(desk, back.authority, back.attempt_id, finding)
    return PayerBack(back.authority, back.page_ref, back.attempt_id)


async def inquire(desk: PayDesk, lease: Authority, attempt_id: AttemptId) -> AttemptNow | None:
    """The worker's inquiry under its task's lease; None when the attempt is over already.

    A number whose bill is asked for no more is withdrawn first, and a page is closed where its
    company can. What it answers to that is not believed but asked for, so who dies in between has
    changed nothing here, and asks again.
    """
    due = await desk.vault.call(VIEW_INQUIRY, ViewInquiry(attempt_id=attempt_id), lease)
    if due.settled:
        return None
    if due.unwanted:
        adapter = find_number(due.provider)
        await desk.converse(adapter.withdraw(desk.endpoint(due.provider), due.reference))
    if due.unwanted_page:
        await _take_back(desk, due)
    if due.unwanted or due.unwanted_page:
        crash_point("worker.after_withdrawal")
    if due.method == NUMBER:
        finding = await _ask_number(desk, due.provider, due.reference)
    else:
        finding = await _ask(desk, due)
    crash_point("worker.after_inquiry")
    return await _book(desk, lease, attempt_id, finding)


async def _take_back(desk: PayDesk, due: InquiryDue) -> None:
    adapter = find_redirect(due.provider)
    if not isinstance(adapter, TakesBack):
        return
    closing = adapter.take_back(desk.endpoint(due.provider), due.provider_ref)
    if closing is not None:
        await desk.converse(closing)


async def _ask(desk: PayDesk, due: InquiryDue | Returned) -> Finding:
    adapter, endpoint = find_redirect(due.provider), desk.endpoint(due.provider)
    if due.secures and isinstance(adapter, Secures):
        is_back = due.secures == "returned"
        step = adapter.secure(endpoint, due.reference, due.provider_ref, is_back=is_back)
        return await desk.converse(step)
    return await desk.converse(adapter.inquire(endpoint, due.reference, due.provider_ref))


async def _ask_number(desk: PayDesk, provider: str, reference: str) -> Finding:
    adapter = find_number(provider)
    return finding_of(await desk.converse(adapter.inquire(desk.endpoint(provider), reference)))


async def _book(
    desk: PayDesk, authority: Authority, attempt_id: AttemptId, finding: Finding
) -> AttemptNow:
    booking = RecordInquiry(attempt_id=attempt_id, finding=finding)
    return await desk.vault.call(RECORD_INQUIRY, booking, authority)
