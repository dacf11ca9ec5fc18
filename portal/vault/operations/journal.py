"""Data zone: a provider's own journal against ours, item by item, for the operator and drills.

Every line of the journal meets the attempt of its reference, that attempt's postings and the
settlement of its bill; afterwards every attempt of ours must have met a line. Nothing is changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from portal.contract.operator import (
    COMPARE_JOURNAL,
    CompareJournal,
    JournalCompared,
    JournalDifference,
    JournalLine,
)
from portal.domain.bill import BillSums, settlement_of
from portal.domain.doubt import INQUIRED_WITHIN
from portal.domain.errors import InvalidInput, NotFound
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.journal_refunds import compare_refunds, missing_refunds
from portal.vault.ledger import SUMS
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation

LINES_MAX: Final = 5000
DIFFERENCES_MAX: Final = 1000

AGREES: Final[dict[str, frozenset[str]]] = {
    "succeeded": frozenset({"succeeded"}),
    "failed": frozenset({"failed"}),
    "expired": frozenset({"expired", "failed"}),
    "open": frozenset({"submitting", "requires_action", "expired"}),
    "processing": frozenset({"submitting", "requires_action", "processing"}),
}
"""Provider's state → states of ours that are at one with it. ``unknown`` is at one with none."""

_ATTEMPTS: Final = """
select a.id, a.bill_id, a.reference, a.state, a.amount_minor, b.settlement,
       coalesce((select sum(e.amount_minor) from ledger_entry e
                 where e.merchant_id = a.merchant_id and e.bill_id = a.bill_id
                   and e.attempt_id = a.id and e.account = 'in_transit'
                   and e.amount_minor > 0), 0)::bigint as booked,
       coalesce((select -sum(e.amount_minor) from ledger_entry e
                 where e.merchant_id = a.merchant_id and e.bill_id = a.bill_id
                   and e.attempt_id = a.id and e.account = 'chargeback'), 0)::bigint as taken_back,
       coalesce((select d.state from dispute d
                 where d.merchant_id = a.merchant_id and d.attempt_id = a.id
                 order by d.id desc limit 1), '') as dispute
from attempt a left join bill b on b.merchant_id = a.merchant_id and b.id = a.bill_id
where a.merchant_id = $1 and a.provider = $2 and a.reference = any($3::text[])
"""
_SHARES: Final = """
select s.attempt_id, s.bill_id, s.amount_minor, b.settlement,
       coalesce((select sum(e.amount_minor) from ledger_entry e
                 where e.merchant_id = s.merchant_id and e.bill_id = s.bill_id
                   and e.attempt_id = s.attempt_id and e.account = 'in_transit'
                   and e.amount_minor > 0), 0)::bigint as booked,
       coalesce((select -sum(e.amount_minor) from ledger_entry e
                 where e.merchant_id = s.merchant_id and e.bill_id = s.bill_id
                   and e.attempt_id = s.attempt_id
                   and e.account = 'chargeback'), 0)::bigint as taken_back
from attempt_share s left join bill b on b.merchant_id = s.merchant_id and b.id = s.bill_id
where s.merchant_id = $1 and s.attempt_id = any($2::uuid[])
"""
_BALANCES: Final = f"""
select bill_id, {SUMS}
from ledger_entry where merchant_id = $1 and bill_id = any($2::uuid[]) group by bill_id
"""  # noqa: S608  constant columns
_UNMARKED: Final = """
select a.reference, a.state, a.is_known from (
    select merchant_id, provider, reference, state, doubt_at,
           (state in ('requires_action', 'processing', 'succeeded')
            or exists (select from ledger_entry e where e.merchant_id = attempt.merchant_id
                       and e.bill_id = attempt.bill_id and e.attempt_id = attempt.id)) as is_known
    from attempt where merchant_id = $1 and provider = $2
) a
where (a.is_known or (a.state in ('created', 'submitting', 'unknown') and a.doubt_at <= $4))
  and not exists (select from journal_mark m where m.merchant_id = a.merchant_id
                  and m.provider = a.provider and m.reference = a.reference)
order by a.reference limit $3
"""


@dataclass(frozen=True, slots=True)
class _Met:
    """A journal's line with the row of ours that it names, and that one's shares, if any."""

    line: JournalLine
    row: Row | None
    shares: Sequence[Row] = ()


