"""Data zone: forgets what has had its time, a merchant at a time and a slice at a time.

Periods and reasons stand in portal.domain.retention; here is how each kind of row is found, by an
index, and deleted, 5,000 rows a transaction. Rows that expire are timed by the wall clock, rows of
the business (bills paid or canceled, imports) by the business clock. What is logged are counts.

An import that nobody decided about is not deleted here: it becomes ``discarding`` with the reason
``import_abandoned``, and the task that discards imports forgets its rows and its file.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from portal.domain.ids import new_uuid7
from portal.domain.retention import PERIODS, Forgotten
from portal.kit import log
from portal.kit.clock import Clock, new_id
from portal.vault import outbox
from portal.vault.db import Db, Row
from portal.vault.keeping import for_each_merchant, keeping
from portal.vault.signals import Signals
from portal.vault.transaction import Transactions

SLICE_ROWS: Final = 5_000
IMPORTS_AT_ONCE: Final = 100
SLICE_PAUSE_S: Final = 0.05
"""Between two full slices, so that forgetting a backlog leaves room for everything else."""

ABANDONED: Final = "import_abandoned"

_FIRST: Final = UUID(int=0)
_ALONE: Final = "select pg_try_advisory_xact_lock(hashtextextended($1, 8263))"

_log = log.get_logger()


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind of row is deleted: ``$1`` merchant, ``$2`` since when, ``$3`` rows at most.

    ``by`` is what ``$2`` is: a moment of one of the clocks, or the first id of such a moment.
    """

    by: Literal["wall", "wall_id"]
    delete: str


RULES: Final[dict[Forgotten, Rule]] = {
    "login_ticket": Rule(
        "wall",
        """delete from login_ticket where merchant_id = $1 and secret_hash in (
            select secret_hash from login_ticket where merchant_id = $1 and expires_at < $2
            order by expires_at limit $3)""",
    ),
    "return_token": Rule(
        "wall",
        """delete from return_token where merchant_id = $1 and token_hash in (
            select token_hash from return_token where merchant_id = $1 and expires_at < $2
            order by expires_at limit $3)""",
    ),
    "notice": Rule(
        "wall",
        """delete from notice where merchant_id = $1 and (provider, notice_id) in (
            select provider, notice_id from notice where merchant_id = $1 and received_at < $2
            order by received_at limit $3)""",
    ),
    "notice_body": Rule(
        "wall_id",
        """delete from notice_body where merchant_id = $1 and id in (
            select id from notice_body where merchant_id = $1 and id < $2 order by id limit $3)""",
    ),
    "idempotency_key": Rule(
        "wall",
        """delete from once where merchant_id = $1 and (kind, key) in (
            select kind, key from once where merchant_id = $1 and created_at < $2
            order by created_at limit $3)""",
    ),
    "print_file": Rule(
        "wall_id",
        """delete from file_part where merchant_id = $1 and (file_id, part_no) in (
            select f.file_id, f.part_no from file_part f
            join print_batch b on b.merchant_id = $1 and b.id = f.file_id
            where f.merchant_id = $1 and b.id < $2 order by f.file_id limit $3)""",
    ),
    "failed_line": Rule(
        "wall_id",
        """delete from failed_line where merchant_id = $1 and (file_id, record_no) in (
            select file_id, record_no from failed_line where merchant_id = $1 and file_id < $2
            order by file_id, record_no limit $3)""",
    ),
    "result_event": Rule(
        "wall",
        """delete from result_event where merchant_id = $1 and (txn, id) in (
            select txn, id from result_event where merchant_id = $1 and txn < (
                select max(until_txn) from result_file where merchant_id = $1 and made_at < $2)
            order by txn, id limit $3)""",
    ),
    "result_part": Rule(
        "wall_id",
        """delete from file_part where merchant_id = $1 and (file_id, part_no) in (
            select p.file_id, p.part_no from file_part p
            join result_file f on f.merchant_id = $1 and f.id = p.file_id
            where p.merchant_id = $1 and f.id < $2 order by p.file_id limit $3)""",
    ),
    "refund_account": Rule(
        "wall",
        """delete from refund_account where merchant_id = $1 and refund_id in (
            select a.refund_id from refund_account a
            join refund r on r.merchant_id = $1 and r.id = a.refund_id
            where a.merchant_id = $1 and r.state_at < $2 and r.finished_at is not null
            order by a.refund_id limit $3)""",
    ),
    "refund_account_try": Rule(
        "wall",
        """delete from refund_account_try where merchant_id = $1 and bill_id in (
            select bill_id from refund_account_try where merchant_id = $1 and failed_at < $2
            order by failed_at limit $3)""",
    ),
    "sending": Rule(
        "wall_id",
        """delete from delivery_chunk where merchant_id = $1 and id in (
            select id from delivery_chunk where merchant_id = $1 and id < $2
            and done_at < $4 order by id limit $3)""",
    ),
}
"""What can be told to be old from its own row. Links, faults and imports are looked at below."""

