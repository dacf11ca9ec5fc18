"""What an intruder does once he owns a zone's process; runs as that zone, prints JSON.

Each act is a function named by the caller. It holds what the zone's process holds and no more:
the environment, the files, the sockets. Nothing here may rely on what only root can do.
"""

import asyncio
import ctypes
import errno
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import msgspec

from portal.contract.client import VaultClient
from portal.contract.envelope import Authority, Operation, Reply, Request
from portal.domain.errors import PortalError
from portal.kit.crypto import client_context
from portal.kit.outbound import Outbound, OutboundRequest
from tests.make.memory import ask_valkey
from tests.make.raw_channel import RawChannel

Plan = dict[str, Any]

_PASSWORD_MAX = 200


def enter() -> None:
    """Run the act that is named on the command line with the plan on standard input."""
    act: Callable[[Plan], Any] = ACTS[sys.argv[1]]
    done = act(json.loads(sys.stdin.read()))
    if asyncio.iscoroutine(done):
        done = asyncio.run(done)
    sys.stdout.write(json.dumps(done))


def mine(name: str) -> str:
    """A setting of the zone that was taken, whatever zone it is."""
    found = [value for key, value in os.environ.items() if key.endswith(f"_{name}")]
    return min(found, key=len) if found else ""


def tls() -> ssl.SSLContext:
    """The zone's own certificate, as it uses it itself."""
    return client_context(Path(mine("CERT")), Path(mine("KEY")), Path(mine("CA")))


# --- files, sockets, processes -------------------------------------------------------------------


def try_files(plan: Plan) -> dict[str, dict[str, str]]:
    """Read and open for writing each of the paths; what came of it, by name of the error."""
    return {
        path: {"read": _tried(_read, path), "write": _tried(_open_for_writing, path)}
        for path in plan["paths"]
    }


def replace_files(plan: Plan) -> dict[str, str]:
    """Put another file in the place of each path, as one may who owns its folder."""
    return {path: _tried(_replace, path) for path in plan["paths"]}


def knock(plan: Plan) -> dict[str, str]:
    """Connect to each Unix socket and each loopback port."""
    return {
        **{path: _tried(_connect_unix, path) for path in plan.get("sockets", [])},
        **{str(port): _tried(_connect_tcp, port) for port in plan.get("ports", [])},
    }


def pry_open(plan: Plan) -> dict[str, dict[str, str]]:
    """Look into each process, trace it and signal it."""
    return {
        str(pid): {
            "environ": _tried(_read, f"/proc/{pid}/environ"),
            "maps": _tried(_read, f"/proc/{pid}/maps"),
            "mem": _tried(_open_memory, pid),
            "fd": _tried(os.listdir, f"/proc/{pid}/fd"),
            "root": _tried(os.listdir, f"/proc/{pid}/root"),
            "trace": _tried(_trace, pid),
            "signal": _tried(_signal, pid),
        }
        for pid in plan["pids"]
    }


def become(plan: Plan) -> dict[str, str]:
    """Take another uid or group, and mount or trace what only root may."""
    return {
        **{f"uid {uid}": _tried(os.setuid, uid) for uid in plan["uids"]},
        **{f"gid {gid}": _tried(os.setgid, gid) for gid in plan["gids"]},
        **{f"group {gid}": _tried(os.setgroups, [gid]) for gid in plan["gids"]},
    }


