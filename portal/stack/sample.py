"""Sample files for people and for the demo: the domain's generator with a date and a place to go.

Stack only. What a row looks like is decided in portal.domain.sample.
"""

import csv
import io
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from portal.domain.sample import SampleFile, sample_file
from portal.kit.clock import Clock, SystemClock

ZONE: Final = "Asia/Tokyo"
UNREACHED: Final = {"phone": "090-0000-7001", "email": "unreached@mail.example"}


def sample_csv(*, rows: int, seed: int, faulty: float = 0.0, clock: Clock | None = None) -> bytes:
    """A whole file in memory; ``faulty`` is the share of spoiled rows, 0 to 1."""
    return b"".join(_pieces(rows, seed, faulty, (clock or SystemClock()).business_today(ZONE)))


def with_unreached(file: bytes) -> bytes:
    """The file with one payer, in its first row, whose carrier swallows every text message.

    Numbers that begin so are of that carrier in the sandbox; the mail address is a good one.
    """
    head, row, rest = file.split(b"\r\n", 2)
    names = head.decode().split(",")
    (cells,) = csv.reader([row.decode()])
    values = dict(zip(names, cells, strict=True)) | UNREACHED
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(values[name] for name in names)
    return b"\r\n".join((head, out.getvalue().encode(), rest))


def write_sample(
    *, rows: int, seed: int, faulty: float, output: Path | None, encoding: str = "utf-8"
) -> None:
    """Write a file (None: to standard output) without ever holding all of it."""
    pieces = _pieces(rows, seed, faulty, SystemClock().business_today(ZONE), encoding)
    if output is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return
    with output.open("wb") as file:
        for piece in pieces:
            file.write(piece)


def _pieces(
    rows: int, seed: int, faulty: float, today: date, encoding: str = "utf-8"
) -> Iterator[bytes]:
    return sample_file(
        SampleFile(rows=rows, seed=seed, today=today, faulty_share=faulty, encoding=encoding)
    )
