"""A process with no network but its Unix sockets reaches what is listed, and nothing else.

It runs in a network namespace without interfaces (``unshare -Urn``), which needs no root. The same
probes outside the namespace must succeed, or their failing inside would prove nothing.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec
import pytest

from portal.kit.outbound import OutboundRequest
from tests.make.relay import Relay, running_relay

INSIDE = ["unshare", "-Urn"]

PROBES = """
import asyncio, json, socket, sys
from pathlib import Path
import msgspec
from portal.kit.outbound import Outbound, OutboundRequest

plan = json.loads(sys.argv[1])

def reach(family, kind, address, data=b""):
    with socket.socket(family, kind) as link:
        link.settimeout(3)
        try:
            link.connect(tuple(address) if isinstance(address, list) else address)
            if data:
                link.send(data)
                link.recv(100)
        except OSError as error:
            return type(error).__name__ + " " + str(error.errno)
        return "reached"

async def through_relay(request):
    request = msgspec.convert(request, OutboundRequest)
    answer = (await Outbound(Path(plan["socket"])).send([request]))[0]
    return answer.fate + " " + answer.code

V4, V6, UNIX = socket.AF_INET, socket.AF_INET6, socket.AF_UNIX
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
DNS = bytes.fromhex("000101000001000000000000076578616d706c6503636f6d0000010001")
print(json.dumps({
    "listed": asyncio.run(through_relay(plan["listed"])),
    "unlisted": asyncio.run(through_relay(plan["unlisted"])),
    "tcp": reach(V4, TCP, ["127.0.0.1", plan["tcp"]]),
    "tcp6": reach(V6, TCP, ["::1", plan["tcp6"]]) if plan["tcp6"] else "no IPv6 here",
    "udp": reach(V4, UDP, ["127.0.0.1", plan["udp"]], b"ping"),
    "dns": reach(V4, UDP, ["127.0.0.1", plan["udp"]], DNS),
    "abstract": reach(UNIX, TCP, "\\0" + plan["abstract"]),
    "outside": reach(V4, TCP, ["1.1.1.1", 443]),
    "metadata": reach(V4, TCP, ["169.254.169.254", 80]),
    "resolver": reach(V4, UDP, ["8.8.8.8", 53], DNS),
    "outside6": reach(V6, TCP, ["2606:4700:4700::1111", 443]),
}))
"""

LOCAL = ("tcp", "tcp6", "udp", "dns", "abstract")
"""Probes that a listener of the test answers outside."""


@dataclass(frozen=True)
class Ground:
    """A relay, and listeners that a process with a network would reach."""

    relay: Relay
    tcp: int
    tcp6: int
    udp: int
    abstract: str

    async def probe(self, *prefix: str) -> dict[str, str]:
        """Run the probes in a process, under a prefix such as ``unshare -Urn``."""
        plan = {
            "socket": str(self.relay.settings.socket),
            "listed": _plain(self.relay.request()),
            "unlisted": _plain(self.relay.request(host="evil.test")),
            "tcp": self.tcp,
            "tcp6": self.tcp6,
            "udp": self.udp,
            "abstract": self.abstract,
        }
        process = await asyncio.create_subprocess_exec(
            *prefix, sys.executable, "-c", PROBES, json.dumps(plan), stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await process.communicate()
        assert process.returncode == 0
        return json.loads(printed)


@pytest.fixture(autouse=True)
def namespaces() -> None:
    """Skip where the system forbids namespaces, but never where it must be proven."""
    tried = shutil.which("unshare") and subprocess.run([*INSIDE, "true"], check=False)  # noqa: S603  # a constant
    if tried and tried.returncode == 0:
        return
    reason = "this system allows no user and network namespaces (unshare -Urn)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def listeners() -> Iterator[tuple[int, int, str]]:
    """Ports of TCP on both families, and an abstract socket."""
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port6 = 0
        if socket.has_dualstack_ipv6() and _has_loopback6():
            tcp6 = stack.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6))
            port6 = tcp6.getsockname()[1]
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0harai-test-{os.getpid()}")
        abstract.listen()
        yield tcp.getsockname()[1], port6, f"harai-test-{os.getpid()}"


@pytest.fixture
async def ground(tmp_path: Path, listeners: tuple[int, int, str]) -> AsyncIterator[Ground]:
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("asyncio.DatagramTransport", transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.transport.sendto(data, addr)

    loop = asyncio.get_running_loop()
    udp, _ = await loop.create_datagram_endpoint(Echo, ("127.0.0.1", 0))
    tcp, tcp6, abstract = listeners
    async with running_relay(tmp_path) as relay:
        port = udp.get_extra_info("sockname")[1]
        yield Ground(relay, tcp, tcp6, port, abstract)
    udp.close()


async def test_without_a_network_only_the_listed_host_is_reached(ground: Ground) -> None:
    outside = await ground.probe()
    inside = await ground.probe(*INSIDE)

    reached = [name for name in LOCAL if outside[name] == "reached"]
    assert set(reached) >= set(LOCAL) - {"tcp6"}
    assert outside["listed"] == "answered "
    assert inside["listed"] == "answered "
    assert inside["unlisted"] == "not_sent host_not_listed"
    assert [name for name, what in inside.items() if what == "reached"] == []
    assert len(ground.relay.provider.seen) == 2


@pytest.mark.root
async def test_a_process_without_rights_is_shut_in_just_as_well(ground: Ground) -> None:
    """As nobody, whom the relay does not know: not even the listed host is left."""
    for folder in (ground.relay.folder, *ground.relay.folder.parents[:2]):
        folder.chmod(0o755)

    inside = await ground.probe("setpriv", "--reuid", "65534", "--clear-groups", *INSIDE)

    # The relay hangs up on a stranger: before the slice was written, or behind it.
    assert inside["listed"] in {"unclear relay_lost", "not_sent relay_away"}
    assert [name for name, what in inside.items() if what == "reached"] == []
    assert ground.relay.provider.seen == []


def _plain(request: OutboundRequest) -> object:
    return msgspec.to_builtins(request)


def _has_loopback6() -> bool:
    with socket.socket(socket.AF_INET6) as link:
        try:
            link.bind(("::1", 0))
        except OSError:
            return False
    return True