def sibling(_plan: Plan) -> dict[str, str]:
    """Start a child and look into it: the control for looking into anybody."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    os.close(reading)
    try:
        return pry_open({"pids": [child]})[str(child)]
    finally:
        os.close(writing)
        os.waitpid(child, 0)


def _tried(act: Callable[[Any], object], what: object) -> str:
    try:
        act(what)
    except OSError as fault:
        return errno.errorcode.get(fault.errno or 0, type(fault).__name__)
    return "ok"


def _read(path: str) -> None:
    if Path(path).is_dir():
        list(Path(path).iterdir())
        return
    with Path(path).open("rb", buffering=0) as file:
        file.read(1)


def _open_for_writing(path: str) -> None:
    if Path(path).is_dir():
        (Path(path) / ".intruder").touch()
        (Path(path) / ".intruder").unlink()
        return
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND))


def _replace(path: str) -> None:
    """Exactly what was there, so that a success breaks nothing for the tests that follow."""
    place = Path(path)
    fresh = place.with_name(f".{place.name}.intruder")
    fresh.write_bytes(place.read_bytes() if os.access(place, os.R_OK) else b"")
    fresh.chmod(0o640)
    fresh.replace(place)


def _connect_unix(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(5)
        link.connect(path)


def _connect_tcp(port: int) -> None:
    with socket.socket() as link:
        link.settimeout(5)
        link.connect(("127.0.0.1", port))


def _open_memory(pid: int) -> None:
    first = Path(f"/proc/{pid}/maps").read_text().partition("-")[0]
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        memory.seek(int(first, 16))
        memory.read(16)


def _trace(pid: int) -> None:
    """PTRACE_SEIZE and at once PTRACE_DETACH. Source: ptrace(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(0x4206, pid, None, None) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    libc.ptrace(17, pid, None, None)


def _signal(pid: int) -> None:
    os.kill(pid, signal.SIGCONT)


# --- the database --------------------------------------------------------------------------------


async def log_in_to_database(plan: Plan) -> dict[str, str]:
    """Every role, without a password, with those given and with all that is found in files."""
    import asyncpg  # noqa: PLC0415 - an intruder brings his own; the zones have none

    passwords = [None, "", *plan.get("passwords", []), *_found_secrets(plan["files"])]
    dial = cast("Callable[..., Awaitable[Any]]", asyncpg.connect)
    results: dict[str, str] = {}
    for role in plan["roles"]:
        for password in dict.fromkeys(passwords):
            try:
                link = await dial(
                    host=plan["host"], user=role, password=password, database=plan["database"],
                    timeout=5.0,
                )  # fmt: skip
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as no:
                results.setdefault(role, type(no).__name__)
            else:
                results[role] = str(await link.fetchval("select current_user"))
                await link.close()
                break
    return {**results, "tried": str(len(dict.fromkeys(passwords)))}


def _found_secrets(files: list[str]) -> list[str]:
    """Every short text in a file that can be read: one of them may be a password."""
    found: list[str] = []
    for path in files:
        try:
            raw = Path(path).read_bytes()
        except OSError:
            continue
        text = raw.decode("utf-8", "replace").strip()
        found.append(text)
        try:
            values = json.loads(text)
        except ValueError:
            continue
        if isinstance(values, dict):
            found += [value for value in values.values() if isinstance(value, str)]
    return [text for text in found if len(text) < _PASSWORD_MAX and "\0" not in text]


# --- the data API --------------------------------------------------------------------------------


def _operation(name: str) -> Operation[Any, Any]:
    return Operation(name, Request, Reply)


def _authority(plain: Plan | None) -> Authority | None:
    if plain is None:
        return None
    return Authority(
        capability=bytes.fromhex(plain["capability"]),
        key=bytes.fromhex(plain["key"]),
        expires_at=plain["expires_at"],
    )


async def call_vault(plan: Plan) -> list[dict[str, str]]:
    """The calls of the plan on one channel; replies as they came, refusals by code."""
    client = await VaultClient.connect(mine("VAULT_SOCKET"), tls())
    answers: list[dict[str, str]] = []
    try:
        for asked in plan["calls"]:
            body = msgspec.Raw(bytes.fromhex(asked["body"]))
            grant = _authority(asked["authority"])
            channel = await client._open()
            try:
                answer = await channel.call(
                    _operation(asked["operation"]), bytes(body), grant, timeout_s=20.0
                )
            except PortalError as lost:
                answers.append({"body": "", "code": lost.code})
                continue
            code = "" if answer.failure is None else answer.failure.code
            answers.append({"body": answer.body.hex(), "code": code})
    finally:
        await client.close()
    return answers


async def greet(plan: Plan) -> dict[str, str]:
    """Connect to the vault with certificate files of the plan; the error's name when cut off."""
    results: dict[str, str] = {}
    for name, files in plan["certificates"].items():
        try:
            context = client_context(*(Path(file) for file in files))
            channel = await RawChannel.open(Path(plan["socket"]), context)
        except (OSError, asyncio.IncompleteReadError) as cut:
            results[name] = type(cut).__name__
        else:
            results[name] = "greeted"
            await channel.close()
    return results


async def record(plan: Plan) -> dict[str, Any]:
    """Write down the bytes that the zone's own client sends for one call, as its owner can."""
    client = await VaultClient.connect(mine("VAULT_SOCKET"), tls())
    channel = await client._open()
    sent: list[bytes] = []
    transport = cast("Any", channel._transport)
    write = transport.write

    def listening(data: bytes) -> None:
        sent.append(bytes(data))
        write(data)

    transport.write = listening
    try:
        first = await channel.call(
            _operation(plan["operation"]),
            bytes.fromhex(plan["body"]),
            _authority(plan.get("authority")),
            10.0,
        )
        frame = b"".join(sent)
        again = "answered"
        write(frame)  # the same bytes once more on the very channel that they were made for
        try:
            await channel.call(_operation(plan["operation"]), b"\x80", None, 5.0)
        except PortalError as lost:
            again = lost.code
    finally:
        await client.close()
    code = "" if first.failure is None else first.failure.code
    return {"frame": frame.hex(), "first": code, "again": again}


async def replay(plan: Plan) -> str:
    """Send recorded bytes as the first frame of a fresh channel."""
    channel = await RawChannel.open(Path(mine("VAULT_SOCKET")), tls())
    try:
        await channel.send_bytes(bytes.fromhex(plan["frame"]))
        try:
            answer = await channel.answer()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            return "cut off"
        return "answered" if answer.failure is None else answer.failure.code
    finally:
        await channel.close()


# --- the way out ---------------------------------------------------------------------------------


async def send_out(plan: Plan) -> list[str]:
    """Each request through the relay by itself; the status, or why it was not sent."""
    socket_path = plan.get("socket") or mine("EGRESS_SOCKET") or mine("SOCKET")
    outbound = Outbound(Path(socket_path))
    results: list[str] = []
    try:
        for plain in plan["requests"]:
            request = msgspec.convert(plain, OutboundRequest)
            [answer] = await outbound.send([request])
            text = answer.body.decode("utf-8", "replace")
            results.append(f"{answer.status} {text}" if answer.fate == "answered" else answer.code)
    finally:
        await outbound.aclose()
    return results


async def tunnel(plan: Plan) -> list[str]:
    """CONNECT to each target; the answer's first line."""
    results: list[str] = []
    for target in plan["targets"]:
        try:
            reader, writer = await asyncio.open_unix_connection(plan["socket"])
            writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            line = await asyncio.wait_for(reader.readline(), 8)
            writer.close()
        except OSError as refused:
            results.append(errno.errorcode.get(refused.errno or 0, type(refused).__name__))
        else:
            results.append(line.decode("latin-1").strip())
    return results


async def dial(plan: Plan) -> list[str]:
    """HTTPS to loopback past the relay, with whatever the intruder has; the status lines."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # an intruder does not care whom he tells
    results: list[str] = []
    for wanted in plan["requests"]:
        reader, writer = await asyncio.open_connection(  # noqa: TID251 - the attempt itself
            "127.0.0.1", wanted["port"], ssl=context, server_hostname=wanted["host"]
        )
        bearer = f"Authorization: Bearer {wanted['bearer']}\r\n" if "bearer" in wanted else ""
        head = f"GET {wanted['path']} HTTP/1.1\r\nHost: {wanted['host']}\r\n{bearer}\r\n"
        writer.write(head.encode())
        results.append((await asyncio.wait_for(reader.readline(), 8)).decode().strip())
        writer.transport.abort()
    return results


def tell_valkey(plan: Plan) -> list[str]:
    """Commands to Valkey, word by word (``hex:`` before a word of bytes); the answers' lines."""
    said: list[str] = []
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(5)
        link.connect(plan["socket"])
        for command in plan["commands"]:
            words = [
                bytes.fromhex(word[4:]) if word.startswith("hex:") else word.encode()
                for word in command
            ]
            said.append(ask_valkey(link, *words).partition(b"\r\n")[0].decode())
    return said


def unpickle(plan: Plan) -> None:
    """What a queue that trusts pickle would do with a body."""
    import pickle  # noqa: PLC0415, TID251 - the attempt itself

    pickle.loads(bytes.fromhex(plan["body"]))  # noqa: S301 - the attempt itself


def modules(plan: Plan) -> list[str]:
    """Import what the process imports, in a fresh interpreter, and tell all that came with it."""
    told = f"import json, sys, {', '.join(plan['entries'])}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(  # noqa: S603 - modules named by the test
        [sys.executable, "-c", told], capture_output=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


ACTS: dict[str, Callable[[Plan], Any]] = {
    act.__name__: act
    for act in (
        try_files, replace_files, knock, pry_open, become, sibling, log_in_to_database,
        call_vault, greet, record, replay, send_out, tunnel, dial, tell_valkey, unpickle, modules,
    )
}  # fmt: skip
