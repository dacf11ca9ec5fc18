"""The relay as a process: what it needs to start, what it leaves behind, how it stops."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from portal.domain.errors import InvariantBroken
from portal.egress.callers import Caller, read_callers
from portal.egress.journal import FILES_KEPT, KINDS_MAX, Denial, Journal
from portal.egress.metrics import METRICS_FILE, Metrics
from portal.egress.record import Record
from portal.egress.settings import read_credentials
from portal.kit.crashpoint import EXIT_CODE
from portal.kit.outbound import Outbound
from portal.vault.server import VaultServer
from tests.make.relay import CREDENTIAL, Relay, eventually, rule, running_relay
from tests.make.vault import Ground
from tests.make.workshop import Workshop, a_workshop, phones

BODY = '{"to":"{{delivery:to}}","text":"{{delivery:body}}"}'


class Hands:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)

    def wall(self) -> datetime:
        return self.now

    def business_now(self) -> datetime:
        return self.now

    def business_today(self, zone: str) -> date:
        raise AssertionError(zone)


def a_denial(number: int = 0) -> Denial:
    return Denial(
        caller="work", uid=1, mode="originate", host=f"h{number}.test", port=443, code="x"
    )


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_repeats_within_a_minute_are_counted_and_written_once(tmp_path: Path) -> None:
    hands, path = Hands(), tmp_path / "denied.jsonl"
    journal = Journal(path, hands)

    for _ in range(1_000):
        journal.denied(a_denial())
    assert len(lines(path)) == 1
    hands.now += timedelta(seconds=61)
    journal.denied(a_denial())

    assert [line["times"] for line in lines(path)] == [1, 999, 1]


def test_kinds_beyond_the_limit_are_counted_together(tmp_path: Path) -> None:
    path = tmp_path / "denied.jsonl"
    journal = Journal(path, Hands())

    for number in range(KINDS_MAX + 7):
        journal.denied(a_denial(number))
    journal.flush()

    assert len(lines(path)) == KINDS_MAX + 1
    assert lines(path)[-1] == {"at": "2026-11-22T00:00:00+00:00", "denied": None, "times": 7}


def test_the_journal_rotates_and_keeps_a_bounded_number_of_files(tmp_path: Path) -> None:
    hands, path = Hands(), tmp_path / "denied.jsonl"
    journal = Journal(path, hands, file_bytes_max=1_000)

    for number in range(100):
        journal.denied(a_denial(number))

    files = sorted(tmp_path.iterdir())
    assert len(files) == FILES_KEPT
    assert all(file.stat().st_size <= 1_000 for file in files)
    assert lines(path)[-1]["denied"]["host"] == "h99.test"  # type: ignore[index]


def test_a_journal_that_can_not_be_written_is_counted_and_stops_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "missing" / "denied.jsonl", Hands())
    record = Record(journal, Metrics())

    record.denied(Caller(1, frozenset({"work"})), "originate", "h.test", 443, "host_not_listed")

    assert journal.lost == 1
    assert b"harai_egress_journal_lost 1.0" in record.metrics.text()


@pytest.mark.parametrize("code", ["vault_away", "vault_lost", "relay_busy", "budget_spent"])
def test_what_is_nobody_s_attempt_is_counted_but_not_journaled(tmp_path: Path, code: str) -> None:
    record = Record(Journal(tmp_path / "denied.jsonl", Hands()), Metrics())

    record.denied(Caller(1, frozenset({"work"})), "originate", "h.test", 443, code)

    assert list(tmp_path.iterdir()) == []
    assert f'code="{code}"'.encode() in record.metrics.text()


def test_callers_are_uids_with_roles() -> None:
    assert read_callers("61002=web,61003=work") == {61002: {"web"}, 61003: {"work"}}
    assert read_callers("0=web, 0=work") == {0: {"web", "work"}}


@pytest.mark.parametrize(
    "text", ["", "web", "=web", "1=", "-1=web", "1=web;2=work", "x=web", "1=a b"]
)
def test_anything_else_is_no_list_of_callers(text: str) -> None:
    with pytest.raises(ValueError, match="uid=role"):
        read_callers(text)


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', '{"a": "short"}'])
def test_a_credentials_file_that_is_none_stops_the_start(tmp_path: Path, content: str) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(InvariantBroken, match="credentials_invalid"):
        read_credentials(path)


def test_a_credentials_file_that_others_may_read_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text('{"a": "long enough"}')
    path.chmod(0o640)

    with pytest.raises(InvariantBroken, match="secret_exposed"):
        read_credentials(path)


async def test_a_credential_that_is_listed_but_not_there_is_not_sent(tmp_path: Path) -> None:
    rules = [rule(0, credentials=("absent",))]
    async with running_relay(tmp_path, rules=rules) as relay:
        answered = await relay.send(headers={"Authorization": "{{credential:absent}}"})

    assert (answered.fate, answered.code) == ("not_sent", "credential_missing")


async def test_anybody_may_knock_because_the_kernel_says_who_it_is(tmp_path: Path) -> None:
    async with running_relay(tmp_path) as relay:
        for path in (relay.settings.socket, relay.settings.tunnel_socket):
            assert stat.S_IMODE(path.stat().st_mode) == 0o666


async def test_metrics_are_written_when_asked_for_and_name_no_value(tmp_path: Path) -> None:
    async with running_relay(tmp_path) as relay:
        await relay.send(body=BODY, delivery_id=relay.delivery("+819012345678", "secret text"))
        await relay.send(host="evil.test")
        os.kill(os.getpid(), signal.SIGUSR1)
        file = tmp_path / METRICS_FILE

        async def is_there() -> bool:
            return file.exists()

        await eventually(is_there)
        text = file.read_text()

    assert 'harai_egress_requests_total{fate="answered",rule="provider"} 1.0' in text
    assert 'code="host_not_listed"' in text
    assert "harai_egress_rules_version 1.0" in text
    for value in ("+8190", "secret", CREDENTIAL, "evil.test"):
        assert value not in text


async def test_the_process_starts_serves_and_ends_with_zero_on_sigterm(tmp_path: Path) -> None:
    async with _process(tmp_path) as (process, relay):
        assert (await relay.send()).fate == "answered"
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0

    assert b"harai_egress_requests_total" in (tmp_path / METRICS_FILE).read_bytes()


@pytest.mark.parametrize(("point", "sent"), [("egress.after_redeem", 0), ("egress.after_send", 1)])
async def test_a_relay_that_dies_leaves_its_slice_unclear(
    tmp_path: Path, point: str, sent: int
) -> None:
    async with _process(tmp_path, HARAI_CRASH_POINT=point) as (process, relay):
        delivery = relay.delivery("+819012345678", "text")
        answered = await relay.send(body=BODY, delivery_id=delivery)
        assert await asyncio.wait_for(process.wait(), 20) == EXIT_CODE

    assert (answered.fate, answered.code) == ("unclear", "relay_lost")
    assert len(relay.vault.calls) == 1
    assert len(relay.provider.seen) == sent


@pytest.mark.parametrize(
    ("point", "heard"), [("egress.after_send", 0), ("egress.after_deposit", 1)]
)
async def test_a_relay_that_dies_around_the_vaults_hearing_leaves_its_asker_to_ask_again(
    tmp_path: Path, point: str, heard: int
) -> None:
    question: dict[str, object] = {
        "method": "GET", "body": "", "body_kind": "none", "about_attempt": uuid4(),
        "about_merchant": "minato", "headers": {"Authorization": "Bearer {{credential:provider}}"},
    }  # fmt: skip
    async with _process(tmp_path, HARAI_CRASH_POINT=point) as (process, relay):
        answered = await relay.send(**question)
        assert await asyncio.wait_for(process.wait(), 20) == EXIT_CODE

    assert (answered.fate, answered.is_deposited) == ("unclear", False)
    assert (len(relay.provider.seen), len(relay.vault.payments)) == (1, heard)


@pytest.mark.parametrize("missing", ["RULES_FILE", "CREDENTIALS_FILE", "CALLERS"])
def test_a_setting_that_is_missing_is_named_and_nothing_starts(missing: str) -> None:
    run = subprocess.run(  # our own interpreter
        [sys.executable, "-c", "from portal.egress.run import run; run()"],
        env={}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert run.returncode == 2
    assert f"setting PORTAL_EGRESS_{missing}: Field required" in run.stderr


async def test_a_rule_file_that_is_refused_is_said_and_nothing_listens(tmp_path: Path) -> None:
    async with running_relay(tmp_path) as relay:
        values = relay.settings.model_dump() | {"production": True, "sandbox_ca": None}
    own = {f"PORTAL_EGRESS_{name.upper()}": str(value) for name, value in values.items() if value}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from portal.egress.run import run; run()",
        env=own, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()

    assert process.returncode == 1
    assert b"rule file: provider: sandbox rule in production" in said
    assert b'"event":"egress.not_started"' in said


def test_a_shut_process_can_not_be_dumped() -> None:
    ask = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    shut = "from portal.kit.memory import shut_memory; shut_memory(); "

    def dumpable(code: str) -> str:
        return subprocess.run(  # noqa: S603  # our own interpreter
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()

    assert dumpable(ask) == "1"
    assert dumpable(shut + ask) == "0"


@pytest.fixture
async def shop(ground: Ground, vault: VaultServer) -> AsyncGenerator[Workshop]:
    del vault
    async with a_workshop(ground) as made:
        yield made


async def test_a_hundred_messages_cost_the_real_vault_one_redemption(shop: Workshop) -> None:
    await shop.issued(phones(100))

    await shop.work_off({"message.send_chunk"})

    assert len({text["recipient"] for text in shop.texts()}) == 100
    query = "select rows, caller from audit where operation = 'redeem_deliveries'"
    assert await shop.rows(query) == [{"rows": 100, "caller": "egress"}]


async def test_a_bill_paid_or_paused_meanwhile_is_no_attempt(tmp_path: Path) -> None:
    async with running_relay(tmp_path) as relay:
        for code in ("not_due", "paused"):
            relay.vault.refusal = code
            answered = await relay.send(body=BODY, delivery_id=relay.delivery("+81", "x", host="-"))
        journal = relay.denials()
        relay.vault.refusal = "host_wrong"
        await relay.send(body=BODY, delivery_id=relay.delivery("+81", "x", host="-"))

        assert (answered.fate, answered.code) == ("not_sent", "delivery_refused")
        assert journal == []
        assert [line["code"] for line in relay.denials()] == ["delivery_refused"]


@asynccontextmanager
async def _process(
    folder: Path, **environment: str
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, Relay]]:
    """A relay in a process of its own, beside the provider and the vault's end of another."""
    async with running_relay(folder) as relay:
        values = relay.settings.model_dump() | {
            "socket": folder / "own.sock",
            "tunnel_socket": folder / "own-tunnel.sock",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from portal.egress.run import run; run()",
            env={f"PORTAL_EGRESS_{name.upper()}": str(value) for name, value in values.items()}
            | environment,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await relay.outbound.aclose()
        relay.outbound = Outbound(folder / "own.sock")

        async def listens() -> bool:
            return (folder / "own-tunnel.sock").exists()

        try:
            await eventually(listens, within_s=20)
            yield process, relay
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
