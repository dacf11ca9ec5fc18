"""`portal demo --check`: the whole road in a fresh folder, verified from outside and inside.

Stack only. 1,000 bills in through the public API, messages out, four payers at the card company
(approved, declined, timed out and found by inquiry, with a noisy notice), then the sandbox's own
journal against ours. Prints one JSON object; exit code 0 only if all of it is right.
"""

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import msgspec
import orjson

from portal.contract.envelope import Nothing
from portal.contract.operator import (
    COMPARE_JOURNAL,
    INSPECT,
    CompareJournal,
    Inspection,
    JournalLine,
)
from portal.stack.access import CODE, Access, open_access
from portal.stack.merchant import MerchantSystem
from portal.stack.payers import APPROVE, DECLINE, NOISY, TIME_OUT, Payer, Phone
from portal.stack.processes import is_alive
from portal.stack.road import send_file
from portal.stack.sample import sample_csv
from portal.stack.up import Stack

if TYPE_CHECKING:
    from collections.abc import Mapping

BILLS: Final = 1000
CARDS: Final = {
    "approved": (APPROVE, "paid"),
    "declined": (DECLINE, "declined"),
    "timed_out": (TIME_OUT, "paid"),
    "noisy": (NOISY, "paid"),
}
"""What the four payers do, and how their bill must end."""

_SETTLE_S: Final = 90.0
_LINES: Final = 5000


class Found(msgspec.Struct, kw_only=True):
    """The JSON object that is printed."""

    seconds_to_link: float = 0.0
    bills: int = 0
    messages: int = 0
    paid: int = 0
    declined: int = 0
    ledger_sum: int | None = None
    journal_differences: int | None = None
    audit_ok: bool = False
    zones: dict[str, dict[str, int | None]] = {}
    borders_real: bool = False
    payers: dict[str, str] = {}
    seconds: float = 0.0
    left_behind: list[str] = []
    faults: list[str] = []


def run_check(*, as_json: bool) -> int:
    """Run the check in a new folder that is removed after; 0 only if all is right."""
    folder = Path(tempfile.mkdtemp(prefix="harai-check-", dir="/tmp"))
    found = Found()
    try:
        asyncio.run(_check(folder / "state", found, loud=not as_json))
    except Exception as error:  # noqa: BLE001 - whatever broke is a finding, printed with the rest
        found.faults.append(f"{type(error).__name__}: {error}"[:500])
    _judge(found)
    if found.faults:
        sys.stderr.write(f"logs are kept in {folder}\n")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    shape = orjson.OPT_INDENT_2 if not as_json else None
    sys.stdout.write(orjson.dumps(msgspec.to_builtins(found), option=shape).decode() + "\n")
    return 1 if found.faults else 0


async def _check(folder: Path, found: Found, *, loud: bool) -> None:
    started = time.monotonic()
    folder.parent.chmod(0o711)
    ended: list[str] = []
    stack = Stack(folder, on_end=lambda end: ended.append(f"{end.name} ended with {end.code}"))
    try:
        await stack.start(lambda step, s: _say(loud, f"{step}: {s:.1f} s") if s else None)
        found.borders_real = stack.layout.borders.real
        found.zones = stack.zones()
        access, _ = await open_access(stack)
        async with httpx.AsyncClient(timeout=30.0, trust_env=False) as outside:
            phone = Phone(outside, stack.layout.browser_origin)
            await _road(stack, access, phone, found, started)
            _say(loud, f"{found.messages} messages out")
            await _pay(phone, found)
            _say(loud, f"payers: {found.payers}")
            await _settle(stack, access, phone, found)
    finally:
        await stack.stop()
        found.faults += ended
        found.seconds = round(time.monotonic() - started, 1)
        pids = {name: zone["pid"] for name, zone in found.zones.items()}
        found.left_behind = [name for name, pid in pids.items() if pid and is_alive(pid)]


