"""Data zone: the pauses of bills as operations read and place them.

Placing and ending happen under the bill's lock. Whoever sends messages reads them without it: what
is committed before a message is handed out or redeemed stops it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from portal.contract.pause import PauseView
from portal.domain.pause import (
    Pause,
    PausedBill,
    PauseEnd,
    PauseKind,
    PauseLimits,
    is_stopped,
    state_of,
)
from portal.vault.act import Act
from portal.vault.db import Row

PAUSE_TABLE: Final = "pause"
PAUSES_MAX: Final = 50

_OPEN: Final = """
select p.bill_id, p.kind, p.placed_at, p.until, m.zone
from pause p join merchant m on m.id = p.merchant_id
where p.merchant_id = $1 and p.bill_id = any($2::uuid[]) and p.ended_at is null
"""
_ALL: Final = """
select id, kind, until, was_due_on, words, placed_by, placed_at, ended_by, ended_at, end_code
from pause where merchant_id = $1 and bill_id = $2 order by id desc limit $3
"""
_PROMISES: Final = """
select kind, until, placed_at, ended_at, end_code from pause
where merchant_id = $1 and bill_id = $2 and kind = 'promise' order by id desc limit $3
"""
FIRST_DUE: Final = """
coalesce((select min(p.was_due_on) from pause p
          where p.merchant_id = b.merchant_id and p.bill_id = b.id), b.due_on)
"""
"""When a bill ``b`` was due before any extension."""

BILL: Final = f"""
select b.id, b.lifecycle, b.settlement, b.due_on, {FIRST_DUE} as first_due_on, b.paid_at,
       m.zone, m.lapse_after_days, m.promise_days_max, m.extension_days_max
from bill b join merchant m on m.id = b.merchant_id
where b.merchant_id = $1 and b.id = $2
"""  # noqa: S608  # constant text
_INSERT: Final = """
insert into pause (merchant_id, id, bill_id, kind, until, was_due_on, words, placed_by, placed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_END: Final = """
update pause set ended_by = $4, ended_at = $5, end_code = $6
where merchant_id = $1 and bill_id = $2 and kind = any($3::text[]) and ended_at is null
"""
PROMISES_PAID: Final = """
update pause set ended_at = $3, ended_by = $4, end_code = 'paid'
where merchant_id = $1 and bill_id = any($2::uuid[]) and kind = 'promise' and ended_at is null
"""


class PauseWords(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed of a pause: the words of whoever placed it."""

    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPause:
    """What is to be placed on a bill; ``was_due_on`` for an extension."""

    bill_id: UUID
    kind: PauseKind
    until: date | None
    was_due_on: date | None
    note: str


@dataclass(frozen=True, slots=True)
class OpenPauses:
    """The open pauses of some bills, and which day it is for their merchant."""

    of: dict[UUID, list[Pause]]
    today: date

    def stop(self, bill_id: UUID, campaign: str, planned_at: datetime) -> bool:
        """Whether a message of a bill, planned then, may not go out now."""
        return is_stopped(self.of.get(bill_id, ()), campaign, planned_at, self.today)


async def read_open(act: Act, bill_ids: Sequence[UUID]) -> OpenPauses:
    """The pauses of these bills that nobody has ended, whether their day has passed or not."""
    rows = await act.db.fetch(_OPEN, act.merchant_id, list(bill_ids)) if bill_ids else []
    found: dict[UUID, list[Pause]] = {}
    for row in rows:
        found.setdefault(row["bill_id"], []).append(_pause(row))
    # Without any pause the day decides nothing.
    today = act.clock.business_today(rows[0]["zone"]) if rows else date.min
    return OpenPauses(found, today)


def bill_of_row(row: Row) -> PausedBill:
    """The facts of a row of BILL."""
    return PausedBill(
        lifecycle=row["lifecycle"],
        settlement=row["settlement"],
        due_on=row["due_on"],
        first_due_on=row["first_due_on"],
    )


def limits_of_row(row: Row) -> PauseLimits:
    """The merchant's limits of a row of BILL."""
    return PauseLimits(
        promise_days=row["promise_days_max"],
        extension_days=row["extension_days_max"],
        lapse_after_days=row["lapse_after_days"],
    )


async def insert_pause(act: Act, new: NewPause) -> None:
    """Add a pause; the ones that it replaces were ended before."""
    pause_id = act.new_id()
    words = None
    if new.note:
        fields = await act.fields()
        words = fields.seal(PAUSE_TABLE, "document", pause_id, 1, PauseWords(new.note))
    await act.db.execute(
        _INSERT,
        act.merchant_id,
        pause_id,
        new.bill_id,
        new.kind,
        new.until,
        new.was_due_on,
        words,
        act.actor,
        act.business,
    )


async def end_pauses(act: Act, bill_id: UUID, kinds: Sequence[PauseKind], code: PauseEnd) -> None:
    """End the open pauses of these kinds, if there are any."""
    await act.db.execute(_END, act.merchant_id, bill_id, list(kinds), act.actor, act.business, code)


async def end_promises(act: Act, bill_ids: Sequence[UUID]) -> None:
    """End the open promises of bills that were paid just now, many at once.

    What :func:`portal.vault.ledger.settle` does for one bill.
    """
    await act.db.execute(PROMISES_PAID, act.merchant_id, list(bill_ids), act.business, act.actor)


async def view_pauses(act: Act, bill: Row) -> tuple[PauseView, ...]:
    """All pauses of a row of BILL, newest first; notes count as revealed."""
    rows = await act.db.fetch(_ALL, act.merchant_id, bill["id"], PAUSES_MAX)
    act.reveal(sum(row["words"] is not None for row in rows))
    zone = ZoneInfo(bill["zone"])
    today = act.clock.business_today(bill["zone"])
    paid_on = _day(bill["paid_at"], zone)
    return tuple(
        [
            PauseView(
                kind=row["kind"],
                state=state_of(
                    _pause(row),
                    today,
                    paid_on=paid_on,
                    end=row["end_code"],
                    ended_on=_day(row["ended_at"], zone),
                ),
                until=row["until"],
                was_due_on=row["was_due_on"],
                note=await _note(act, row),
                placed_by=row["placed_by"],
                placed_at=row["placed_at"],
                ended_by=row["ended_by"],
                ended_at=row["ended_at"],
            )
            for row in rows
        ]
    )


async def read_missed(act: Act, bill_id: UUID, zone: str, paid_at: datetime | None) -> list[date]:
    """The last days of promises that were not kept, the oldest first."""
    rows = await act.db.fetch(_PROMISES, act.merchant_id, bill_id, PAUSES_MAX)
    today, place = act.clock.business_today(zone), ZoneInfo(zone)
    return sorted(
        row["until"]
        for row in rows
        if state_of(
            _pause(row),
            today,
            paid_on=_day(paid_at, place),
            end=row["end_code"],
            ended_on=_day(row["ended_at"], place),
        )
        == "missed"
    )


async def _note(act: Act, row: Row) -> str:
    if row["words"] is None:
        return ""
    fields = await act.fields()
    return fields.open(PAUSE_TABLE, "document", row["id"], 1, row["words"], PauseWords).note


def _pause(row: Row) -> Pause:
    return Pause(kind=row["kind"], placed_at=row["placed_at"], until=row["until"])


def _day(moment: datetime | None, zone: ZoneInfo) -> date | None:
    return None if moment is None else moment.astimezone(zone).date()
