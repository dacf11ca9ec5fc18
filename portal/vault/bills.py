"""Data zone: bills as operations show them: a row of the list, opened and masked."""

from datetime import date
from typing import Final
from uuid import UUID

from portal.contract.bills import BillRow
from portal.domain.bill import WAITING, WITHDRAWN
from portal.domain.contact import phone_hint
from portal.domain.errors import NotFound
from portal.domain.ids import BillId
from portal.domain.pause import PauseShown, shown_of
from portal.domain.refund import GIVEN
from portal.kit.clock import Clock
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.fields import Fields
from portal.vault.sealed import open_contact

GIVEN_STATES: Final = ", ".join(f"'{state}'" for state in sorted(GIVEN))
"""The states of refunds whose money has arrived, as a list for a statement."""

_GIVEN_BACK: Final = f"""
(select coalesce(sum(r.amount_minor), 0)::bigint from refund r
 where r.merchant_id = b.merchant_id and r.bill_id = b.id and r.state in ({GIVEN_STATES}))
"""  # noqa: S608  # constant words
_PART_PAID: Final = """
coalesce((select p.paid_minor from part_paid p
          where p.merchant_id = b.merchant_id and p.bill_id = b.id), 0)::bigint
"""
ROW_COLUMNS: Final = (
    "b.id, b.number, b.period, b.kind, b.amount_minor, b.due_on, b.lifecycle, b.settlement,"
    " b.message, b.opened_at, b.paid_at, b.created_at, b.version, b.sealed_version, b.contact,"
    f" {_GIVEN_BACK} as given_back_minor, {_PART_PAID} as part_paid_minor,"
    " pause.kinds as pause_kinds, pause.untils as pause_untils, zone.zone"
)
"""What :func:`to_bill_row` needs of BILLS."""

BILLS: Final = """
bill b join merchant zone on zone.id = b.merchant_id
left join lateral (
    select array_agg(p.kind order by p.kind = 'extension', p.id desc) as kinds,
           array_agg(p.until order by p.kind = 'extension', p.id desc) as untils
    from pause p where p.merchant_id = b.merchant_id and p.bill_id = b.id and p.ended_at is null
) pause on true"""
"""Bills, as ``b``, each with its open pauses (three at most), an extension after the others."""

_READ: Final = f"select {ROW_COLUMNS} from {BILLS} where b.merchant_id = $1 and b.id = $2"  # noqa: S608  # constants


def to_bill_row(fields: Fields, row: Row, clock: Clock) -> BillRow:
    """One line of the list; the caller counts it as revealed."""
    pause, until = _shown(row, clock.business_today(row["zone"]))
    contact = open_contact(fields, row["id"], row["sealed_version"], row["contact"])
    is_waiting = row["settlement"] in WAITING and row["lifecycle"] not in WITHDRAWN
    return BillRow(
        id=BillId(row["id"]),
        number=row["number"],
        customer_no=contact.customer_no,
        payer_name=contact.payer_name,
        phone_hint=phone_hint(contact.phone),
        period=row["period"],
        kind=row["kind"],
        amount_minor=row["amount_minor"],
        due_on=row["due_on"],
        lifecycle=row["lifecycle"],
        settlement=row["settlement"],
        message=row["message"],
        opened_at=row["opened_at"],
        paid_at=row["paid_at"],
        created_at=row["created_at"],
        version=row["version"],
        given_back_minor=row["given_back_minor"],
        pause=pause,
        pause_until=until,
        part_paid_minor=row["part_paid_minor"] if is_waiting else 0,
        left_minor=row["amount_minor"] - row["part_paid_minor"] if is_waiting else 0,
    )


def _shown(row: Row, today: date) -> tuple[PauseShown | None, date | None]:
    """The first of a bill's open pauses that there is something to say of, and its last day."""
    for kind, until in zip(row["pause_kinds"] or (), row["pause_untils"] or (), strict=True):
        shown = shown_of(kind, until, row["lifecycle"], row["settlement"], today)
        if shown is not None:
            return shown, until
    return None, None


async def view_row(act: Act, bill_id: UUID) -> BillRow:
    """One bill as the list shows it, revealed. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(_READ, act.merchant_id, bill_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "bill"})
    act.reveal(1)
    return to_bill_row(await act.fields(), row, act.clock)
