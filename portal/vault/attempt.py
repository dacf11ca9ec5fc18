"""Data zone: attempts as operations read and move them, always under their bills' locks.

Whoever changes an attempt or a bill's money locks the bill's row first; so two findings, a finding
and a cancel, or two clicks on one bill wait for each other, and nothing else has to be locked. An
attempt that pays several bills (it has shares) is moved under the locks of all of them, which are
taken in the order of their ids.
States move by portal.domain.payment and portal.domain.bill only.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.number import StoreNumber
from portal.domain.bill import Lifecycle, Settlement
from portal.domain.card_payment import CardPaymentState
from portal.domain.errors import InvariantBroken, NotFound
from portal.domain.ids import to_public
from portal.domain.payment import LIVE, AttemptState
from portal.vault.act import Act
from portal.vault.db import Row

ATTEMPT_TABLE: Final = "attempt"


class Instrument(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed of an attempt: page, approval, card's last digits, store's number, app."""

    redirect_url: str = ""
    approval_no: str = ""
    hint: str = ""
    number: StoreNumber | None = None
    app_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedBill:
    """A bill as read under its lock. Units: ``amount_minor`` of the bill's currency."""

    id: UUID
    number: str
    lifecycle: Lifecycle
    settlement: Settlement
    amount_minor: int
    opened_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One row of the table with ``instrument`` opened.

    ``bill_id`` is the bill whose page it was begun on. ``shares``: what each bill gets of it, where
    it pays several; empty where it pays its own alone. ``card_payment``: how far it is where its
    payer pays by the card on file, else None. Units: ``amount_minor`` is all of it.
    """

    id: UUID
    bill_id: UUID
    method: str
    provider: str
    reference: str
    state: AttemptState
    version: int
    amount_minor: int
    created_at: datetime
    finished_at: datetime | None
    state_at: datetime
    doubt_at: datetime
    asked: int
    ask_at: datetime | None
    missing_at: datetime | None
    decline_code: str | None
    authentication: str
    provider_ref: str
    instrument: Instrument
    heard_at: datetime | None = None
    shares: Mapping[UUID, int] = field(default_factory=dict[UUID, int])
    card_payment: CardPaymentState | None = None

    @property
    def parts(self) -> Mapping[UUID, int]:
        """What each bill gets of it, its own alone included, in the order of their ids."""
        return self.shares or {self.bill_id: self.amount_minor}

    @property
    def is_live(self) -> bool:
        """Whether money may still move by this attempt without anybody's doing."""
        return self.state in LIVE


_NAMES: Final = (
    "id", "bill_id", "method", "provider", "reference", "state", "version", "amount_minor",
    "created_at", "finished_at", "state_at", "doubt_at", "asked", "ask_at", "missing_at",
    "decline_code", "authentication", "provider_ref", "instrument", "heard_at",
)  # fmt: skip
_SHARES: Final = """
(select json_object_agg(s.bill_id, s.amount_minor order by s.bill_id)::text from attempt_share s
 where s.merchant_id = a.merchant_id and s.attempt_id = a.id)"""
_CARD: Final = """
(select c.state from card_payment c
 where c.merchant_id = a.merchant_id and c.attempt_id = a.id)"""
_BESIDES: Final = {"shares": _SHARES, "card_payment": _CARD}
"""What is read with an attempt of other tables."""

_COLUMNS: Final = ", ".join(
    [*(f"a.{name}" for name in _NAMES), *(f"{text} as {name}" for name, text in _BESIDES.items())]
)
BESIDE: Final = ", ".join(
    [
        *(f"a.{name} as attempt_{name}" for name in _NAMES),
        *(f"{text} as attempt_{name}" for name, text in _BESIDES.items()),
    ]
)
"""An attempt's columns beside another row's, as ``a``; see :func:`open_beside`."""

_BILL: Final = "id, number, lifecycle, settlement, amount_minor, opened_at"
IS_LIVE: Final = "a.state in ('created', 'submitting', 'requires_action', 'processing', 'unknown')"
"""Of an attempt ``a``: whether money may still come by it."""

OF_BILL: Final = """
select a.* from attempt a where a.merchant_id = $1 and a.bill_id = $2
union all
select a.* from attempt_share s join attempt a on a.merchant_id = $1 and a.id = s.attempt_id
where s.merchant_id = $1 and s.bill_id = $2 and a.bill_id <> $2"""
"""All attempts that pay or would have paid one bill, by a share or as a whole."""

