"""Data zone, stage "payment": what a company answers to a payment by the card on file.

The payer is there, and the web process speaks for them; so what matters of the answers (the order
that acts, the page that the payer is led to) comes from the relay.
"""

from portal.contract.card_on_file import DEPOSIT_CARD_STEP, CardStepDeposited, DepositCardStep
from portal.vault.act import Act
from portal.vault.card_payment import deposit_step
from portal.vault.registry import operation
from portal.vault.texts import check_tokens


@operation(
    DEPOSIT_CARD_STEP,
    callers=frozenset({"egress"}),
    kinds=frozenset({"caller"}),
    audit="effect",
)
async def deposit_card_step(act: Act, request: DepositCardStep) -> CardStepDeposited:
    """Keep the order that a company registered, or the page at which the payer's bank asks them.

    Or that nothing came of naming the card, which the relay alone can say. Each is taken once, and
    only while the attempt is being submitted; an order before its card was given out, a page after
    it.

    Raises: InvalidInput for a text that may not be stored.
    Refused: ``delivery_unknown``, ``host_wrong``, which are incidents; ``delivery_redeemed`` for a
    second order; ``not_due`` for an attempt that has moved on.
    """
    check_tokens(order=request.order, order_pass=request.order_pass)
    return CardStepDeposited(refused=await deposit_step(act, request))
