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
    """One event of each of many bills: what its ``params`` hold beside ``more``, alike for all."""

    code: str
    has_attempt: bool
    has_amount: bool
    more: Mapping[str, str] = field(default_factory=dict[str, str])


# Ids are made in the order in which the events of a bill are told, by the vault's clock.
_TOLD: Final = """
insert into bill_event (merchant_id, at, actor, id, bill_id, code, params)
select $1, $2, $3, uuidv7($4::timestamptz - statement_timestamp()), o.bill_id, o.code,
       case when o.has_attempt then jsonb_build_object('attempt', o.attempt) else '{}' end
       || case when o.has_amount then jsonb_build_object('amount_minor', o.amount_minor)
               else '{}' end
       || o.more::jsonb
from (
    select t.bill_id, t.attempt, t.amount_minor, e.*
    from unnest($5::uuid[], $6::text[], $7::bigint[]) with ordinality
             as t (bill_id, attempt, amount_minor, line),
         unnest($8::text[], $9::bool[], $10::bool[], $11::text[]) with ordinality
             as e (code, has_attempt, has_amount, more, place)
    order by t.line, e.place offset 0
) o
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
    await act.db.execute(
        _TOLD,
        act.merchant_id,
        act.business,
        act.actor,
        act.now,
        bill_ids,
        [to_public("attempt", id_) for id_ in attempt_ids],
        amounts,
        [one.code for one in told],
        [one.has_attempt for one in told],
        [one.has_amount for one in told],
        [msgspec.json.encode(one.more).decode() for one in told],
    )
