"""The embedded stack as processes: borders, crashes, neighbours, and nothing left behind."""

import asyncio
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from portal.contract.envelope import Nothing
from portal.contract.operator import INSPECT
from portal.stack.access import open_access
from portal.stack.bench import debits
from portal.stack.bench.town import Town
from portal.stack.doctor import processes_of
from portal.stack.layout import StackBusyError
from portal.stack.merchant import MerchantSystem
from portal.stack.payers import Phone
from portal.stack.ports import Ports, is_free
from portal.stack.processes import base_python, is_alive, run_to_end
from portal.stack.up import Stack

pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

NAMES = ("postgres", "valkey", "sandbox", "vault", "egress", "web", "work", "dmz")
ZONES = ("vault", "egress", "web", "work", "dmz", "sandbox")


def fresh_folder() -> Path:
    """Short, and open enough for other uids to pass through to their own folders."""
    made = Path(tempfile.mkdtemp(prefix="harai-t-", dir="/tmp"))
    made.chmod(0o711)
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[Stack]:
    folder = fresh_folder()
    os.environ["HARAI_CANARY"] = "must not be inherited"
    async with Stack(folder / "state") as it:
        yield it
    del os.environ["HARAI_CANARY"]
    shutil.rmtree(folder)


@pytest.fixture
def folder() -> Iterator[Path]:
    made = fresh_folder()
    yield made
    shutil.rmtree(made)


async def health(origin: str) -> int:
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
        return (await client.get(f"{origin}/healthz")).status_code


async def healthy_within(origin: str, seconds: float) -> bool:
    for _ in range(int(seconds / 0.2)):
        if await health(origin) == 200:
            return True
        await asyncio.sleep(0.2)
    return False


def pids_of(stack: Stack) -> dict[str, int]:
    return {name: zone["pid"] or 0 for name, zone in stack.zones().items()}


async def all_gone(pids: list[int], within_s: float) -> list[int]:
    """The pids that still run after a while (none, if all goes well)."""
    for _ in range(int(within_s / 0.1)):
        if not any(is_alive(pid) for pid in pids):
            return []
        await asyncio.sleep(0.1)
    return [pid for pid in pids if is_alive(pid)]


async def test_every_process_answers_and_the_public_door_leads_through(stack: Stack) -> None:
    assert set(stack.running) == set(NAMES)
    assert all(pids_of(stack).values())
    assert await health(stack.layout.origin) == 200


@pytest.mark.root
async def test_each_process_has_a_uid_of_its_own_and_none_is_root(stack: Stack) -> None:
    uids = [zone["uid"] for zone in stack.zones().values()]

    assert stack.layout.borders.real, stack.layout.borders.reason
    assert len(set(uids)) == len(NAMES)
    assert 0 not in uids


@pytest.mark.root
async def test_no_zone_can_read_anothers_secrets(stack: Stack) -> None:
    accounts = stack.layout.accounts
    secrets = {
        "vault": ("root.key", "database.password", "key.pem"),
        "web": ("cookie.key", "key.pem"),
        "work": ("queue.key", "key.pem"),
        "egress": ("credentials.json", "key.pem"),
    }

    def read(account: str, path: Path) -> None:
        call = [base_python(), "-I", "-c", f"open({str(path)!r}, 'rb').read()"]
        run_to_end(call, account=accounts[account], env={}, cwd=Path("/"))

    for owner, files in secrets.items():
        for file in files:
            path = stack.layout.zone(owner) / file
            await asyncio.to_thread(read, owner, path)  # the control: its owner can
            for other in ("web", "work", "egress", "dmz", "vault", "sandbox"):
                if other != owner:
                    with pytest.raises(RuntimeError, match="PermissionError"):
                        await asyncio.to_thread(read, other, path)
    with pytest.raises(RuntimeError, match="PermissionError"):
        await asyncio.to_thread(read, "vault", stack.layout.keys / "operator" / "key.pem")


