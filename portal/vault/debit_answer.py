"""Data zone: a bank's answer to a debit file, checked line by line before anything is booked.

The answer is set against the very bytes that were sealed. A file that is doubtful as a whole (cut,
another bank's, another merchant's, wrong sums) is refused and books nothing; of a right one every
line that was sent gets what the bank said, or ``line_missing``. Booking is a worker's task.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from portal.contract.debit import DebitResultRead
from portal.domain import debit as rules
from portal.domain.debit import line_no_of
from portal.domain.errors import InvariantBroken
from portal.domain.zengin.alike import read_alike
from portal.domain.zengin.read import DebitReader, RecordRead
from portal.domain.zengin.record import DebitLine, Header, Trailer
from portal.domain.zengin.result import (
    Cause,
    Match,
    Matcher,
    Meaning,
    check_header,
    meaning_of,
)
from portal.vault import file
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.debit import DebitFile, moved, read_contract, store_file
from portal.vault.pull import Loop, beside

PARTS_MAX: Final = 16
"""Parts of one answer: 100,000 records and their line ends are 12."""

_BATCH: Final = 2_000

# A line that the bank did not give back says nothing new about a debit whose end is known.
TELL: Final = """
update debit set cause = $4
where merchant_id = $1 and file_id = $2 and line_no = any($3::int[])
      and ($4 <> 'line_missing' or state = 'in_file')
