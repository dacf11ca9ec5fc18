"""`portal demo`: start everything, fill it through the public doors, let payers pay, until Ctrl-C.

Stack only. What the newcomer sees comes from the same doors that a merchant and a payer use; the
demo has no way round them.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Coroutine
from pathlib import Path

import httpx

from portal.domain.errors import PortalError
from portal.stack.access import Access, open_access, ticket_for
from portal.stack.crowd import Crowd
from portal.stack.debtors import take_mandates
from portal.stack.demo_plan import set_demo_plan
from portal.stack.layout import StackBusyError, free_state_folder
from portal.stack.merchant import MerchantSystem, PortalRefusedError
from portal.stack.payers import Phone
from portal.stack.reminded import press_remind
from portal.stack.road import send_file
from portal.stack.sample import UNREACHED, sample_csv, with_unreached
from portal.stack.screen import Screen, welcome
from portal.stack.up import Ended, Stack

_PAYERS_PER_S = 1.5


def run_demo(state: Path | None, *, bills: int) -> int:
    """Run until Ctrl-C or SIGTERM; 0 then, 1 with one line of why when it could not start."""
    folder = state or free_state_folder(Path(".demo"))
    screen = Screen()
    try:
        asyncio.run(_until_interrupted(_demo(folder, bills, screen)))
    except StackBusyError as error:
        screen.say(f"[red]{error}[/]: stop it, or take another folder with --state")
        return 1
    except (PortalError, PortalRefusedError, RuntimeError, TimeoutError, OSError) as error:
        text = f"{error} {getattr(error, 'context', '')}".strip() or type(error).__name__
        screen.say(f"[red]the demo stopped:[/] {text}")
        screen.say(f"logs: {folder / 'logs'} · `portal doctor` says what is wrong here")
        return 1
    return 0


async def _until_interrupted(work: Coroutine[None, None, None]) -> None:
    """Run, and turn SIGINT, SIGTERM and SIGHUP into an orderly end."""
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _demo(folder: Path, bills: int, screen: Screen) -> None:
    started = time.monotonic()

    def crashed(ended: Ended) -> None:
        screen.say(f"[yellow]{ended.name} ended ({ended.code}); starting it again[/]")

    stack = Stack(folder, on_end=crashed)
    try:
        with screen:
            await stack.start(screen.step)
            access, first = await open_access(stack)
            async with httpx.AsyncClient(timeout=30.0, trust_env=False) as outside:
                phone = Phone(outside, stack.layout.browser_origin)
                if first:
                    await _fill(stack, access, phone, bills, screen)
                messages = await phone.messages(limit=1)
        link, reader = (messages[0].link, messages[0].to) if messages else (None, "")
        screen.say(f"ready after {time.monotonic() - started:.1f} s")
        screen.say(welcome(access, link, stack.layout.borders, str(folder)))
        await _live(stack, access, screen, reader)
    finally:
        screen.say("stopping …")
        await stack.stop()
        screen.say(f"stopped; the data stays in {folder}")


async def _fill(stack: Stack, access: Access, phone: Phone, bills: int, screen: Screen) -> None:
    """Hand in the first file as the merchant's system would, and wait until it is sent."""
    async with stack.operator() as vault:
        await set_demo_plan(vault)
    csv = await asyncio.to_thread(sample_csv, rows=bills, seed=1, faulty=0.01)
    csv = with_unreached(csv)
    merchant = MerchantSystem(stack.layout.origin, access.api_key)
    try:
        legs = await send_file(merchant, phone, csv, rows=bills, told=screen.leg)
    finally:
        await merchant.close()
    screen.say(
        f"{legs.bills:,} bills: uploaded in {legs.upload_s:.1f} s, checked in {legs.check_s:.1f} s,"
        f" sent in {legs.issue_s + legs.messages_s:.1f} s;"
        f" {legs.rows_faulty:,} faulty rows wait for you on the dashboard"
    )
    screen.say(
        f"the carrier of {UNREACHED['phone']} swallows what it gets: `portal demo jump +3d`, and"
        f" {UNREACHED['email']} has a mail"
    )
    screen.say(
        f"`portal demo jump +5d`, and who has opened nothing is called: pick up at"
        f" {stack.layout.browser_origin}/calls, press 1, then the customer number's last four"
    )
    await _remind_one(stack, phone, screen)
    async with stack.operator() as vault:
        ticket = await ticket_for(vault, access.staff[0].email)
    taken = await take_mandates(stack.layout.origin, ticket, csv)
    screen.say(f"{taken} payers have let their bank account be debited: see /d/debits")


async def _remind_one(stack: Stack, phone: Phone, screen: Screen) -> None:
    """One payer has their browser remind them, and the plan has a rung for who did."""
    newest = await phone.messages(limit=1)
    if not newest or newest[0].link is None:
        return
    origin = stack.layout.browser_origin
    async with httpx.AsyncClient(timeout=30.0, trust_env=False) as outside:
        is_reminded = await press_remind(outside, origin, newest[0].link)
    if is_reminded:
        screen.say(
            f"the payer of {newest[0].to} is reminded on a phone: press 'send a notification' at"
            f" the bill, and see {origin}/phone"
        )


async def _live(stack: Stack, access: Access, screen: Screen, reader: str) -> None:
    """Payers pay, all but the one whose page is shown; one line says how it stands."""
    merchant = MerchantSystem(stack.layout.origin, access.api_key)
    async with httpx.AsyncClient(timeout=30.0, trust_env=False) as outside:
        phone = Phone(outside, stack.layout.browser_origin)
        crowd = Crowd(phone, per_s=_PAYERS_PER_S, spared=reader)
        paying = asyncio.create_task(crowd.run())
        try:
            with screen.console.status("payers are paying …") as line:
                while True:
                    await asyncio.sleep(1.0)
                    trouble = f", trouble {crowd.troubled}: {crowd.last_trouble}"
                    line.update(
                        f"payers: {crowd.paid} paid, {crowd.declined} declined, {crowd.looked}"
                        f" looked{trouble if crowd.troubled else ''} · Ctrl-C stops"
                    )
        finally:
            paying.cancel()
            await asyncio.gather(paying, return_exceptions=True)
            await merchant.close()
