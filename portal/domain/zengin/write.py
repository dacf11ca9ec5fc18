"""Writes a bank's file piece by piece: what it keeps in between are a count and a sum. Pure.

Nothing of a file may leave before it is finished: a limit may still refuse the whole.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from portal.domain.errors import InvalidInput, InvariantBroken, LimitReached
from portal.domain.zengin.record import (
    END,
    LINES_MAX,
    TOTAL_MAX,
    DebitLine,
    FileForm,
    Header,
    Trailer,
    write_debit,
    write_header,
    write_trailer,
)


class Line(Protocol):
    """A record between header and trailer. Units: yen."""

    @property
    def amount_minor(self) -> int:
        """What it moves."""
        ...


L = TypeVar("L", bound=Line)


class FileWriter(ABC, Generic[L]):
    """One file: ``begin``, ``add`` as often as wanted, ``finish``.

    ``count`` and ``total_minor`` can be kept and given again, so that a file may be made over
    several transactions.
    """

    def __init__(self, form: FileForm, count: int = 0, total_minor: int = 0) -> None:
        """Go on after ``count`` lines over ``total_minor`` yen."""
        self.form = form
        self.count = count
        self.total_minor = total_minor
        self._lines_max = min(form.lines_max, LINES_MAX)

    def begin(self, header: Header) -> bytes:
        """The bytes of the header.

        Raises: InvalidInput ``zengin_field`` (param ``field``).
        """
        return self._encode([write_header(header, self.form)])

    def add(self, lines: Iterable[L]) -> bytes:
        """The bytes of these lines.

        Raises: InvalidInput ``zengin_field`` (param ``field``); LimitReached ``zengin_lines``
        (param ``max``) or ``zengin_total``: the rest belongs into another file.
        """
        written: list[str] = []
        for line in lines:
            written.append(self.record_of(line))
            self.total_minor += line.amount_minor
        self.count += len(written)
        if self.count > self._lines_max:
            raise LimitReached("zengin_lines", params={"max": self._lines_max})
        if self.total_minor > TOTAL_MAX:
            raise LimitReached("zengin_total", params={"max": TOTAL_MAX})
        return self._encode(written)

    def finish(self) -> bytes:
        """The bytes of trailer and end.

        Raises: InvalidInput ``zengin_empty``: a file without a line is not sent.
        """
        if not self.count:
            raise InvalidInput("zengin_empty")
        return self._encode([self.trailer(), END])

    @abstractmethod
    def record_of(self, line: L) -> str:
        """The record of one line. Raises: InvalidInput ``zengin_field`` (param ``field``)."""

    @abstractmethod
    def trailer(self) -> str:
        """The record of count and sum. Raises: InvalidInput ``zengin_total``."""

    def _encode(self, records: list[str]) -> bytes:
        """One byte a letter, or the places of all fields would move."""
        separator = self.form.separator
        text = separator.join(records) + separator if records else ""
        written = text.encode("cp932")
        if len(written) != len(text):
            raise InvariantBroken("zengin_letters", context=self.form.more_letters)
        return written


class DebitWriter(FileWriter[DebitLine]):
    """A file of debits (預金口座振替)."""

    def record_of(self, line: DebitLine) -> str:
        """See portal.domain.zengin.record.write_debit."""
        return write_debit(line, self.form)

    def trailer(self) -> str:
        """What was debited and what was not is 0 in a request."""
        return write_trailer(Trailer(count=self.count, total_minor=self.total_minor))
