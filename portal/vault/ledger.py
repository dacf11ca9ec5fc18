"""Data zone: the ledger's one pen, and the settlement that is read from it.

:func:`post` is the only place that books; :func:`settle` the only one that changes a bill's
settlement, always to what the entries say. Both run inside the act's transaction. The database
checks on its own that every transaction balances and that nothing is ever changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from portal.domain import bill as rules
from portal.domain.bill import BillSums, Settlement
from portal.domain.case import ENDED_BY
from portal.domain.chargeback import Taken, chargeback_returns_over
from portal.domain.errors import InvariantBroken
from portal.domain.ledger import Transaction, with_entries
from portal.domain.transition import Edge
from portal.vault.act import Act

_POST = """
with booked as (
    insert into ledger_transaction (merchant_id, id, cause, cause_id, at, debit_minor, entries)
    select $1, t.id, t.cause, t.cause_id, $2, t.debit_minor, t.entries
    from unnest($3::uuid[], $4::text[], $5::uuid[], $6::bigint[], $7::smallint[])
         as t (id, cause, cause_id, debit_minor, entries)
    on conflict (merchant_id, cause_id, cause) do nothing
    returning id
), lines as (
    insert into ledger_entry
        (merchant_id, transaction_id, line, account, amount_minor, bill_id, attempt_id)
    select $1, e.*
    from unnest($8::uuid[], $9::smallint[], $10::text[], $11::bigint[], $12::uuid[], $13::uuid[])
         as e (transaction_id, line, account, amount_minor, bill_id, attempt_id)
    where e.transaction_id in (select id from booked)
)
select count(*) from booked
"""
_BOOKED_OTHERWISE = """
select t.cause, t.cause_id from unnest($2::text[], $3::uuid[], $4::bigint[])
     as w (cause, cause_id, debit_minor)
join ledger_transaction t on t.merchant_id = $1 and t.cause_id = w.cause_id and t.cause = w.cause
where t.debit_minor <> w.debit_minor limit 1
"""


async def post(act: Act, transactions: Sequence[Transaction]) -> int:
    """Book transactions, each cause once; returns how many were new.

    One statement for any number (thousands are fine). A cause that is booked already is left as
    it is, so a step that is repeated books nothing twice.

    Raises: InvariantBroken ``ledger_cause_reused`` when a cause was booked with another amount.
    """
    if not transactions:
        return 0
    wanted = {act.new_id(): transaction for transaction in transactions}
    causes = [item.cause for item in wanted.values()]
    cause_ids = [item.cause_id for item in wanted.values()]
    debits = [item.debit_minor for item in wanted.values()]
    lines = [
        (transaction_id, line, entry)
        for transaction_id, transaction in wanted.items()
        for line, entry in enumerate(transaction.entries)
    ]
    booked: int = await act.db.fetchval(
        _POST,
        act.merchant_id,
        act.business,
        list(wanted),
        causes,
        cause_ids,
        debits,
        [len(item.entries) for item in wanted.values()],
        [transaction_id for transaction_id, _, _ in lines],
        [line for _, line, _ in lines],
        [entry.account for _, _, entry in lines],
        [entry.amount_minor for _, _, entry in lines],
        [entry.bill_id for _, _, entry in lines],
        [entry.attempt_id for _, _, entry in lines],
    )
    if booked < len(wanted):
        clash = await act.db.fetchrow(_BOOKED_OTHERWISE, act.merchant_id, causes, cause_ids, debits)
        if clash is not None:
            context = f"{clash['cause']} {clash['cause_id']}"
            raise InvariantBroken("ledger_cause_reused", context=context)
    return booked


SUMS = """
       coalesce(sum(amount_minor) filter (where account = 'receivable'), 0)::bigint as receivable,
       coalesce(sum(amount_minor) filter (where account = 'in_transit'), 0)::bigint as in_transit,
       coalesce(sum(amount_minor) filter (where account = 'overpayment'), 0)::bigint
           as overpayment,
       coalesce(sum(amount_minor) filter (where account = 'refund_clearing'), 0)::bigint
           as refund_clearing,
       coalesce(sum(amount_minor) filter (where account = 'goodwill_clearing'), 0)::bigint
           as goodwill_clearing,
       coalesce(sum(amount_minor) filter (where account = 'advanced'), 0)::bigint as advanced,
       coalesce(-sum(amount_minor) filter (where account = 'receivable'
                                           and attempt_id is not null), 0)::bigint as paid,
       coalesce(sum(amount_minor) filter (where account = 'in_transit' and amount_minor > 0),
                0)::bigint as taken,
       coalesce(sum(amount_minor) filter (where account = 'announced'), 0)::bigint as announced,
       coalesce(sum(amount_minor) filter (where account = 'disputed'), 0)::bigint as disputed,
       coalesce(sum(amount_minor) filter (where account = 'chargeback'), 0)::bigint
           as chargeback"""
"""The columns of a :class:`BillSums` over entries of one bill."""

_SUMS_OF = f"select {SUMS} from ledger_entry where merchant_id = $1 and bill_id = $2"  # noqa: S608  constant columns

_TAKEN_BACK = frozenset({"bill.reversed", "bill.reversal_returned", "bill.owed_again"})
_OPEN_CASE = """
select id from case_
where merchant_id = $1 and kind = $2 and subject_id = $3 and closed_at is null for update
"""

_SUMS_OF_ALL = f"""
select bill_id, {SUMS} from ledger_entry
where merchant_id = $1 and bill_id = any($2::uuid[]) group by bill_id
"""  # noqa: S608  constant columns

_LOST = """
select e.attempt_id, sum(e.amount_minor)::bigint as lost_minor
from ledger_entry e join ledger_transaction t on t.merchant_id = $1 and t.id = e.transaction_id
where e.merchant_id = $1 and e.bill_id = $2 and e.account = 'disputed'
      and not exists (select from dispute d
                      where d.merchant_id = $1 and d.id = t.cause_id and d.state = 'opened')