@pytest.mark.root
async def test_egress_can_read_its_rules_and_not_write_them(stack: Stack) -> None:
    rules = stack.layout.rules / "rules.json"
    account = stack.layout.accounts["egress"]

    run_to_end(
        [base_python(), "-I", "-c", f"open({str(rules)!r}).read()"],
        account=account, env={}, cwd=Path("/"),
    )  # fmt: skip
    with pytest.raises(RuntimeError, match="PermissionError"):
        run_to_end(
            [base_python(), "-I", "-c", f"open({str(rules)!r}, 'a')"],
            account=account, env={}, cwd=Path("/"),
        )  # fmt: skip


@pytest.mark.root
async def test_only_listed_callers_reach_a_socket(stack: Stack) -> None:
    layout = stack.layout
    may = {
        "vault": {"vault", "web", "work", "egress"},
        "egress": {"egress", "web", "work"},
        "web": {"web", "dmz"},
        "valkey": {"valkey", "work"},
    }

    def reaches(caller: str, path: Path) -> bool:
        script = f"import socket; socket.socket(socket.AF_UNIX).connect({str(path)!r})"
        call = [base_python(), "-I", "-c", script]
        try:
            run_to_end(call, account=layout.accounts[caller], env={}, cwd=Path("/"))
        except RuntimeError:
            return False
        return True

    for callee, allowed in may.items():
        reached = {
            caller
            for caller in NAMES
            if await asyncio.to_thread(reaches, caller, layout.socket(callee))
        }
        assert reached == allowed, callee


def variables_of(pid: int) -> set[str]:
    raw = Path(f"/proc/{pid}/environ").read_bytes()
    return {item.partition(b"=")[0].decode() for item in raw.split(b"\0") if item}


async def test_processes_inherit_nothing_from_whoever_started_the_stack(stack: Stack) -> None:
    for name in ZONES:
        names = variables_of(pids_of(stack)[name])

        assert "HARAI_CANARY" not in names, name
        if name != "dmz":  # nginx writes its title over its variables
            assert any(one.startswith(f"PORTAL_{name.upper()}_") for one in names)
        assert not any(
            one.startswith("PORTAL_") and not one.startswith(f"PORTAL_{name.upper()}_")
            for one in names
        )


async def test_nothing_listens_but_the_three_ports_on_loopback(stack: Stack) -> None:
    def listening(pids: set[int]) -> set[tuple[str, int]]:
        inodes: set[str] = set()
        for pid in pids:
            for entry in Path(f"/proc/{pid}/fd").iterdir():
                target = str(entry.readlink())
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
        found: set[tuple[str, int]] = set()
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and columns[9] in inodes:
                address, port = columns[1].split(":")
                packed = bytes.fromhex(address)[::-1]
                found.add((socket.inet_ntoa(packed), int(port, 16)))
        return found

    ports = stack.layout.ports
    assert listening(set(pids_of(stack).values())) == {
        ("127.0.0.1", port) for port in (ports.portal, ports.browser, ports.api)
    }


@pytest.mark.parametrize("name", NAMES)
async def test_a_killed_process_comes_back_and_the_road_is_open_again(
    stack: Stack, name: str
) -> None:
    before = pids_of(stack)

    await stack.kill(name)

    after = pids_of(stack)
    assert after[name] != before[name]
    assert {n: p for n, p in after.items() if n != name} == {
        n: p for n, p in before.items() if n != name
    }
    assert await healthy_within(stack.layout.origin, 20.0)


async def test_two_stacks_side_by_side_share_neither_ports_nor_cookies(
    stack: Stack, folder: Path
) -> None:
    async with Stack(folder / "state") as other:
        ports = stack.layout.ports, other.layout.ports

        assert len({*numbers_of(ports[0]), *numbers_of(ports[1])}) == 6
        assert stack.layout.facts.instance != other.layout.facts.instance
        assert await health(other.layout.origin) == 200
        assert await health(stack.layout.origin) == 200
        pids = list(pids_of(other).values())
    assert await all_gone(pids, 5.0) == []
    assert await health(stack.layout.origin) == 200


def numbers_of(ports: Ports) -> tuple[int, int, int]:
    return ports.portal, ports.browser, ports.api


