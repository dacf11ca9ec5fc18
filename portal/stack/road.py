"""The road of one file through the public doors: CSV in, checked, sent, messages out.

Stack only; shared by the demo, its check and the benches. Works as a merchant's system does and
measures each leg. What must not be here: any look into a zone.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from portal.stack.merchant import MerchantSystem, PortalRefusedError
from portal.stack.payers import Phone

CHECKED: Final = frozenset({"CHECKED", "REFUSED"})
ISSUED: Final = frozenset({"ISSUED", "REFUSED"})

Told = Callable[[str, int, int], None]
"""Leg, how many are through, of how many."""


@dataclass(slots=True)
class Legs:
    """How long each leg took, in seconds, and how many bills went through."""

    bills: int = 0
    rows_faulty: int = 0
    upload_s: float = 0.0
    check_s: float = 0.0
    issue_s: float = 0.0
    messages_s: float = 0.0


def quiet(_leg: str, _done: int, _of: int) -> None:
    """For whoever does not want to be told."""


async def send_file(
    merchant: MerchantSystem,
    phone: Phone,
    csv: bytes,
    *,
    rows: int,
    told: Told = quiet,
    timeout_s: float = 600.0,
) -> Legs:
    """Hand in a file of ``rows`` rows, send its good rows, wait until all messages are out.

    Raises PortalRefusedError when the file is refused, TimeoutError when a leg takes longer than
    ``timeout_s``.
    """
    legs = Legs()
    before = await _messages_taken(phone)
    clock = _Clock()
    import_id = await merchant.hand_in(csv, "aozora-2026-11.csv")
    legs.upload_s = clock.lap()

    def checking(now: Mapping[str, Any]) -> None:
        told("check", int(now["rowsSeen"]), rows)

    checked = await merchant.wait_for_import(import_id, CHECKED, timeout_s=timeout_s, told=checking)
    if checked["state"] == "REFUSED":
        msg = f"the file was refused: {checked['refusedCode']}"
        raise PortalRefusedError(msg)
    legs.bills, legs.rows_faulty = int(checked["rowsGood"]), int(checked["rowsFaulty"])
    legs.check_s = clock.lap()

    def issuing(now: Mapping[str, Any]) -> None:
        told("issue", int(now["rowsIssued"]), legs.bills)

    await merchant.decide(import_id)
    sending = asyncio.create_task(_watch_messages(phone, before, legs.bills, told, timeout_s))
    try:
        await merchant.wait_for_import(import_id, ISSUED, timeout_s=timeout_s, told=issuing)
        legs.issue_s = clock.lap()
        await sending
    finally:
        sending.cancel()
    legs.messages_s = clock.lap()
    return legs


async def _watch_messages(
    phone: Phone, before: int, wanted: int, told: Told, timeout_s: float
) -> None:
    async with asyncio.timeout(timeout_s):
        while (out := await _messages_taken(phone) - before) < wanted:
            told("send", out, wanted)
            await asyncio.sleep(0.25)
    told("send", out, wanted)


async def _messages_taken(phone: Phone) -> int:
    """What the carriers say they took, message by message: the outside's own count."""
    return (await phone.journal()).messages.taken


class _Clock:
    """Seconds since the lap before."""

    def __init__(self) -> None:
        self._at = time.monotonic()

    def lap(self) -> float:
        """Seconds since the last call."""
        now = time.monotonic()
        since, self._at = now - self._at, now
        return since
