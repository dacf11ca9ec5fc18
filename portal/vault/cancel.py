"""Data zone: the end of a cancel, once nothing can pay the bill any more."""

from typing import TYPE_CHECKING, Final
from uuid import UUID

from portal.domain import bill as bill_rules
from portal.domain.ledger import bill_canceled
from portal.vault.act import Act
from portal.vault.attempt import find_live
from portal.vault.ledger import post, sums_of

if TYPE_CHECKING:
    from portal.domain.bill import Lifecycle

_CANCEL: Final = """
update bill set lifecycle = $3, canceled_at = $4, version = version + 1
where merchant_id = $1 and id = $2
"""


async def finish_cancel(act: Act, bill_id: UUID) -> bool:
    """Cancel a locked bill for good if it is ``canceling`` and nothing can pay it any more.

    What is still owed is forgiven in the ledger. Returns whether the bill is canceled now. Called
    by whoever asks for the cancel and whenever an attempt ends.
    """
    lifecycle: Lifecycle = await act.db.fetchval(
        "select lifecycle from bill where merchant_id = $1 and id = $2", act.merchant_id, bill_id
    )
    if lifecycle != "canceling" or await find_live(act, bill_id) is not None:
        return lifecycle == "canceled"
    edge = bill_rules.advance(lifecycle, "finish_cancel")
    owed = (await sums_of(act, bill_id)).receivable
    if owed:
        await post(act, [bill_canceled(bill_id, owed)])
    await act.db.execute(_CANCEL, act.merchant_id, bill_id, edge.state, act.business)
    await act.emit(bill_id, edge.code)
    return True