@operation(
    COMPARE_JOURNAL,
    callers=frozenset({"operator"}),
    kinds=frozenset({"caller"}),
    audit="effect",
)
async def compare_journal(act: Act, request: CompareJournal) -> JournalCompared:
    """Set a provider's journal, in pieces, against attempts, postings and settlements.

    Codes: ``attempt_missing``, ``state_differs``, ``attempt_unresolved``, ``amount_differs``,
    ``posting_missing``, ``posting_unfounded``, ``posting_differs``, ``shares_differ`` (of a payment
    for several bills), ``chargeback_differs``, ``dispute_differs``, ``settlement_differs`` and,
    with the last piece, for attempts that no piece named, ``journal_missing`` (the provider has to
    know them) and ``inquiry_missing`` (nobody can say what became of them, though inquiries should
    have told by now). Of refunds: those of portal.vault.journal_refunds.

    Raises: NotFound ``merchant_unknown``; InvalidInput ``too_many_lines`` past LINES_MAX.
    """
    refunds = request.refunds or ()
    if len(request.lines) + len(refunds) > LINES_MAX:
        raise InvalidInput("too_many_lines", params={"most": LINES_MAX})
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    references = [line.reference for line in request.lines]
    rows = await act.db.fetch(_ATTEMPTS, act.merchant_id, request.provider, references)
    ours: dict[str, Row] = {row["reference"]: row for row in rows}
    shares = await _shares(act, [row["id"] for row in rows])
    bills = [row["bill_id"] for row in rows]
    bills += [share["bill_id"] for found in shares.values() for share in found]
    sums = await _sums(act, bills)
    differences: list[JournalDifference] = []
    for line in request.lines:
        row = ours.get(line.reference)
        of_it = () if row is None else shares.get(row["id"], ())
        code = _compare(_Met(line, row, of_it), sums)
        if code is not None:
            state = "" if row is None else row["state"]
            differences.append(
                JournalDifference(
                    reference=line.reference, code=code, ours=state, theirs=line.state
                )
            )
    differences += await compare_refunds(act, request.provider, refunds)
    references += [refund.reference for refund in refunds]
    await _mark(act, request.provider, references)
    if request.last and request.refunds is not None:
        differences += await missing_refunds(act, request.provider, DIFFERENCES_MAX)
    if request.last:
        differences += await _missing(act, request.provider)
    return JournalCompared(
        attempts=len(rows),
        differences=tuple(differences[:DIFFERENCES_MAX]),
        refunds=len(refunds),
    )


def _compare(met: _Met, sums: dict[UUID, BillSums]) -> str | None:
    """The first disagreement of one line, or None."""
    line, row = met.line, met.row
    if row is None:
        return "attempt_missing"
    settlements = met.shares or (row,)
    booked: int = sum(one["booked"] for one in settlements)
    taken_back: int = sum(one["taken_back"] for one in settlements)
    due = line.amount_minor if line.state == "succeeded" else 0
    rules = (
        (row["state"] == "unknown", "attempt_unresolved"),
        (row["state"] not in AGREES.get(line.state, frozenset()), "state_differs"),
        (row["amount_minor"] != line.amount_minor, "amount_differs"),
        (booked > 0 and due == 0, "posting_unfounded"),
        (booked == 0 and due > 0, "posting_missing"),
        (booked != due, "posting_differs"),
        (_shares_differ(row, met.shares, due), "shares_differ"),
        (line.taken_back_minor not in {None, taken_back}, "chargeback_differs"),
        (line.dispute not in {None, row["dispute"]}, "dispute_differs"),
        (
            any(
                one["settlement"] != settlement_of(sums.get(one["bill_id"], BillSums()))
                for one in settlements
            ),
            "settlement_differs",
        ),
    )
    return next((code for differs, code in rules if differs), None)


def _shares_differ(row: Row, shares: Sequence[Row], due: int) -> bool:
    """Whether the shares are not what was asked for, or one was not booked as what it is."""
    if not shares:
        return False
    is_sum = sum(one["amount_minor"] for one in shares) == row["amount_minor"]
    return not is_sum or any(one["booked"] != (one["amount_minor"] if due else 0) for one in shares)


async def _shares(act: Act, attempt_ids: list[UUID]) -> dict[UUID, list[Row]]:
    """The shares of those of the attempts that pay several bills."""
    found: dict[UUID, list[Row]] = {}
    for row in await act.db.fetch(_SHARES, act.merchant_id, attempt_ids):
        found.setdefault(row["attempt_id"], []).append(row)
    return found


async def _sums(act: Act, bill_ids: list[UUID]) -> dict[UUID, BillSums]:
    rows = await act.db.fetch(_BALANCES, act.merchant_id, bill_ids)
    found = [dict(row) for row in rows]
    return {row.pop("bill_id"): BillSums(**row) for row in found}


async def _mark(act: Act, provider: str, references: list[str]) -> None:
    await act.db.execute(
        "insert into journal_mark (merchant_id, provider, reference)"
        " select $1, $2, reference from unnest($3::text[]) as t (reference)"
        " on conflict do nothing",
        act.merchant_id,
        provider,
        references,
    )


async def _missing(act: Act, provider: str) -> list[JournalDifference]:
    """Attempts that the whole journal did not name although it should have; forget the marks.

    Where nobody knows whether the provider has it, that is no difference before an inquiry must
    have settled it.
    """
    settled_by_now = act.now - INQUIRED_WITHIN
    rows = await act.db.fetch(_UNMARKED, act.merchant_id, provider, DIFFERENCES_MAX, settled_by_now)
    await act.db.execute(
        "delete from journal_mark where merchant_id = $1 and provider = $2",
        act.merchant_id,
        provider,
    )
    return [
        JournalDifference(
            reference=row["reference"],
            code="journal_missing" if row["is_known"] else "inquiry_missing",
            ours=row["state"],
        )
        for row in rows
    ]
