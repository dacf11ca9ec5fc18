"""Files for drills: every row another contract, another payer and another telephone.

Stack only. So a message that went out twice, or to nobody, shows at the sandbox's telephones.
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
_CARRIERS: Final = ("090", "080", "070")


def usual_amount(number: int) -> int:
    """The amount of a drill's bill by its number. Units: yen."""
    return 3_000 + number % 5_000


def telephone_of(number: int) -> str:
    """The telephone of a drill's bill by its number, as its file has it."""
    return f"{_CARRIERS[number % 3]}{10_000_000 + number:08d}"


def telephone_of_bill(shown: str) -> str:
    """The telephone behind a bill's number as the portal shows it, as a carrier writes it."""
    return f"+81{telephone_of(int(shown.removeprefix('D-')))[1:]}"


def drill_file(serial: int, rows: int, amount_of: Callable[[int], int] = usual_amount) -> bytes:
    """A file of good rows; no two files with different serials share a bill or a telephone.

    Units: ``rows`` at most ROWS_MAX, ``serial`` 0 to 999; ``amount_of`` a bill's number in yen.
    """
    today = SystemClock().business_today(ZONE)
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, restval="")
    writer.writeheader()
    for row in range(rows):
        number = serial * ROWS_MAX + row
        amount = amount_of(number)
        writer.writerow(
            {
                "number": f"D-{number:08d}",
                "customer_no": f"{number:08d}",
                "contract_no": f"K{number:08d}",
                "kind": "monthly",
                "period": f"{today:%Y-%m}",
                "payer_name": "髙橋 翔太",
                "phone": telephone_of(number),
                "amount": amount,
                "due_on": (today + timedelta(days=_DUE_DAYS)).isoformat(),
                "language": "ja",
                "item1_label": "電気料金",
                "item1_amount": amount,
                "item1_tax_rate": "10",
            }
        )
    return text.getvalue().encode()
