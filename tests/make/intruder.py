"""One running stack with people in it, and an intruder who owns any one of its processes.

The intruder is arbitrary Python in a process with the very uid, groups, environment and files of
the zone that was taken. What he does is in ``tests.make.intrusion``; here he is put there.
"""

import asyncio
import csv
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import msgspec
import pytest

from portal.contract.envelope import Authority, Nothing, Operation, Request
from portal.contract.operator import (
    ADD_STAFF,
    FOUND_MERCHANT,
    INSPECT,
    ISSUE_LOGIN_TICKET,
    AddStaff,
    FoundMerchant,
    IssueLoginTicket,
)
from portal.stack.access import CODE, Access, open_access
from portal.stack.bench.report import fresh_folder
from portal.stack.drill.ground import children_of
from portal.stack.layout import SOURCE, find_borders
from portal.stack.merchant import MerchantSystem, make_api_key
from portal.stack.payers import Message, Payer, Phone
from portal.stack.road import send_file
from portal.stack.up import Stack
from tests.make.memory import Watch

T = TypeVar("T")

UID_BASE: Final = 20_000 + os.getpid() % 200 * 200
"""A range of each run's own: who shares a uid with another stack could look into it."""

BILLS: Final = 60
OTHER_CODE: Final = "midori"
OTHER_BILLS: Final = 3
_START_S: Final = 240.0
_ENTER: Final = (
    f"import sys; sys.path.insert(0, {str(SOURCE)!r});"
    " from tests.make.intrusion import enter; enter()"
)

ZONES: Final = ("vault", "web", "work", "egress", "dmz", "sandbox")
OWNED: Final = ("web", "work", "egress", "dmz", "sandbox")
"""Zones that an intruder of these tests may own; the vault is what is to be kept from him."""

COLUMNS: Final = (
    "number", "customer_no", "contract_no", "kind", "period", "payer_name", "phone", "email",
    "amount", "due_on", "language", "item1_label", "item1_amount", "item1_tax_rate",
)  # fmt: skip
CANARIES: Final = {
    "name": "秘匿堂",
    "phone": "90777700",
    "phone as written": "90-7777-00",
    "mail": "@kanaria.example",
    "customer number": "KANARIA-",
    "link": f"/p/{CODE}/",
    "other link": f"/p/{OTHER_CODE}/",
}
"""What is in every row of every file that is sent here or in every message about it, and nowhere
else on this machine. Only a link's own secret follows its merchant's code."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call to the vault gave: a reply's body, or the code that it was refused with."""

    body: bytes
    code: str

    def read(self, op: Operation[Any, Any]) -> Any:  # noqa: ANN401 - of whatever operation
        """The reply; fails the test when there is none."""
        assert self.code == "", f"{op.name} was refused: {self.code}"
        return msgspec.msgpack.decode(self.body, type=op.reply)


Asked = tuple[Operation[Any, Any], Request, Authority | None]


