"""Data zone, stage "payment": a card on file taken back, and a merchant's terms for cards."""

from typing import Final

from portal.contract.card_on_file import (
    REMOVE_BILL_CARD,
    REMOVE_CARD,
    SET_CHARGES,
    CardRemoved,
    ChargesSet,
    RemoveBillCard,
    SetCharges,
)
from portal.contract.envelope import Nothing
from portal.contract.operator import SET_CARD_POLICY, CardPolicySet, SetCardPolicy
from portal.domain import card_on_file as rules
from portal.domain.errors import NotFound
from portal.vault.act import Act
from portal.vault.attempt import lock_bill
from portal.vault.card_on_file import remove
from portal.vault.payer import bill_of, enter_merchant
from portal.vault.registry import operation

_WEB: Final = frozenset({"web"})
_SET: Final = "update merchant set charge_days_before = $2 where id = $1"


@operation(REMOVE_CARD, callers=_WEB, kinds=frozenset({"payer"}), audit="effect")
async def remove_card(act: Act, request: Nothing) -> CardRemoved:
    """Charge the card of the payer's contract no more; where there is none, nothing happens."""
    del request
    return CardRemoved(removed=await remove(act, bill_of(act)))


@operation(
    REMOVE_BILL_CARD,
    callers=_WEB,
    kinds=frozenset({"staff", "api_key"}),
    scope="bills:write",
    audit="effect",
)
async def remove_bill_card(act: Act, request: RemoveBillCard) -> CardRemoved:
    """Charge the card of a bill's contract no more, as its payer asked by telephone.

    Raises: Conflict ``idempotency_mismatch``; NotFound ``not_found``.
    """
    kind = "remove_bill_card"
    known = await act.once(kind, request.idempotency_key, request.bill_id.bytes)
    if known is not None:
        return CardRemoved(removed=known == b"1")
    bill = await lock_bill(act, request.bill_id)
    removed = await remove(act, bill.id)
    await act.answer_once(kind, request.idempotency_key, b"1" if removed else b"0")
    return CardRemoved(removed=removed)


@operation(
    SET_CHARGES, callers=frozenset({"operator"}), kinds=frozenset({"caller"}), audit="effect"
)
async def set_charges(act: Act, request: SetCharges) -> ChargesSet:
    """Let a merchant's payers leave their card, and set when it is charged; None: let nobody.

    Raises: InvalidInput ``charge_days_out_of_bounds`` (param ``max``); NotFound
    ``merchant_unknown``.
    """
    rules.check_days_before(request.days_before)
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    await act.db.execute(_SET, act.merchant_id, request.days_before)
    return ChargesSet(days_before=request.days_before)


@operation(
    SET_CARD_POLICY, callers=frozenset({"operator"}), kinds=frozenset({"caller"}), audit="effect"
)
async def set_card_policy(act: Act, request: SetCardPolicy) -> CardPolicySet:
    """Set which results of 3-D Secure a merchant accepts; what was paid before stays as it is.

    Raises: NotFound ``merchant_unknown``.
    """
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    before = await act.db.fetchval(
        "select card_policy from merchant where id = $1 for update", act.merchant_id
    )
    await act.db.execute(
        "update merchant set card_policy = $2 where id = $1", act.merchant_id, request.policy
    )
    return CardPolicySet(before=before)