_FAULTS: Final = """
delete from row_fault f where f.merchant_id = $1 and (f.import_id, f.line, f.id) in (
    select o.import_id, o.line, o.id from row_fault o
    join import i on i.merchant_id = $1 and i.id = o.import_id
        and i.state in ('issued', 'discarded', 'refused')
        and coalesce(i.decided_at, i.created_at) < $2
    where o.merchant_id = $1 and o.import_id < $4 limit $3)
"""
_LINKS: Final = """
select l.secret_hash, l.bill_id,
       l.expires_at < $5 as is_expired,
       b.settlement in ('settled', 'over') and b.paid_at < $6 as is_paid,
       b.id is null or b.settlement not in ('settled', 'over')
           and b.lifecycle in ('canceled', 'superseded', 'lapsed')
           and coalesce(b.canceled_at, (
               select max(e.at) from bill_event e where e.merchant_id = $1 and e.bill_id = b.id
               and e.code = 'bill.' || b.lifecycle), b.created_at) < $7 as is_closed
from link l left join bill b on b.merchant_id = $1 and b.id = l.bill_id
where l.merchant_id = $1 and l.bill_id >= $2 and l.bill_id < $3 order by l.bill_id limit $4
"""
_FORGET_LINKS: Final = "delete from link where merchant_id = $1 and secret_hash = any($2::bytea[])"
_UNDECIDED: Final = """
update import set state = 'discarding', refused_code = $3, refused_params = $4, decided_at = $5,
    step_after = null, is_judged_again = false
where merchant_id = $1 and id in (
    select id from import where merchant_id = $1 and state in ('receiving', 'checking', 'checked')
    and coalesce(checked_at, created_at) < $2 order by id limit $6 for update skip locked)
returning id
"""