async def _road(stack: Stack, access: Access, phone: Phone, found: Found, started: float) -> None:
    """File in, messages out; the first link on a phone stops the clock."""
    csv = await asyncio.to_thread(sample_csv, rows=BILLS, seed=7, faulty=0.0)
    merchant = MerchantSystem(stack.layout.origin, access.api_key)

    def told(leg: str, done: int, _of: int) -> None:
        if leg == "send" and done and not found.seconds_to_link:
            found.seconds_to_link = round(time.monotonic() - started, 2)

    try:
        legs = await send_file(merchant, phone, csv, rows=BILLS, told=told, timeout_s=180.0)
    finally:
        await merchant.close()
    found.bills = legs.bills
    found.messages = (await phone.journal()).messages.taken


async def _pay(phone: Phone, found: Found) -> None:
    cards = [card for card, _ in CARDS.values()]
    links = await _links(phone)
    visits = (Payer().pay(link, card) for link, card in zip(links, cards, strict=True))
    found.payers = dict(zip(CARDS, await asyncio.gather(*visits), strict=True))


async def _links(phone: Phone) -> list[str]:
    """The first links that were sent, one for each payer of the check."""
    links = [message.link for message in await phone.messages() if message.link]
    return links[: len(CARDS)]


async def _look_again(links: list[str]) -> dict[str, str]:
    """What the payers see when they open their links once more, later, in another browser."""
    states = await asyncio.gather(*(Payer().look(link) for link in links))
    return dict(zip(CARDS, states, strict=True))


async def _settle(stack: Stack, access: Access, phone: Phone, found: Found) -> None:
    """Wait until the timed-out payment was found by inquiry, then compare everything."""
    wanted = sum(end == "paid" for _, end in CARDS.values())
    merchant = MerchantSystem(stack.layout.origin, access.api_key)
    try:
        totals: Mapping[str, Any] = await merchant.totals()
        deadline = time.monotonic() + _SETTLE_S
        while int(totals["paidBills"]) < wanted and time.monotonic() < deadline:
            await asyncio.sleep(0.5)
            totals = await merchant.totals()
    finally:
        await merchant.close()
    found.paid = int(totals["paidBills"])
    found.payers = await _look_again(await _links(phone))
    journal = await phone.journal()
    found.declined = sum(payment.state == "failed" for payment in journal.payments)
    lines = tuple(
        JournalLine(reference=one.reference, state=one.state, amount_minor=one.amount)
        for one in journal.payments
    )
    async with stack.operator() as vault:
        compared = await vault.call(
            COMPARE_JOURNAL,
            CompareJournal(
                merchant_code=CODE,
                provider="sandbox_card",
                lines=lines[:_LINES],
                last=True,
                refunds=tuple(one.line for one in journal.refunds),
            ),
        )
        found.journal_differences = len(compared.differences)
        found.faults += [str(one) for one in compared.differences]
        inspection: Inspection = await vault.call(INSPECT, Nothing())
        for _ in range(20):
            if inspection.audit_ok:
                break  # the sealer is at most a second behind
            await asyncio.sleep(0.5)
            inspection = await vault.call(INSPECT, Nothing())
    found.ledger_sum = inspection.ledger_sum
    found.audit_ok = inspection.audit_ok
    if inspection.messages_ambiguous:
        found.faults.append(f"{inspection.messages_ambiguous} messages are ambiguous")


def _judge(found: Found) -> None:
    """Say everything that is not as it must be."""
    expected: dict[str, tuple[object, object]] = {
        "bills": (found.bills, BILLS),
        "messages": (found.messages, BILLS),
        "paid": (found.paid, 3),
        "declined": (found.declined, 1),
        "ledger_sum": (found.ledger_sum, 0),
        "journal_differences": (found.journal_differences, 0),
        "audit_ok": (found.audit_ok, True),
        "left_behind": (found.left_behind, []),
    }
    for name, (seen, wanted) in expected.items():
        if seen != wanted:
            found.faults.append(f"{name} is {seen}, must be {wanted}")
    for name, (_, end) in CARDS.items():
        if found.payers.get(name) != end:
            found.faults.append(f"payer {name} sees {found.payers.get(name)}, must see {end}")
    if not found.seconds_to_link:
        found.faults.append("no link ever reached a phone")


def _say(loud: bool, text: str) -> None:  # noqa: FBT001 - a switch of this module alone
    if loud:
        sys.stderr.write(f"  {text}\n")
