"""Bench ``debit-line``: one file, as long as a bank takes it, by the line and its answer back.

Every process that a real file passes has it: vault, relay, the sandbox's bank; and the same way
back with the answer. The one thing that is hastened is the day on which a bank answers.
"""

import asyncio
import base64
import hashlib
from collections.abc import Callable
from datetime import date
from typing import Final
from uuid import UUID

from portal.domain.errors import InvalidInput
from portal.domain.ids import from_public
from portal.domain.zengin.record import RECORD_BYTES
from portal.stack.bench.debits_bank import Debtors, Hasten
from portal.stack.bench.debits_course import Books, books, memory, teller
from portal.stack.bench.debits_desk import (
    Desk,
    desk_of,
    open_contract,
    run_as_vault,
)
from portal.stack.bench.report import Report, machine, timed
from portal.stack.bench.town import Town, town

LINES: Final = 20_000
LINES_MAX: Final = 999_999
"""As many as the six digits of a file's trailer count."""

SEND_S: Final = 45.0
"""So long one try of the line has (portal.application.providers.sandbox_bank.line)."""

_LINE: Final = "sandbox_bank"
_END: Final = b"\r\n"
_SENT: Final = "select state from debit_file where merchant_id = $1 and id = $2"
_LEFT: Final = "select state from debit_handover where merchant_id = $1 and file_id = $2"
_FETCHED: Final = "select state from debit_fetch where merchant_id = $1 and file_id = $2"
_TRIES: Final = """
select h.tries as sent, f.tries as fetched from debit_handover h
join debit_fetch f on f.merchant_id = h.merchant_id and f.file_id = h.file_id
where h.merchant_id = $1 and h.file_id = $2
"""


async def run(lines: int = LINES) -> Report:
    """Start a town, and measure there; see :func:`measure`.

    Raises: InvalidInput ``too_many_lines`` (param ``most``) for more than any file holds.
    """
    if lines > LINES_MAX:
        raise InvalidInput("too_many_lines", params={"most": LINES_MAX})
    async with town() as here:
        return await measure(here, lines)


async def measure(here: Town, lines: int) -> Report:
    """One contract's bills into one file, to the sandbox's bank, and its answer into the books.

    Figure: seconds from the try that was handed out to the bank's word that it has the file. Floor:
    the same many bytes written in base64 and hashed, here. Details: the seconds in which it was
    written, fetched and booked, and each process' peak memory.

    Raises: RuntimeError when a line is missing, was booked otherwise, went more than once, or the
    books don't balance.
    """
    tell = teller(lines)
    async with desk_of(here) as desk, books(here) as own:
        debit_on = await _settle_in(here, desk, lines, tell)
        with timed() as written:
            file_id = await _write(desk, own, debit_on, lines)
        at_first = memory(here)
        await desk.approve_all(tell)
        await own.until(_LEFT, file_id, "handed", "redeemed", "ended")
        with timed() as sent:
            await own.until(_SENT, file_id, "accepted")
        tell(f"the bank has the file after {sent.seconds:.1f} s")
        await asyncio.to_thread(run_as_vault, here, Hasten(file_id=file_id))
        with timed() as fetched:
            await own.until(_FETCHED, file_id, "read")
        tell(f"its answer was here after {fetched.seconds:.1f} s")
        with timed() as booked:
            await own.watch("booked_to", lines)
        await _check(desk, own, file_id, lines)
        at_end = memory(here)
    floor_s = _floor(lines)
    return Report(
        bench="debit-line",
        figure=round(sent.seconds, 2),
        unit="s",
        floor=round(floor_s, 2),
        floor_is="as many bytes in base64 and hashed, in one process",
        ratio=round(sent.seconds / floor_s, 2),
        goal_first=SEND_S,
        goal=SEND_S,
        machine=machine(),
        load_before=here.load,
        details={
            "lines": lines,
            "file_mb": round(_size(lines) / 1e6, 1),
            "written_s": round(written.seconds, 1),
            "fetched_s": round(fetched.seconds, 1),
            "checked_and_booked_s": round(booked.seconds, 1),
            "booked_per_s": round(lines / booked.seconds),
            **{f"written_mib_{name}": round(mib, 1) for name, mib in at_first.items()},
            **{f"peak_mib_{name}": round(mib, 1) for name, mib in at_end.items()},
        },
    )


async def _settle_in(here: Town, desk: Desk, lines: int, tell: Callable[[str], None]) -> date:
    """A contract whose bank takes files by the line, and its debtors; the day of the debit."""
    [own] = await desk.contracts()
    debit_on = date.fromisoformat(own["nextDebitOn"])
    contract_id = await open_contract(here, 0, debit_on, lines, _LINE)
    job = Debtors(
        code=here.access.merchant_code, contract_id=contract_id, first=0, count=lines,
        due_on=debit_on,
    )  # fmt: skip
    tell(f"{lines:,} payers and their bills are written")
    await asyncio.to_thread(run_as_vault, here, job)
    return debit_on


async def _write(desk: Desk, own: Books, debit_on: date, lines: int) -> UUID:
    """The file, sealed. Raises: RuntimeError where it lacks a line."""
    contract = (await desk.contracts())[-1]
    await desk.build(contract["id"], debit_on)
    await own.watch("lines", lines)
    [file] = await desk.all_in(lambda one: one["state"] == "SEALED")
    if file["count"] != lines:
        msg = f"{file['count']} lines are in the file, not {lines}"
        raise RuntimeError(msg)
    return from_public("debit_file", file["id"])


async def _check(desk: Desk, own: Books, file_id: UUID, lines: int) -> None:
    """Raises: RuntimeError as :func:`measure` has it."""
    [file] = await desk.all_in(lambda one: not one["outcomes"]["waiting"])
    if file["outcomes"]["succeeded"] != lines:
        msg = f"not every line was booked: {file['outcomes']}"
        raise RuntimeError(msg)
    if left := await own.sum_minor():
        msg = f"the books are out by {left}"
        raise RuntimeError(msg)
    tries = await own.row(_TRIES, file_id)
    if tries != (1, 1):
        msg = f"the file went, or its answer came, more than once: {tries}"
        raise RuntimeError(msg)


def _size(lines: int) -> int:
    """Units: bytes. Header, trailer and the end are records, too."""
    return (lines + 3) * (RECORD_BYTES + len(_END))


def _floor(lines: int) -> float:
    """Units: seconds."""
    body = bytes(_size(lines))
    with timed() as watch:
        base64.b64encode(body)
        hashlib.sha256(body).hexdigest()
    return watch.seconds
