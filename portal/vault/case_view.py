"""Data zone: cases as people see them: what each is about, how that stands now, what can be done.

A case is opened with an id and a few parameters; everything else is read when someone looks, so a
screen says what is true now and not what was true then. Notes are sealed and count as revealed.
"""

from collections.abc import Sequence
from typing import Final, cast
from uuid import UUID

import msgspec

from portal.contract.case import (
    CaseAttempt,
    CaseBill,
    CaseChoice,
    CaseImport,
    CaseRefund,
    CaseView,
)
from portal.domain.case import CaseFacts, CaseKind, Role, choices_of, has_moved_on
from portal.domain.errors import NotFound
from portal.domain.ids import AttemptId, BillId, CaseId, ImportId, RefundId
from portal.domain.task import TaskKind
from portal.vault.act import Act
from portal.vault.case import CASE_TABLE, CaseNote
from portal.vault.db import Row
from portal.vault.fields import Fields
from portal.vault.sealed import IMPORT_TABLE, ImportFacts
from portal.vault.stranded import count_messages, count_parts, has_task

CASES: Final = """
select c.id, c.kind, c.subject_id, c.params, c.seen, c.opened_at, c.seen_at, c.closed_at,
       c.closed_by, c.resolution, c.note,
       a.id as attempt_id, a.state as attempt_state, a.provider, a.reference, a.amount_minor,
       case when r.id is null then a.ask_at else r.ask_at end as ask_at,
       r.id as refund_id, r.state as refund_state, r.reference as refund_reference,
       r.amount_minor as refund_minor, i.id as import_id, i.state as import_state,
       i.sealed_version, i.facts,
       i.rows_good - i.rows_issued as unissued, i.is_judged_again,
       b.id as bill_id, b.number, b.settlement
from case_ c
left join refund r on r.merchant_id = $1 and r.id = c.subject_id
left join attempt a on a.merchant_id = $1 and a.id = coalesce(r.attempt_id, c.subject_id)
left join card_charge h on h.merchant_id = $1 and h.id = c.subject_id
left join slip s on s.merchant_id = $1 and s.id = c.subject_id
left join delivery_chunk k on k.merchant_id = $1 and k.id = c.subject_id
left join import i on i.merchant_id = $1 and i.id = coalesce(k.import_id, c.subject_id)
left join bill b on b.merchant_id = $1 and b.id = coalesce(
    a.bill_id,
    s.bill_id,
    h.bill_id,
    (select d.bill_id from delivery d
     where d.merchant_id = $1 and d.chunk_id = k.id and k.import_id is null limit 1),
    c.subject_id)
where c.merchant_id = $1"""
"""Cases with all that they may be about; conditions of a constant text follow."""

_ONE: Final = CASES + " and c.id = $2"
_OVER: Final = """
select bill_id, -sum(amount_minor)::bigint as over_minor from ledger_entry
where merchant_id = $1 and bill_id = any($2::uuid[]) and account = 'overpayment' group by bill_id
"""
_TAKEN_BACK: Final = """
select distinct s.attempt_id from attempt_share s
join bill b on b.merchant_id = $1 and b.id = s.bill_id
where s.merchant_id = $1 and s.attempt_id = any($2::uuid[]) and b.settlement = 'reversed'
"""


async def read_case(act: Act, case_id: UUID) -> Row:
    """A case of the act's merchant. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(_ONE, act.merchant_id, case_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "case"})
    return row


async def view_case(act: Act, case_id: UUID) -> CaseView:
    """One case as it is now. Raises: NotFound ``not_found``."""
    return (await to_views(act, [await read_case(act, case_id)]))[0]


async def to_views(act: Act, rows: Sequence[Row]) -> list[CaseView]:
    """Rows of CASES as their reader may see them; what stands still is counted for all at once."""
    facts = await _read_facts(act, rows)
    over = await _sum_over(act, rows)
    fields = await act.fields()
    act.reveal(sum(row["note"] is not None for row in rows))
    return [
        _to_view(fields, row, facts[row["id"]], over.get(row["bill_id"], 0), act.capability.role)
        for row in rows
    ]


async def facts_of(act: Act, row: Row) -> CaseFacts:
    """How the thing of one case stands now."""
    return (await _read_facts(act, [row]))[row["id"]]


async def _read_facts(act: Act, rows: Sequence[Row]) -> dict[UUID, CaseFacts]:
    """How the things of cases stand now, by the case's id."""
    waiting = await _count_waiting(act, [row for row in rows if row["closed_at"] is None])
    taken_back = await _taken_back(act, rows)
    return {
        row["id"]: CaseFacts(
            import_state=row["import_state"] or "",
            is_judged_again=row["is_judged_again"] or False,
            waiting=waiting.get(row["id"], 0),
            attempt_state=row["attempt_state"],
            ask_planned=row["ask_at"] is not None,
            refund_state=row["refund_state"],
            has_task=await _goes_on(act, row),
            settlement=_settlement(row, taken_back),
        )
        for row in rows
    }


def _settlement(row: Row, taken_back: frozenset[UUID]) -> str:
    """How the bill of a case is settled; ``reversed`` where any bill of its payment is."""
    return "reversed" if row["attempt_id"] in taken_back else row["settlement"] or ""


