"""Data zone: a long answer of a bank, checked and told a piece at a time before it is booked.

First the whole is checked and changes no debit; only then each line gets what the bank said. How
far that has come stands at the file, so a step that died is done again from there. A worker's task
of booking does both before it books a line.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, Literal, Self
from uuid import UUID

import msgspec

from portal.contract.debit import DebitResultRead
from portal.domain import debit as rules
from portal.domain.zengin.record import RECORD_BYTES
from portal.domain.zengin.steps import (
    AnswerDoubtError,
    AnswerSteps,
    BytesFrom,
    Piece,
    Progress,
    SentFile,
    lines_by,
)
from portal.vault import file
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.debit import DebitFile, moved, read_contract, store_file
from portal.vault.fetch import fetch_again
from portal.vault.pull import Loop, beside

CHECK_STEPS: Final = 2
"""A step that only checks reads so many times the lines of one that tells."""

_BATCH: Final = 2_000

# A line that the bank did not give back says nothing new about a debit whose end is known.
TELL: Final = """
update debit set cause = $4
where merchant_id = $1 and file_id = $2 and line_no = any($3::int[])
      and ($4 <> 'line_missing' or state = 'in_file')
"""
KNOWN: Final = """
select lines, unknown, unexpected, file_id, part_file_id from debit_result
where merchant_id = $1 and sha256 = $2
"""
_KEEP: Final = """
insert into debit_result (merchant_id, sha256, file_id, part_file_id, parts, lines, unknown,
                          unexpected, read_by, read_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_SIZES: Final = """
select size_bytes from file_part where merchant_id = $1 and file_id = $2 and part_no < $3
order by part_no
"""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Which answer it is: where its parts lie, its hash, and who put it up."""

    place: UUID
    parts: int
    sha256: bytes
    by: str


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How far an answer was checked, or told; kept at its file, and names no payer."""

    answer: Answer
    phase: Literal["check", "tell"]
    progress: Progress

    @classmethod
    def of(cls, debit_file: DebitFile) -> Self | None:
        """The reading that a file is in, or None."""
        if debit_file.reading is None:
            return None
        return msgspec.msgpack.decode(debit_file.reading, type=cls)

    def at(self, debit_file: DebitFile) -> DebitFile:
        """The file with this reading, not yet written."""
        return replace(debit_file, reading=msgspec.msgpack.encode(self))


def is_long(act: Act, debit_file: DebitFile, size_bytes: int) -> bool:
    """Whether an answer is too much for the call that puts it up."""
    lines = CHECK_STEPS * act.settings.debit_step_lines
    return debit_file.lines > lines or size_bytes > (lines + 4) * (RECORD_BYTES + 2)


async def begin(act: Act, debit_file: DebitFile, answer: Answer) -> DebitResultRead:
    """Have workers check an answer before they book it. The file is locked, and written."""
    reading = Reading(answer=answer, phase="check", progress=Progress())
    await store_file(act, replace(reading.at(debit_file), refused_result="", refused_record=0))
    await act.plan_task("debit.book", debit_file.id)
    return CHECKING


CHECKING: Final = DebitResultRead(
    state="checking", reason="", record_no=0, known=False, lines=0, unknown=0, unexpected=0
)


async def read_on(act: Act, debit_file: DebitFile, reading: Reading) -> None:
    """One step of a file's reading. The file is locked, and written.

    A doubtful answer is refused as a whole, and nothing of it was told.
    """
    lines = act.settings.debit_step_lines
    contract = await read_contract(act, debit_file.contract_id)
    sent_sizes = await _sizes(act, debit_file.id, debit_file.parts)
    told_sizes = await _sizes(act, reading.answer.place, reading.answer.parts)
    is_check = reading.phase == "check"

    def look(loop: Loop) -> Piece:
        sent = SentFile(
            _bytes_from(act, loop, debit_file.id, sent_sizes),
            rules.number_prefix(debit_file.number_ms), debit_file.lines,
        )  # fmt: skip
        told = _bytes_from(act, loop, reading.answer.place, told_sizes)
        steps = AnswerSteps(sent, told, contract.lines_max, reading.progress)
        return steps.step(lines * CHECK_STEPS if is_check else lines)

    try:
        piece = await beside(look)
    except AnswerDoubtError as doubt:
        await _refuse(act, debit_file, reading, doubt)
        return
    if not is_check:
        await _tell(act, debit_file, piece)
    if is_check and piece.progress.is_right:
        await _found_right(act, debit_file, reading, piece.progress)
    elif piece.is_last:
        await store_file(act, replace(debit_file, reading=None, booked_to=0))
    else:
        on = msgspec.structs.replace(reading, progress=piece.progress)
        await store_file(act, on.at(debit_file))


async def _found_right(
    act: Act, debit_file: DebitFile, reading: Reading, progress: Progress
) -> None:
    answer = reading.answer
    known = await act.db.fetchrow(KNOWN, act.merchant_id, answer.sha256)
    if known is not None:  # read for another file meanwhile
        await _refuse(act, debit_file, reading, AnswerDoubtError("answer_elsewhere", 0))
        return
    result = kept(progress.count, progress.unknown, progress.unexpected)
    telling = Reading(answer=answer, phase="tell", progress=Progress())
    await keep(act, telling.at(debit_file), answer, result)


def kept(lines: int, unknown: int, unexpected: int, *, known: bool = False) -> DebitResultRead:
    """What is said of an answer that is right as a whole."""
    return DebitResultRead(
        state="booked", reason="", record_no=0, known=known, lines=lines, unknown=unknown,
        unexpected=unexpected,
    )  # fmt: skip


def told_before(row: Row) -> DebitResultRead:
    """What was said of the same bytes; a row of KNOWN."""
    return kept(row["lines"], row["unknown"], row["unexpected"], known=True)


async def keep(
    act: Act, debit_file: DebitFile, answer: Answer, result: DebitResultRead
) -> DebitFile:
    """The file is answered; a worker books it; what is left open is a person's.

    One that was said to be refused stays so, or it would keep out the one that was made since.
    """
    await act.db.execute(
        _KEEP, act.merchant_id, answer.sha256, debit_file.id, answer.place, answer.parts,
        result.lines, result.unknown, result.unexpected, answer.by, act.business,
    )  # fmt: skip
    answered = replace(debit_file, refused_result="", refused_record=0, booked_to=0)
    if debit_file.state not in {"answered", "rejected"}:
        answered = moved(act, answered, rules.advance_file(debit_file.state, "answer"))
    stored = await store_file(act, answered)
    day = debit_file.debit_on.isoformat()
    if result.unknown:
        await act.open_case("debit_unclear", debit_file.id, count=result.unknown, day=day)
    if result.unexpected:
        await act.open_case("debit_unexpected", debit_file.id, count=result.unexpected, day=day)
    return stored


async def refuse(
    act: Act, debit_file: DebitFile, place: UUID, doubt: AnswerDoubtError
) -> DebitResultRead:
    """Drop a doubtful answer; the file says why. The file is locked, and written."""
    await file.drop_file(act, place)
    refused = replace(debit_file, refused_result=doubt.reason, refused_record=doubt.record_no)
    await store_file(act, refused)
    return not_taken(doubt.reason, doubt.record_no)


def not_taken(reason: str, record_no: int = 0) -> DebitResultRead:
    """What is said of an answer that books nothing."""
    return DebitResultRead(
        state="refused", reason=reason, record_no=record_no, known=False, lines=0, unknown=0,
        unexpected=0,
    )  # fmt: skip


async def _refuse(
    act: Act, debit_file: DebitFile, reading: Reading, doubt: AnswerDoubtError
) -> None:
    place = reading.answer.place
    await refuse(act, replace(debit_file, reading=None), place, doubt)
    await fetch_again(act, debit_file.id, place, doubt.reason)


async def _tell(act: Act, debit_file: DebitFile, piece: Piece) -> None:
    for cause, lines in lines_by(piece.causes, _BATCH):
        await act.db.execute(TELL, act.merchant_id, debit_file.id, lines, cause)


async def _sizes(act: Act, place: UUID, parts: int) -> list[int]:
    rows = await act.db.fetch(_SIZES, act.merchant_id, place, parts)
    return [row["size_bytes"] for row in rows]


def _bytes_from(act: Act, loop: Loop, place: UUID, sizes: list[int]) -> BytesFrom:
    """A sealed file's bytes from a place on; for the thread alone."""

    def pieces(start: int) -> Iterator[bytes]:
        skip = start
        for part_no, size in enumerate(sizes):
            if skip >= size:
                skip -= size
                continue
            body = loop.ask(file.read_part(act, place, part_no))
            yield body[skip:] if skip else body
            skip = 0

    return pieces
