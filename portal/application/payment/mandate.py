"""A mandate by redirect: begun once, opened once at the bank, then only asked about.

Application zone. It orders calls and reads statuses; the bank's word itself passes none of this.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from portal.application.methods.mandate import find_page
from portal.application.payment.desk import PayDesk
from portal.application.payment.submit import RECORD_PAUSE_S, RECORD_TRIES_MAX, return_address
from portal.application.providers.exchange import MandateWanted, SessionAnswer
from portal.contract.envelope import Authority
from portal.contract.mandate import (
    BEGIN_MANDATE_ASKING,
    RECORD_MANDATE_ASKING,
    RECORD_MANDATE_OPENING,
    START_MANDATE,
    VIEW_MANDATE_DEPARTURE,
    VIEW_MANDATE_RETURN,
    BeginMandateAsking,
    MandateNow,
    MandateStarted,
    RecordMandateAsking,
    RecordMandateOpening,
    StartMandate,
    ViewMandateDeparture,
    ViewMandateReturn,
)
from portal.domain.errors import TryLater, Unknown
from portal.domain.ids import DeliveryId, MandateId
from portal.domain.mandate_word import Asked
from portal.kit.crashpoint import crash_point

MARK: Final = "m-"
"""How a return token of a mandate begins: the same address leads back from every page."""


@dataclass(frozen=True, slots=True)
class MandateIntent:
    """What the payer's form says: ``key`` is the form's own."""

    bank_code: str
    branch_code: str
    key: str


@dataclass(frozen=True, slots=True)
class MandateBack:
    """The payer after the bank's page: a short authority over the bill's page."""

    authority: Authority
    page_ref: str


async def begin_mandate(
    desk: PayDesk, authority: Authority, intent: MandateIntent, public_origin: str
) -> MandateNow:
    """Start the payer's mandate and open the bank's page; with a ``page_url`` the payer goes there.

    A key seen before, or a mandate that was begun already, opens nothing again.

    Raises: Conflict ``mandate_not_offered``, ``mandate_exists``, ``mandate_running``; NotFound
    ``bank_unknown``, ``branch_unknown`` from the vault; Unknown ``mandate_unclear`` when the
    outcome could not be recorded (a question will find it).
    """
    request = StartMandate(
        bank_code=intent.bank_code,
        branch_code=intent.branch_code,
        idempotency_key=intent.key,
        reachable=tuple(sorted(desk.endpoints)),
    )
    started = await desk.vault.call(START_MANDATE, request, authority)
    if not started.fresh:
        seen = ViewMandateDeparture(mandate_id=started.mandate_id)
        return await desk.vault.call(VIEW_MANDATE_DEPARTURE, seen, authority)
    token = MARK + started.return_token
    wanted = MandateWanted(
        reference=started.reference,
        collector=started.collector,
        bank_code=started.bank_code,
        branch_code=started.branch_code,
        return_url=return_address(public_origin, started.merchant_code, token),
    )
    page = find_page(started.provider)
    crash_point("web.before_mandate")
    answer = await desk.converse(page.open_mandate(desk.endpoint(started.provider), wanted))
    crash_point("web.after_mandate")
    return await _record(desk, authority, started, answer)


async def _record(
    desk: PayDesk, authority: Authority, started: MandateStarted, answer: SessionAnswer
) -> MandateNow:
    booked = RecordMandateOpening(
        mandate_id=started.mandate_id,
        outcome=answer.outcome,
        page_url=answer.redirect_url,
        code=answer.code,
    )
    for attempt in range(RECORD_TRIES_MAX):
        try:
            return await desk.vault.call(RECORD_MANDATE_OPENING, booked, authority)
        except (TryLater, Unknown):
            await asyncio.sleep(RECORD_PAUSE_S * 2**attempt)
    raise Unknown("mandate_unclear", context=f"mandate {started.mandate_id}")


async def finish_mandate_return(desk: PayDesk, merchant_code: str, token: str) -> MandateBack:
    """Find the mandate behind the return address and have the bank asked once.

    Raises: NotFound or Expired from the vault for a token that leads nowhere.
    """
    back = await desk.vault.call(
        VIEW_MANDATE_RETURN,
        ViewMandateReturn(merchant_code=merchant_code, return_token=token.removeprefix(MARK)),
    )
    if not back.ended:
        asked = await _ask(desk, back.provider, back.reference, back.word_id)
        crash_point("web.after_mandate_question")
        told = RecordMandateAsking(mandate_id=back.mandate_id, asked=asked)
        with suppress(TryLater, Unknown):  # the question that the vault has planned will find out
            await desk.vault.call(RECORD_MANDATE_ASKING, told, back.authority)
    return MandateBack(back.authority, back.page_ref)


async def ask_bank(desk: PayDesk, lease: Authority, mandate_id: MandateId) -> str:
    """The worker's question under its task's lease; the mandate's state, '' when it has ended."""
    begun = await desk.vault.call(
        BEGIN_MANDATE_ASKING, BeginMandateAsking(mandate_id=mandate_id), lease
    )
    if begun.ended:
        return ""
    asked = await _ask(desk, begun.provider, begun.reference, begun.word_id)
    crash_point("worker.after_mandate_question")
    told = RecordMandateAsking(mandate_id=mandate_id, asked=asked)
    return (await desk.vault.call(RECORD_MANDATE_ASKING, told, lease)).state


async def _ask(desk: PayDesk, provider: str, reference: str, word_id: DeliveryId) -> Asked:
    page = find_page(provider)
    return await desk.converse(page.ask_mandate(desk.endpoint(provider), reference, word_id))
