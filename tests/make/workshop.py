"""The worker's whole surroundings, all real: vault, relay, Valkey, and the sandbox's companies.

One uid runs it all in a test, so the relay knows it as one role; rules of other roles are signed
for that one too.
"""

import asyncio
import hashlib
import json
import os
import secrets
import socket
import sys
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette

from portal.application.doors.calls import ROUTES as CALL_ROUTES
from portal.application.doors.notices import ROUTES, NoticeKeys
from portal.contract.client import VaultClient
from portal.contract.envelope import Authority as Grant
from portal.contract.intake import (
    CREATE_IMPORT,
    DECIDE_IMPORT,
    FINISH_UPLOAD,
    STORE_PART,
    VIEW_IMPORT,
    CreateImport,
    DecideImport,
    FinishUpload,
    ImportView,
    StorePart,
    ViewImport,
)
from portal.contract.work import AWAIT_WORK, AwaitWork
from portal.domain.ids import ImportId
from portal.egress.rule import Rule
from portal.egress.rules import Rules, sign_rules
from portal.egress.run import serve
from portal.egress.settings import EgressSettings
from portal.kit.clock import SystemClock
from portal.sandbox.journal import Journal
from portal.sandbox.notices import NoticeSender
from portal.sandbox.run import create_servers
from portal.sandbox.settings import SandboxSettings
from portal.stack.certificates import SANDBOX_HOSTS
from portal.stack.postgres import BOOTSTRAP
from portal.stack.push_services import PUSH_KEYS, new_push_key, public_half
from portal.stack.sandbox_rules import TEL_ACCOUNT, sandbox_rules
from tests.make.vault import Ground, add_staff, found_merchant, signed_in
from tests.make.work_queue import KEY
from worker.queue import Job
from worker.settings import WorkSettings
from worker.tasks.run import run_job
from worker.tasks.workbench import Workbench, open_workbench

MERCHANT = "minato"
CREDENTIALS = {
    "sandbox_sms": "sms-secret-4711",
    "sandbox_card": "card-secret-0815",
    "sandbox_wallet.key": "wallet-key-1202",
    "sandbox_wallet.secret": "wallet-secret-7Qx",
    "sandbox_counter": "counter-secret-1414",
    "sandbox_bank": "bank-secret-3141",
    "sandbox_mail": "mail-secret-2718",
    "sandbox_sms2": "sms2-secret-5926",
    "sandbox_tel": "tel-secret-1618",
    **{name: new_push_key(name) for name in PUSH_KEYS},
}
TEL_KEY = "what-the-telephone-company-signs-with"
BANK_PASSWORD = "1234"
ORIGIN = "http://localhost:8080"
COLUMNS = "number,customer_no,contract_no,period,payer_name,phone,amount,tax_10,due_on"


def given_out() -> dict[str, str]:
    """What each company has of the credentials that it gave out, as the stack tells it."""
    return (
        {"sandbox_tel.secret": TEL_KEY}
        | {
            name: key if name.endswith(".secret") else hashlib.sha256(key.encode()).hexdigest()
            for name, key in CREDENTIALS.items()
            if name not in PUSH_KEYS
        }
        | {name: public_half(CREDENTIALS[name]) for name in PUSH_KEYS}
    )


def _coming_end_of_january() -> date:
    """The next one that is far enough away for whatever tests do before it, in any year."""
    today = SystemClock().wall().date()
    ends = date(today.year, 1, 31), date(today.year + 1, 1, 31)
    return next(day for day in ends if day > today + timedelta(days=20))


DUE_ON: Final = _coming_end_of_january()
"""When what is billed here is due; a day whose words tests look for."""


def csv_of(phones: Sequence[str], *, amount: int = 8420) -> bytes:
    """A file of billing requests, one for each number."""
    lines = [
        f"B-{tail},C{tail},K{tail},2026-11,山田 花子,{phone},{amount},765,{DUE_ON}"
        for phone in phones
        for tail in [phone[-8:]]
    ]
    return "\r\n".join([COLUMNS, *lines, ""]).encode()


