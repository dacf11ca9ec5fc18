"""Paying, from the payer's button to the provider's page: one reference, one submission.

Application zone. The vault has stored the attempt and its reference before the provider hears of
it; a time-out or an unreadable answer is *unknown* and only an inquiry leaves it. Nothing here
submits a second time.
"""

import asyncio
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from portal.application.methods.registry import find_kept, find_number, find_redirect
from portal.application.payment.desk import PayDesk
from portal.application.payment.number import submission_of, wanted_of
from portal.application.payment.reach import UNCONFIGURED, tell
from portal.application.providers.exchange import KeptWanted, SessionAnswer, SessionWanted
from portal.contract.envelope import Authority
from portal.contract.number import NumberTerms
from portal.contract.payment import (
    RECORD_SUBMISSION,
    START_PAYMENT,
    VIEW_ATTEMPT,
    AttemptNow,
    AttemptStarted,
    RecordSubmission,
    StartPayment,
    ViewAttempt,
)
from portal.domain.app_link import is_app_link
from portal.domain.errors import Conflict, TryLater, Unknown
from portal.domain.money import Money
from portal.kit.crashpoint import crash_point

RECORD_TRIES_MAX: Final = 4
RECORD_PAUSE_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Intent:
    """What the payer's form says: ``key`` is the form's own, so a second click is the same intent.

    ``also`` names other bills of the contract, ``part_minor`` is a part of this one alone.
    ``consent``: the words by which the payer lets the card be kept, '' if not. ``store``: where a
    number is to be paid by, '' for every other method. ``kept``: by the card on file. Units:
    ``expected_minor`` in yen, the sum that the page showed.
    """

    method: str
    expected_minor: int
    key: str
    consent: str = ""
    also: tuple[str, ...] = ()
    part_minor: int | None = None
    store: str = ""
    kept: bool = False


async def submit_payment(
    desk: PayDesk, authority: Authority, intent: Intent, public_origin: str
) -> AttemptNow:
    """Start the payer's attempt and open it at the provider; say what the page should do now.

    With a ``redirect_url`` the payer goes there; else the page shows the attempt's state. A key
    seen before never submits again: the attempt is shown as it is. ``public_origin`` is where the
    provider sends the payer back to, without a slash at the end.

    Raises: Conflict ``amount_changed``, ``not_payable``, ``other_not_payable``,
    ``attempt_running``, ``attempt_elsewhere``, ``method_unconfigured``, ``card_not_kept`` and the
    like from the vault; Unknown ``payment_unclear`` when the outcome could not be recorded (an
    inquiry will find it).
    """
    started = await _start(desk, authority, intent)
    if not started.fresh:
        seen = ViewAttempt(attempt_id=started.attempt_id)
        return await desk.vault.call(VIEW_ATTEMPT, seen, authority)
    crash_point("web.before_submission")
    return_url = return_address(public_origin, started.merchant_code, started.return_token)
    if started.kept:
        said = await _pay_kept(desk, started, return_url)
    elif started.number is None:
        said = await _open_session(desk, started, return_url)
    else:
        said = await _make_number(desk, started, started.number)
    crash_point("web.after_submission")
    return await _record(desk, authority, said)


async def _start(desk: PayDesk, authority: Authority, intent: Intent) -> AttemptStarted:
    """Store the attempt, unless nobody here could submit it."""
    request = StartPayment(
        method=intent.method,
        expected_minor=intent.expected_minor,
        idempotency_key=intent.key,
        reachable=tuple(sorted(desk.endpoints)),
        consent=intent.consent,
        also=intent.also,
        part_minor=intent.part_minor,
        store=intent.store,
        kept=intent.kept,
    )
    try:
        return await desk.vault.call(START_PAYMENT, request, authority)
    except Conflict as refusal:
        if refusal.code == UNCONFIGURED:
            tell(desk, str(refusal.params.get("provider", "")))
        raise


async def _open_session(
    desk: PayDesk, started: AttemptStarted, return_url: str
) -> RecordSubmission:
    wanted = SessionWanted(
        reference=started.reference,
        amount=Money(started.amount_minor),
        return_url=return_url,
        account=started.merchant_code,
        description=started.description or started.reference,
        enrol=started.card_id is not None,
        customer_reference="" if started.card_id is None else started.card_id.hex,
    )
    adapter = find_redirect(started.provider)
    endpoint = desk.endpoint(started.provider)
    answer = await desk.converse(adapter.open_session(endpoint, wanted))
    return told_of_page(started, answer)


async def _pay_kept(desk: PayDesk, started: AttemptStarted, return_url: str) -> RecordSubmission:
    """By the card on file: the relay has card and sum from the vault, and tells it the page."""
    wanted = KeptWanted(
        reference=started.reference,
        amount=Money(started.amount_minor),
        attempt_id=started.attempt_id,
        return_url=return_url,
        account=started.merchant_code,
        description=started.description or started.reference,
        payee_name=started.payee_name,
    )
    adapter, endpoint = find_kept(started.provider), desk.endpoint(started.provider)
    return told_of_page(started, await desk.converse(adapter.pay_kept(endpoint, wanted)))


def told_of_page(started: AttemptStarted, answer: SessionAnswer) -> RecordSubmission:
    """The provider's word as the vault is told it; a link that leads into no app of it is dropped.

    Then the payer has the page, as whoever has no app.
    """
    leads_to_app = is_app_link(started.provider, answer.app_url)
    return RecordSubmission(
        attempt_id=started.attempt_id,
        outcome=answer.outcome,
        redirect_url=answer.redirect_url,
        provider_ref=answer.provider_ref,
        code=answer.code,
        app_url=answer.app_url if leads_to_app else "",
    )


async def _make_number(
    desk: PayDesk, started: AttemptStarted, terms: NumberTerms
) -> RecordSubmission:
    """The payer stays on our page; who they are is told by the relay."""
    adapter, endpoint = find_number(started.provider), desk.endpoint(started.provider)
    answer = await desk.converse(adapter.issue(endpoint, wanted_of(started, terms)))
    return submission_of(started, answer)


def return_address(origin: str, merchant_code: str, return_token: str) -> str:
    """Where the provider's page sends the payer back to; the token grants one look-up."""
    return f"{origin}/return/{quote(merchant_code, safe='')}/{quote(return_token, safe='')}"


async def _record(desk: PayDesk, authority: Authority, booked: RecordSubmission) -> AttemptNow:
    """Book the provider's first answer; it was said once, so a busy vault is asked again."""
    for attempt in range(RECORD_TRIES_MAX):
        try:
            return await desk.vault.call(RECORD_SUBMISSION, booked, authority)
        except (TryLater, Unknown):
            await asyncio.sleep(RECORD_PAUSE_S * 2**attempt)
    raise Unknown("payment_unclear", context=f"attempt {booked.attempt_id}")