group by e.attempt_id having sum(e.amount_minor) > 0 order by e.attempt_id
"""

_PART = """
insert into part_paid (merchant_id, bill_id, paid_minor) values ($1, $2, $3)
on conflict (merchant_id, bill_id) do update set paid_minor = excluded.paid_minor
where part_paid.paid_minor <> excluded.paid_minor
returning true
"""
_PART_KNOWN = "update part_paid set paid_minor = $3 where merchant_id = $1 and bill_id = $2"


async def sums_of(act: Act, bill_id: UUID) -> BillSums:
    """What the ledger says about one bill now. Units: minor units, debits positive."""
    row = await act.db.fetchrow(_SUMS_OF, act.merchant_id, bill_id)
    return BillSums() if row is None else BillSums(**row)


async def sums_of_all(act: Act, bill_ids: Sequence[UUID]) -> dict[UUID, BillSums]:
    """What the ledger says about many bills; one that it has nothing of is missing."""
    rows = [dict(row) for row in await act.db.fetch(_SUMS_OF_ALL, act.merchant_id, bill_ids)]
    return {row.pop("bill_id"): BillSums(**row) for row in rows}


async def lost_of(act: Act, bill_id: UUID) -> dict[UUID, int]:
    """What a locked bill has lost for good and nobody has decided about, by payment.

    Units: minor units.
    """
    rows = await act.db.fetch(_LOST, act.merchant_id, bill_id)
    return {row["attempt_id"]: row["lost_minor"] for row in rows}


async def take_off_lost(act: Act, bill_id: UUID, sums: BillSums) -> BillSums:
    """What is owed back after what was lost has gone off it; the sums of a locked bill after that.

    What a company took back for good is with the payer: it is not owed to them once more, whatever
    comes first, the loss or the debt (a refund that is given up after it, money that comes late).
    Each time is a cause of its own, because one loss may meet several debts; under the bill's lock
    the books say what is left, so none is met twice.
    """
    if not (sums.disputed and sums.overpayment):
        return sums
    for attempt_id, lost in (await lost_of(act, bill_id)).items():
        part = min(lost, -sums.overpayment)
        if part:
            gone = chargeback_returns_over(
                Taken(
                    cause_id=act.new_id(), bill_id=bill_id, attempt_id=attempt_id, amount_minor=part
                )
            )
            await post(act, [gone])
            sums = with_entries(sums, gone)
    return sums


async def owes_back(act: Act, bill_id: UUID, sums: BillSums) -> bool:
    """Whether something is still owed back of a bill that was settled with ``sums`` just now."""
    if sums.disputed:
        sums = await sums_of(act, bill_id)
    return sums.overpayment < 0


def _told_minor(edge: Edge[Settlement], sums: BillSums) -> int:
    """The amount that the event of a change is about."""
    if edge.code == "bill.overpayment_returned":
        # What came beyond what was owed has gone back; goodwill beside it is not part of that.
        return sums.taken - sums.paid
    if edge.state == "provisional":
        return sums.announced
    if edge.code in _TAKEN_BACK:
        return sums.disputed or sums.receivable or sums.paid
    return sums.taken + sums.chargeback


async def settle(
    act: Act,
    bill_id: UUID,
    before: Settlement,
    sums: BillSums,
    paid_at: datetime | None = None,
    *,
    told: str = "",
) -> Settlement:
    """Bring a locked bill's settlement to what the ledger says, at the act's end; tell of it.

    What was lost goes off what is owed back first (:func:`take_off_lost`). A case that asked for
    just this is closed with it.

    ``before`` is the bill's settlement and ``sums`` are its ledger's, both as they are under its
    lock. The day of the first money is kept (business time); what is only announced is none.
    ``paid_at``: when the payer paid, if that was not now. ``told``: how a change is called where
    it did not come by new money.
    """
    met = await take_off_lost(act, bill_id, sums)
    edge = rules.settle(before, met)
    if edge is not None and met != sums:
        edge = replace(edge, code=rules.MET.get(edge.code, edge.code))
    sums = met
    if sums.disputed or (edge is not None and edge.code == "bill.owed_again"):
        await _lower_part(act, bill_id, sums)
    elif rules.is_part_paid(sums):
        await _keep_part(act, bill_id, sums)
    if edge is None:
        return before
    act.closing.add("settled", act.merchant_id, bill_id, edge.state, paid_at or act.business)
    if edge.state in {"settled", "over"}:
        act.closing.add("paid_promise", act.merchant_id, bill_id, act.business, act.actor)
        act.closing.add("ladder_paid", act.merchant_id, bill_id)
    elif edge.state == "unpaid":
        # What payment had ended goes on: nobody else would tell the payer that it is owed again.
        act.closing.add("ladder_owed", act.merchant_id, bill_id, act.business)
        act.closing.add("paper_owed", act.merchant_id, bill_id)
    if told and edge.state == "over":
        await act.emit(bill_id, told, amount_minor=sums.owed_back)
        return edge.state
    await act.emit(bill_id, edge.code, amount_minor=_told_minor(edge, sums))
    if edge.code in ENDED_BY:
        kind, resolution = ENDED_BY[edge.code]
        case_id: UUID | None = await act.db.fetchval(_OPEN_CASE, act.merchant_id, kind, bill_id)
        if case_id is not None:
            await act.close_case(case_id, resolution)
    return edge.state


async def post_and_settle(
    act: Act, sums: Mapping[UUID, BillSums], transactions: Sequence[Transaction]
) -> None:
    """Book, and bring each of these locked bills' settlement to what the ledger then says.

    ``sums``: what it said of each bill before. The same act may have settled a bill just now.
    """
    await post(act, transactions)
    for bill_id, found in sums.items():
        after = found
        for transaction in transactions:
            after = with_entries(after, transaction, bill_id)
        await settle(act, bill_id, rules.settlement_of(found), after)


async def _keep_part(act: Act, bill_id: UUID, sums: BillSums) -> None:
    """Keep what is paid of a bill that still owes something, and tell of it when it has grown."""
    if await act.db.fetchval(_PART, act.merchant_id, bill_id, sums.paid):
        await act.emit(
            bill_id, "bill.part_paid", amount_minor=sums.paid, left_minor=sums.receivable
        )


async def forget_part(act: Act, bill_id: UUID) -> None:
    """Of a bill that is asked for no more nothing counts as paid in part."""
    await act.db.execute(_PART_KNOWN, act.merchant_id, bill_id, 0)


async def _lower_part(act: Act, bill_id: UUID, sums: BillSums) -> None:
    """Keep what is left of what was paid, once a company took some of it; tells nothing."""
    stands = max(sums.paid - sums.disputed, 0)
    query = _PART if stands else _PART_KNOWN
    await act.db.execute(query, act.merchant_id, bill_id, stands)
