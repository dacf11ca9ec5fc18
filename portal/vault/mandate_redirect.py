"""Data zone: a mandate on its way over a bank's page, as operations read and store it.

Whoever changes one locks its mandate first (portal.vault.debit.lock_mandate).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.mandate import MandateNow, PageMandate
from portal.domain.errors import InvariantBroken, NotFound
from portal.domain.ids import MandateId
from portal.domain.mandate import MandateState
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.debit import MANDATES, Mandate, lock_mandate, open_mandate
from portal.vault.debit_view import account_hint, bank_name
from portal.vault.payer import bill_of

TASK: Final = "mandate.ask"
REDIRECT_TABLE: Final = "mandate_redirect"

_NAMES: Final = (
    "mandate_id", "bill_id", "id", "provider", "reference", "version", "page", "token_hash",
    "token_until", "asked", "ask_at", "doubt_at", "missing_at",
)  # fmt: skip
_COLUMNS: Final = ", ".join(_NAMES)
_READ: Final = f"select {_COLUMNS} from mandate_redirect where merchant_id = $1"  # noqa: S608  constant columns
_INSERT: Final = f"""
insert into mandate_redirect (merchant_id, {_COLUMNS})
values ($1, {", ".join(f"${place}" for place in range(2, len(_NAMES) + 2))})
"""  # noqa: S608  constant columns
_STORE: Final = """
update mandate_redirect set version = $3, page = $4, asked = $5, ask_at = $6, missing_at = $7
where merchant_id = $1 and mandate_id = $2 and version = $3 - 1
"""
_OF_BILL: Final = (
    MANDATES + " and customer_blind = (select b.customer_blind from bill b"  # noqa: S608  constant
    " where b.merchant_id = $1 and b.id = $2) order by id desc limit 1"
)


class BankPage(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed of a way: the bank's page of this one registration."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """One row of the table with ``page`` opened; '' while nobody has its address."""

    mandate_id: UUID
    bill_id: UUID
    id: UUID
    provider: str
    reference: str
    version: int
    page: str
    token_hash: bytes
    token_until: datetime
    asked: int
    ask_at: datetime | None
    doubt_at: datetime
    missing_at: datetime | None


async def insert_redirect(act: Act, redirect: Redirect) -> None:
    """Add the way of a new mandate; its page is not known yet."""
    values = [None if name == "page" else getattr(redirect, name) for name in _NAMES]
    await act.db.execute(_INSERT, act.merchant_id, *values)


async def read_redirect(act: Act, mandate_id: UUID) -> Redirect:
    """The way of a mandate. Raises: NotFound ``not_found`` for one that was given on paper."""
    row = await act.db.fetchrow(_READ + " and mandate_id = $2", act.merchant_id, mandate_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "mandate"})
    return await _open(act, row)


async def find_by_token(act: Act, token_hash: bytes) -> Redirect | None:
    """The way that a return token leads back from, whether it still may or not."""
    row = await act.db.fetchrow(_READ + " and token_hash = $2", act.merchant_id, token_hash)
    return None if row is None else await _open(act, row)


async def store_redirect(act: Act, redirect: Redirect) -> Redirect:
    """Write a changed way under the next version and seal its page anew."""
    stored = replace(redirect, version=redirect.version + 1)
    blob = None
    if stored.page:
        fields = await act.fields()
        blob = fields.seal(
            REDIRECT_TABLE, "instrument", stored.id, stored.version, BankPage(stored.page)
        )
    tag = await act.db.execute(
        _STORE,
        act.merchant_id,
        stored.mandate_id,
        stored.version,
        blob,
        stored.asked,
        stored.ask_at,
        stored.missing_at,
    )
    if tag != "UPDATE 1":
        raise InvariantBroken("mandate_lock", context=f"mandate {stored.mandate_id} moved unlocked")
    return stored


async def ask_in(act: Act, redirect: Redirect, in_s: float | None) -> Redirect:
    """See to it that the bank is asked in ``in_s`` seconds at the latest; None asks no more.

    The way is not stored yet. A question that is planned earlier already is enough.
    """
    if in_s is None:
        return replace(redirect, ask_at=None)
    due_at = act.now + timedelta(seconds=in_s)
    if redirect.ask_at is not None and act.now < redirect.ask_at <= due_at:
        return redirect
    await act.plan_task(TASK, redirect.mandate_id, redirect.asked, due_in_s=in_s)
    return replace(redirect, ask_at=due_at)


async def latest_of_bill(act: Act, bill_id: UUID) -> Mandate | None:
    """The latest mandate of a bill's customer, in whatever state."""
    row = await act.db.fetchrow(_OF_BILL, act.merchant_id, bill_id)
    return None if row is None else await open_mandate(act, row)


def view_for_payer(mandate: Mandate) -> PageMandate:
    """A mandate as the holder of a bill's link may see it."""
    return PageMandate(
        id=MandateId(mandate.id),
        state=mandate.state,
        code=mandate.code,
        bank_name=bank_name(mandate.details.account.bank_code),
        account_hint=account_hint(mandate.details),
    )


async def _open(act: Act, row: Row) -> Redirect:
    values = dict(row)
    blob: bytes | None = values.pop("page")
    page = ""
    if blob is not None:
        fields = await act.fields()
        page = fields.open(
            REDIRECT_TABLE, "instrument", row["id"], row["version"], blob, BankPage
        ).url
    return Redirect(**values, page=page)


def now_of(mandate_id: UUID, state: MandateState, redirect: Redirect) -> MandateNow:
    """What a caller is told; the bank's page only while the payer has to act there."""
    page = redirect.page if state == "redirected" else ""
    return MandateNow(mandate_id=MandateId(mandate_id), state=state, page_url=page or None)


async def lock_own(act: Act, mandate_id: UUID) -> Mandate:
    """A mandate of the customer whose bill this authority is about, locked.

    Raises: NotFound ``not_found``.
    """
    found = await latest_of_bill(act, bill_of(act))
    if found is None or found.id != mandate_id:
        raise NotFound("not_found", params={"kind": "mandate"})
    return await lock_mandate(act, mandate_id)