def phones(count: int, first: int = 0) -> list[str]:
    """Numbers at which nothing goes wrong."""
    return [f"0901{n:07}" for n in range(first, first + count)]


@dataclass(frozen=True)
class Outside:
    """The companies: what they wrote down, where they listen, and the pages payers see."""

    journal: Journal
    api_port: int
    pages: Any

    async def pay(self, address: str, number: str) -> str:
        """A payer types a card number on the company's page; where the page sends them then."""
        return await self._send(address, {"number": number, "expiry": "12/30"})

    async def know(self, address: str, password: str = BANK_PASSWORD, **beside: str) -> str:
        """A payer tells their bank who they are, on its page; where it sends them then."""
        return await self._send(address, {"password": password, **beside})

    async def press(self, address: str, button: str) -> str:
        """A payer presses a button of the wallet's page; where the page sends them then."""
        return await self._send(address, {"act": button})

    async def _send(self, address: str, form: dict[str, str]) -> str:
        transport = httpx.ASGITransport(app=self.pages)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:1") as payer:
            answer = await payer.post(urlsplit(address).path, data=form)
        return answer.headers.get("location", "")


@dataclass
class Workshop:
    """Everything around one worker."""

    ground: Ground
    web: VaultClient
    staff: Grant
    settings: WorkSettings
    bench: Workbench
    outside: "Outside"
    stop: asyncio.Event
    heard: dict[str, Job] = field(default_factory=dict[str, Job])

    @property
    def journal(self) -> Journal:
        """The outside witness."""
        return self.outside.journal

    async def imported(self, phones: Sequence[str], *, amount: int = 8420) -> ImportId:
        """Hand a file in as staff do; nothing is read yet."""
        body = csv_of(phones, amount=amount)
        key = secrets.token_hex(8)
        request = CreateImport(filename="bills.csv", size_bytes=len(body), idempotency_key=key)
        created = await self.web.call(CREATE_IMPORT, request, self.staff)
        for at in range(0, len(body), 1024 * 1024):
            part = StorePart(import_id=created.id, offset=at, body=body[at : at + 1024 * 1024])
            await self.web.call(STORE_PART, part, self.staff)
        done = FinishUpload(import_id=created.id, size_bytes=len(body))
        await self.web.call(FINISH_UPLOAD, done, self.staff)
        return created.id

    async def decide(self, import_id: ImportId) -> None:
        """Say yes."""
        request = DecideImport(
            import_id=import_id, decision="send", idempotency_key=secrets.token_hex(8)
        )
        await self.web.call(DECIDE_IMPORT, request, self.staff)

    async def issued(self, phones: Sequence[str], *, amount: int = 8420) -> ImportId:
        """A file all the way to bills whose messages are due; nothing is sent yet."""
        import_id = await self.imported(phones, amount=amount)
        await self.work_off({"intake.accept_chunk"})
        await self.decide(import_id)
        await self.work_off({"intake.issue_bills"})
        return import_id

    async def view(self, import_id: ImportId) -> ImportView:
        """The import as staff see it."""
        return await self.web.call(VIEW_IMPORT, ViewImport(import_id=import_id), self.staff)

    async def hints(self) -> list[Job]:
        """What is due, as the relay hears it, and what was heard before and left alone."""
        due = await self.bench.vault.call(AWAIT_WORK, AwaitWork(wait_s=0.0, at_most=100))
        for hint in due.tasks:
            job = Job(task_id=hint.id, attempt=hint.attempt, kind=hint.kind, lane=hint.lane)
            self.heard[job.id] = job
        return list(self.heard.values())

    async def work_off(self, kinds: set[str] | None = None) -> list[Job]:
        """Do what is due until nothing is; tasks of other kinds are left alone."""
        done: list[Job] = []
        while jobs := [job for job in await self.hints() if kinds is None or job.kind in kinds]:
            for job in jobs:
                del self.heard[job.id]
                await run_job(self.bench, job)
            done += jobs
        return done

    async def rows(self, query: str, *args: object) -> list[dict[str, Any]]:
        """Rows as the superuser sees them in this test's database."""
        postgres = self.ground.cluster.postgres
        link = await postgres.connect(BOOTSTRAP, self.ground.database)
        try:
            return [dict(row) for row in await link.fetch(query, *args)]
        finally:
            await link.close()

    async def be_due(self) -> None:
        """Let every task be due and every lease be over: what waiting does, without waiting."""
        await self.rows("update task set next_at = now() - interval '1 second' returning id")

    async def be_due_but_for(self, living: Sequence[int]) -> None:
        """The same, but what one of these processes has leased stays its own."""
        await self.rows(
            "update task set next_at = now() - interval '1 second'"
            " where state <> 'leased' or substring(worker from '[0-9]+$')::int <> all ($1::int[])"
            " returning id",
            list(living),
        )

    async def crash_at(self, point: str, job: Job) -> int:
        """Do one job in a process of its own that dies at a named point; its exit code."""
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.make.one_job",
            job.task_id.hex,
            str(job.attempt),
            job.kind,
            env={**environment(self.settings), "HARAI_CRASH_POINT": point},
        )
        async with asyncio.timeout(30):
            return await child.wait()

    def texts(self) -> list[dict[str, Any]]:
        """Messages as the carriers took them."""
        return self.journal.messages(after=0, recipient=None, limit=100_000)


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Elsewhere:
    """Companies beside the sandbox's: rules and credentials of the relay, endpoints of the worker.

    ``endpoints`` as settings have them, each with a comma in front.
    """

    rules: tuple[Mapping[str, Any], ...] = ()
    credentials: Mapping[str, str] = field(default_factory=dict[str, str])
    endpoints: str = ""


