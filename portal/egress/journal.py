"""The journal of denied attempts: who wanted to go where, and why not; never to say what.

Zone: egress. JSON lines in a file that rotates, so that an attacker can fill neither disk nor
journal: within a minute the first attempt of a kind is written at once and the rest are counted.
Holds no path, header, body or value; a host only in its canonical spelling.
"""

from pathlib import Path
from typing import Final

import msgspec

from portal.kit.clock import Clock
from portal.kit.log import get_logger

WINDOW_S: Final = 60.0
KINDS_MAX: Final = 512
"""Different kinds of attempts written in one window; more are counted together."""
FILE_BYTES_MAX: Final = 1024 * 1024
FILES_KEPT: Final = 4

_log = get_logger()


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of refused attempt. ``host`` is empty when the text was no host name."""

    caller: str
    uid: int
    mode: str
    host: str
    port: int
    code: str


class _Line(msgspec.Struct, kw_only=True):
    at: str
    denied: Denial | None
    times: int


class Journal:
    """Append-only file of denied attempts; writing never holds up an answer for long."""

    def __init__(self, path: Path, clock: Clock, *, file_bytes_max: int = FILE_BYTES_MAX) -> None:
        """The current file; older ones get ``.1`` to ``.3``. Its folder must be there."""
        self._path = path
        self._clock = clock
        self._file_bytes_max = file_bytes_max
        self._window_until = 0.0
        self._repeats: dict[Denial, int] = {}
        self._others = 0
        self.lost = 0
        """Lines that could not be written, e.g. because the disk is full."""

    def denied(self, attempt: Denial) -> None:
        """Write the attempt, or count it when its like was written in this minute."""
        self._turn_window()
        if attempt in self._repeats:
            self._repeats[attempt] += 1
        elif len(self._repeats) < KINDS_MAX:
            self._repeats[attempt] = 0
            self._write([self._line(attempt, 1)])
        else:
            self._others += 1

    def flush(self) -> None:
        """Write what was only counted, e.g. before the process ends."""
        lines = [self._line(attempt, times) for attempt, times in self._repeats.items() if times]
        if self._others:
            lines.append(self._line(None, self._others))
        self._repeats.clear()
        self._others = 0
        if lines:
            self._write(lines)

    def _turn_window(self) -> None:
        now = self._clock.wall().timestamp()
        # A clock that was set back must not keep a window open for long.
        if now >= self._window_until or self._window_until - now > WINDOW_S:
            self.flush()
            self._window_until = now + WINDOW_S

    def _line(self, attempt: Denial | None, times: int) -> _Line:
        return _Line(at=self._clock.wall().isoformat(), denied=attempt, times=times)

    def _write(self, lines: list[_Line]) -> None:
        raw = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        try:
            if self._path.exists() and self._path.stat().st_size + len(raw) > self._file_bytes_max:
                self._rotate()
            with self._path.open("ab") as file:
                file.write(raw)
        except OSError:
            # The attempt is refused either way; that it went unrecorded must be seen.
            self.lost += len(lines)
            _log.exception("egress.journal_failed", count=len(lines))

    def _rotate(self) -> None:
        for number in range(FILES_KEPT - 1, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))

    def _numbered(self, number: int) -> Path:
        return self._path if number == 0 else self._path.with_name(f"{self._path.name}.{number}")