class Retention:
    """Goes through all merchants and forgets. One vault at a time works on a merchant."""

    def __init__(self, transactions: Transactions, clock: Clock, signals: Signals) -> None:
        """Nothing is remembered between two rounds: what is old is asked of the database."""
        self._transactions = transactions
        self._clock = clock
        self._signals = signals

    async def forget(self) -> None:
        """One round over all merchants; returns when nothing old is left. Raises: TryLater."""
        await for_each_merchant(self._transactions, self._forget_of)

    async def _forget_of(self, merchant: UUID) -> None:
        await self._abandon_imports(merchant)
        await self._forget_faults(merchant)
        for what, rule in RULES.items():
            await self._forget_by_rule(merchant, what, rule)
        await self._forget_links(merchant)

    def _before(self, what: Forgotten, *, business: bool = False) -> datetime:
        """The moment before which this kind of thing has had its time."""
        now = self._clock.business_now() if business else self._clock.wall()
        return now - PERIODS[what].length

    def _youngest(self, what: Forgotten) -> UUID:
        """An id that nothing which has had its time by the business clock can be younger than."""
        now = max(self._clock.wall(), self._clock.business_now())
        return first_id_of(now - PERIODS[what].length)

    async def _forget_by_rule(self, merchant: UUID, what: Forgotten, rule: Rule) -> None:
        before = self._before(what)
        since: object = first_id_of(before) if rule.by == "wall_id" else before
        arguments = (since, SLICE_ROWS, *([before] if "$4" in rule.delete else []))
        await self._delete(merchant, what, rule.delete, arguments)

    async def _forget_faults(self, merchant: UUID) -> None:
        before = self._before("row_fault", business=True)
        arguments = (before, SLICE_ROWS, self._youngest("row_fault"))
        await self._delete(merchant, "row_fault", _FAULTS, arguments)

    async def _delete(
        self, merchant: UUID, what: Forgotten, statement: str, arguments: tuple[object, ...]
    ) -> None:
        """Slice after slice until one is not full."""
        rows = SLICE_ROWS
        total = 0
        while rows == SLICE_ROWS:
            async with keeping(self._transactions, merchant, "forget") as db:
                if not await db.fetchval(_ALONE, str(merchant)):
                    break
                rows = _count(await db.execute(statement, merchant, *arguments))
            total += rows
            await self._rest(rows == SLICE_ROWS)
        _tell(merchant, what, total)

    async def _forget_links(self, merchant: UUID) -> None:
        """Walk the links of bills old enough, in the order of bills, and drop what is done."""
        place: UUID | None = _FIRST
        total: Counter[Forgotten] = Counter()
        while place is not None:
            async with keeping(self._transactions, merchant, "forget") as db:
                if not await db.fetchval(_ALONE, str(merchant)):
                    break
                place, gone = await self._forget_some_links(db, merchant, place)
            total += gone
            await self._rest(place is not None)
        for what, rows in total.items():
            _tell(merchant, what, rows)

    async def _forget_some_links(
        self, db: Db, merchant: UUID, place: UUID
    ) -> tuple[UUID | None, Counter[Forgotten]]:
        """One slice: the bill to go on with, and what was forgotten by reason."""
        rows = await db.fetch(
            _LINKS,
            merchant,
            place,
            self._youngest("link_closed"),
            SLICE_ROWS,
            self._before("link_expired"),
            self._before("link_paid", business=True),
            self._before("link_closed", business=True),
        )
        gone: dict[bytes, Forgotten] = {
            row["secret_hash"]: why for row in rows if (why := _why(row)) is not None
        }
        if gone:
            await db.execute(_FORGET_LINKS, merchant, list(gone))
        counted = Counter(gone.values())
        if len(rows) < SLICE_ROWS:
            return None, counted
        last: UUID = rows[-1]["bill_id"]
        # A bill's links may lie on both sides of the slice's end: it is looked at again, unless it
        # fills a slice alone.
        return (last if last != place else UUID(int=last.int + 1)), counted

    async def _abandon_imports(self, merchant: UUID) -> None:
        """Tell that imports nobody decided about are discarded, and plan that they are."""
        days = PERIODS["undecided_import"].days
        async with keeping(self._transactions, merchant, "abandon_imports") as db:
            rows = await db.fetch(
                _UNDECIDED,
                merchant,
                self._before("undecided_import", business=True),
                ABANDONED,
                msgspec.json.encode({"days": days}).decode(),
                self._clock.business_now(),
                IMPORTS_AT_ONCE,
            )
            tasks = [
                outbox.NewTask(new_id(self._clock), "intake.discard_bills", row["id"])
                for row in rows
            ]
            await outbox.plan(db, merchant, self._clock.wall(), tasks)
        if rows:
            self._signals.work_planned()
        for row in rows:
            _log.info("import.abandoned", merchant_id=merchant, import_id=row["id"])

    async def _rest(self, has_more: bool) -> None:  # noqa: FBT001  # the one thing to know
        if has_more:
            await asyncio.sleep(SLICE_PAUSE_S)


def first_id_of(moment: datetime) -> UUID:
    """The lowest id that can have been made at a moment: ids begin with their time."""
    return new_uuid7(max(0, int(moment.timestamp() * 1000)), 0)


def _why(link: Row) -> Forgotten | None:
    """Why a link goes; None while it still has something to say."""
    if link["is_paid"]:
        return "link_paid"
    if link["is_closed"]:
        return "link_closed"
    return "link_expired" if link["is_expired"] else None


def _count(tag: str) -> int:
    """Rows of a command tag: ``DELETE 5000``."""
    return int(tag.rpartition(" ")[2])


def _tell(merchant: UUID, what: Forgotten, rows: int) -> None:
    if rows:
        _log.info("retention.forgot", merchant_id=merchant, kind=what, rows=rows)
