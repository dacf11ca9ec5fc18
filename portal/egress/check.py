"""The battery: hostile CONNECTs against a running relay, each with the answer it must get.

Zone: egress. :func:`run` tries it on the relay of the environment's settings, the tests on one of
their own. It needs one tunnel rule for the caller's role as its positive
control; without it only refusals can be seen, which proves little, and it says so. It works from
outside, through the socket alone.
"""

import asyncio
import os
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from portal.egress.callers import read_callers
from portal.egress.hello import BUFFER_BYTES_MAX
from portal.egress.policy import RuleBook
from portal.egress.settings import EgressSettings, read_verify_key

PATIENCE_S: Final = 9.0
"""Longer than the relay's own deadlines of 5 s, which some probes wait for."""
AT_ONCE: Final = 16

_VERSIONS: Final = b"\x00\x2b\x00\x05\x04\x03\x04\x03\x03"
"""supported_versions as OpenSSL writes it for 1.3 and 1.2; 1.2 is the last two bytes."""

PASSED: Final = "passed on"
CUT: Final = "cut"


@dataclass(frozen=True, slots=True)
class Probe:
    """What is sent, in pieces, and what must come back.

    ``expected`` is a status with its code (``403 host_not_listed``), or, once the tunnel is open
    and ``hello`` was sent, PASSED or CUT. ``pause_s`` lies between the pieces.
    """

    name: str
    head: tuple[bytes, ...]
    expected: str
    hello: tuple[bytes, ...] | None = None
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One probe and what came of it."""

    probe: Probe
    seen: str

    @property
    def is_good(self) -> bool:
        """Whether it is what must be."""
        return self.seen == self.probe.expected


async def run_battery(socket: Path, host: str, port: int) -> list[Finding]:
    """Every probe against the relay at ``socket``; ``host`` and ``port`` are a tunnel rule's."""
    places = asyncio.Semaphore(AT_ONCE)

    async def find(probe: Probe) -> Finding:
        async with places:
            return Finding(probe, await _try(socket, probe))

    async with asyncio.TaskGroup() as trying:
        tasks = [trying.create_task(find(probe)) for probe in battery(host, port)]
    return [task.result() for task in tasks]


def battery(host: str, port: int) -> Iterator[Probe]:
    """The probes for one listed host and port."""
    yield from _targets(host, port)
    yield from _heads(host, port)
    yield from _hellos(host, port)


