"""Data zone: whether a merchant's payers may pay a part of a bill, and how small a part."""

from typing import Final

from portal.contract.share import SET_PART_PAYMENT, PartPaymentSet, SetPartPayment
from portal.domain.errors import NotFound
from portal.domain.share import check_least
from portal.vault.act import Act
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation

_SET: Final = "update merchant set part_least_minor = $2 where id = $1"


@operation(
    SET_PART_PAYMENT,
    callers=frozenset({"operator"}),
    kinds=frozenset({"caller"}),
    audit="effect",
)
async def set_part_payment(act: Act, request: SetPartPayment) -> PartPaymentSet:
    """Set the least that is taken of a bill at once, from now on; what is under way goes on.

    Raises: InvalidInput ``part_least`` (param ``max``); NotFound ``merchant_unknown``.
    """
    check_least(request.least_minor)
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    await act.db.execute(_SET, act.merchant_id, request.least_minor)
    return PartPaymentSet(least_minor=request.least_minor)
