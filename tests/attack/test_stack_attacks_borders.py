"""What an owner of one zone's process finds on the machine: files, sockets, processes, a database.

Executed under the very uid and groups of the zone in a stack that runs. Beside each attempt stands
the same thing done by whoever may do it.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from portal.stack.certificates import SANDBOX_HOSTS
from portal.stack.drill.ground import children_of
from portal.stack.postgres import BOOTSTRAP, DATABASE, MIGRATE, OWNER, VAULT
from portal.stack.users import CALLERS
from tests.make.intruder import OWNED, ZONES, Town

pytestmark = [pytest.mark.root, pytest.mark.stack, pytest.mark.timeout(240)]

DRIVERS = ("asyncpg", "sqlalchemy", "sqlmodel", "psycopg", "psycopg2", "alembic", "sqlite3")
ENTRIES = {
    "web": ["portal.cli", "portal.application.run"],
    "work": ["portal.cli", "worker.main", "worker.child", "worker.supervisor"],
    "egress": ["portal.cli", "portal.egress.run"],
    "dmz": ["portal.cli", "portal.dmz.run"],
}
NAMES = (*ZONES, "postgres", "valkey")


def everything(town: Town) -> list[str]:
    """Every file and folder of the stack, as only root can list them."""
    layout = town.stack.layout
    found: list[str] = []
    for root in (layout.state, layout.run):
        for parent, _, files in os.walk(root):
            if "/postgres/data/" not in parent:
                found += [parent, *(str(Path(parent, file)) for file in files)]
    return found


def is_for(town: Town, zone: str, path: str) -> bool:
    """Whether a zone may have to do with a path: its own, and the doors of those it calls."""
    layout = town.stack.layout
    own = [layout.zone(zone), layout.run / zone]
    own += [layout.run / callee for callee, callers in CALLERS.items() if zone in callers]
    own += {"vault": [layout.heads], "egress": [layout.rules]}.get(zone, [])
    return any(Path(path).is_relative_to(folder) for folder in own)


def family(town: Town, name: str) -> list[int]:
    """A process of the stack with all that it started."""
    pid = town.pid(name)
    return [pid, *children_of(pid)]


@pytest.mark.parametrize("zone", OWNED)
def test_no_role_of_the_database_can_be_had(town: Town, zone: str) -> None:
    """With no password, with every text in a readable file, and even with the true password."""
    host = town.stack.layout.run / "postgres"
    files = [path for path in everything(town) if Path(path).is_file()]
    roles = [VAULT, MIGRATE, OWNER, BOOTSTRAP, "postgres", zone]
    true = [(town.stack.layout.zone("vault") / "database.password").read_text()]
    plan = {"host": str(host), "database": DATABASE, "roles": roles}

    attempt = town.intrude(zone, "log_in_to_database", files=files, passwords=true, **plan)
    control = town.intrude("vault", "log_in_to_database", files=files, **plan)

    assert {attempt[role] for role in roles} == {"PermissionError"}
    assert int(attempt["tried"]) >= 3
    assert control[VAULT] == VAULT
    refused = {control[role] for role in roles if role != VAULT}
    assert refused == {"InvalidAuthorizationSpecificationError", "InvalidPasswordError"}


@pytest.mark.parametrize("zone", ZONES)
def test_no_zone_reads_or_writes_what_is_not_its_own(town: Town, zone: str) -> None:
    """Keys, certificates, root key, cookie key, queue key, credentials, heads, logs, passwords."""
    layout = town.stack.layout
    tried = town.intrude(zone, "try_files", paths=everything(town))

    foreign = {path: seen for path, seen in tried.items() if not is_for(town, zone, path)}
    assert len(foreign) > 40
    assert {seen["read"] for seen in foreign.values()} == {"EACCES"}, foreign
    assert {seen["write"] for seen in foreign.values()} == {"EACCES"}, foreign
    for secret in ("vault/root.key", "vault/key.pem", "web/cookie.key", "work/queue.key"):
        path = str(layout.state / "zones" / secret)
        assert (path in foreign) is not secret.startswith(f"{zone}/")

    own = {path: seen for path, seen in tried.items() if path.startswith(f"{layout.zone(zone)}/")}
    assert own
    assert {seen["read"] for seen in own.values()} == {"ok"}


def test_the_egress_cannot_put_other_rules_in_the_place_of_its_own(town: Town) -> None:
    layout = town.stack.layout
    rules = [str(layout.rules / name) for name in ("rules.json", "rules.pub", "companies.pem")]
    journal = str(layout.zone("egress") / "journal" / "denied.jsonl")
    Path(journal).touch()
    os.chown(journal, layout.accounts["egress"].effective_uid, -1)

    seen = town.intrude("egress", "try_files", paths=rules)
    done = town.intrude("egress", "replace_files", paths=[*rules, journal])

    assert {seen[path]["read"] for path in rules} == {"ok"}
    assert {seen[path]["write"] for path in rules} == {"EACCES"}
    assert {done[path] for path in rules} == {"EACCES"}
    assert done[journal] == "ok"


@pytest.mark.parametrize("zone", [*ZONES, "postgres", "valkey"])
def test_only_listed_callers_come_through_a_door(town: Town, zone: str) -> None:
    """Of all sockets that there are, a uid reaches its own and those of whom it calls."""
    run = town.stack.layout.run
    sockets = {
        "vault": run / "vault" / "vault.sock",
        "web": run / "web" / "web.sock",
        "egress": run / "egress" / "egress.sock",
        "tunnel": run / "egress" / "tunnel.sock",
        "postgres": run / "postgres" / ".s.PGSQL.5432",
        "valkey": run / "valkey" / "valkey.sock",
    }
    owner = {"tunnel": "egress"}
    seen = town.intrude(zone, "knock", sockets=[str(path) for path in sockets.values()])

    for name, path in sockets.items():
        callee = owner.get(name, name)
        may = zone == callee or zone in CALLERS[callee]
        assert seen[str(path)] == ("ok" if may else "EACCES"), f"{zone} at {name}"
    reached = [name for name, path in sockets.items() if seen[str(path)] == "ok"]
    assert bool(reached) is (zone != "sandbox"), "the control: those who call somebody do reach him"


@pytest.mark.parametrize("zone", OWNED)
def test_no_zone_looks_into_traces_or_signals_another(town: Town, zone: str) -> None:
    """Environment, memory map, memory, descriptors, root, ptrace, signals."""
    names = [name for name in NAMES if name != zone]
    others = {pid for name in names for pid in family(town, name)}

    seen = town.intrude(zone, "pry_open", pids=sorted(others))
    control = town.intrude(zone, "sibling")

    # PostgreSQL ends a process with each connection: one that is gone by now tells nothing.
    stayed = others & {pid for name in names for pid in family(town, name)}
    assert {town.pid(name) for name in names} <= stayed
    assert len(stayed) >= 9
    for pid in stayed:
        assert set(seen[str(pid)].values()) <= {"EACCES", "EPERM"}, seen[str(pid)]
    assert set(control.values()) == {"ok"}


@pytest.mark.parametrize("zone", ["vault", "egress"])
def test_not_even_its_own_uid_reads_the_memory_of_who_holds_keys(town: Town, zone: str) -> None:
    """PR_SET_DUMPABLE 0: somebody else under the same uid gets nothing but the right to signal."""
    own = str(town.pid(zone))

    seen = town.intrude(zone, "pry_open", pids=[int(own)])[own]
    control = town.intrude(zone, "sibling")

    closed = {name: what for name, what in seen.items() if name not in {"signal", "maps"}}
    assert set(closed.values()) <= {"EACCES", "EPERM"}, seen
    assert seen["maps"] in {"EACCES", "EPERM"}
    assert set(control.values()) == {"ok"}
    limits = Path(f"/proc/{own}/limits").read_text()
    assert re.search(r"Max core file size\s+0\s+0", limits), "and leaves no core file"


@pytest.mark.parametrize("zone", ZONES)
def test_no_zone_becomes_anybody_else(town: Town, zone: str) -> None:
    accounts = town.stack.layout.accounts
    own = accounts[zone]
    uids = [0, *(one.uid for one in accounts.values() if one.uid != own.uid)]
    doors = [0, *(one.door for one in accounts.values() if one.door not in own.groups)]

    done = town.intrude(zone, "become", uids=uids, gids=doors)
    control = town.intrude(zone, "become", uids=[own.uid], gids=[own.gid])

    assert set(done.values()) == {"EPERM"}
    assert control[f"uid {own.uid}"] == "ok"
    assert control[f"gid {own.gid}"] == "ok"


@pytest.mark.parametrize("name", NAMES)
def test_every_process_runs_without_rights_of_root(town: Town, name: str) -> None:
    account = town.stack.layout.accounts[name]
    seen = [status for pid in family(town, name) if (status := status_of(pid))]
    assert seen
    for status in seen:
        assert set(status["Uid"].split()) == {str(account.uid)}
        assert set(status["Gid"].split()) == {str(account.gid)}
        assert set(status["Groups"].split()) == {str(group) for group in account.groups}
        assert status["NoNewPrivs"] == "1"
        assert {int(status[cap], 16) for cap in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {0}
    assert int(status_of(os.getpid())["CapEff"], 16) != 0, "the control: root's own are seen"


def test_no_secret_stands_in_a_command_line_or_an_environment(town: Town) -> None:
    layout = town.stack.layout
    secrets = {
        path.read_bytes().strip()
        for path in (
            *layout.state.glob("zones/*/*.key"),
            *layout.state.glob("postgres/secrets/*"),
            layout.zone("vault") / "database.password",
        )
    }
    credentials = json.loads((layout.zone("egress") / "credentials.json").read_text())
    secrets |= {value.encode() for value in credentials.values()}
    secrets |= {town.access.api_key.encode(), town.access.staff[0].password.encode()}
    assert len(secrets) >= 8

    shown = b"".join(started_with(pid) for name in NAMES for pid in family(town, name))

    assert not [secret for secret in secrets if secret in shown or secret.hex().encode() in shown]
    assert b"root.key" in shown, "the control: their files' names are there"
    assert all(started_with(town.pid(name)) for name in NAMES)


def started_with(pid: int) -> bytes:
    """The command line and the environment; nothing of a process that has ended meanwhile."""
    try:
        return b"".join(Path(f"/proc/{pid}/{of}").read_bytes() for of in ("cmdline", "environ"))
    except (FileNotFoundError, ProcessLookupError):
        return b""


def status_of(pid: int) -> dict[str, str]:
    """Nothing of a process that has ended meanwhile."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def tcp_sockets() -> Iterator[tuple[int, int, bool, str]]:
    """Port, uid, whether it listens, inode: of every TCP socket of this machine."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            part = line.split()
            yield int(part[1].rpartition(":")[2], 16), int(part[7]), part[3] == "0A", part[9]


def test_nothing_listens_for_tcp_but_the_front_door_and_the_outside(town: Town) -> None:
    layout = town.stack.layout
    uids = {account.uid: name for name, account in layout.accounts.items()}

    listening = {
        (uids[uid], port) for port, uid, is_open, _ in tcp_sockets() if is_open and uid in uids
    }

    assert listening == {
        ("dmz", layout.ports.portal),
        ("sandbox", layout.ports.browser),
        ("sandbox", layout.ports.api),
    }


@pytest.mark.parametrize("name", ["vault", "web", "work", "postgres", "valkey"])
def test_processes_behind_the_relay_hold_no_tcp_connection(town: Town, name: str) -> None:
    """The vault and the database have no way out, and the application uses none but its sockets."""
    inodes = {inode: port for port, _, _, inode in tcp_sockets()}

    def held(of: str) -> list[int]:
        found: list[int] = []
        for pid in family(town, of):
            with suppress(FileNotFoundError, ProcessLookupError):  # closed or ended meanwhile
                for entry in Path(f"/proc/{pid}/fd").iterdir():
                    match = re.fullmatch(r"socket:\[(\d+)\]", str(entry.readlink()))
                    if match and match[1] in inodes:
                        found.append(inodes[match[1]])
        return found

    assert held(name) == []
    assert town.stack.layout.ports.portal in held("dmz"), "the control: the front door's is seen"


def test_no_rule_lets_the_vault_out_and_the_relay_does_not_hear_it(town: Town) -> None:
    layout = town.stack.layout
    sms = {
        "host": SANDBOX_HOSTS[0],
        "port": layout.ports.api,
        "method": "GET",
        "path": "/v1/messages",
    }
    socket = str(layout.socket("egress"))

    attempt = town.intrude("vault", "send_out", socket=socket, requests=[sms])
    control = town.intrude("work", "send_out", socket=socket, requests=[sms])

    assert attempt == ["relay_away"]
    assert control == ["method_not_allowed"]
    callers = town.environment("egress")["PORTAL_EGRESS_CALLERS"]
    roles = dict(pair.split("=") for pair in callers.split(","))
    assert set(roles.values()) == {"web", "work"}
    assert str(layout.accounts["vault"].uid) not in roles


@pytest.mark.parametrize("name", ["web", "work", "egress", "dmz"])
def test_no_live_process_but_the_vault_has_a_database_driver_loaded(town: Town, name: str) -> None:
    """Their extension modules would be mapped: asyncpg's, SQLAlchemy's, psycopg's libpq."""

    def mapped(of: str) -> set[str]:
        maps = "".join(Path(f"/proc/{pid}/maps").read_text() for pid in family(town, of))
        wanted = (*DRIVERS, "libpq", "_sqlite3")
        return {driver for driver in wanted if f"/{driver}" in maps}

    assert mapped(name) == set()
    assert "asyncpg" in mapped("vault")


@pytest.mark.parametrize("name", ["web", "work", "egress", "dmz"])
def test_nothing_that_a_process_imports_brings_a_database_driver(town: Town, name: str) -> None:
    brought = town.intrude(name, "modules", entries=ENTRIES[name])
    control = town.intrude("vault", "modules", entries=["portal.cli", "portal.vault.run"])

    def drivers(modules: list[str]) -> set[str]:
        return {module.partition(".")[0] for module in modules} & {*DRIVERS, "portal.vault"}

    assert drivers(brought) == set()
    assert not [module for module in brought if module.startswith("portal.vault")]
    assert "asyncpg" in drivers(control)
