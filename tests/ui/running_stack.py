"""The whole embedded stack for the browser journey: one for all its tests, gone afterwards."""

import asyncio
import csv
import io
import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from portal.stack.access import Access, open_access
from portal.stack.up import Stack

UID_BASE = 66_000
START_TIMEOUT_S = 180.0
COLUMNS = (
    "number", "customer_no", "contract_no", "kind", "period", "payer_name", "phone", "email",
    "amount", "due_on", "language", "item1_label", "item1_amount", "item1_tax_rate",
)  # fmt: skip


@contextmanager
def running_stack() -> Iterator[Access]:
    """All zones up, with a merchant, two members of staff and the sandbox outside.

    The stack lives in a thread and loop of its own, because its children end with their thread.
    """
    folder = Path(tempfile.mkdtemp(prefix="harai-ui-"))
    folder.chmod(0o755)  # every zone's account has to pass through it
    ready: Future[Access] = Future()
    stopping = threading.Event()

    async def live() -> None:
        async with Stack(folder / "state", uid_base=UID_BASE) as stack:
            access, _ = await open_access(stack)
            ready.set_result(access)
            while not stopping.is_set():  # noqa: ASYNC110 - a thread's event can't be awaited
                await asyncio.sleep(0.1)

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=run, name="stack")
    thread.start()
    try:
        yield ready.result(START_TIMEOUT_S)
    finally:
        stopping.set()
        thread.join(60)
        shutil.rmtree(folder)


def phone_of(row: int) -> str:
    return f"090-1000-{row:04d}"


def sample_file(name: str, rows: int) -> bytes:
    """Billing requests of whom row 3 has no amount, row 5 a formula for a phone number.

    Every fourth payer reads English.
    """
    due = (date.today() + timedelta(days=20)).isoformat()  # noqa: DTZ011, TID251 - the file is made outside
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    people = ("山田 花子", "髙橋 翔太", "﨑本 さくら", "Emma Clark")
    for row in range(1, rows + 1):
        amount = "0" if row == 3 else str(3_000 + row * 271)
        phone = '=HYPERLINK("http://x")' if row == 5 else phone_of(row)
        writer.writerow(
            (
                f"{name}-{row:04d}", f"{name}-C{row:04d}", f"K-{name}-{row}", "monthly", "2026-11",
                people[row % 4], phone, "", amount, due, "en" if row % 4 == 3 else "ja",
                "電気料金", amount, "10",
            )
        )  # fmt: skip
    return text.getvalue().encode()
