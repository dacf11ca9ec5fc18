"""Data zone: telling all who never looked by another channel, a bounded piece of bills at a time.

A step walks along the bills' ids, however few of them count. It plans messages only: quiet hours,
stops and payments meanwhile are asked when a message is handed out, as for every other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from portal.domain.bill import PAYABLE
from portal.domain.ladder import SWITCH
from portal.vault.act import Act
from portal.vault.channels import roads
from portal.vault.contact_faults import BLIND, IS_FAULTY
from portal.vault.messages import Telling, plan_messages

if TYPE_CHECKING:
    from portal.domain.message import Channel

STEP_BILLS: Final = 5_000
FIRST: Final = UUID(int=0)

_RUNNING: Final = """
select id, number, import_id, channel, after_id from message_switch
where merchant_id = $1 and state = 'running' for update
"""
WALK: Final = """
select id from bill where merchant_id = $1 and id > $2 order by id limit $3
"""
WALK_IMPORT: Final = """
select id from bill where merchant_id = $1 and import_id = $4 and id > $2 order by id limit $3
"""
UNOPENED: Final = f"""
select b.id from bill b
where b.merchant_id = $1 and b.id = any($2::uuid[]) and b.lifecycle = any($3::text[])
      and b.settlement = 'unpaid' and b.opened_at is null
      and {BLIND.format(channel="$4::text")} is not null
      and not {IS_FAULTY.format(channel="$4::text")}
      and not exists (select from delivery d
                      where d.merchant_id = $1 and d.bill_id = b.id
                            and d.state in ('planned', 'handed', 'redeemed'))
order by b.id for no key update of b
"""  # noqa: S608  constant texts
_PLANNED: Final = """
update bill set message = 'planned' where merchant_id = $1 and id = any($2::uuid[])
"""
_STEP: Final = """
update message_switch set after_id = $3, looked = looked + $4, planned = planned + $5, state = $6
where merchant_id = $1 and id = $2
"""


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one step did."""

    looked: int = 0
    planned: int = 0
    remaining: bool = False


async def step(act: Act) -> Stepped:
    """Look at the next bills of the switch that runs, and plan what they are told."""
    row = await act.db.fetchrow(_RUNNING, act.merchant_id)
    if row is None:
        return Stepped()
    channel: Channel = row["channel"]
    # Whose last road was taken away meanwhile: a switch that never ends would let no other begin.
    is_carried = bool(await roads(act, channel))
    walked = await _walk(act, row["after_id"], row["import_id"]) if is_carried else ()
    told: list[UUID] = []
    if walked:
        found = await act.db.fetch(UNOPENED, act.merchant_id, walked, sorted(PAYABLE), channel)
        told = [one["id"] for one in found]
    if told:
        await plan_messages(act, Telling(SWITCH, row["number"], channel), told)
        await act.db.execute(_PLANNED, act.merchant_id, told)
    has_more = len(walked) == STEP_BILLS
    await act.db.execute(
        _STEP, act.merchant_id, row["id"], walked[-1] if walked else row["after_id"],
        len(walked), len(told), "running" if has_more else "done",
    )  # fmt: skip
    return Stepped(len(walked), len(told), has_more)


async def _walk(act: Act, after: UUID, import_id: UUID | None) -> Sequence[UUID]:
    if import_id is None:
        rows = await act.db.fetch(WALK, act.merchant_id, after, STEP_BILLS)
    else:
        rows = await act.db.fetch(WALK_IMPORT, act.merchant_id, after, STEP_BILLS, import_id)
    return [row["id"] for row in rows]