@dataclass(slots=True)
class Town:
    """A stack that runs in a thread of its own, and what was made in it."""

    stack: Stack
    access: Access
    loop: asyncio.AbstractEventLoop
    other_ticket: str = ""
    messages: tuple[Message, ...] = ()
    watch: Watch = field(default_factory=lambda: Watch({}))
    """Of the workers and of Valkey, while bills were judged and sent."""
    judge: Watch = field(default_factory=lambda: Watch({}))
    """Of the vault in the same time: the control, for it does hold what it judges."""
    sender: Watch = field(default_factory=lambda: Watch({}))
    """Of the egress in the same time, which does hold what it sends."""
    _environments: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    # --- the stack ---------------------------------------------------------------------------
    def queue_files(self) -> list[bytes]:
        """What Valkey has on its disk: every job that it was ever told of."""
        folder = self.stack.layout.state / "valkey"
        return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]

    def do(self, work: Coroutine[Any, Any, T], timeout_s: float = 120.0) -> T:
        """Run a coroutine in the stack's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout_s)

    def pid(self, name: str) -> int:
        """Of a running process."""
        pid = self.stack.running[name].pid
        assert pid is not None, f"{name} does not run"
        return pid

    def workers(self) -> list[int]:
        """The supervisor of ``work`` and its children."""
        return [self.pid("work"), *children_of(self.pid("work"))]

    def steady(self) -> None:
        """Wait until web, work and vault are one again after something was restarted."""

        async def answers() -> None:
            async with asyncio.timeout(60), self.stack.operator() as vault:
                await vault.call(INSPECT, Nothing())
            async with httpx.AsyncClient(trust_env=False) as outside, asyncio.timeout(60):
                page = f"{self.access.portal}/login"
                while (await outside.get(page)).status_code != 200:  # noqa: ASYNC110 - other process
                    await asyncio.sleep(0.2)

        self.do(answers())

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """A process is stopped inside the block and started again after it."""
        running, lock = self.stack.running[name], self.stack._locks[name]
        self.environment(name)  # remembered for whoever plays this zone meanwhile

        async def stop() -> None:
            await lock.acquire()
            await running.stop()

        async def start() -> None:
            try:
                await running.start()
                self.stack._note()
            finally:
                lock.release()

        self.do(stop())
        try:
            yield
        finally:
            self.do(start())
            self.steady()

    def links(self, code: str = CODE) -> list[str]:
        """Links that were on phones when the town was made, oldest first."""
        return [one.link for one in self.messages if one.link and f"/p/{code}/" in one.link]

    def ticket(self, code: str = CODE, email: str = "") -> str:
        """A one-click log-in for the owner of a merchant."""
        address = email or (self.access.staff[0].email if code == CODE else f"owner@{code}.example")
        asked = IssueLoginTicket(merchant_code=code, email=address, life_s=3600)

        async def issue() -> str:
            async with self.stack.operator() as vault:
                return (await vault.call(ISSUE_LOGIN_TICKET, asked)).ticket

        return self.do(issue())

    def browser(self, **options: Any) -> httpx.Client:  # noqa: ANN401 - of httpx
        """Somebody outside, at the front door."""
        return httpx.Client(base_url=self.access.portal, trust_env=False, timeout=30.0, **options)

    # --- the intruder ------------------------------------------------------------------------
    def environment(self, zone: str) -> dict[str, str]:
        """The environment of the running process, as its owner finds it."""
        if self.stack.running[zone].pid is None:
            return self._environments[zone]
        raw = Path(f"/proc/{self.pid(zone)}/environ").read_bytes()
        pairs = (item.partition(b"=") for item in raw.split(b"\0") if item)
        found = {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}
        self._environments[zone] = found
        return found

    def intrude(self, zone: str, act: str, **plan: object) -> Any:  # noqa: ANN401 - parsed JSON
        """Do an act of ``tests.make.intrusion`` as that zone; what it printed."""
        account = self.stack.layout.accounts[zone]
        assert account.uid is not None
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", _ENTER, act],
            input=json.dumps(plan),
            capture_output=True,
            text=True,
            cwd="/",
            env=self.environment(zone),
            user=account.uid,
            group=account.gid,
            extra_groups=account.groups,
            umask=0o077,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    def calls(self, zone: str, asked: Sequence[Asked]) -> list[Outcome]:
        """Call the vault with the zone's certificate, one call after the other."""
        plan = [
            {
                "operation": op.name,
                "body": msgspec.msgpack.encode(request).hex(),
                "authority": None if grant is None else to_plain(grant),
            }
            for op, request, grant in asked
        ]
        done = self.intrude(zone, "call_vault", calls=plan)
        return [Outcome(bytes.fromhex(one["body"]), one["code"]) for one in done]

    def call(
        self, zone: str, op: Operation[Any, Any], request: Request, grant: Authority | None = None
    ) -> Outcome:
        """One call."""
        return self.calls(zone, [(op, request, grant)])[0]


def to_plain(grant: Authority) -> dict[str, object]:
    """An authority for a plan."""
    return {
        "capability": grant.capability.hex(),
        "key": grant.key.hex(),
        "expires_at": grant.expires_at,
    }


def a_file(name: str, rows: int) -> bytes:
    """Billing requests whose every personal value carries a canary."""
    due = (date.today() + timedelta(days=20)).isoformat()  # noqa: DTZ011, TID251 - the file is made outside
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in range(rows):
        amount = 3_000 + row * 10
        writer.writerow(
            (
                f"{name}-{row:04d}", f"KANARIA-{name}-{row:04d}", f"K-{name}-{row}", "monthly",
                "2026-11", f"秘匿堂 花{row}", f"090-7777-00{row:02d}",
                f"{name}{row}@kanaria.example", amount, due, "ja", "電気料金", amount, "10",
            )
        )  # fmt: skip
    return text.getvalue().encode()


