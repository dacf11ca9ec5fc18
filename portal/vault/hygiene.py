"""Data zone: contacts that may be somebody else's: suspected at issue, said on the page, listed.

A suspicion stops nothing: it is a suggestion to staff. Only where somebody said that the bill is
not theirs no messages of the contract go there any more (portal.vault.contact_faults).
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from portal.domain.hygiene import DAYS, SHARED_CONTRACTS, Problem
from portal.vault.act import Act

# Who opened messages there was another customer, whose bills have not gone there for long.
RECYCLED: Final = """
insert into contact_doubt (merchant_id, contract_blind, contact, why, bill_id, at)
select distinct on (b.contract_blind, v.contact)
       $1::uuid, b.contract_blind, v.contact, 'recycled', b.id, $3::timestamptz
from bill b
join contact_verified v on v.merchant_id = $1 and v.contact in (b.phone_blind, b.email_blind)
     and v.customer_blind <> b.customer_blind
where b.merchant_id = $1 and b.id = any($2::uuid[])
  and not exists (select from contact_verified o where o.merchant_id = $1
                  and o.contract_blind = b.contract_blind and o.contact = v.contact)
  and not exists (select from bill o where o.merchant_id = $1
                  and o.customer_blind = v.customer_blind and o.issued_at >= $4
                  and v.contact in (o.phone_blind, o.email_blind))
order by b.contract_blind, v.contact, b.id
on conflict (merchant_id, contract_blind, contact) do nothing
"""
# A few of the many bills are enough to say that they are many.
SHARED: Final = """
insert into contact_doubt (merchant_id, contract_blind, contact, why, bill_id, at)
select distinct on (b.contract_blind, b.phone_blind)
       $1::uuid, b.contract_blind, b.phone_blind, 'shared', b.id, $3::timestamptz
from bill b cross join lateral (
    select count(distinct n.contract_blind) as contracts from (
        select o.contract_blind from bill o
        where o.merchant_id = $1 and o.phone_blind = b.phone_blind limit 100) n) s
where b.merchant_id = $1 and b.id = any($2::uuid[]) and b.phone_blind is not null
  and not exists (select from contact_verified o where o.merchant_id = $1
                  and o.contract_blind = b.contract_blind and o.contact = b.phone_blind)
  and s.contracts >= $4
order by b.contract_blind, b.phone_blind, b.id
on conflict (merchant_id, contract_blind, contact) do nothing
"""
DENY: Final = """
insert into contact_doubt as d (merchant_id, contract_blind, contact, why, bill_id, at)
select $1::uuid, $2::bytea, c.contact, 'denied', $3::uuid, $5::timestamptz
from unnest($4::bytea[]) as c (contact)
on conflict (merchant_id, contract_blind, contact) do update
set why = 'denied', bill_id = excluded.bill_id, at = excluded.at, cleared_at = null
where d.why <> 'denied' or d.cleared_at is not null
returning contact
"""

_BILL_OF: Final = """
(select n.id from bill n where n.merchant_id = $1
 and n.{column} = f.blind order by n.id desc limit 1)
"""
FAULTY: Final = f"""
select f.blind as key, max(f.at) as since, min(f.code) as code, 1 as contracts,
       case when min(f.channel) = 'email' then 'email' else 'phone' end as contact,
       case when min(f.channel) = 'email' then {_BILL_OF.format(column="email_blind")}
            else {_BILL_OF.format(column="phone_blind")} end as bill_id
from contact_fault f where f.merchant_id = $1 and f.cleared_at is null
group by f.blind
"""  # noqa: S608  # constant texts
DOUBTED: Final = """
select d.contract_blind as key, max(d.at) as since, d.why as code, 1 as contracts,
       min(case when d.contact = b.email_blind or b.phone_blind is null then 'email'
                else 'phone' end) as contact,
       (array_agg(d.bill_id order by d.at desc))[1] as bill_id
from contact_doubt d join bill b on b.merchant_id = $1 and b.id = d.bill_id
where d.merchant_id = $1 and d.why = '{why}' and d.cleared_at is null
group by d.contract_blind, d.why
"""
_SHARED: Final = """
select d.contact as key, max(d.at) as since, 'shared' as code, count(*)::int as contracts,
       'phone' as contact, (array_agg(d.bill_id order by d.at desc))[1] as bill_id
from contact_doubt d
where d.merchant_id = $1 and d.why = 'shared' and d.cleared_at is null
group by d.contact
"""
_MISSING: Final = """
select uuid_send(p.bill_id) as key, p.at as since, 'missing' as code, 1 as contracts,
       'phone' as contact, p.bill_id
from paper_due p where p.merchant_id = $1 and p.reason = 'no_contact' and p.at >= $2
"""
FOUND: Final[Mapping[Problem, str]] = MappingProxyType({
    "faulty": FAULTY,
    "doubted": DOUBTED.format(why="denied"),
    "recycled": DOUBTED.format(why="recycled"),
    "shared": _SHARED,
    "missing": _MISSING,
})  # fmt: skip
"""Problem → what it is of, since ``$2``: key, moment, code, contracts, contact and newest bill."""
BAD_CONTACTS: Final = """
select (select count(*) from (select from contact_fault
                              where merchant_id = $1 and cleared_at is null limit 10000) f)
     + (select count(*) from (select from contact_doubt
                              where merchant_id = $1 and why = 'denied' and cleared_at is null
                              limit 10000) d)
"""
"""How many contacts need a person: nothing arrives there, or somebody else reads it."""

PAGE: Final = """
with found as ({found})
select f.key, f.since, f.code, f.contracts, f.contact as kind, b.id, b.number, b.sealed_version,
       b.contact
from found f join bill b on b.merchant_id = $1 and b.id = f.bill_id
where f.since >= $2 and ($3::timestamptz is null or (f.since, f.key) < ($3, $4::bytea))
order by f.since desc, f.key desc limit $5
"""
COUNT: Final = """
with found as ({found})
select count(*) from (select from found f where f.since >= $2 limit $3) n
"""


async def suspect(act: Act, bill_ids: Sequence[UUID]) -> None:
    """Note which contacts of bills that were just issued may be somebody else's."""
    since = act.business - timedelta(days=DAYS)
    await act.db.execute(RECYCLED, act.merchant_id, list(bill_ids), act.business, since)
    await act.db.execute(SHARED, act.merchant_id, list(bill_ids), act.business, SHARED_CONTRACTS)