NOWHERE = Elsewhere()


@asynccontextmanager
async def a_workshop(
    ground: Ground, *, role: str = "work", api_port: int = 0, elsewhere: Elsewhere = NOWHERE
) -> AsyncGenerator[Workshop]:
    """A vault must run on the ground; everything else is started and stopped here.

    ``api_port``: where the companies listen; 0: wherever a port is free.
    """
    async with AsyncExitStack() as stack:
        operator, web = await ground.client("operator"), await ground.client("web")
        await found_merchant(operator, MERCHANT)
        await add_staff(operator, MERCHANT)
        staff = (await signed_in(operator, web, MERCHANT)).authority
        notices_port = await stack.enter_async_context(_notices_door(web))
        outside = await stack.enter_async_context(_sandbox(ground, notices_port, api_port))
        await stack.enter_async_context(_relay(ground, outside.api_port, role, elsewhere))
        settings = work_settings(ground, outside.api_port)
        known = settings.provider_endpoints + elsewhere.endpoints
        settings = settings.model_copy(update={"provider_endpoints": known})
        stop = asyncio.Event()
        bench = await stack.enter_async_context(open_workbench(settings, "test-worker", stop))
        yield Workshop(ground, web, staff, settings, bench, outside, stop)


def work_settings(ground: Ground, api_port: int, valkey_url: str = "unix:///none") -> WorkSettings:
    """Settings of a worker on this ground."""
    cert, key = ground.authority.zone("work")
    (ground.folder / "queue.key").write_bytes(KEY)
    return WorkSettings(
        vault_socket=ground.folder / "vault.sock",
        cert=cert,
        key=key,
        ca=ground.authority.ca,
        egress_socket=ground.folder / "egress.sock",
        valkey_url=valkey_url,
        queue_key_file=ground.folder / "queue.key",
        instance="test",
        provider_endpoints=f"sandbox_sms=sms.sandbox.test:{api_port},"
        f"sandbox_card=card.sandbox.test:{api_port},"
        f"sandbox_wallet=wallet.sandbox.test:{api_port},"
        f"sandbox_counter=counter.sandbox.test:{api_port}/{MERCHANT},"
        f"sandbox_bank=bank.sandbox.test:{api_port},"
        f"sandbox_mail=mail.sandbox.test:{api_port},"
        f"sandbox_sms2=sms2.sandbox.test:{api_port},"
        f"sandbox_tel=tel.sandbox.test:{api_port}/{TEL_ACCOUNT},"
        f"webpush=push.sandbox.test:{api_port},"
        f"fcm=fcm.sandbox.test:{api_port},"
        f"apns=apns.sandbox.test:{api_port}",
    )


