"""Asking the provider what became of an attempt: on the payer's return, and by the worker.

Application zone. An inquiry changes nothing at the provider, so it may be repeated at will. The
vault has the answer from the relay and does what it means; here it is only asked, and where the
vault heard nothing that is said.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from portal.application.methods.redirect import TakesBack
from portal.application.methods.registry import find_number, find_redirect
from portal.application.methods.saved import Secures
from portal.application.payment.desk import About, Heard, PayDesk
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
    """Find the attempt behind the return address and have its provider asked once.

    Where the last step of the payment is ours it is taken first. Works in another browser than the
    one that left. When the vault does not hear the answer the attempt stays as it was: the inquiry
    that it has planned will find out.

    Raises: NotFound or Expired from the vault for a token that leads nowhere.
    """
    back = await desk.vault.call(
        VIEW_RETURN, ViewReturn(merchant_code=merchant_code, return_token=return_token)
    )
    if back.state != SETTLED:
        heard = await _ask(desk, About(merchant_code, back.attempt_id), back)
        crash_point("web.after_inquiry")
        if not heard.is_deposited:
            with suppress(TryLater, Unknown):
                await _tell(desk, back.authority, back.attempt_id, heard.said)
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
    about = About(due.merchant_code, attempt_id)
    if due.method == NUMBER:
        heard = await _ask_number(desk, about, due.provider, due.reference)
    else:
        heard = await _ask(desk, about, due)
    crash_point("worker.after_inquiry")
    return await _tell(desk, lease, attempt_id, heard.said)


async def _take_back(desk: PayDesk, due: InquiryDue) -> None:
    adapter = find_redirect(due.provider)
    if not isinstance(adapter, TakesBack):
        return
    closing = adapter.take_back(desk.endpoint(due.provider), due.provider_ref)
    if closing is not None:
        await desk.converse(closing)


async def _ask(desk: PayDesk, about: About, due: InquiryDue | Returned) -> Heard[Finding]:
    adapter, endpoint = find_redirect(due.provider), desk.endpoint(due.provider)
    if due.secures and isinstance(adapter, Secures):
        is_back = due.secures == "returned"
        step = adapter.secure(endpoint, due.reference, due.provider_ref, is_back=is_back)
        return await desk.ask(step, about)
    return await desk.ask(adapter.inquire(endpoint, due.reference, due.provider_ref), about)


async def _ask_number(desk: PayDesk, about: About, provider: str, reference: str) -> Heard[Finding]:
    asking = find_number(provider).inquire(desk.endpoint(provider), reference)
    heard = await desk.ask(asking, about)
    return Heard(finding_of(heard.said), heard.is_deposited)


async def _tell(
    desk: PayDesk, authority: Authority, attempt_id: AttemptId, finding: Finding
) -> AttemptNow:
    """It was asked; a vault of the release before believes what was found."""
    booking = RecordInquiry(attempt_id=attempt_id, finding=finding)
    return await desk.vault.call(RECORD_INQUIRY, booking, authority)