async def hand_in(stack: Stack, api_key: str, csv_file: bytes, rows: int) -> None:
    """Send a file's bills and wait until the messages are out."""
    merchant = MerchantSystem(stack.layout.origin, api_key)
    try:
        async with httpx.AsyncClient(timeout=30.0, trust_env=False) as outside:
            phone = Phone(outside, stack.layout.browser_origin)
            await send_file(merchant, phone, csv_file, rows=rows, timeout_s=120.0)
    finally:
        await merchant.close()


async def _found_other(stack: Stack) -> str:
    """A second merchant with an owner and three bills; its API key."""
    async with stack.operator() as vault:
        wanted = FoundMerchant(
            code=OTHER_CODE, name="みどりガス", zone="Asia/Tokyo", sms_sender="0005000456",
            sms_provider="sandbox_sms", card_provider="sandbox_card", phone="0120-000-777",
            website="https://midori.example",
        )  # fmt: skip
        await vault.call(FOUND_MERCHANT, wanted)
        owner = f"owner@{OTHER_CODE}.example"
        person = AddStaff(
            merchant_code=OTHER_CODE, name="緑 次郎", email=owner, password="a-long-pass-word-1",
            role="owner",
        )  # fmt: skip
        await vault.call(ADD_STAFF, person)
        asked = IssueLoginTicket(merchant_code=OTHER_CODE, email=owner, life_s=3600)
        ticket = (await vault.call(ISSUE_LOGIN_TICKET, asked)).ticket
    key = await make_api_key(stack.layout.origin, ticket, "other")
    await hand_in(stack, key, a_file(OTHER_CODE, OTHER_BILLS), OTHER_BILLS)
    return key


async def _settle_in(town: Town) -> None:
    """Bills sent under the eyes of the watch, two links opened."""
    stack = town.stack
    work = stack.running["work"].pid
    assert work is not None
    town.watch, town.judge, town.sender = Watch(CANARIES), Watch(CANARIES), Watch(CANARIES)
    town.watch.begin(
        lambda: [work, *children_of(work)],
        stack.layout.run / "valkey" / "valkey.sock",
    )
    town.judge.begin_until_held(town.pid("vault"))
    town.sender.begin_until_held(town.pid("egress"))
    try:
        await hand_in(stack, town.access.api_key, a_file(CODE, BILLS), BILLS)
        await _found_other(stack)
    finally:
        await asyncio.to_thread(town.watch.end)
        await asyncio.to_thread(town.judge.end)
        await asyncio.to_thread(town.sender.end)
    async with httpx.AsyncClient(timeout=30.0, trust_env=False) as outside:
        town.messages = await Phone(outside, stack.layout.browser_origin).messages()
    for link in town.links()[:2]:
        assert await Payer().look(link) == "open"


@contextmanager
def running_town() -> Iterator[Town]:
    """Everything up under separate uids, with two merchants and their bills; gone afterwards."""
    ready: Future[Town] = Future()
    stopping = threading.Event()

    async def live(state: Path) -> None:
        async with Stack(state, uid_base=UID_BASE) as stack:
            access, _ = await open_access(stack)
            town = Town(stack, access, asyncio.get_running_loop())
            await _settle_in(town)
            ready.set_result(town)
            while not stopping.is_set():  # noqa: ASYNC110 - a thread's event can't be awaited
                await asyncio.sleep(0.05)

    def run(state: Path) -> None:
        try:
            asyncio.run(live(state))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    with fresh_folder() as state:
        thread = threading.Thread(target=run, args=(state,), name="stack")
        thread.start()
        try:
            yield ready.result(_START_S)
        finally:
            stopping.set()
            thread.join(120)


def require_borders() -> None:
    """Attacks prove something only where every zone has a uid of its own.

    Skips with the reason elsewhere; fails where it must be proven (CI=true).
    """
    borders = find_borders(Path("/"), UID_BASE)
    if borders.real:
        return
    reason = f"no attack would prove anything here: {borders.reason}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


__all__ = [
    "BILLS", "CANARIES", "OTHER_BILLS", "OTHER_CODE", "OWNED", "ZONES", "Outcome",
    "Town", "a_file", "hand_in", "require_borders", "running_town",
    "to_plain",
]  # fmt: skip
