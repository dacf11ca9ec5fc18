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
    """One event of each of many bills: what its ``params`` hold beside ``more``, alike for all.

    ``more`` holds codes and dates; a percent sign would be read as a place for something else.
    """

    code: str
    has_attempt: bool
    has_amount: bool
    more: Mapping[str, str] = field(default_factory=dict[str, str])


# An id's last digits count the events of its bill, so that they stand in the order they are told.
_TOLD: Final = """
insert into bill_event (merchant_id, at, actor, id, bill_id, code, params)
select $1, $2, $3, ($4 || to_hex(t.tail + e.place))::uuid, t.bill_id, e.code,
       format(e.params, t.attempt, t.amount_minor)::jsonb
from unnest($5::bigint[], $6::uuid[], $7::text[], $8::bigint[])
         as t (tail, bill_id, attempt, amount_minor)
cross join unnest($9::text[], $10::text[]) with ordinality as e (code, params, place)
"""
_ATTEMPT: Final = msgspec.Raw(b'"%1$s"')
_AMOUNT: Final = msgspec.Raw(b"%2$s")
"""Where the statement puts what each bill has of its own."""


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
        [to_public("attempt", id_) for id_ in attempt_ids],
        amounts,
        [one.code for one in told],
        [_form(one) for one in told],
    )


def _form(one: Told) -> str:
    """The ``params`` of one kind of event, with room for each bill's own."""
    params: dict[str, str | msgspec.Raw] = {**one.more}
    if one.has_attempt:
        params["attempt"] = _ATTEMPT
    if one.has_amount:
        params["amount_minor"] = _AMOUNT
    return msgspec.json.encode(params).decode()
