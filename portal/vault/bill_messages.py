"""Data zone: the messages about one bill, each with how far it came, when, and what it cost."""

from datetime import datetime
from typing import Final

from portal.contract.bills import BillMessage
from portal.domain.funnel import SENT, prices_of, put_down
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.funnel import read_unit_prices

MESSAGES_MAX: Final = 50

_MESSAGES: Final = """
select channel, provider, state, created_at, sent_at, changed_at from delivery
where merchant_id = $1 and bill_id = $2 order by id desc limit $3
"""
_REACH: Final = """
select opened_by, paid_by from bill_reach where merchant_id = $1 and bill_id = $2
"""


async def messages_of(act: Act, bill: Row) -> tuple[BillMessage, ...]:
    """The messages about a bill, newest first; ``bill`` has id, opened_at, paid_at, settlement."""
    rows = await act.db.fetch(_MESSAGES, act.merchant_id, bill["id"], MESSAGES_MAX)
    if not rows:
        return ()
    reach = await act.db.fetchrow(_REACH, act.merchant_id, bill["id"]) or {}
    sent = [(row["channel"], _sent_at(row)) for row in rows]
    paid_at = bill["paid_at"] if bill["settlement"] in {"settled", "over"} else None
    opened = put_down(sent, reach.get("opened_by"), bill["opened_at"])
    paid = put_down(sent, reach.get("paid_by"), paid_at)
    prices = await read_unit_prices(act)
    return tuple(
        BillMessage(
            channel=row["channel"],
            provider=row["provider"],
            state=row["state"],
            planned_at=row["created_at"],
            sent_at=row["sent_at"],
            delivered_at=row["changed_at"] if row["state"] == "delivered" else None,
            opened_at=bill["opened_at"] if place == opened else None,
            paid_at=paid_at if place == paid else None,
            cost_hundredths=prices_of(row["channel"], (row["provider"],), prices)[row["provider"]]
            if row["state"] in SENT
            else 0,
        )
        for place, row in enumerate(rows)
    )


def _sent_at(row: Row) -> datetime | None:
    """When it may have arrived; one in doubt may have, as the tally has it."""
    may_be = row["state"] in SENT or row["state"] == "ambiguous"
    return row["sent_at"] or (row["created_at"] if may_be else None)
