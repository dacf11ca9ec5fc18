"""Data zone: slips as operations read and move them, always under their bill's lock.

A slip is made out once and never changed but for its state; the number in a payer's hand stays good
for what it says. What notices mean for it is portal.vault.slip_notice's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from portal.domain.errors import Conflict, InvariantBroken
from portal.domain.slip import SlipBill, last_day, make_out, still_good
from portal.domain.slip_notice import SlipEvent, SlipState, advance
from portal.domain.slip_number import SlipNumber, SlipTerms, read_fields
from portal.domain.transition import Edge
from portal.vault.act import Act
from portal.vault.db import Row

TERMS: Final = (
    "agency", "maker_code", "company_code", "amount_min", "amount_max", "is_public_money",
    "scans_screens", "days_open", "grace_days", "is_offered",
)  # fmt: skip
"""The columns of a merchant's terms."""

TERMS_BESIDE: Final = ", ".join(f"t.{name} as slip_{name}" for name in TERMS)
"""Those columns beside another row's, as ``t``; see :func:`terms_beside`."""

_TERMS: Final = f"select {TERMS_BESIDE} from slip_terms t where t.merchant_id = $1"  # noqa: S608  constant columns
_NAMES: Final = "id, bill_id, agency, digits, issue, state, version, is_current, pay_until"
_CURRENT: Final = f"""
select {_NAMES} from slip where merchant_id = $1 and bill_id = $2 and is_current
"""  # noqa: S608  constant columns
_BY_KEY: Final = f"""
select {_NAMES} from slip where merchant_id = $1 and number_key = any($2::text[])
"""  # noqa: S608  constant columns
_BY_ID: Final = f"select {_NAMES} from slip where merchant_id = $1 and id = any($2::uuid[])"  # noqa: S608  constant columns
_INSERT: Final = """
insert into slip (merchant_id, id, bill_id, agency, number_key, digits, issue, state, version,
                  is_current, amount_minor, pay_until, issued_at, state_at)
values ($1, $2, $3, $4, $5, $6, $7, 'issued', 1, true, $8, $9, $10, $11)
"""
_STORE: Final = """
update slip set state = $3, version = $4, is_current = $5, state_at = $6
where merchant_id = $1 and id = $2 and version = $4 - 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """One row of the table; ``number`` are the fields of its digits."""

    id: UUID
    bill_id: UUID
    agency: str
    number: SlipNumber
    state: SlipState
    version: int
    is_current: bool
    pay_until: date


async def read_terms(act: Act) -> tuple[SlipTerms, bool] | None:
    """The merchant's terms and whether new slips are made out; None when it has none."""
    row = await act.db.fetchrow(_TERMS, act.merchant_id)
    return None if row is None else terms_beside(row)


def terms_beside(row: Row) -> tuple[SlipTerms, bool] | None:
    """The terms whose columns stand in a row as TERMS_BESIDE names them; None if none do."""
    if row["slip_agency"] is None:
        return None
    terms = SlipTerms(
        name=row["slip_agency"],
        maker_code=row["slip_maker_code"],
        company_code=row["slip_company_code"],
        amount_min=row["slip_amount_min"],
        amount_max=row["slip_amount_max"],
        is_public_money=row["slip_is_public_money"],
        scans_screens_at_registers=row["slip_scans_screens"],
        days_open=row["slip_days_open"],
        grace_days=row["slip_grace_days"],
    )
    return terms, row["slip_is_offered"]


async def find_current(act: Act, bill_id: UUID) -> Slip | None:
    """The bill's slip, in whatever state."""
    row = await act.db.fetchrow(_CURRENT, act.merchant_id, bill_id)
    return None if row is None else _open(row)


async def find_by_keys(act: Act, keys: Sequence[str]) -> dict[str, Slip]:
    """Slips of the act's merchant by their numbers' keys, read without a lock."""
    rows = await act.db.fetch(_BY_KEY, act.merchant_id, list(keys))
    return {slip.number.key: slip for slip in map(_open, rows)}


