"""Tunnels: the battery of hostile CONNECTs, and what happens to bytes once one is open."""

import asyncio
import os
import signal
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from portal.egress.check import client_hello, connect_head, run_battery
from tests.make.relay import Relay, eventually, rule, running_relay

HOST = "api.provider.test"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def tunnel_rule(port: int, **changes: object) -> dict[str, object]:
    shape = {"mode": "tunnel", "methods": (), "path_prefixes": (), "credentials": ()}
    return rule(port, **(shape | changes))


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[Relay]:
    async with running_relay(tmp_path, rules=[tunnel_rule(0)]) as running:
        yield running


async def test_the_whole_battery_gets_the_answers_it_must(relay: Relay) -> None:
    findings = await run_battery(relay.settings.tunnel_socket, HOST, relay.provider.port)

    wrong = [(f.probe.name, f.seen, f.probe.expected) for f in findings if not f.is_good]
    assert wrong == []
    assert len(findings) > 60
    codes = {str(line["code"]) for line in relay.denials()}
    assert {"host_not_listed", "sni_mismatch", "sni_missing", "tls_too_old"} <= codes


async def test_https_through_a_tunnel_reaches_the_provider(relay: Relay) -> None:
    reader, writer = await opened(relay)
    await writer.start_tls(ssl.create_default_context(cafile=relay.authority.ca),
                           server_hostname=HOST)  # fmt: skip
    writer.write(f"GET /v1/x HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())

    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 201")
    assert relay.provider.seen[0].line == "GET /v1/x HTTP/1.1"
    writer.transport.abort()


async def test_a_mebibyte_each_way_survives_half_closes_and_slow_readers(tmp_path: Path) -> None:
    """The caller ends its direction first; the far side answers only after that."""
    got: dict[str, bytes] = {}

    async def far_side(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = bytearray()
        while data := await reader.read(10_000):
            received += data
            await asyncio.sleep(0.001)
        got["up"] = bytes(received)
        writer.write(b"d" * (1 << 20))
        writer.write_eof()
        await writer.drain()
        writer.close()

    async with _far_tunnel(tmp_path, far_side) as (reader, writer):
        hello = client_hello(HOST)
        writer.write(hello + b"u" * (1 << 20))
        writer.write_eof()
        down = bytearray()
        while data := await reader.read(10_000):
            down += data
            await asyncio.sleep(0.001)

    assert got["up"] == hello + b"u" * (1 << 20)
    assert bytes(down) == b"d" * (1 << 20)


async def test_an_end_from_the_far_side_leaves_the_way_up_open(tmp_path: Path) -> None:
    got = bytearray()
    done = asyncio.Event()

    async def far_side(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(client_hello(HOST)))
        writer.write(b"bye")
        writer.write_eof()
        while data := await reader.read(10_000):
            got.extend(data)
        done.set()
        writer.close()

    async with _far_tunnel(tmp_path, far_side) as (reader, writer):
        writer.write(client_hello(HOST))
        assert await reader.read() == b"bye"
        writer.write(b"still here")
        writer.write_eof()
        await done.wait()

    assert bytes(got) == b"still here"


async def test_a_side_that_does_not_read_stops_the_other_from_being_read(tmp_path: Path) -> None:
    written = 0
    stop = asyncio.Event()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readexactly(5)
        try:
            while not stop.is_set():
                writer.write(b"x" * 65_536)
                await writer.drain()
                written += 65_536
        except OSError:
            pass
        writer.transport.abort()

    async with _far_tunnel(tmp_path, flood) as (_reader, writer):
        assert isinstance(writer.transport, asyncio.Transport)
        writer.transport.pause_reading()
        writer.write(client_hello(HOST))
        await asyncio.sleep(1.0)
        first = written
        await asyncio.sleep(0.5)
        assert written == first  # everything between is full, and stays so
        assert 0 < first < 32 << 20
        stop.set()
        writer.transport.abort()


async def test_a_quota_cuts_the_tunnel_that_spends_it(tmp_path: Path) -> None:
    received = bytearray()

    async def sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            received.extend(data)
        writer.close()

    async with _far_tunnel(tmp_path, sink, bytes_up_per_hour=100_000) as (reader, writer):
        writer.write(client_hello(HOST))
        for _ in range(20):
            writer.write(b"x" * 10_000)
            await asyncio.sleep(0.01)
        assert await _is_cut(reader)

    assert len(received) <= 100_000


async def test_an_idle_tunnel_is_closed(tmp_path: Path) -> None:
    async with _far_tunnel(tmp_path, _wait, idle_timeout_s=0.5) as (reader, writer):
        writer.write(client_hello(HOST))
        async with asyncio.timeout(20):
            assert await _is_cut(reader)


async def test_a_withdrawn_rule_closes_its_tunnels(tmp_path: Path) -> None:
    async with _far(_wait) as port, running_relay(tmp_path, rules=[tunnel_rule(port)]) as relay:
        reader, writer = await opened(relay, port)
        writer.write(client_hello(HOST))
        await asyncio.sleep(0.1)
        relay.sign(tunnel_rule(port + 1))
        async with asyncio.timeout(20):
            assert await _is_cut(reader)
        assert relay.denials()[-1]["code"] == "rule_withdrawn"
        writer.transport.abort()


async def test_a_full_rule_answers_429_and_a_closed_tunnel_makes_room(tmp_path: Path) -> None:
    rules = [tunnel_rule(0, concurrency_max=2), tunnel_rule(0, id="b", host="b.provider.test")]
    async with running_relay(tmp_path, rules=rules) as relay:
        first, second = await opened(relay), await opened(relay)
        assert await answer_of(relay, HOST, relay.provider.port) == "429 relay_busy"
        assert await answer_of(relay, "b.provider.test", relay.provider.port) == "200 Connection"
        first[1].transport.abort()

        async def has_room() -> bool:
            return await answer_of(relay, HOST, relay.provider.port) == "200 Connection"

        await eventually(has_room)
        second[1].transport.abort()


async def test_a_far_side_that_speaks_first_is_cut_off(tmp_path: Path) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp ready\r\n")
        await reader.read()
        writer.close()

    async with _far_tunnel(tmp_path, speak) as (reader, _writer):
        assert await _is_cut(reader)


async def test_a_host_that_does_not_answer_is_502(tmp_path: Path) -> None:
    async with _far(_wait) as port:
        pass
    async with running_relay(tmp_path, rules=[tunnel_rule(port)]) as relay:
        assert await answer_of(relay, HOST, port) == "502 connect_failed"


async def test_a_name_that_leads_inside_is_403(tmp_path: Path) -> None:
    rules = [tunnel_rule(0, address=None, sandbox=False)]

    def lookup(_name: str) -> list[str]:
        return ["10.0.0.1"]

    async with running_relay(tmp_path, rules=rules, lookup=lookup) as relay:
        assert await answer_of(relay, HOST, relay.provider.port) == "403 name_not_public"


async def test_a_caller_that_vanishes_while_its_name_resolves_leaves_nothing(
    tmp_path: Path,
) -> None:
    rules = [tunnel_rule(0, address=None, sandbox=False)]
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def lookup(_name: str) -> list[str]:
        loop.call_soon_threadsafe(asked.set)
        time.sleep(0.5)
        return ["127.0.0.1"]

    async with running_relay(tmp_path, rules=rules, lookup=lookup) as relay:
        _, writer = await asyncio.open_unix_connection(relay.settings.tunnel_socket)
        writer.write(connect_head(f"{HOST}:{relay.provider.port}"))
        await asked.wait()
        writer.transport.abort()
        await asyncio.sleep(0.8)
        assert relay.provider.links == 0


async def test_a_stopping_relay_lets_a_tunnel_finish(tmp_path: Path) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(5)
        await asyncio.sleep(0.5)
        writer.write(b"late")
        writer.close()

    async with _far_tunnel(tmp_path, slow) as (reader, writer):
        writer.write(client_hello(HOST))
        await asyncio.sleep(0.2)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await reader.read() == b"late"
        writer.close()


async def answer_of(relay: Relay, host: str, port: int) -> str:
    """Status and first word of the reason."""
    reader, writer = await asyncio.open_unix_connection(relay.settings.tunnel_socket)
    writer.write(connect_head(f"{host}:{port}"))
    line = (await reader.readuntil(b"\r\n")).decode()
    writer.transport.abort()
    return " ".join(line.split(" ")[1:3]).strip()


async def opened(relay: Relay, port: int | None = None) -> Pair:
    """An open tunnel whose ClientHello is still to come."""
    reader, writer = await asyncio.open_unix_connection(relay.settings.tunnel_socket)
    writer.write(connect_head(f"{HOST}:{port or relay.provider.port}"))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    return reader, writer


async def _wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def _is_cut(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except OSError:
        return True


@asynccontextmanager
async def _far(serve: Serve) -> AsyncGenerator[int]:
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def _far_tunnel(folder: Path, serve: Serve, **changes: object) -> AsyncGenerator[Pair]:
    """A far side of the test's own (no TLS: the relay looks at the hello alone) and a tunnel."""
    async with (
        _far(serve) as port,
        running_relay(folder, rules=[tunnel_rule(port, **changes)]) as relay,
    ):
        reader, writer = await opened(relay, port)
        yield reader, writer
        writer.close()
