"""Charging cards on file: a merchant's day, and one submission under a lease for each bill.

Application zone. The vault has stored the attempt and its reference before the company hears of
it; who finds them so sends nothing. What the company calls the card, the sum and the reference go
from the vault to the relay: no request made here could charge another card or another sum.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from portal.application.methods.registry import find_charges
from portal.application.payment.desk import PayDesk
from portal.application.providers.exchange import ChargeWanted, SessionAnswer
from portal.contract.card_on_file import (
    BEGIN_CHARGE,
    CHOOSE_CHARGES,
    RECORD_CHARGE,
    BeginCharge,
    ChargeBegun,
    ChargeNow,
    ChooseCharges,
    RecordCharge,
)
from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.domain.errors import InvariantBroken, TryLater, Unknown
from portal.domain.ids import CardChargeId
from portal.domain.money import Money
from portal.kit.crashpoint import crash_point

RECORD_TRIES_MAX: Final = 4
RECORD_PAUSE_S: Final = 0.2
CALLS_MAX: Final = 2_000
"""Steps of one run; what is left is done by the task's next run, which begins anew."""

CALL_TIMEOUT_S: Final = 30.0


async def choose_charges(
    vault: VaultClient, lease: Authority, is_stopping: Callable[[], bool]
) -> int:
    """Plan the charges of the lease's merchant and day; how many there were.

    Raises TryLater ``worker_stopping`` between two calls: what was planned stays so.
    """
    planned, after = 0, None
    for _ in range(CALLS_MAX):
        request = ChooseCharges(after=after)
        step = await vault.call(CHOOSE_CHARGES, request, lease, timeout_s=CALL_TIMEOUT_S)
        planned += step.charges
        after = step.after
        if after is None:
            return planned
        if is_stopping():
            break
    raise TryLater("worker_stopping", retry_after_s=0.0)


async def charge_card(desk: PayDesk, lease: Authority, charge_id: CardChargeId) -> ChargeNow | None:
    """Charge a bill to its card, once; None when nothing is to be sent, or may have been.

    Raises: Unknown ``charge_unclear`` when the answer could not be recorded (an inquiry finds it).
    """
    begun = await desk.vault.call(BEGIN_CHARGE, BeginCharge(charge_id=charge_id), lease)
    if not begun.fresh:
        return None
    crash_point("worker.before_charge")
    answer = await _converse(desk, begun)
    crash_point("worker.after_charge")
    booked = RecordCharge(
        charge_id=charge_id,
        attempt_id=begun.attempt_id,
        outcome=answer.outcome,
        provider_ref=answer.provider_ref,
        code=answer.code,
    )
    for attempt in range(RECORD_TRIES_MAX):
        try:
            return await desk.vault.call(RECORD_CHARGE, booked, lease)
        except (TryLater, Unknown):
            await asyncio.sleep(RECORD_PAUSE_S * 2**attempt)
    raise Unknown("charge_unclear", context=f"charge {charge_id}")


async def _converse(desk: PayDesk, begun: ChargeBegun) -> SessionAnswer:
    wanted = ChargeWanted(
        reference=begun.reference,
        amount=Money(begun.amount_minor),
        instrument_id=begun.attempt_id,
        original_reference=begun.original_reference,
        account=begun.account,
        description=begun.description,
    )
    try:
        adapter, endpoint = find_charges(begun.provider), desk.endpoint(begun.provider)
        exchange = adapter.charge(endpoint, wanted)
    except InvariantBroken as fault:
        return SessionAnswer("refused", code=fault.code)
    return await desk.converse(exchange)