async def test_the_bench_of_debits_books_every_line_and_leaves_the_books_balanced(
    stack: Stack,
) -> None:
    access, _ = await open_access(stack)
    async with httpx.AsyncClient(trust_env=False) as outside:
        here = Town(
            stack=stack,
            access=access,
            merchant=MerchantSystem(access.portal, access.api_key),
            phone=Phone(outside, stack.layout.browser_origin),
            load=0.0,
            seconds_to_start=0.0,
        )
        # It raises when a line is missing or was booked otherwise, or the books are out.
        report = await debits.measure(here, 300)
        await here.merchant.close()

    assert (report.details["lines"], report.details["files"]) == (300, 2)
    assert len(str(report.details["booked_tenths_per_s"]).split()) == 10
    assert report.figure > 0 < report.floor


async def test_second_stack_in_the_same_folder_is_refused_with_words(stack: Stack) -> None:
    with pytest.raises(StackBusyError, match="already running"):
        await Stack(stack.layout.state).start()
    assert await health(stack.layout.origin) == 200


async def test_stop_leaves_nothing_and_the_next_start_keeps_the_data(folder: Path) -> None:
    first = Stack(folder / "state")
    await first.start()
    access, is_new = await open_access(first)
    pids, run, ports = list(pids_of(first).values()), first.layout.run, first.layout.ports
    await first.stop()

    assert is_new
    assert await all_gone(pids, 5.0) == []
    assert not run.exists()
    assert all(is_free(port) for port in numbers_of(ports))

    async with Stack(folder / "state") as second:
        again, is_new = await open_access(second)
        async with second.operator() as vault:
            seen = await vault.call(INSPECT, Nothing())

    assert not is_new
    assert again.api_key == access.api_key
    assert again.staff[0].password == access.staff[0].password
    assert seen.merchants == 1
    secret = folder / "state" / "access.json"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert json.loads(secret.read_text())["portal"] == again.portal


SCRIPT = """
import asyncio, sys
from pathlib import Path
from portal.stack.up import Stack

async def main() -> None:
    async with Stack(Path(sys.argv[1])):
        print("up", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_killing_the_stack_itself_takes_every_process_with_it(folder: Path) -> None:
    state = folder / "state"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, str(state), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    async with asyncio.timeout(90.0):
        assert await child.stdout.readline() == b"up\n"
    pids = list(processes_of(state).values())
    assert len(pids) == len(NAMES)

    child.send_signal(signal.SIGKILL)
    await child.wait()

    assert await all_gone(pids, 70.0) == []
    async with Stack(state) as again:  # what it left behind does not keep the next from starting
        assert await health(again.layout.origin) == 200


def demo_as_nobody(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "portal.cli", "demo", "--bills", "50", "--state", "s"],
        cwd=folder, user=65534, group=65534, extra_groups=[],
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


@pytest.mark.root
async def test_an_ordinary_user_gets_the_whole_demo_and_is_told_that_borders_are_logical(
    folder: Path,
) -> None:
    os.chown(folder, 65534, 65534)
    child = demo_as_nobody(folder)
    try:
        output = await asyncio.to_thread(_until, child, "logs:")
        pids = list(processes_of(folder / "s").values())
        child.send_signal(signal.SIGINT)
        rest, _ = await asyncio.to_thread(child.communicate, timeout=60)
    finally:
        child.kill()
        child.wait()

    assert "borders: logical: not started as root" in output
    assert child.returncode == 0, rest
    assert "/login/ticket/aozora." in output
    assert "stopped; the data stays" in rest
    assert len(pids) == len(NAMES)
    assert await all_gone(pids, 5.0) == []


def _until(child: subprocess.Popen[str], words: str) -> str:
    assert child.stdout is not None
    seen: list[str] = []
    for line in child.stdout:
        seen.append(line)
        if words in line:
            return "".join(seen)
    return "".join(seen)


async def test_the_check_prints_one_object_and_all_of_it_is_right() -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "portal.cli", "demo", "--check", "--json",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await child.communicate()

    found = json.loads(output)
    assert found["faults"] == []
    assert child.returncode == 0
    assert (found["bills"], found["messages"]) == (1000, 1000)
    assert (found["paid"], found["declined"], found["number"]) == (7, 1, "paid")
    assert found["slip"] == ["provisional", "paid"]
    assert (found["ledger_sum"], found["journal_differences"]) == (0, 0)
    assert found["audit_ok"] is True
    assert 0 < found["seconds_to_link"] < 120
    assert set(found["zones"]) == set(NAMES)