LIVE_OF: Final = f"""
select {_COLUMNS} from attempt a
where a.merchant_id = $1 and a.bill_id = any($2::uuid[]) and {IS_LIVE}
union all
select {_COLUMNS} from (
    select * from attempt
    where merchant_id = $1 and bill_id <> all($2::uuid[]) and id = any(array(
        select attempt_id from attempt_share where merchant_id = $1 and bill_id = any($2::uuid[])))
    offset 0
) a where {IS_LIVE}
"""  # noqa: S608  constant columns
"""The live attempts of many bills, each once."""

_BILLS_OF: Final = f"""
select {_BILL} from bill
where merchant_id = $1 and id = any(array(
    select bill_id from attempt where merchant_id = $1 and id = $2
    union select bill_id from attempt_share where merchant_id = $1 and attempt_id = $2))
order by id for update
"""  # noqa: S608  constant columns
_SHARE: Final = """
insert into attempt_share (merchant_id, attempt_id, bill_id, amount_minor)
select $1, $2, t.bill_id, t.amount_minor
from unnest($3::uuid[], $4::bigint[]) as t (bill_id, amount_minor)
"""
_STORE: Final = """
update attempt set state = $3, version = $4, finished_at = $5, state_at = $6, asked = $7,
    ask_at = $8, missing_at = $9, decline_code = $10, authentication = $11, provider_ref = $12,
    instrument = $13, doubt_at = $14, heard_at = $15
where merchant_id = $1 and id = $2 and version = $4 - 1
"""


async def lock_bill(act: Act, bill_id: UUID) -> LockedBill:
    """Lock a bill of the act's merchant until the transaction ends.

    Raises: NotFound ``not_found``.
    """
    row = await act.db.fetchrow(
        f"select {_BILL} from bill where merchant_id = $1 and id = $2 for update",  # noqa: S608  constant columns
        act.merchant_id,
        bill_id,
    )
    if row is None:
        raise NotFound("not_found", params={"kind": "bill"})
    return LockedBill(**row)


async def lock_bills(act: Act, bill_ids: Collection[UUID]) -> dict[UUID, LockedBill]:
    """Lock bills of the act's merchant in the order of their ids; those that are there."""
    rows = await act.db.fetch(
        f"select {_BILL} from bill where merchant_id = $1 and id = any($2::uuid[])"  # noqa: S608  constant columns
        " order by id for update",
        act.merchant_id,
        list(bill_ids),
    )
    return {row["id"]: LockedBill(**row) for row in rows}


async def lock_attempt(act: Act, attempt_id: UUID) -> tuple[LockedBill, Attempt]:
    """Lock all bills of an attempt, then read it as it is now; with the bill that it began on.

    Raises: NotFound ``not_found``.
    """
    bills, attempt = await lock_whole(act, attempt_id)
    return bills[attempt.bill_id], attempt


async def lock_whole(act: Act, attempt_id: UUID) -> tuple[dict[UUID, LockedBill], Attempt]:
    """Lock all bills of an attempt in the order of their ids, then read it as it is now.

    Raises: NotFound ``not_found``.
    """
    rows = await act.db.fetch(_BILLS_OF, act.merchant_id, attempt_id)
    if not rows:
        raise NotFound("not_found", params={"kind": "attempt"})
    bills = {row["id"]: LockedBill(**row) for row in rows}
    return bills, await read_attempt(act, attempt_id)


async def read_attempt(act: Act, attempt_id: UUID) -> Attempt:
    """An attempt of the act's merchant.

    Raises: NotFound ``not_found``.
    """
    row = await act.db.fetchrow(
        f"select {_COLUMNS} from attempt a where a.merchant_id = $1 and a.id = $2",  # noqa: S608  constant columns
        act.merchant_id,
        attempt_id,
    )
    if row is None:
        raise NotFound("not_found", params={"kind": "attempt"})
    return await open_row(act, row)


async def read_attempts(act: Act, attempt_ids: Sequence[UUID]) -> list[Attempt]:
    """Many attempts of the act's merchant, in no order."""
    rows = await act.db.fetch(
        f"select {_COLUMNS} from attempt a where a.merchant_id = $1 and a.id = any($2::uuid[])",  # noqa: S608  constant columns
        act.merchant_id,
        attempt_ids,
    )
    return [await open_row(act, row) for row in rows]


async def find_live(act: Act, bill_id: UUID) -> Attempt | None:
    """The one attempt by which money may still come for a bill."""
    return next(iter(await find_all_live(act, [bill_id])), None)


