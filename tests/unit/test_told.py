"""The drill's comparison says of every message what became of it, and of which it knows nothing."""

import pytest

from portal.stack.drill.told import BillTold, weigh_told
from portal.stack.drill_file import drill_file, telephone_of, telephone_of_bill


@pytest.mark.parametrize(
    ("shown", "times", "lost", "doubled", "ambiguous", "unsent", "differences"),
    [
        ("delivered", 1, 0, 0, 0, 0, 0),
        ("accepted", 1, 0, 0, 0, 0, 0),
        ("accepted", 2, 0, 1, 0, 0, 1),
        ("accepted", 0, 1, 0, 0, 0, 1),
        ("planned", 0, 1, 0, 0, 0, 0),
        ("planned", 1, 0, 0, 0, 0, 1),
        ("failed", 0, 1, 0, 0, 0, 0),
        ("ambiguous", 0, 0, 0, 1, 1, 0),
        ("ambiguous", 1, 0, 0, 1, 0, 0),
        ("ambiguous", 3, 0, 2, 1, 0, 1),
    ],
)
def test_each_bill_is_held_against_its_telephone(  # noqa: PLR0913, PLR0917 - one column each
    shown: str, times: int, lost: int, doubled: int, ambiguous: int, unsent: int, differences: int
) -> None:
    tally = weigh_told([BillTold("D-1", "+81900", shown)], 1, {"+81900": times, "+81901": 5})

    assert (len(tally.lost), tally.doubled) == (lost, doubled)
    assert (tally.ambiguous, tally.ambiguous_unsent) == (ambiguous, unsent)
    assert (tally.messages, len(tally.differences)) == (times, differences)


def test_a_bill_that_is_not_there_is_lost() -> None:
    tally = weigh_told([BillTold("D-1", "+81900", "accepted")], 3, {"+81900": 1})

    assert (len(tally.lost), tally.differences) == (2, ["2 bills are missing"])


def test_a_bills_number_tells_the_telephone_that_its_file_has() -> None:
    row = drill_file(3, 5).decode().splitlines()[5]

    assert row.startswith("D-00030004,")
    assert telephone_of(30_004) in row
    assert telephone_of_bill("D-00030004") == f"+81{telephone_of(30_004)[1:]}"
