"""Data zone: attempts as operations read and move them, always under their bill's lock.

Whoever changes an attempt or a bill's money locks the bill's row first; so two findings, a finding
and a cancel, or two clicks on one bill wait for each other, and nothing else has to be locked.
States move by portal.domain.payment and portal.domain.bill only.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.page import AttemptView
from portal.contract.payment import AttemptNow
from portal.domain import bill as bill_rules
from portal.domain.bill import Lifecycle, Settlement
from portal.domain.errors import InvariantBroken, NotFound
from portal.domain.ids import AttemptId, to_public
from portal.domain.ledger import bill_canceled
from portal.domain.payment import LIVE, AttemptState
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.ledger import post, sums_of
from portal.vault.merchant import providers_of

ATTEMPT_TABLE: Final = "attempt"


class Instrument(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed of an attempt: the provider's page, the approval, the card's last digits."""

    redirect_url: str = ""
    approval_no: str = ""
    hint: str = ""


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
class Payee:
    """A merchant's part in starting a payment, and the bill's live attempt if there is one.

    ``providers``: method → provider, for the methods that the merchant takes.
    ``charge_days_before``: None where no card is kept.
    """

    code: str
    providers: Mapping[str, str]
    live: "Attempt | None"
    charge_days_before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One row of the table with ``instrument`` opened."""

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

    @property
    def is_live(self) -> bool:
        """Whether money may still move by this attempt without anybody's doing."""
        return self.state in LIVE


_NAMES: Final = (
    "id", "bill_id", "method", "provider", "reference", "state", "version", "amount_minor",
    "created_at", "finished_at", "state_at", "doubt_at", "asked", "ask_at", "missing_at",
    "decline_code", "authentication", "provider_ref", "instrument", "heard_at",
)  # fmt: skip
_COLUMNS: Final = ", ".join(_NAMES)
BESIDE: Final = ", ".join(f"a.{name} as attempt_{name}" for name in _NAMES)
"""An attempt's columns beside another row's, as ``a``; see :func:`open_beside`."""

_BILL: Final = "id, number, lifecycle, settlement, amount_minor, opened_at"
_IS_LIVE: Final = "state in ('created', 'submitting', 'requires_action', 'processing', 'unknown')"
_PAYEE: Final = f"""
select m.code, m.card_provider, m.wallet_provider, m.charge_days_before, {BESIDE} from merchant m
left join attempt a on a.merchant_id = m.id and a.bill_id = $2 and a.{_IS_LIVE}
where m.id = $1
"""  # noqa: S608  constant columns
_BILL_OF: Final = f"""
select {_BILL} from bill
where merchant_id = $1 and id = (select bill_id from attempt where merchant_id = $1 and id = $2)
for update
"""  # noqa: S608  constant columns
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
    """Lock an attempt's bill, then read the attempt as it is now.

    Raises: NotFound ``not_found``.
    """
    row = await act.db.fetchrow(_BILL_OF, act.merchant_id, attempt_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "attempt"})
    return LockedBill(**row), await read_attempt(act, attempt_id)


async def read_attempt(act: Act, attempt_id: UUID) -> Attempt:
    """An attempt of the act's merchant.

    Raises: NotFound ``not_found``.
    """
    row = await act.db.fetchrow(
        f"select {_COLUMNS} from attempt where merchant_id = $1 and id = $2",  # noqa: S608  constant columns
        act.merchant_id,
        attempt_id,
    )
    if row is None:
        raise NotFound("not_found", params={"kind": "attempt"})
    return await open_row(act, row)


async def read_attempts(act: Act, attempt_ids: Sequence[UUID]) -> list[Attempt]:
    """Many attempts of the act's merchant, in no order."""
    rows = await act.db.fetch(
        f"select {_COLUMNS} from attempt where merchant_id = $1 and id = any($2::uuid[])",  # noqa: S608  constant columns
        act.merchant_id,
        attempt_ids,
    )
    return [await open_row(act, row) for row in rows]


async def find_live(act: Act, bill_id: UUID) -> Attempt | None:
    """The one attempt of a bill by which money may still move."""
    row = await act.db.fetchrow(
        f"select {_COLUMNS} from attempt where merchant_id = $1 and bill_id = $2 and {_IS_LIVE}",  # noqa: S608  constant columns
        act.merchant_id,
        bill_id,
    )
    return None if row is None else await open_row(act, row)


async def read_payee(act: Act, bill_id: UUID) -> Payee:
    """What starting a payment of a locked bill needs to know. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(_PAYEE, act.merchant_id, bill_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "merchant"})
    live = await open_beside(act, row)
    return Payee(
        code=row["code"],
        providers=providers_of(row),
        live=live,
        charge_days_before=row["charge_days_before"],
    )


async def open_beside(act: Act, row: Row) -> Attempt | None:
    """The attempt whose columns stand in a row as BESIDE names them; None where there is none."""
    if row["attempt_id"] is None:
        return None
    return await open_row(act, {name: row[f"attempt_{name}"] for name in _NAMES})


async def open_row(act: Act, row: Row) -> Attempt:
    """A row of the table as a value."""
    values = dict(row)
    blob: bytes | None = values.pop("instrument")
    instrument = Instrument()
    if blob is not None:
        fields = await act.fields()
        instrument = fields.open(
            ATTEMPT_TABLE, "instrument", row["id"], row["version"], blob, Instrument
        )
    return Attempt(**values, instrument=instrument)


def held_by(attempt: Attempt) -> str | None:
    """The method on whose page the payer may still pay; None where nobody can be on one."""
    is_open = attempt.state == "requires_action" and attempt.instrument.redirect_url
    return attempt.method if is_open else None


def insert_attempt(act: Act, attempt: Attempt) -> None:
    """Add a new attempt at the act's end; the database refuses a second live one of the bill."""
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
    """Put what happened to an attempt on its bill's timeline."""
    params: dict[str, str | int] = {
        "attempt": to_public("attempt", attempt.id),
        "method": attempt.method,
        "amount_minor": attempt.amount_minor,
    }
    if attempt.decline_code is not None:
        params["decline_code"] = attempt.decline_code
    await act.emit(attempt.bill_id, code, **params)


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
    await act.db.execute(
        "update bill set lifecycle = $3, canceled_at = $4, version = version + 1"
        " where merchant_id = $1 and id = $2",
        act.merchant_id,
        bill_id,
        edge.state,
        act.business,
    )
    await act.emit(bill_id, edge.code)
    return True


def to_view(attempt: Attempt) -> AttemptView:
    """The attempt as its payer may see it."""
    return AttemptView(
        id=AttemptId(attempt.id),
        method=attempt.method,
        state=attempt.state,
        amount_minor=attempt.amount_minor,
        decline_code=attempt.decline_code,
        approval_no=attempt.instrument.approval_no or None,
        instrument_hint=attempt.instrument.hint or None,
        finished_at=attempt.finished_at,
    )


def to_now(attempt: Attempt) -> AttemptNow:
    """The attempt after an act, with the provider's page while the payer has to act there."""
    acting = attempt.state == "requires_action"
    return AttemptNow(
        attempt=to_view(attempt),
        provider=attempt.provider,
        reference=attempt.reference,
        redirect_url=(attempt.instrument.redirect_url or None) if acting else None,
    )
