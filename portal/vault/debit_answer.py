"""Data zone: a bank's answer to a debit file, checked line by line before anything is booked.

The answer is set against the very bytes that were sealed. A file that is doubtful as a whole (cut,
another bank's, another merchant's, wrong sums) is refused and books nothing; of a right one every
line that was sent gets what the bank said, or ``line_missing``. Booking is a worker's task, and so
is reading an answer that is long (portal.vault.debit_reading).
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import msgspec

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
from portal.domain.zengin.steps import AnswerDoubtError
from portal.vault import file
from portal.vault.act import Act
from portal.vault.debit import DebitFile, read_contract
from portal.vault.debit_reading import (
    CHECKING,
    KNOWN,
    TELL,
    Answer,
    Reading,
    begin,
    is_long,
    keep,
    kept,
    not_taken,
    refuse,
    told_before,
)
from portal.vault.pull import Loop, beside

_BATCH: Final = 2_000

# The one that waits until nobody may approve the file any more is none that reads.
_IS_READ: Final = """
select exists (select from task where merchant_id = $1 and kind = 'debit.book'
               and subject_id = $2 and next_at <= $3::timestamptz + interval '1 hour')
"""


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
    says why. What nobody can explain becomes a case. A long one is checked by workers, and until
    that is done no other is taken.

    Raises: NotFound when parts are missing.
    """
    digest, size_bytes = await hash_parts(act, place, parts)
    known = await act.db.fetchrow(KNOWN, act.merchant_id, digest)
    if known is not None and known["file_id"] != debit_file.id:
        # Another file's answer says nothing of this one: it has still to come.
        return await refuse(act, debit_file, place, AnswerDoubtError("answer_elsewhere", 0))
    if known is not None:
        if known["part_file_id"] != place:  # else these are the very parts that are kept
            await file.drop_file(act, place)
        return told_before(known)
    answer = Answer(place=place, parts=parts, sha256=digest, by=act.actor)
    reading = Reading.of(debit_file)
    if reading is not None:
        return await _take_meanwhile(act, debit_file, reading, answer)
    if is_long(act, debit_file, size_bytes):
        return await begin(act, debit_file, answer)
    return await _take_at_once(act, debit_file, answer)


async def _take_at_once(act: Act, debit_file: DebitFile, answer: Answer) -> DebitResultRead:
    contract = await read_contract(act, debit_file.contract_id)
    place, parts = answer.place, answer.parts
    try:
        async with act.savepoint():
            found = await beside(
                lambda loop: _Reader(act, loop, debit_file).read(place, parts, contract.lines_max)
            )
    except AnswerDoubtError as doubt:
        return await refuse(act, debit_file, place, doubt)
    result = kept(found.lines, found.unknown, found.unexpected)
    await keep(act, debit_file, answer, result)
    await act.plan_task("debit.book", debit_file.id)
    return result


async def _take_meanwhile(
    act: Act, debit_file: DebitFile, reading: Reading, answer: Answer
) -> DebitResultRead:
    """An answer that comes while one is being read: the same, or one that has to wait.

    Where nobody reads any more, because that task was given up, reading begins with this one.
    """
    place = reading.answer.place
    is_read = await act.db.fetchval(_IS_READ, act.merchant_id, debit_file.id, act.now)
    if not is_read and reading.phase == "check":
        if place != answer.place:
            await file.drop_file(act, place)
        return await begin(act, debit_file, answer)
    if place != answer.place:
        await file.drop_file(act, answer.place)
    if reading.answer.sha256 == answer.sha256:
        return msgspec.structs.replace(CHECKING, known=True)
    return not_taken("answer_checking")


def check_at_bank(debit_file: DebitFile) -> None:
    """Only a file that was taken out can be answered."""
    if debit_file.state not in rules.ANSWERABLE:
        rules.advance_file(debit_file.state, "answer")


async def hash_parts(act: Act, place: UUID, parts: int) -> tuple[bytes, int]:
    """SHA-256 and length of what lies at a place. Raises: NotFound when a part is missing."""
    digest, size_bytes = hashlib.sha256(), 0
    for part_no in range(parts):
        body = await file.read_part(act, place, part_no)
        digest.update(body)
        size_bytes += len(body)
    return digest.digest(), size_bytes


class _Reader:
    """Reads one answer against what was sent, in a thread; see portal.vault.pull."""

    def __init__(self, act: Act, loop: Loop, debit_file: DebitFile) -> None:
        self._act = act
        self._loop = loop
        self._file = debit_file
        self._answer = _Answer()

    def read(self, place: UUID, parts: int, lines_max: int) -> _Answer:
        """Every line that was sent gets its cause; raises AnswerDoubtError, and nothing counts."""
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
            raise AnswerDoubtError("trailer_missing", answer.record_no)
        for reason in matcher.check_trailer(answer.trailer):
            raise AnswerDoubtError(reason, answer.record_no)
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
                raise AnswerDoubtError(one.reason, one.record_no)
            record = one.record
            if isinstance(record, DebitLine):
                answer.lines += 1
                yield record
            elif isinstance(record, Trailer):
                answer.trailer = record
            elif isinstance(record, Header):
                answer.header = record
                for reason in check_header(sent, record):
                    raise AnswerDoubtError(reason, one.record_no)

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
