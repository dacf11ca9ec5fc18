"""Benches: what this machine reaches, each figure beside its floor, measured in one run.

Stack only; they load nothing but stacks that they start themselves, on loopback, and stop by
themselves. ``BENCHES`` names them all.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from portal.stack.bench import data_api, debit_line, debits, dispatch, intake, pay, start, urgent
from portal.stack.bench.report import Report

BENCHES: Final[dict[str, Callable[..., Awaitable[Report]]]] = {
    "data-api": data_api.run,
    "intake": intake.run,
    "dispatch": dispatch.run,
    "urgent": urgent.run,
    "pay": pay.run,
    "debits": debits.run,
    "debit-line": debit_line.run,
    "start": start.run,
}
"""Name → bench. All but ``start`` take the size of their load."""
