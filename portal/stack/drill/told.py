"""What carriers wrote down against what the portal shows of each message, bill by bill. Pure.

Stack only. In a drill no two bills share a telephone, so each telephone has one message, or none
that anybody was promised. Bills are as the public API shows them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

SENT: Final = frozenset({"accepted", "delivered", "undelivered"})
"""Message states of a bill that say: the company has it."""

AMBIGUOUS: Final = "ambiguous"


@dataclass(frozen=True, slots=True)
class BillTold:
    """One bill that was to be told of: its number, its telephone, and what the portal shows."""

    number: str
    telephone: str
    message: str


@dataclass(slots=True)
class ToldTally:
    """What holding both sides together found.

    ``lost`` nobody got and nobody lists; ``doubled`` counts messages that came once too often;
    ``ambiguous`` are listed for people, and ``ambiguous_unsent`` of them never came.
    """

    messages: int = 0
    lost: set[str] = field(default_factory=set[str])
    doubled: int = 0
    ambiguous: int = 0
    ambiguous_unsent: int = 0
    differences: list[str] = field(default_factory=list[str])


def weigh_told(bills: Sequence[BillTold], due: int, told: Mapping[str, int]) -> ToldTally:
    """Hold every bill against its telephone; ``due`` is how many bills must be there.

    ``told``: telephone → messages that a company took for it.
    """
    tally = ToldTally()
    for bill in bills:
        _weigh(tally, bill, told.get(bill.telephone, 0))
    missing = due - len({bill.number for bill in bills})
    if missing:
        tally.lost |= {f"bill {number} of those that are missing" for number in range(missing)}
        tally.differences.append(f"{missing} bills are missing")
    return tally


def _weigh(tally: ToldTally, bill: BillTold, times: int) -> None:
    tally.messages += times
    if times > 1:
        tally.doubled += times - 1
        tally.differences.append(f"{bill.number}: told {times} times, shown {bill.message}")
    if bill.message == AMBIGUOUS:
        tally.ambiguous += 1
        tally.ambiguous_unsent += not times
        return
    is_shown = bill.message in SENT
    if is_shown and not times:
        tally.differences.append(f"{bill.number}: shown {bill.message}, and nobody was told")
    elif times and not is_shown:
        tally.differences.append(f"{bill.number}: told, and shown {bill.message}")
    if not times:
        tally.lost.add(bill.number)
