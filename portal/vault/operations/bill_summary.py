"""Data zone: what the dashboard's first screen shows, from the tally: no bill is counted here."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from portal.contract.bills import SUMMARISE_BILLS, DayPaid, Funnel, Summary
from portal.contract.envelope import Nothing
from portal.domain.funnel import BillSums, bills_of, by_channel
from portal.domain.pause import PAUSABLE
from portal.vault.act import Act
from portal.vault.bills import GIVEN_STATES
from portal.vault.case import count_open
from portal.vault.db import Row
from portal.vault.funnel import read_counts
from portal.vault.hygiene import BAD_CONTACTS
from portal.vault.imports import view_newest
from portal.vault.registry import operation
from portal.vault.tallies import sum_bills, sum_days

DAYS_SHOWN: Final = 62
"""Two months of days: this one and the one it is compared with."""

IMPORTS_SHOWN: Final = 5

_ISSUED: Final = frozenset({"open", "overdue", "lapsed", "canceling"})
_PAID: Final = frozenset({"settled", "over"})
_RETURNED: Final = f"""
select coalesce(sum(r.amount_minor - r.owed_minor), 0)::bigint from refund r
join bill b on b.merchant_id = $1 and b.id = r.bill_id
where r.merchant_id = $1 and r.state in ({GIVEN_STATES})
      and b.lifecycle = any($2::text[])
      and (b.settlement = any($3::text[])
           or exists (select from part_paid p where p.merchant_id = $1 and p.bill_id = b.id))
"""  # noqa: S608  # constant words
_PARTS: Final = """
select coalesce(sum(p.paid_minor), 0)::bigint as paid,
       coalesce(sum(p.paid_minor) filter (where b.lifecycle = 'overdue'), 0)::bigint as overdue
from part_paid p join bill b on b.merchant_id = $1 and b.id = p.bill_id
where p.merchant_id = $1 and b.lifecycle = any($2::text[]) and b.settlement <> all($3::text[])
"""
_MISSED: Final = """
select count(*) from (
    select from pause p join bill b on b.merchant_id = $1 and b.id = p.bill_id
    where p.merchant_id = $1 and p.kind = 'promise' and p.ended_at is null and p.until < $2
          and b.settlement = 'unpaid' and b.lifecycle = any($3::text[])
    limit 10000) found
"""
_UNDELIVERED: Final = frozenset({"undelivered", "failed"})


@operation(
    SUMMARISE_BILLS,
    callers=frozenset({"web"}),
    kinds=frozenset({"staff", "api_key"}),
    scope="bills:read",
    audit="none",
)
async def summarise_bills(act: Act, request: Nothing) -> Summary:
    """Counts and sums over the merchant's issued bills; canceled ones don't count."""
    del request
    zone: str = await act.db.fetchval("select zone from merchant where id = $1", act.merchant_id)
    today = act.clock.business_today(zone)
    rows = [row for row in await sum_bills(act) if row["lifecycle"] in _ISSUED]
    unpaid = [row for row in rows if row["settlement"] not in _PAID]
    paid = [row for row in rows if row["settlement"] in _PAID]
    overdue = [row for row in unpaid if row["lifecycle"] == "overdue"]
    days = await sum_days(act, today - timedelta(days=DAYS_SHOWN))
    imports, _ = await view_newest(act, IMPORTS_SHOWN)
    parts = await act.db.fetchrow(_PARTS, act.merchant_id, list(_ISSUED), list(_PAID)) or {}
    part_minor: int = parts["paid"]
    missed: int = await act.db.fetchval(_MISSED, act.merchant_id, today, sorted(PAUSABLE))
    return Summary(
        requested_bills=_bills(rows),
        requested_minor=_yen(rows),
        paid_bills=_bills(paid),
        paid_minor=_yen(paid) + part_minor,
        unpaid_bills=_bills(unpaid),
        unpaid_minor=_yen(unpaid) - part_minor,
        overdue_bills=_bills(overdue),
        overdue_minor=_yen(overdue) - parts["overdue"],
        never_opened_bills=_bills(unpaid, lambda row: not row["is_opened"]),
        undelivered_bills=_bills(unpaid, lambda row: row["message"] in _UNDELIVERED),
        doubtful_bills=_bills(unpaid, lambda row: row["message"] == "ambiguous"),
        open_cases=await count_open(act.db, act.merchant_id),
        funnel=_funnel(bills_of(by_channel(await read_counts(act, None)))),
        days=tuple(
            DayPaid(day=row["day"], bills=row["bills"], amount_minor=row["amount_minor"])
            for row in days
        ),
        imports=tuple(imports),
        as_of=act.business,
        missed_promises=missed,
        bad_contacts=await act.db.fetchval(BAD_CONTACTS, act.merchant_id),
        returned_minor=await act.db.fetchval(
            _RETURNED, act.merchant_id, list(_ISSUED), list(_PAID)
        ),
    )


def _funnel(bills: BillSums) -> Funnel:
    """From the one tally that the table by channel is read from: both say the same of bills."""
    return Funnel(
        requested=bills.issued,
        accepted=bills.sent,
        delivered=bills.delivered,
        opened=bills.opened,
        paid=bills.paid,
    )


def _bills(rows: Sequence[Row], counts: Callable[[Row], bool] = lambda _: True) -> int:
    return sum(row["bills"] for row in rows if counts(row))


def _yen(rows: Sequence[Row]) -> int:
    return sum(row["amount_minor"] for row in rows)
