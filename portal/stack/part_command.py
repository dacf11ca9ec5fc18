"""``portal merchant part-payment``: whether payers may pay a part of a bill. Stack only."""

from pathlib import Path
from typing import Annotated

import typer

State = Annotated[
    Path | None, typer.Option(help="State folder (default: .demo, or the next free .demo-N).")
]


def part_payment(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    state: State = None,
    *,
    least: Annotated[
        int | None, typer.Option(help="Least yen at once; without it: all or nothing.", min=1)
    ] = None,
) -> None:
    """Set whether a merchant's payers may pay a part of a bill, and how small a part."""
    from portal.stack.operate import set_part_payment  # noqa: PLC0415  # as every command does

    set_part_payment(state or Path(".demo"), code, least)
