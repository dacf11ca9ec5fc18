"""Data zone: events on the timelines of many bills by one statement.

``act.emit`` tells about one bill; a step that moves a thousand tells about them here. The codes
are those of the edges that were taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import msgspec

from portal.domain.ids import to_public
from portal.vault.act import Act
from portal.vault.db import Row

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


@dataclass(frozen=True, slots=True)
class Told:
    """One event of each of many bills; ``more`` holds what is alike for all: codes and dates."""

    code: str
    has_attempt: bool
    has_amount: bool
    more: Mapping[str, str] = field(default_factory=dict[str, str])


# An id's last digits count the events of its bill, so that they stand in the order they are told.
# What a bill has of its own stands in columns: making a JSON text for each event, to be read and
# made into the stored form, was more than half of what these rows cost.
_TOLD: Final = """
insert into bill_event (merchant_id, at, actor, id, bill_id, code, params, attempt_id, amount_minor)
select $1, $2, $3, ($4 || to_hex(t.tail + e.place))::uuid, t.bill_id, e.code, e.params,
       case when e.has_attempt then t.attempt_id end, case when e.has_amount then t.amount_minor end
from unnest($5::bigint[], $6::uuid[], $7::uuid[], $8::bigint[])
         as t (tail, bill_id, attempt_id, amount_minor)
cross join unnest($9::text[], $10::jsonb[], $11::bool[], $12::bool[]) with ordinality
         as e (code, params, has_attempt, has_amount, place)
"""


async def tell_all(
    act: Act,
    bill_ids: Sequence[UUID],
    attempt_ids: Sequence[UUID],
    amounts: Sequence[int],
    told: Sequence[Told],
) -> None:
    """Add the same events to the timeline of each bill, about an attempt and an amount of its own.

    The three sequences are of one length and order. Units: minor units.
    """
    ids = act.new_ids(len(bill_ids))
    await act.db.execute(
        _TOLD,
        act.merchant_id,
        act.business,
        act.actor,
        ids.head,
        ids.tails,
        bill_ids,
        attempt_ids,
        amounts,
        [one.code for one in told],
        [msgspec.json.encode(one.more).decode() for one in told],
        [one.has_attempt for one in told],
        [one.has_amount for one in told],
    )


def params_of(event: Row) -> dict[str, str | int]:
    """What an event says, whether it was told of one bill or of many. Units: minor units."""
    params = msgspec.json.decode(event["params"], type=dict[str, str | int])
    if event["attempt_id"] is not None:
        params["attempt"] = to_public("attempt", event["attempt_id"])
    if event["amount_minor"] is not None:
        params["amount_minor"] = event["amount_minor"]
    return params
