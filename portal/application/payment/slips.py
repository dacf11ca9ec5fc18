"""A collection agency's file on its way in: whole lines, so many at a time, one call a piece.

Application zone, stage payment. Nothing is read here but line ends; what a line means is the
vault's to say. A piece that was taken is taken for good: who sends the file again gets the same
verdicts for it, so a file that broke off in the middle is simply sent once more.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.contract.slip import TAKE_SLIP_NOTICES, SlipLine, TakeSlipNotices
from portal.domain.errors import InvalidInput, LimitReached
from portal.domain.slip_file import LINE_BYTES_MAX

FILE_BYTES_MAX: Final = 512 * 1024
PIECE_LINES: Final = 200
_LINE_BYTES: Final = LINE_BYTES_MAX + 2
"""What tells a line that is too long, even where its end takes another byte."""

CALL_TIMEOUT_S: Final = 30.0
"""Two hundred lines in one transaction take longer than an ordinary call may."""


@dataclass(frozen=True, slots=True)
class FileTaken:
    """A verdict for every line that says something; ``seen_before``: all of it was taken before."""

    lines: tuple[SlipLine, ...]
    seen_before: bool


async def take_file(vault: VaultClient, authority: Authority, raw: bytes) -> FileTaken:
    """Hand a file to the vault, piece by piece, in order.

    Raises InvalidInput ``file_empty``, LimitReached ``file_too_large`` (param ``bytes_max``), and
    what the vault refuses; pieces before a refusal stay taken.
    """
    if not raw.strip():
        raise InvalidInput("file_empty")
    if len(raw) > FILE_BYTES_MAX:
        raise LimitReached("file_too_large", params={"bytes_max": FILE_BYTES_MAX})
    sha256 = hashlib.sha256(raw).hexdigest()
    lines: list[SlipLine] = []
    seen_before = True
    for first_line, body in pieces_of(raw):
        taken = await vault.call(
            TAKE_SLIP_NOTICES,
            TakeSlipNotices(sha256=sha256, first_line=first_line, body=body),
            authority,
            timeout_s=CALL_TIMEOUT_S,
        )
        lines += taken.lines
        seen_before = seen_before and taken.seen_before
    return FileTaken(tuple(lines), seen_before)


def pieces_of(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Pieces of whole lines with the number of each one's first line, from 1.

    A line past all bounds is cut just beyond them: it is refused as it would be whole, and can't
    make its piece too big for the lines beside it.
    """
    *whole, last = raw.split(b"\n")
    lines = [line[:_LINE_BYTES] + b"\n" for line in whole]
    lines += [last[:_LINE_BYTES]] if last else []
    for place in range(0, len(lines), PIECE_LINES):
        yield place + 1, b"".join(lines[place : place + PIECE_LINES])
