"""The query that a rule asks for: which parameters, in which order, each of a shape.

Zone: egress; pure. A query is the one part of a request that no signature of a company covers and
that servers read in the most ways (which of two counts, what an escape hides, where one ends). So
nothing is read here either: what is sent is compared with what the rule says, letter by letter. All
parameters must be there, once, in the rule's order, with nothing between, before or behind them,
and no letter of a value is an escape or could begin another parameter.

Values name things at the company and never a person: a number is longer than any telephone number,
and neither shape has room for an address or a name in any script but ASCII's letters. Like a path a
query is in no journal and no log.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

PARAMETERS_MAX: Final = 8
VALUE_LENGTH_MAX: Final = 64
TELEPHONE_DIGITS_MAX: Final = 15
"""Source: ITU-T E.164 §6."""

Shape = Literal["digits", "token"]

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}", re.ASCII)
_LETTERS: Final[dict[Shape, re.Pattern[str]]] = {
    "digits": re.compile(r"[0-9]+", re.ASCII),
    "token": re.compile(r"[A-Za-z0-9_-]+", re.ASCII),
}


class Parameter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One parameter of a query: its name, what its value is made of, and how long it may be.

    Units: characters.
    """

    name: str
    shape: Shape
    length_min: int
    length_max: int

    def admits(self, value: str) -> bool:
        """Whether the value has the shape and a length within the bounds."""
        fits = self.length_min <= len(value) <= self.length_max
        return fits and _LETTERS[self.shape].fullmatch(value) is not None


def is_as_ruled(query: str, wanted: Sequence[Parameter]) -> bool:
    """Whether ``query`` (without its question mark) is exactly the parameters of a rule."""
    pieces = query.split("&")
    if len(pieces) != len(wanted):
        return False
    pairs = [piece.partition("=") for piece in pieces]
    return all(
        name == parameter.name and bool(equals) and parameter.admits(value)
        for (name, equals, value), parameter in zip(pairs, wanted, strict=True)
    )


def faults_of_query(wanted: Sequence[Parameter]) -> Iterator[str]:
    """What a rule's query must not be: too long, ambiguous, or with room for a telephone number."""
    if len(wanted) > PARAMETERS_MAX:
        yield f"query: more than {PARAMETERS_MAX} parameters"
    names = [parameter.name.lower() for parameter in wanted]
    if len(set(names)) != len(names):
        yield "query: one name twice"
    for parameter in wanted:
        if _NAME.fullmatch(parameter.name) is None:
            yield f"query: {parameter.name!r} is no name"
        if not 1 <= parameter.length_min <= parameter.length_max <= VALUE_LENGTH_MAX:
            yield f"query: {parameter.name!r} has no sound bounds"
        if parameter.shape == "digits" and parameter.length_min <= TELEPHONE_DIGITS_MAX:
            yield f"query: {parameter.name!r} has room for a telephone number"
