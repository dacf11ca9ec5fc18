"""A bank's answer beside the file that it answers, where the two are the same bytes. Pure.

Nearly every line comes back as it went out, in its place, but for the bank's code. Taking both
apart says nothing that comparing them does not, and takes five times as long. So two readers are
led along together as far as that goes; the first record that is anything else is left to them, and
to portal.domain.zengin.result.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from portal.domain.zengin.read import DebitReader
from portal.domain.zengin.record import RECORD_BYTES

_LETTER: Final = rb"[\x20-\x7e\xa1-\xdf]"
_AMOUNT: Final = slice(80, 90)
_NUMBER: Final = slice(91, 111)
_RESULT_AT: Final = 111

_DEBIT: Final = re.compile(
    rb"2\d{4}%(c)s{15}\d{3}%(c)s{19}[1239]\d{7}%(c)s{30}\d{10}[012 ]\d{20}%(c)s{9}"
    % {b"c": _LETTER}
)
"""What portal.domain.zengin.read takes for a debit, of letters of JIS X 0201, with a number of just
twenty digits."""


@dataclass(slots=True)
class Told:
    """Lines that came back with one code: their instruction numbers and sum. Units: yen."""

    numbers: list[str] = field(default_factory=list[str])
    total_minor: int = 0


def read_alike(sent: DebitReader, told: DebitReader, most: int) -> dict[str, Told]:
    """Read on in both while they are alike, at most so many lines; what came back, by code.

    Both stand where they would if each had read these lines by itself and found nothing wrong with
    them. Nothing is read where the next two records are not alike, or no debit may follow.
    """
    found: dict[int, Told] = {}
    count = 0
    room = min(sent.room, told.room, most)
    while count < room:
        ours, theirs = sent.pull(), told.pull()
        if ours is None or theirs is None or not _is_alike(ours, theirs):
            sent.put_back(ours)
            told.put_back(theirs)
            break
        code = theirs[_RESULT_AT]
        one = found.get(code)
        if one is None:
            one = found[code] = Told()
        one.numbers.append(ours[_NUMBER].decode("ascii"))
        one.total_minor += int(ours[_AMOUNT])
        count += 1
    total_minor = sum(one.total_minor for one in found.values())
    sent.passed(count, total_minor)
    told.passed(count, total_minor)
    return {bytes([code]).decode("cp932"): one for code, one in found.items()}


def _is_alike(ours: bytes, theirs: bytes) -> bool:
    """Whether the second is the first, a debit, with any code of the bank's."""
    if theirs != ours:
        as_sent = theirs[:_RESULT_AT] + ours[_RESULT_AT : _RESULT_AT + 1] + theirs[_RESULT_AT + 1 :]
        if as_sent != ours or len(theirs) != RECORD_BYTES:
            return False
    return _DEBIT.fullmatch(theirs) is not None