"""
_KNOWN: Final = """
select lines, unknown, unexpected, file_id, part_file_id from debit_result
where merchant_id = $1 and sha256 = $2
"""
_KEEP: Final = """
insert into debit_result (merchant_id, sha256, file_id, part_file_id, parts, lines, unknown,
                          unexpected, read_by, read_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


class _DoubtError(Exception):
    """The answer is doubtful as a whole: ``reason`` and the record where that showed."""

    def __init__(self, reason: str, record_no: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.record_no = record_no


@dataclass(slots=True)
class _Answer:
    """What was found while an answer was read."""

    header: Header | None = None
    trailer: Trailer | None = None
    record_no: int = 0
    lines: int = 0
    unknown: int = 0
    unexpected: int = 0


@dataclass(slots=True)
class _Batch:
    """Lines whose causes are still to be written."""

    by_cause: dict[Cause, list[int]] = field(default_factory=dict[Cause, list[int]])
    lines: int = 0

    def add(self, cause: Cause, numbers: Sequence[str]) -> None:
        self.by_cause.setdefault(cause, []).extend(map(line_no_of, numbers))
        self.lines += len(numbers)

    def clear(self) -> None:
        self.by_cause.clear()
        self.lines = 0


async def take_answer(act: Act, debit_file: DebitFile, place: UUID, parts: int) -> DebitResultRead:
    """Check an answer whose parts lie at ``place`` and plan its booking; the same bytes once.

    The file is locked. A doubtful one is refused as a whole, its parts are dropped, and the file
    says why. What nobody can explain becomes a case.

    Raises: NotFound when parts are missing.
    """
    digest = await hash_parts(act, place, parts)
    known = await act.db.fetchrow(_KNOWN, act.merchant_id, digest)
    if known is not None and known["file_id"] != debit_file.id:
        # Another file's answer says nothing of this one: it has still to come.
        return await _refuse(act, debit_file, place, _DoubtError("answer_elsewhere", 0))
    if known is not None:
        if known["part_file_id"] != place:  # else these are the very parts that are kept
            await file.drop_file(act, place)
        return _told(known)
    contract = await read_contract(act, debit_file.contract_id)
    try:
        async with act.savepoint():
            answer = await beside(
                lambda loop: _Reader(act, loop, debit_file).read(place, parts, contract.lines_max)
            )
    except _DoubtError as doubt:
        return await _refuse(act, debit_file, place, doubt)
    await act.db.execute(
        _KEEP, act.merchant_id, digest, debit_file.id, place, parts, answer.lines,
        answer.unknown, answer.unexpected, act.actor, act.business,
    )  # fmt: skip
    await _take_over(act, debit_file, answer)
    return DebitResultRead(
        state="booked", reason="", record_no=0, known=False, lines=answer.lines,
        unknown=answer.unknown, unexpected=answer.unexpected,
    )  # fmt: skip


async def _take_over(act: Act, debit_file: DebitFile, answer: _Answer) -> None:
    """The file is answered; a worker books it; what is left open is a person's.

    One that was said to be refused stays so, or it would keep out the one that was made since.
    """
    answered = replace(debit_file, refused_result="", refused_record=0, booked_to=0)
    if debit_file.state not in {"answered", "rejected"}:
        answered = moved(act, answered, rules.advance_file(debit_file.state, "answer"))
    await store_file(act, answered)
    await act.plan_task("debit.book", debit_file.id)
    day = debit_file.debit_on.isoformat()
    if answer.unknown:
        await act.open_case("debit_unclear", debit_file.id, count=answer.unknown, day=day)
    if answer.unexpected:
        await act.open_case("debit_unexpected", debit_file.id, count=answer.unexpected, day=day)


async def _refuse(
    act: Act, debit_file: DebitFile, place: UUID, doubt: _DoubtError
) -> DebitResultRead:
    await file.drop_file(act, place)
    refused = replace(debit_file, refused_result=doubt.reason, refused_record=doubt.record_no)
    await store_file(act, refused)
    return DebitResultRead(
        state="refused", reason=doubt.reason, record_no=doubt.record_no, known=False, lines=0,
        unknown=0, unexpected=0,
    )  # fmt: skip


def _told(row: Row) -> DebitResultRead:
    return DebitResultRead(
        state="booked", reason="", record_no=0, known=True, lines=row["lines"],
        unknown=row["unknown"], unexpected=row["unexpected"],
    )  # fmt: skip


def check_at_bank(debit_file: DebitFile) -> None:
    """Only a file that was taken out can be answered."""
    if debit_file.state not in rules.ANSWERABLE:
        rules.advance_file(debit_file.state, "answer")


async def hash_parts(act: Act, place: UUID, parts: int) -> bytes:
    """SHA-256 over the parts that lie at a place. Raises: NotFound when one is missing."""
    digest = hashlib.sha256()
    for part_no in range(parts):
        digest.update(await file.read_part(act, place, part_no))
    return digest.digest()


class _Reader:
    """Reads one answer against what was sent, in a thread; see portal.vault.pull."""

    def __init__(self, act: Act, loop: Loop, debit_file: DebitFile) -> None:
        self._act = act
        self._loop = loop
        self._file = debit_file
        self._answer = _Answer()

    def read(self, place: UUID, parts: int, lines_max: int) -> _Answer:
        """Every line that was sent gets its cause; raises _DoubtError and then nothing counts."""
        answer = self._answer
        sent = DebitReader(self._parts(self._file.id, self._file.parts))
        told = DebitReader(self._parts(place, parts), lines_max)
        ours, theirs = iter(sent), iter(told)
        first = next(ours).record
        if not isinstance(first, Header):
            raise InvariantBroken("debit_file_broken", context=str(self._file.id))
        matcher, batch = Matcher(), _Batch()
        returned = self._returned(theirs, first)
        for match in matcher.match(
            _lines(ours), returned, lambda: self._read_on(sent, told, matcher, batch)
        ):
            self._note(match, batch)
            if batch.lines >= _BATCH:
                self._tell(batch)
        self._tell(batch)
        if answer.trailer is None:
            raise _DoubtError("trailer_missing", answer.record_no)
        for reason in matcher.check_trailer(answer.trailer):
            raise _DoubtError(reason, answer.record_no)
        return answer

    def _read_on(
        self, sent: DebitReader, told: DebitReader, matcher: Matcher, batch: _Batch
    ) -> None:
        """As far as the answer is the file but for the bank's codes: most of it, as a rule."""
        answer = self._answer
        while alike := read_alike(sent, told, _BATCH):
            for code, lines in alike.items():
                count = len(lines.numbers)
                matcher.add(code, count, lines.total_minor)
                answer.lines += count
                self._count(meaning_of(code), count)
                batch.add(meaning_of(code).cause, lines.numbers)
            answer.record_no = told.record_no
            if batch.lines >= _BATCH:
                self._tell(batch)

    def _returned(self, records: Iterator[RecordRead], sent: Header) -> Iterator[DebitLine]:
        """The lines of the answer; the first thing that makes the whole doubtful ends it."""
        answer = self._answer
        for one in records:
            answer.record_no = one.record_no
            if one.reason and (one.is_whole_file or answer.header is None):
                raise _DoubtError(one.reason, one.record_no)
            record = one.record
            if isinstance(record, DebitLine):
                answer.lines += 1
                yield record
            elif isinstance(record, Trailer):
                answer.trailer = record
            elif isinstance(record, Header):
                answer.header = record
                for reason in check_header(sent, record):
                    raise _DoubtError(reason, one.record_no)

    def _note(self, match: Match, batch: _Batch) -> None:
        if match.sent is None:
            self._answer.unexpected += 1
            return
        self._count(match.meaning, 1)
        batch.add(match.meaning.cause, [match.instruction_no])

    def _count(self, meaning: Meaning, count: int) -> None:
        if meaning.outcome == "unknown":
            self._answer.unknown += count

    def _tell(self, batch: _Batch) -> None:
        """Write what the bank said of these lines."""
        act = self._act
        for cause, lines in batch.by_cause.items():
            self._loop.ask(act.db.execute(TELL, act.merchant_id, self._file.id, lines, cause))
        batch.clear()

    def _parts(self, place: UUID, parts: int) -> Iterable[bytes]:
        for part_no in range(parts):
            yield self._loop.ask(file.read_part(self._act, place, part_no))


def _lines(records: Iterator[RecordRead]) -> Iterator[DebitLine]:
    """What we sent; our own file has no faults, or nothing may be said of it.

    Raises: InvariantBroken ``debit_file_broken``.
    """
    for one in records:
        if one.reason:
            raise InvariantBroken("debit_file_broken", context=one.reason)
        if isinstance(one.record, DebitLine):
            yield one.record