async def _taken_back(act: Act, rows: Sequence[Row]) -> frozenset[UUID]:
    """The payments for several bills that lost disputes are about and that miss money still."""
    asked = [
        row["subject_id"]
        for row in rows
        if row["kind"] == "chargeback_lost" and row["closed_at"] is None
    ]
    if not asked:
        return frozenset()
    found = await act.db.fetch(_TAKEN_BACK, act.merchant_id, asked)
    return frozenset(row["attempt_id"] for row in found)


_ONE_AT_A_TIME: Final[dict[str, TaskKind]] = {
    "task.message.advance_ladders": "message.advance_ladders",
    "task.payment.pass_due": "payment.pass_due",
    "task.payment.refund": "payment.refund",
    "task.debit.fill": "debit.fill",
    "task.debit.book": "debit.book",
    "task.debit.send": "debit.send",
    "task.transfer.advance": "transfer.advance",
    "task.transfer.send": "transfer.send",
    "task.charge.choose": "charge.choose",
    "task.charge.send": "charge.send",
    "task.mandate.ask": "mandate.ask",
    "task.debit.fetch": "debit.fetch",
    "task.debit.tell_failed": "debit.tell_failed",
    "task.settlement.write_results": "settlement.write_results",
    "task.message.switch_unopened": "message.switch_unopened",
}
"""Cases of tasks that another task of the same kind and subject may be doing already."""


async def _goes_on(act: Act, row: Row) -> bool:
    """Whether another task already does what the given-up one was to do, where that may be."""
    if row["closed_at"] is not None:
        return False
    kind = _ONE_AT_A_TIME.get(row["kind"])
    return kind is not None and await has_task(act, kind, row["subject_id"])


async def _count_waiting(act: Act, rows: Sequence[Row]) -> dict[UUID, int]:
    """What stands still of each of these cases, by the case's id."""
    subjects: dict[str, list[UUID]] = {}
    for row in rows:
        subjects.setdefault(row["kind"], []).append(row["subject_id"])
    parts = await count_parts(act, subjects.get("task.intake.accept_chunk", ()))
    messages = await count_messages(act, subjects.get("task.message.send_chunk", ()))
    found: dict[UUID, int] = {}
    for row in rows:
        match row["kind"]:
            case "task.intake.accept_chunk":
                found[row["id"]] = parts.get(row["subject_id"], 0)
            case "task.message.send_chunk":
                found[row["id"]] = messages.get(row["subject_id"], 0)
            case "task.intake.issue_bills":
                found[row["id"]] = row["unissued"] or 0
            case _:
                pass
    return found


async def _sum_over(act: Act, rows: Sequence[Row]) -> dict[UUID, int]:
    """What is owed back for the bills that were paid too much."""
    bills = [row["bill_id"] for row in rows if row["settlement"] == "over"]
    if not bills:
        return {}
    found = await act.db.fetch(_OVER, act.merchant_id, bills)
    return {row["bill_id"]: row["over_minor"] for row in found}


def _to_view(
    fields: Fields, row: Row, facts: CaseFacts, over_minor: int, role: Role | None
) -> CaseView:
    kind = cast("CaseKind", row["kind"])
    is_open = row["closed_at"] is None
    moved_on = is_open and has_moved_on(kind, facts)
    offered = choices_of(kind, role, moved_on=moved_on) if is_open else ()
    return CaseView(
        id=CaseId(row["id"]),
        kind=kind,
        params=msgspec.json.decode(row["params"], type=dict[str, str | int]),
        seen=row["seen"],
        opened_at=row["opened_at"],
        last_seen_at=row["seen_at"] or row["opened_at"],
        bill=_bill(row, over_minor),
        import_=_import(fields, row),
        attempt=_attempt(row),
        waiting=facts.waiting,
        moved_on=moved_on,
        choices=tuple(
            CaseChoice(action=choice.action, needs_note=choice.needs_note) for choice in offered
        ),
        closed_at=row["closed_at"],
        closed_by=row["closed_by"],
        resolution=row["resolution"],
        note=_note(fields, row),
        refund=_refund(row),
    )


def _bill(row: Row, over_minor: int) -> CaseBill | None:
    if row["bill_id"] is None:
        return None
    return CaseBill(
        id=BillId(row["bill_id"]),
        number=row["number"],
        settlement=row["settlement"],
        over_minor=over_minor,
    )


def _import(fields: Fields, row: Row) -> CaseImport | None:
    if row["import_id"] is None:
        return None
    facts = fields.open(
        IMPORT_TABLE, "document", row["import_id"], row["sealed_version"], row["facts"], ImportFacts
    )
    return CaseImport(
        id=ImportId(row["import_id"]), filename=facts.filename, state=row["import_state"]
    )


def _attempt(row: Row) -> CaseAttempt | None:
    if row["attempt_id"] is None:
        return None
    return CaseAttempt(
        id=AttemptId(row["attempt_id"]),
        state=row["attempt_state"],
        provider=row["provider"],
        reference=row["reference"],
        amount_minor=row["amount_minor"],
    )


def _refund(row: Row) -> CaseRefund | None:
    if row["refund_id"] is None:
        return None
    return CaseRefund(
        id=RefundId(row["refund_id"]),
        state=row["refund_state"],
        reference=row["refund_reference"],
        amount_minor=row["refund_minor"],
    )


def _note(fields: Fields, row: Row) -> str:
    if row["note"] is None:
        return ""
    return fields.open(CASE_TABLE, "document", row["id"], 1, row["note"], CaseNote).text
