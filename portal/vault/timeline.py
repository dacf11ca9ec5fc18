"""Data zone: one event on the timelines of many bills by one statement.

``act.emit`` tells about one bill; a step that moves a thousand tells about them here. The codes
are those of the edges that were taken.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from portal.vault.act import Act

_EVENTS: Final = """
insert into bill_event (merchant_id, at, code, actor, params, bill_id, id)
select $1, $2, $3, $4, '{}', e.* from unnest($5::uuid[], $6::uuid[]) as e
"""


async def emit_all(act: Act, bill_ids: Sequence[UUID], code: str) -> None:
    """Add the event ``code`` to the timeline of each bill, as ``act.emit`` does to one."""
    if not bill_ids:
        return
    await act.db.execute(
        _EVENTS,
        act.merchant_id,
        act.business,
        code,
        act.actor,
        list(bill_ids),
        [act.new_id() for _ in bill_ids],
    )