def environment(settings: WorkSettings) -> dict[str, str]:
    """The same settings as environment variables of a process."""
    values = settings.model_dump(mode="json")
    return {f"PORTAL_WORK_{name.upper()}": str(value) for name, value in values.items()}


@asynccontextmanager
async def _notices_door(web: VaultClient) -> AsyncGenerator[int]:
    app = Starlette(routes=[*ROUTES, *CALL_ROUTES])
    app.state.vault = web
    keys = {"sandbox_tel": {MERCHANT: (TEL_KEY,)}}
    app.state.notice_keys = NoticeKeys(keys, SystemClock(), ORIGIN)
    port = free_port()
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off")
    async with _serving(uvicorn.Server(config)):
        yield port


@asynccontextmanager
async def _sandbox(ground: Ground, notices_port: int, api_port: int) -> AsyncGenerator[Outside]:
    cert, key = ground.authority.host(*SANDBOX_HOSTS)
    keys = ground.folder / "keys.json"
    keys.write_bytes(json.dumps(given_out()).encode())
    settings = SandboxSettings(
        state_dir=ground.folder,
        browser_port=free_port(),
        api_port=api_port or free_port(),
        cert=cert,
        key=key,
        notice_origin=f"http://127.0.0.1:{notices_port}",
        browser_origin="http://localhost:1",
        keys_file=keys,
    )
    journal = Journal(ground.folder / "journal.sqlite")
    notices = NoticeSender(settings.notice_origin)
    api, pages = create_servers(settings, journal, notices)
    async with _serving(api):
        yield Outside(journal, settings.api_port, pages.config.app)
        await asyncio.sleep(0.6 if "queued" in journal.message_counts()["by_status"] else 0)
    await notices.close()
    journal.close()


@contextmanager
def _no_signals() -> Generator[None]:
    """Signals are the test runner's."""
    yield


@asynccontextmanager
async def _serving(server: uvicorn.Server) -> AsyncGenerator[None]:
    server.capture_signals = _no_signals  # type: ignore[method-assign] - the test runner's
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells in no other way
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def _relay(
    ground: Ground, api_port: int, role: str, elsewhere: Elsewhere
) -> AsyncGenerator[None]:
    signing = Ed25519PrivateKey.generate()
    rules = {
        (rule.host, rule.methods, rule.path_prefixes): msgspec.structs.replace(rule, role=role)
        for rule in sandbox_rules(api_port)
    }
    listed = (*rules.values(), *(msgspec.convert(rule, Rule) for rule in elsewhere.rules))
    files = {
        "rules.json": sign_rules(signing, Rules(version=1, rules=listed)),
        "rules.pub": signing.public_key().public_bytes_raw(),
        "credentials.json": json.dumps({**CREDENTIALS, **elsewhere.credentials}).encode(),
    }
    for name, content in files.items():
        (ground.folder / name).write_bytes(content)
    (ground.folder / "credentials.json").chmod(0o600)
    cert, key = ground.authority.zone("egress")
    settings = EgressSettings(
        socket=ground.folder / "egress.sock",
        tunnel_socket=ground.folder / "tunnel.sock",
        vault_socket=str(ground.folder / "vault.sock"),
        cert=cert,
        key=key,
        ca=ground.authority.ca,
        rules_file=ground.folder / "rules.json",
        rules_key_file=ground.folder / "rules.pub",
        credentials_file=ground.folder / "credentials.json",
        journal_file=ground.folder / "denied.jsonl",
        callers=f"{os.geteuid()}={role}",
        sandbox_ca=ground.authority.ca,
    )
    ready = asyncio.Event()
    task = asyncio.create_task(serve(settings, ready=ready.set))
    async with asyncio.timeout(10):
        await ready.wait()
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
