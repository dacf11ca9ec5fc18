"""`portal demo --check`: the whole road in a fresh folder, verified from outside and inside.

Stack only. 1,000 bills in through the public API, messages out, four payers at the card company
(approved, declined, timed out and found by inquiry, with a noisy notice), two at the wallet
(approved, timed out), one at a shop's till by slip and one by a number, and one who is called
answers by keypad; then the sandbox's own journals against ours. Prints one JSON object; exit code 0
only if all of it is right.
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
from portal.contract.operator import INSPECT, Inspection
from portal.stack.access import Access, open_access
from portal.stack.by_number import NUMBER, StorePayer
from portal.stack.callee import TOLD as HEARD
from portal.stack.callee import Callee
from portal.stack.comparison import compare_journals
from portal.stack.demo_plan import set_demo_plan
from portal.stack.merchant import MerchantSystem
from portal.stack.payers import (
    APPROVE,
    DECLINE,
    NOISY,
    TIME_OUT,
    WALLET,
    WALLET_TIME_OUT,
    NothingToPayError,
    Payer,
    Phone,
)
from portal.stack.processes import is_alive
from portal.stack.road import send_file
from portal.stack.sample import sample_csv
from portal.stack.till import TOLD, Till
from portal.stack.up import Stack

if TYPE_CHECKING:
    from collections.abc import Mapping

BILLS: Final = 1000
MEANS: Final = {
    "approved": (APPROVE, "paid"),
    "declined": (DECLINE, "declined"),
    "timed_out": (TIME_OUT, "paid"),
    "noisy": (NOISY, "paid"),
    "wallet": (WALLET, "paid"),
    "wallet_timed_out": (WALLET_TIME_OUT, "paid"),
}
"""What six payers do, and how their bill must end; the seventh pays by slip, one by a number."""

PAID: Final = sum(end == "paid" for _, end in MEANS.values()) + 2

_AT_A_STORE: Final = 100
"""From this link on the first payer whom a store's terminal can show takes a number."""

_SETTLE_S: Final = 90.0


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
    slip: list[str] = []
    number: str = ""
    call: list[str] = []
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
        async with stack.operator() as vault:
            await set_demo_plan(vault)
        async with httpx.AsyncClient(timeout=30.0, trust_env=False) as outside:
            phone = Phone(outside, stack.layout.browser_origin)
            await _road(stack, access, phone, found, started)
            _say(loud, f"{found.messages} messages out")
            await asyncio.gather(
                _pay(phone, found),
                _pay_at_till(stack, access, phone, found),
                _pay_at_store(phone, found),
                _call(stack, access, Callee(outside, stack.layout.browser_origin), phone, found),
            )
            _say(loud, f"payers: {found.payers}, by slip: {found.slip}, by number: {found.number}")
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
    means = [how for how, _ in MEANS.values()]
    links = await _links(phone)
    visits = (Payer().pay(link, how) for link, how in zip(links, means, strict=True))
    found.payers = dict(zip(MEANS, await asyncio.gather(*visits), strict=True))


async def _pay_at_till(stack: Stack, access: Access, phone: Phone, found: Found) -> None:
    """The next link's payer goes to a shop; a member of staff hands in what its agency says."""
    till = Till(stack.layout.origin, stack.layout.browser_origin)
    try:
        ticket = access.staff[0].one_click.rpartition("/")[2]
        found.slip = await till.pay((await _sent(phone))[len(MEANS)], ticket)
    finally:
        till.close()


async def _pay_at_store(phone: Phone, found: Found) -> None:
    """A payer takes a number to a store, and their page says that it is paid."""
    for link in (await _sent(phone))[_AT_A_STORE:]:
        try:
            found.number = await StorePayer(phone.origin).pay(link, NUMBER)
        except NothingToPayError:
            continue  # a name that no terminal shows
        deadline = time.monotonic() + _SETTLE_S
        while found.number != "paid" and time.monotonic() < deadline:
            await asyncio.sleep(0.5)
            found.number = await Payer().look(link)
        return


async def _call(stack: Stack, access: Access, callee: Callee, phone: Phone, found: Found) -> None:
    """A payer is called, proves who they are by keypad, and has the link sent."""
    merchant = MerchantSystem(stack.layout.origin, access.api_key)
    try:
        found.call = await callee.be_called(merchant, phone)
    finally:
        await merchant.close()


async def _links(phone: Phone) -> list[str]:
    """The first links that were sent, one for each payer by card or wallet."""
    return (await _sent(phone))[: len(MEANS)]


async def _sent(phone: Phone) -> list[str]:
    """Every link that was sent, in order."""
    return [message.link for message in await phone.messages() if message.link]


async def _look_again(links: list[str]) -> dict[str, str]:
    """What the payers see when they open their links once more, later, in another browser."""
    states = await asyncio.gather(*(Payer().look(link) for link in links))
    return dict(zip(MEANS, states, strict=True))


async def _settle(stack: Stack, access: Access, phone: Phone, found: Found) -> None:
    """Wait until the timed-out payment was found by inquiry, then compare everything."""
    merchant = MerchantSystem(stack.layout.origin, access.api_key)
    try:
        totals: Mapping[str, Any] = await merchant.totals()
        deadline = time.monotonic() + _SETTLE_S
        while int(totals["paidBills"]) < PAID and time.monotonic() < deadline:
            await asyncio.sleep(0.5)
            totals = await merchant.totals()
    finally:
        await merchant.close()
    found.paid = int(totals["paidBills"])
    found.payers = await _look_again(await _links(phone))
    journal = await phone.journal()
    found.declined = sum(payment.state == "failed" for payment in journal.payments)
    differences = await compare_journals(stack, journal)
    found.journal_differences = len(differences)
    found.faults += differences
    async with stack.operator() as vault:
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
        "paid": (found.paid, PAID),
        "slip": (found.slip, list(TOLD)),
        "number": (found.number, "paid"),
        "call": (found.call, list(HEARD)),
        "declined": (found.declined, 1),
        "ledger_sum": (found.ledger_sum, 0),
        "journal_differences": (found.journal_differences, 0),
        "audit_ok": (found.audit_ok, True),
        "left_behind": (found.left_behind, []),
    }
    for name, (seen, wanted) in expected.items():
        if seen != wanted:
            found.faults.append(f"{name} is {seen}, must be {wanted}")
    for name, (_, end) in MEANS.items():
        if found.payers.get(name) != end:
            found.faults.append(f"payer {name} sees {found.payers.get(name)}, must see {end}")
    if not found.seconds_to_link:
        found.faults.append("no link ever reached a phone")


def _say(loud: bool, text: str) -> None:  # noqa: FBT001 - a switch of this module alone
    if loud:
        sys.stderr.write(f"  {text}\n")