def client_hello(name: str | None) -> bytes:
    """What OpenSSL would say first to ``name``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is received, so there is nothing to verify
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    msg = "a handshake without a server"
    raise AssertionError(msg)


def connect_head(target: str | bytes, *headers: bytes, host: str | bytes | None = None) -> bytes:
    """A CONNECT head whose Host says the same as the target, unless told otherwise."""
    raw = target.encode() if isinstance(target, str) else target
    same = raw if host is None else host.encode() if isinstance(host, str) else host
    return b"\r\n".join((b"CONNECT " + raw + b" HTTP/1.1", b"Host: " + same, *headers, b"", b""))


def _targets(host: str, port: int) -> Iterator[Probe]:
    """Where to: spellings of the listed host, and whatever is not it."""

    def target(name: str, text: str | bytes, expected: str) -> Probe:
        return Probe(name, (connect_head(text),), expected)

    yield target("listed host", f"{host}:{port}", "200")
    yield target("capital letters", f"{host.upper()}:{port}", "200")
    yield target("one trailing dot", f"{host}.:{port}", "200")
    yield target("two trailing dots", f"{host}..:{port}", "400 host_invalid")
    yield target("brackets round a name", f"[{host}]:{port}", "400 host_invalid")
    for literal in ("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1"):
        yield target(f"address {literal}", f"{literal}:{port}", "400 host_invalid")
    for literal in ("[::1]", "[::ffff:127.0.0.1]"):
        yield target(f"address {literal}", f"{literal}:{port}", "400 host_invalid")
    yield target("userinfo", f"evil@{host}:{port}", "400 host_invalid")
    yield target("two authorities", f"{host}:{port}@evil:{port}", "400 port_invalid")
    yield target("percent escape", f"%6c{host[1:]}:{port}", "400 host_invalid")
    yield target("another port", f"{host}:22", "403 host_not_listed")
    yield target("port 0", f"{host}:0", "400 port_invalid")
    yield target("leading zero", f"{host}:0{port}", "400 port_invalid")
    yield target("plus sign", f"{host}:+{port}", "400 port_invalid")
    yield target("port beyond 16 bits", f"{host}:{port + 65_536}", "400 port_invalid")
    yield target("no port", host, "400 port_invalid")
    yield target("listed host as a label", f"{host}.evil.test:{port}", "403 host_not_listed")
    yield target("listed host as a suffix", f"x{host}:{port}", "403 host_not_listed")
    yield target("below the listed host", f"x.{host}:{port}", "403 host_not_listed")
    yield target("underscore", f"_{host}:{port}", "400 host_invalid")
    yield target("NUL", f"{host}\0.evil.test:{port}", "400 head_invalid")
    for name, letters in (("full width", "\uff41"), ("dot", "\u3002"), ("hyphen", "\u00ad")):
        yield target(f"Unicode {name}", f"{letters}{host}:{port}", "400 head_invalid")
    yield target("overlong label", f"{'a' * 64}.test:{port}", "400 host_invalid")
    yield target("metadata address", f"169.254.169.254:{port}", "400 host_invalid")


def _heads(host: str, port: int) -> Iterator[Probe]:
    """How it is said: everything that two parsers could read in two ways."""
    target = f"{host}:{port}"
    good = connect_head(target)
    line = f"CONNECT {target} HTTP/1.1".encode()

    def head(name: str, raw: bytes, expected: str = "400 head_invalid") -> Probe:
        return Probe(name, (raw,), expected)

    yield head("Host differs", connect_head(target, host=f"evil.test:{port}"), "400 host_differs")
    yield head(
        "target differs", connect_head(f"evil.test:{port}", host=target), "403 host_not_listed"
    )
    yield head("two Hosts", connect_head(target, f"Host: {target}".encode()))
    yield head("no Host", line + b"\r\n\r\n")
    yield head("Host without a port", connect_head(target, host=host), "400 port_invalid")
    for header in (b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Proxy-Authorization: x"):
        name = header.partition(b":")[0].decode()
        yield head(name, connect_head(target, header), "400 header_not_allowed")
    yield head("data before the answer", good + b"\x16\x03\x01", "400 data_before_answer")
    origin = f"GET / HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()
    yield head("origin form", origin, "405 method_not_connect")
    for method in ("GET", "POST", "OPTIONS"):
        absolute = f"{method} {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()
        yield head(f"method {method}", absolute, "405 method_not_connect")
    yield head("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    yield head("HTTP/1.0", good.replace(b"HTTP/1.1", b"HTTP/1.0"))
    yield head("no version", good.replace(b" HTTP/1.1", b""))
    yield head("tabs", line.replace(b" ", b"\t") + b"\r\n\r\n")
    yield head("two spaces", good.replace(b"CONNECT ", b"CONNECT  "))
    yield head("small letters", good.replace(b"CONNECT", b"connect"))
    yield head("bare line feeds", good.replace(b"\r\n", b"\n"))
    yield head("bare carriage return", good.replace(b"Host", b"X\rHost"))
    yield head("folded header", connect_head(target, b"User-Agent: a", b" b"))
    yield head("space before colon", connect_head(target, b"User-Agent : a"))
    yield head("8 KB of header", connect_head(target, b"User-Agent: " + b"a" * 131_072),
               "431 head_too_long")  # fmt: skip
    yield head("8 KB without an end", line + b"\r\nUser-Agent: " + b"a" * 10_000,
               "431 head_too_long")  # fmt: skip
    yield Probe("byte by byte", tuple(good[n : n + 1] for n in range(len(good))), "200")
    yield Probe("silence", (), "408 head_timed_out")
    yield Probe(
        "slow bytes", tuple(good[n : n + 1] for n in range(10)), "408 head_timed_out", pause_s=0.5
    )


def _hellos(host: str, port: int) -> Iterator[Probe]:
    """What follows the 200: only TLS to the same name passes."""
    head = (connect_head(f"{host}:{port}"),)
    good = client_hello(host)

    def hello(name: str, expected: str, *pieces: bytes) -> Probe:
        return Probe(name, head, expected, pieces)

    yield hello("its own name", PASSED, good)
    yield hello("its own name in capitals", PASSED, client_hello(host.upper()))
    yield hello("byte by byte hello", PASSED, *(good[n : n + 1] for n in range(len(good))))
    yield hello("hello in two records", PASSED, in_records(good, 100))
    yield hello("another name", CUT, client_hello("evil.test"))
    yield hello("a name below", CUT, client_hello(f"x.{host}"))
    yield hello("no name", CUT, client_hello(None))
    yield hello("TLS 1.1 at most", CUT, good.replace(_VERSIONS, _VERSIONS[:5] + b"\3\2\3\1"))
    yield hello("plain HTTP", CUT, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    yield hello("SSH", CUT, b"SSH-2.0-x\r\n")
    yield hello("nothing", CUT)
    yield hello("hello without an end", CUT, endless_hello())
    yield hello("empty records", CUT, b"\x16\x03\x01\x00\x00" * 10)
    yield hello("half a hello", CUT, good[:50])


def in_records(hello: bytes, size: int) -> bytes:
    """The same ClientHello cut into records of ``size`` bytes."""
    message = hello[5:]
    pieces = (message[place : place + size] for place in range(0, len(message), size))
    return b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece for piece in pieces)


def endless_hello() -> bytes:
    """Records of a ClientHello that announces 16 KB and goes on beyond what is read of it."""
    start = b"\x01" + (16_000).to_bytes(3, "big")
    return in_records(b"\0" * 5 + start + b"\x03\x03" + b"\0" * 2 * BUFFER_BYTES_MAX, 16)


async def _try(socket: Path, probe: Probe) -> str:
    """Send one probe; its status and code, or what became of the hello."""
    reader, writer = await asyncio.open_unix_connection(str(socket))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await _send(writer, probe.head, probe.pause_s)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, _, code = answer.partition("\r\n")[0].removeprefix("HTTP/1.1 ").partition(" ")
            if status != "200":
                return f"{status} {code}"
            if probe.hello is None:
                return status
            await _send(writer, probe.hello, probe.pause_s)
            return PASSED if await reader.read(1) else CUT
    except asyncio.IncompleteReadError:
        return CUT
    except TimeoutError:
        return "no answer"
    except OSError:
        # A relay that cuts resets; the difference means nothing.
        return CUT
    finally:
        writer.transport.abort()


async def _send(writer: asyncio.StreamWriter, pieces: tuple[bytes, ...], pause_s: float) -> None:
    """Send the pieces; a relay that refuses before the last has its answer read all the same."""
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
    except OSError:
        return


def run() -> None:
    """Run the battery against the environment's relay; exit code 1 when one answer is wrong."""
    settings = EgressSettings.read()
    roles = read_callers(settings.callers).get(os.geteuid(), frozenset())
    book = RuleBook(
        settings.rules_file,
        read_verify_key(settings.rules_key_file),
        settings.journal_file.parent,
        production=settings.production,
    )
    tunnels = [rule for rule in book.policy.rules if rule.mode == "tunnel" and rule.role in roles]
    # A name that can't exist: every positive control fails then, and is reported as such.
    host, port = (tunnels[0].host, tunnels[0].port) if tunnels else ("control.invalid", 443)
    findings = asyncio.run(run_battery(settings.tunnel_socket, host, port))
    for finding in findings:
        mark = "ok  " if finding.is_good else "BAD "
        sys.stdout.write(f"{mark} {finding.probe.name}: {finding.seen}")
        sys.stdout.write("\n" if finding.is_good else f" (must be {finding.probe.expected})\n")
    if not tunnels:
        sys.stdout.write(
            "no tunnel rule for this uid: without a positive control this is no proof\n"
        )
    raise SystemExit(0 if tunnels and all(finding.is_good for finding in findings) else 1)
