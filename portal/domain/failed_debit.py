"""Debits that a merchant made itself, by a contract that is not here: which brought no money. Pure.

Its bank's answer is a file as portal.domain.zengin reads it, but of lines that nobody here sent:
the number in each is what the merchant calls its customer. So nothing is booked by it; what it says
is that a bill is not paid, and that its payer may be told.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol
from uuid import UUID

import msgspec

from portal.domain.errors import InvalidInput
from portal.domain.zengin.read import DebitReader, Framing, RecordRead
from portal.domain.zengin.record import DebitLine, Trailer
from portal.domain.zengin.result import Matcher, meaning_of

LINES_MAX: Final = 200
"""Lines of one call that tells them at once."""

STORED_MAX: Final = 2_000
"""Lines of one call that stores them."""

FailedResult = Literal["told", "known", "under_way", "not_owed", "unmatched", "unclear"]
"""What becomes of a line: the bill's failure is noted and its messages for that are due; it was
noted before; its payer is paying already; no bill of that amount is owed; nobody has that number;
the bank's code says no plain failure, so the money may have moved. Two customers whose numbers
differ in the zeros before them alone are nobody's: the wrong one would be told."""

FileState = Literal["receiving", "dropped", "telling", "told"]
"""How far a file is that came by an upload: not whole yet; in doubt or broken off, so that nothing
of it is ever told; its lines are being told; all are."""

LOOKED_AT: Final[tuple[FailedResult, ...]] = ("not_owed", "unmatched", "unclear")
"""What a person may want to look at: nobody was told of such a line."""

OF_CUSTOMERS: Final[tuple[FailedResult, ...]] = ("told", "known", "under_way", "not_owed")
"""Results that say that somebody has the line's number."""


class FailedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One debit that brought no money. ``record_no`` counts from 1, the header included.

    ``customer_no`` as it stands in the file, without spaces around it. Units: yen.
    """

    record_no: int
    customer_no: str
    amount_minor: int
    code: str


class Judged(Protocol):
    """What is looked at of a failed debit to judge it. Units: yen."""

    @property
    def amount_minor(self) -> int:
        """What was to be debited."""
        ...

    @property
    def code(self) -> str:
        """What the bank said."""
        ...


class FailedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole and sound file says. ``succeeded``: its lines that did bring money."""

    lines: tuple[FailedLine, ...]
    succeeded: int


class FailedReader:
    """A bank's answer as its bytes come, at the same memory however long it is.

    It gives the failed lines as they are read; that the file is sound is known at its end alone.
    """

    def __init__(self) -> None:
        """Nothing came yet."""
        self._framing = Framing()
        self._reader = DebitReader(())
        self._sums = Matcher()
        self._trailer: Trailer | None = None

    @property
    def succeeded(self) -> int:
        """Lines that brought money, so far."""
        return self._sums.done_count

    def take(self, part: bytes) -> list[FailedLine]:
        """The failed lines that are whole with this piece. Raises: as :func:`read_failed`."""
        return self._look(self._reader.judge(self._framing.take(part)))

    def finish(self) -> list[FailedLine]:
        """What is left, when no more comes. Raises: as :func:`read_failed`."""
        lines = self._look(self._reader.judge(self._framing.finish()))
        lines += self._look(self._reader.finish())
        for reason in self._sums.check_trailer(self._trailer) if self._trailer is not None else ():
            raise _doubtful(reason, 0)
        return lines

    def _look(self, found: Iterable[RecordRead]) -> list[FailedLine]:
        lines: list[FailedLine] = []
        for read in found:
            if read.record is None:
                raise _doubtful(read.reason, read.record_no)
            if isinstance(read.record, Trailer):
                self._trailer = read.record
            if isinstance(read.record, DebitLine):
                debit = read.record
                self._sums.add(debit.result, 1, debit.amount_minor)
                if debit.result != "0":
                    lines.append(_line(read.record_no, debit))
        return lines


def read_failed(raw: bytes) -> FailedFile:
    """The failed lines of a bank's answer, if nothing of the file is in doubt.

    Raises: InvalidInput with the reader's own reason (portal.domain.zengin.read, params ``field``,
    ``record``), ``trailer_done`` or ``trailer_failed`` where the sums contradict the lines.
    """
    reader = FailedReader()
    lines = (*reader.take(raw), *reader.finish())
    return FailedFile(lines=lines, succeeded=reader.succeeded)


def _line(record_no: int, debit: DebitLine) -> FailedLine:
    return FailedLine(
        record_no=record_no,
        customer_no=debit.instruction_no.strip(),
        amount_minor=debit.amount_minor,
        code=debit.result,
    )


def _doubtful(reason: str, record_no: int) -> InvalidInput:
    return InvalidInput(reason, params={"field": "content", "record": record_no})


def numbers_of(customer_no: str) -> tuple[str, ...]:
    """What a customer's number in the file may be here: with any of the zeros before it, or none.

    A field of digits is filled up with zeros; which of them are the number's own nobody can see.
    """
    bare = customer_no.lstrip("0")
    if not bare:
        return ()
    return tuple(bare.zfill(length) for length in range(len(bare), len(customer_no) + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedBill:
    """A bill of the customer that is asked for. ``left_minor``: what is left of it, in yen."""

    id: UUID
    left_minor: int
    is_under_way: bool = False
    is_known: bool = False


def judge(
    line: Judged, owed: Sequence[OwedBill], taken: Collection[UUID], *, is_customer: bool
) -> tuple[FailedResult, UUID | None]:
    """What becomes of a line, and of which bill; ``owed`` are in the order of their due dates.

    ``taken``: bills that earlier lines of the same file meant. A failure of an amount that two
    bills have is that of the one due first.
    """
    if meaning_of(line.code).outcome != "failed":
        return "unclear", None
    if not is_customer:
        return "unmatched", None
    fits = [bill for bill in owed if bill.left_minor == line.amount_minor and bill.id not in taken]
    if not fits:
        return "not_owed", None
    bill = fits[0]
    if bill.is_under_way:
        return "under_way", bill.id
    return ("known" if bill.is_known else "told"), bill.id
