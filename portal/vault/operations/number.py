"""Data zone, stage "payment": numbers for convenience stores: who makes them, and about whom.

The attempt, its reference and the inquiry that finds out about it commit before the relay can have
the payer's name; it gets that once, for its company's host, while the attempt is being submitted.
"""

from typing import Final
from uuid import UUID

from portal.contract.number import (
    REDEEM_PAYER,
    SET_NUMBER,
    NumberSet,
    PayerRedeemed,
    RedeemPayer,
    SetNumber,
)
from portal.domain.bill import is_payable
from portal.domain.errors import InvalidInput, NotFound
from portal.domain.number import COUNTERS, is_contact_fit, is_payer_fit, national
from portal.vault.act import Act
from portal.vault.attempt import lock_attempt
from portal.vault.merchant import merchant_facts
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation
from portal.vault.sealed import open_contact

_CROSSING: Final = "select set_config('harai.crossing', $1, true)"
_WHOSE: Final = "select merchant_id from store_order where id = $1"


@operation(
    REDEEM_PAYER,
    callers=frozenset({"egress"}),
    kinds=frozenset({"caller"}),
    reveals=("payer name", "payer kana", "telephone"),
    audit="reveal",
)
async def redeem_payer(act: Act, request: RedeemPayer) -> PayerRedeemed:
    """Give out who pays by a number that is about to be made at ``host``, once for an attempt.

    Refused: ``delivery_unknown``, ``host_wrong``, ``delivery_redeemed``, each an incident;
    ``not_due`` for a bill that was paid since the attempt began, or an attempt that is past being
    submitted: nothing may leave behind the back of an inquiry.
    """
    merchant_id = await _whose(act, request.attempt_id)
    if merchant_id is None:
        return _refuse(act, "delivery_unknown", request.attempt_id)
    await act.act_for(merchant_id)
    bill, attempt = await lock_attempt(act, request.attempt_id)
    if act.settings.provider_host(attempt.provider) != request.host:
        return _refuse(act, "host_wrong", request.attempt_id)
    row = await act.db.fetchrow(
        "select o.redeemed_at, b.sealed_version, b.contact from store_order o"
        " join bill b on b.merchant_id = $1 and b.id = $3"
        " where o.merchant_id = $1 and o.id = $2",
        act.merchant_id,
        attempt.id,
        bill.id,
    )
    if row is None or row["redeemed_at"] is not None:
        return _refuse(act, "delivery_redeemed", request.attempt_id)
    fields = await act.fields()
    contact = open_contact(fields, bill.id, row["sealed_version"], row["contact"])
    is_fit = is_payer_fit(contact.payer_name, contact.payer_kana, contact.phone)
    is_wanted = is_payable(bill.lifecycle, bill.settlement)
    if attempt.state != "submitting" or not is_wanted or not is_fit:
        return _refusal("not_due")
    await act.db.execute(
        "update store_order set redeemed_at = $3 where merchant_id = $1 and id = $2",
        act.merchant_id,
        attempt.id,
        act.now,
    )
    act.reveal(1)
    return PayerRedeemed(
        name=contact.payer_name.strip(),
        kana=contact.payer_kana,
        phone=national(contact.phone),
        refused=None,
    )


async def _whose(act: Act, attempt_id: UUID) -> UUID | None:
    """Whose it is. Only this look-up crosses merchants, and it reads ids alone."""
    await act.db.execute(_CROSSING, "redeem_payer")
    await act.db.execute("select set_config('harai.merchant', $1, true)", str(UUID(int=0)))
    found: UUID | None = await act.db.fetchval(_WHOSE, attempt_id)
    await act.db.execute(_CROSSING, "")
    return found


def _refuse(act: Act, code: str, subject: UUID) -> PayerRedeemed:
    act.note_incident("delivery_host" if code == "host_wrong" else code, subject)
    return _refusal(code)


def _refusal(code: str) -> PayerRedeemed:
    return PayerRedeemed(name="", kana="", phone="", refused=code)


@operation(SET_NUMBER, callers=frozenset({"operator"}), kinds=frozenset({"caller"}), audit="effect")
async def set_number(act: Act, request: SetNumber) -> NumberSet:
    """Set who makes a merchant's numbers; those that were made stay where they are.

    Raises: NotFound ``merchant_unknown``, ``provider_unknown``; InvalidInput
    ``number_contact_unfit`` where the merchant's name, telephone or hours can't be on a receipt.
    """
    if request.provider and request.provider not in COUNTERS:
        raise NotFound("provider_unknown")
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    facts = await merchant_facts(act)
    if request.provider and not is_contact_fit(facts.name, facts.phone, request.hours):
        raise InvalidInput("number_contact_unfit")
    before: str | None = await act.db.fetchval(
        "select number_provider from merchant where id = $1 for update", act.merchant_id
    )
    await act.db.execute(
        "update merchant set number_provider = $2, number_hours = $3 where id = $1",
        act.merchant_id,
        request.provider or None,
        request.hours if request.provider else "",
    )
    return NumberSet(before=before or "")
