"""Files for drills: every row another contract, another payer and another telephone.

Stack only. So a message that went out twice, or to nobody, shows at the sandbox's telephones. A
drill that wants several bills of one contract says whose household each bill is.
"""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from portal.domain.sample.file import HEADER
from portal.kit.clock import SystemClock
from portal.stack.sample import ZONE

ROWS_MAX: Final = 10_000
_DUE_DAYS: Final = 20
_FIRST_TELEPHONE: Final = 10_000_000
_CARRIERS: Final = ("090", "080", "070")


def usual_amount(number: int) -> int:
    """The amount of a drill's bill by its number. Units: yen."""
    return 3_000 + number % 5_000


def alone(number: int) -> int:
    """The household of a bill that is the only one of its contract."""
    return number


def household_at(telephone: str) -> int:
    """Whose telephone it is, as a carrier writes its number."""
    return int(telephone[-8:]) - _FIRST_TELEPHONE


def telephone_of(household: int) -> str:
    """The telephone of a drill's household, as its file has it."""
    return f"{_CARRIERS[household % 3]}{_FIRST_TELEPHONE + household:08d}"


def telephone_of_bill(shown: str) -> str:
    """The telephone behind a number of a bill alone in its contract, as a carrier writes it."""
    return f"+81{telephone_of(int(shown.removeprefix('D-')))[1:]}"


def drill_file(
    serial: int,
    rows: int,
    amount_of: Callable[[int], int] = usual_amount,
    household_of: Callable[[int], int] = alone,
) -> bytes:
    """A file of good rows; no two files with different serials share a bill or a telephone.

    Units: ``rows`` at most ROWS_MAX, ``serial`` 0 to 999; ``amount_of`` a bill's number in yen.
    ``household_of``: the number of the first bill of its contract.
    """
    today = SystemClock().business_today(ZONE)
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, restval="")
    writer.writeheader()
    for row in range(rows):
        number = serial * ROWS_MAX + row
        amount, household = amount_of(number), household_of(number)
        writer.writerow(
            {
                "number": f"D-{number:08d}",
                "customer_no": f"{household:08d}",
                "contract_no": f"K{household:08d}",
                "kind": "monthly",
                "period": f"{today:%Y-%m}",
                "payer_name": "髙橋 翔太",
                "payer_kana": "タカハシ\u3000ショウタ",
                "phone": telephone_of(household),
                "amount": amount,
                "due_on": (today + timedelta(days=_DUE_DAYS)).isoformat(),
                "language": "ja",
                "item1_label": "電気料金",
                "item1_amount": amount,
                "item1_tax_rate": "10",
            }
        )
    return text.getvalue().encode()
