"""What a bank says about each debit, and whether its file is about what we sent. Pure.

Every line that was sent gets exactly one outcome. A code that nobody knows, a line that is missing
and a line that differs are all ``unknown``: the money may have moved, so nothing is asked for again
until a person or another file has told.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal

import msgspec

from portal.domain.errors import InvariantBroken
from portal.domain.zengin.record import DebitLine, Header, Trailer

Outcome = Literal["succeeded", "failed", "unknown"]
Cause = Literal[
    "debited", "no_funds", "no_account", "stopped_by_payer", "no_mandate", "stopped_by_us",
    "other", "code_unknown", "line_missing", "line_differs", "line_unexpected",
]  # fmt: skip
Step = Literal["none", "present_again", "suspend_mandate", "ask_person"]


class Meaning(msgspec.Struct, frozen=True):
    """What a cause says about the money, and what comes next."""

    outcome: Outcome
    cause: Cause
    step: Step = "none"


RESULTS: Final[dict[str, Meaning]] = {
    "0": Meaning("succeeded", "debited"),
    "1": Meaning("failed", "no_funds", "present_again"),
    "2": Meaning("failed", "no_account", "suspend_mandate"),
    "3": Meaning("failed", "stopped_by_payer", "suspend_mandate"),
    "4": Meaning("failed", "no_mandate", "suspend_mandate"),
    "8": Meaning("failed", "stopped_by_us"),
    "9": Meaning("unknown", "other", "ask_person"),
}
"""Code → meaning. ``present_again``: once, where the agency offers it, else another way to pay."""

_CODE_UNKNOWN: Final = Meaning("unknown", "code_unknown", "ask_person")
_MISSING: Final = Meaning("unknown", "line_missing", "ask_person")
_DIFFERS: Final = Meaning("unknown", "line_differs", "ask_person")
_UNEXPECTED: Final = Meaning("unknown", "line_unexpected", "ask_person")


def meaning_of(code: str) -> Meaning:
    """What a bank's code means; letters of an agency that we don't know are never a failure."""
    return RESULTS.get(code, _CODE_UNKNOWN)


class Match(msgspec.Struct, frozen=True):
    """One debit and what became of it.

    ``sent`` is None for a line that nobody sent, or that came a second time; ``told``, what the
    bank said, is None for a line that is missing.
    """

    instruction_no: str
    meaning: Meaning
    sent: DebitLine | None
    told: DebitLine | None


class Matcher:
    """Sets what came back against what was sent, one by one, and adds up what the trailer says.

    Banks answer in the order of the file: while they do, nothing is kept. A line that is out of
    order waits for its other half, so memory grows with the disorder and not with the file.
    """

    def __init__(self) -> None:
        """Nothing has come back yet."""
        self.done_count = self.done_minor = 0
        self.failed_count = self.failed_minor = 0

    def match(
        self,
        sent: Iterable[DebitLine],
        returned: Iterable[DebitLine],
        level: Callable[[], None] | None = None,
    ) -> Iterator[Match]:
        """Every line that was sent exactly once, and every line that was not, as they pair up.

        ``level`` is called whenever all that was read has found its other half: there the caller
        may read on in both by itself, as long as they go alike, and say so by :meth:`add`.

        Effects have to wait until the last: only then is it known whether a line came twice and
        whether check_trailer has something to say.

        Raises: InvariantBroken ``debit_sent_twice`` when our own file names one debit twice.
        """
        waiting: dict[str, DebitLine] = {}
        early: dict[str, deque[DebitLine]] = {}
        ours, theirs = iter(sent), iter(returned)
        while True:
            if level is not None and not waiting and not early:
                level()
            told = next(theirs, None)
            if told is None:
                break
            self.add(told.result, 1, told.amount_minor)
            expected = next(ours, None)
            number = number_of(told)
            if expected is not None and number_of(expected) == number:
                yield _judge(expected, told)
                continue
            if number in waiting:
                yield _judge(waiting.pop(number), told)
            else:
                early.setdefault(number, deque()).append(told)
            if expected is not None:
                yield from _pair(expected, waiting, early)
        for expected in ours:
            yield from _pair(expected, waiting, early)
        for expected in waiting.values():
            yield Match(number_of(expected), _MISSING, expected, None)
        for number, lines in early.items():
            yield from (Match(number, _UNEXPECTED, None, told) for told in lines)

    def check_trailer(self, trailer: Trailer) -> list[str]:
        """Which sums of the trailer contradict the lines: ``trailer_done``, ``trailer_failed``."""
        done = (trailer.done_count, trailer.done_minor)
        failed = (trailer.failed_count, trailer.failed_minor)
        rules = (
            ("trailer_done", done == (self.done_count, self.done_minor)),
            ("trailer_failed", failed == (self.failed_count, self.failed_minor)),
        )
        return [reason for reason, holds in rules if not holds]

    def add(self, result: str, count: int, minor: int) -> None:
        """So many lines over so much came back with a bank's code. Units: yen."""
        if result == "0":
            self.done_count += count
            self.done_minor += minor
        else:
            self.failed_count += count
            self.failed_minor += minor


def check_header(sent: Header, returned: Header) -> list[str]:
    """Why a result is not about this file; nothing when it is.

    Reasons: ``header_collector``, ``header_debit_on``, ``header_bank``.
    """
    rules = (
        ("header_collector", sent.collector_code == returned.collector_code),
        ("header_debit_on", (sent.month, sent.day) == (returned.month, returned.day)),
        ("header_bank", sent.bank_code == returned.bank_code),
    )
    return [reason for reason, holds in rules if not holds]


def _pair(
    expected: DebitLine, waiting: dict[str, DebitLine], early: dict[str, deque[DebitLine]]
) -> Iterator[Match]:
    """Match a sent line with an answer that came early, or let it wait."""
    number = number_of(expected)
    lines = early.get(number)
    if not lines:
        if number in waiting:
            raise InvariantBroken("debit_sent_twice", context=number)
        waiting[number] = expected
        return
    yield _judge(expected, lines.popleft())
    if not lines:
        del early[number]


def _judge(sent: DebitLine, told: DebitLine) -> Match:
    return Match(number_of(sent), judge(sent, told), sent, told)


def judge(sent: DebitLine, told: DebitLine) -> Meaning:
    """What came back says of the line that was sent under its number."""
    same = sent.amount_minor == told.amount_minor and sent.account == told.account
    return meaning_of(told.result) if same else _DIFFERS


def number_of(line: DebitLine) -> str:
    """A line's own number. Some banks give it back without the zeros in front of it."""
    return line.instruction_no.strip().zfill(20)
