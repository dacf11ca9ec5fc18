"""Data zone: the line's row of a file, of debits or of transfers, as operations move it.

Whoever changes it has locked the file first. States move by portal.domain.handover only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from portal.domain.doubt import SUBMIT_GRACE
from portal.domain.handover import SENT_BY, HandoverState, LineKind
from portal.vault.act import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One row of the table."""

    file_id: UUID
    id: UUID
    provider: str
    state: HandoverState
    tries: int
    asked: int
    ask_at: datetime | None
    doubt_at: datetime | None
    code: str
    state_at: datetime
    given: int = 0
    kind: LineKind = "debit"


_NAMES: Final = (
    "file_id", "id", "provider", "state", "tries", "asked", "ask_at", "doubt_at", "code",
    "state_at", "given", "kind",
)  # fmt: skip
_READ: Final = (
    f"select {', '.join(_NAMES)} from debit_handover where merchant_id = $1 and file_id = $2"  # noqa: S608  constant columns
)
_ON_LINE: Final = """
select file_id from debit_handover
where merchant_id = $1 and file_id = any($2::uuid[]) and state <> 'by_hand'
"""
_INSERT: Final = """
insert into debit_handover (merchant_id, file_id, id, provider, state, tries, asked, code, state_at,
    kind)
values ($1, $2, $3, $4, 'planned', 0, 0, '', $5, $6)
"""
_STORE: Final = """
update debit_handover set id = $3, state = $4, tries = $5, asked = $6, ask_at = $7, doubt_at = $8,
    code = $9, state_at = $10, given = $11
where merchant_id = $1 and file_id = $2
"""


async def plan_handover(act: Act, file_id: UUID, provider: str, kind: LineKind = "debit") -> None:
    """A file is to go by the line; a worker takes it from here."""
    await act.db.execute(_INSERT, act.merchant_id, file_id, act.new_id(), provider, act.now, kind)
    await act.plan_task(SENT_BY[kind], file_id)


async def read_handover(act: Act, file_id: UUID) -> Handover | None:
    """The line's row of a file, or None for one that goes by hand."""
    row = await act.db.fetchrow(_READ, act.merchant_id, file_id)
    return None if row is None else Handover(**dict(row))


async def those_on_line(act: Act, file_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these files go by the line, so that nobody may take them to the bank beside it."""
    rows = await act.db.fetch(_ON_LINE, act.merchant_id, list(file_ids))
    return frozenset(row["file_id"] for row in rows)


async def is_leaving(act: Act, file_id: UUID) -> bool:
    """Whether the relay has the bytes of a file and may be sending them right now."""
    handover = await read_handover(act, file_id)
    if handover is None or handover.state != "redeemed":
        return False
    return act.now - handover.state_at < SUBMIT_GRACE


async def store_handover(act: Act, handover: Handover) -> None:
    """Write a row that moved; the file is locked."""
    await act.db.execute(
        _STORE,
        act.merchant_id,
        handover.file_id,
        handover.id,
        handover.state,
        handover.tries,
        handover.asked,
        handover.ask_at,
        handover.doubt_at,
        handover.code,
        handover.state_at,
        handover.given,
    )


def at(act: Act, handover: Handover, state: HandoverState) -> Handover:
    """The row in another state, not yet written."""
    return replace(handover, state=state, state_at=act.now)