async def read_slips(act: Act, slip_ids: Sequence[UUID]) -> dict[UUID, Slip]:
    """Slips as they are now, for who holds their bills' locks."""
    rows = await act.db.fetch(_BY_ID, act.merchant_id, list(slip_ids))
    return {slip.id: slip for slip in map(_open, rows)}


async def slip_for(
    act: Act, terms: SlipTerms, bill: SlipBill, today: date, lapse_after_days: int | None
) -> Slip:
    """The slip of a locked bill that can be paid: the one that is there, or one made out anew.

    Raises: Conflict ``not_payable`` when its last day would be over, ``slip_issues_spent``;
    InvalidInput as make_out has it.
    """
    slip = await find_current(act, bill.bill_id)
    if slip is not None and still_good(slip.state, slip.number, bill.amount_minor, today):
        return slip
    until = last_day(bill, today, lapse_after_days, terms.days_open)
    if until < today:  # a day that has just begun, before its walk came to this bill
        raise Conflict("not_payable", params={"bill": str(bill.bill_id)})
    return await issue_slip(act, terms, bill, slip, until)


async def issue_slip(
    act: Act, terms: SlipTerms, bill: SlipBill, before: Slip | None, pay_until: date
) -> Slip:
    """Make out a locked bill's slip; one that was there before is replaced.

    One that expired meanwhile and was not noted as such is expired first. A slip by which money
    came keeps its state and only stops being the current one.

    Raises: Conflict ``slip_issues_spent``; InvalidInput as make_out has it.
    """
    issue = 0 if before is None else before.number.issue + 1
    number = make_out(terms, bill, issue, pay_until)
    if before is not None:
        await _retire(act, before)
    slip_id = act.new_id()
    await act.db.execute(
        _INSERT, act.merchant_id, slip_id, bill.bill_id, terms.name, number.key, number.digits(),
        issue, number.amount_minor, pay_until, act.business, act.now,
    )  # fmt: skip
    await emit_slip(act, bill.bill_id, "slip.issued", number)
    return Slip(
        id=slip_id,
        bill_id=bill.bill_id,
        agency=terms.name,
        number=number,
        state="issued",
        version=1,
        is_current=True,
        pay_until=pay_until,
    )


async def _retire(act: Act, slip: Slip) -> None:
    can_be_replaced = slip.state in {"issued", "voided", "expired"}
    edge = advance(slip.state, "replace") if can_be_replaced else None
    await store_slip(act, replace(slip, is_current=False), edge)


async def step(act: Act, slip: Slip, event: SlipEvent) -> Slip:
    """Take one edge and tell of it."""
    return await store_slip(act, slip, advance(slip.state, event))


async def store_slip(act: Act, slip: Slip, edge: Edge[SlipState] | None) -> Slip:
    """Write a changed slip, with an edge if one is taken, under the next version."""
    state = slip.state if edge is None else edge.state
    stored = replace(slip, state=state, version=slip.version + 1)
    tag = await act.db.execute(
        _STORE, act.merchant_id, stored.id, state, stored.version, stored.is_current, act.now
    )
    if tag != "UPDATE 1":
        raise InvariantBroken("slip_lock", context=f"slip {slip.id} moved unlocked")
    if edge is not None:
        await emit_slip(act, slip.bill_id, edge.code, slip.number)
    return stored


async def emit_slip(act: Act, bill_id: UUID, code: str, number: SlipNumber) -> None:
    """Put what happened to a slip on its bill's timeline; its last digits tell issues apart."""
    await act.emit(bill_id, code, amount_minor=number.amount_minor, issue=number.issue)


def _open(row: Row) -> Slip:
    values = dict(row)
    number = read_fields(values.pop("digits"))
    del values["issue"]
    return Slip(**values, number=number)