async def find_all_live(act: Act, bill_ids: Sequence[UUID]) -> list[Attempt]:
    """Every attempt by which money may still come for any of these bills, each once."""
    rows = await act.db.fetch(LIVE_OF, act.merchant_id, bill_ids)
    return [await open_row(act, row) for row in rows]


async def open_beside(act: Act, row: Row) -> Attempt | None:
    """The attempt whose columns stand in a row as BESIDE names them; None where there is none."""
    if row["attempt_id"] is None:
        return None
    return await open_row(act, {name: row[f"attempt_{name}"] for name in (*_NAMES, *_BESIDES)})


async def open_row(act: Act, row: Row) -> Attempt:
    """A row of the table as a value."""
    values = dict(row)
    shares = msgspec.json.decode(values.pop("shares") or "{}", type=dict[UUID, int])
    blob: bytes | None = values.pop("instrument")
    instrument = Instrument()
    if blob is not None:
        fields = await act.fields()
        instrument = fields.open(
            ATTEMPT_TABLE, "instrument", row["id"], row["version"], blob, Instrument
        )
    return Attempt(**values, instrument=instrument, shares=shares)


def held_by(attempt: Attempt) -> str | None:
    """The method on whose page or by whose number somebody may still pay; None where nobody can."""
    held = attempt.instrument
    is_open = attempt.state == "requires_action" and (held.redirect_url or held.number)
    return attempt.method if is_open else None


async def insert_attempt(act: Act, attempt: Attempt) -> None:
    """Add a new attempt at the act's end; the database refuses a second live one of any bill."""
    if attempt.shares:
        bills, amounts = list(attempt.shares), list(attempt.shares.values())
        await act.db.execute(_SHARE, act.merchant_id, attempt.id, bills, amounts)
    act.closing.add(
        "attempt",
        act.merchant_id,
        attempt.id,
        attempt.bill_id,
        attempt.method,
        attempt.provider,
        attempt.reference,
        attempt.state,
        attempt.version,
        attempt.amount_minor,
        attempt.created_at,
        attempt.state_at,
        attempt.doubt_at,
        attempt.ask_at,
    )


async def store_attempt(act: Act, attempt: Attempt) -> Attempt:
    """Write a changed attempt under the next version and seal its instrument anew."""
    stored = replace(attempt, version=attempt.version + 1)
    blob = None
    if stored.instrument != Instrument():
        fields = await act.fields()
        blob = fields.seal(
            ATTEMPT_TABLE, "instrument", stored.id, stored.version, stored.instrument
        )
    tag = await act.db.execute(
        _STORE,
        act.merchant_id,
        stored.id,
        stored.state,
        stored.version,
        stored.finished_at,
        stored.state_at,
        stored.asked,
        stored.ask_at,
        stored.missing_at,
        stored.decline_code,
        stored.authentication,
        stored.provider_ref,
        blob,
        stored.doubt_at,
        stored.heard_at,
    )
    if tag != "UPDATE 1":
        raise InvariantBroken("attempt_lock", context=f"attempt {attempt.id} moved unlocked")
    return stored


def move(
    act: Act, attempt: Attempt, state: AttemptState, decline_code: str | None = None
) -> Attempt:
    """The attempt in a state that an edge led to."""
    return replace(
        attempt,
        state=state,
        state_at=act.now,
        asked=0,
        decline_code=decline_code,
        finished_at=None if state in LIVE else act.business,
    )


async def plan_inquiry(act: Act, attempt: Attempt, in_s: float | None) -> datetime | None:
    """See to it that the attempt is asked about within ``in_s`` seconds; None asks for nothing.

    Returns the attempt's new ``ask_at``. An inquiry that is planned earlier already is enough.
    """
    if in_s is None:
        return None
    due_at = act.now + timedelta(seconds=in_s)
    planned = attempt.ask_at
    if planned is not None and act.now < planned <= due_at:
        return planned
    await act.plan_task("payment.inquire", attempt.id, attempt.asked, due_in_s=in_s)
    return due_at


async def emit_attempt(act: Act, attempt: Attempt, code: str) -> None:
    """Put what happened to an attempt on the timeline of every bill that it pays."""
    params: dict[str, str | int] = {
        "attempt": to_public("attempt", attempt.id),
        "method": attempt.method,
    }
    if attempt.decline_code is not None:
        params["decline_code"] = attempt.decline_code
    if attempt.shares:
        params |= {"bills": len(attempt.shares), "of_minor": attempt.amount_minor}
    for bill_id, amount in attempt.parts.items():
        await act.emit(bill_id, code, **params, amount_minor=amount)
