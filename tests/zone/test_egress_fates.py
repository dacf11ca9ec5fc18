"""What the relay says of a request after everything that can go wrong outside.

``not_sent`` only when the provider can't have seen a byte of it; its own journal is the witness.
"""

import asyncio
import gzip
import os
import signal
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from portal.kit.outbound import Outbound, OutboundAnswer, OutboundRequest
from portal.kit.outbound.frames import PREFIX_BYTES, body_bytes, read_call
from tests.make.certificates import Authority
from tests.make.provider import HOST, Provider, Seen, accept, answer, by_path, saying
from tests.make.relay import CREDENTIAL, Relay, eventually, rule, running_relay

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
GET = {"method": "GET", "body": "", "body_kind": "none"}


async def hang(_provider: Provider, _seen: Seen, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def drop(_provider: Provider, _seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def trickle(_provider: Provider, _seen: Seen, writer: asyncio.StreamWriter) -> None:
    """A slow but steady answer: every byte is progress, the whole is too late."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def half_open(_provider: Provider, _seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Ends its direction after half an answer, and keeps the connection."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    writer.close()


async def drop_second_on_link(provider: Provider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Keep the connection alive once, then break it when the next request has come."""
    if sum(other.link == seen.link for other in provider.seen) > 1:
        writer.transport.abort()
    else:
        await accept(provider, seen, writer)


TRUNCATED = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"
ENDLESS_CHUNK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc"
NOT_HTTP = b"SSH-2.0-OpenSSH_9.2\r\n\r\n"
HUGE = answer(200, b"x" * 70_000)
ENDLESS_HEADER = b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000
GZIPPED = answer(200, gzip.compress(CREDENTIAL.encode()), "Content-Encoding: gzip")


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[Relay]:
    behaviour = by_path(
        hang=hang,
        drop=drop,
        trickle=trickle,
        half=half_open,
        truncated=saying(TRUNCATED, then_close=True),
        chunk=saying(ENDLESS_CHUNK, then_close=True),
        ssh=saying(NOT_HTTP, then_close=True),
        huge=saying(HUGE),
        header=saying(ENDLESS_HEADER, then_close=True),
        gzip=saying(GZIPPED),
        redirect=saying(answer(302, b"", "Location: https://api.provider.test/v1/elsewhere")),
        cookie=saying(answer(200, b"", "Set-Cookie: id=1")),
        early=saying(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + answer(200, b"done")),
        unavailable=saying(answer(503, b"", "Retry-After: 7")),
        drop2=drop_second_on_link,
    )
    async with running_relay(tmp_path, behaviour=behaviour) as running:
        yield running


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("hang", "timed_out"),
        ("trickle", "timed_out"),
        ("drop", "dropped"),
        ("half", "dropped"),
        ("truncated", "dropped"),
        ("chunk", "dropped"),
        ("ssh", "answer_invalid"),
        ("header", "answer_invalid"),
        ("huge", "too_large"),
        ("gzip", "answer_encoded"),
    ],
)
async def test_a_request_that_arrived_without_a_complete_answer_is_unclear(
    relay: Relay, word: str, code: str
) -> None:
    timeout_s = 2.0 if code == "timed_out" else 20.0
    answered = await relay.send(path=f"/v1/{word}", timeout_s=timeout_s)

    assert (answered.fate, answered.code) == ("unclear", code)
    assert len(relay.provider.seen) == 1


async def test_an_answer_that_is_too_large_is_cut_at_the_cap(relay: Relay) -> None:
    answered = await relay.send(path="/v1/huge")

    assert (answered.status, answered.body) == (200, b"x" * 65_536)


async def test_a_compressed_answer_gives_nothing_away(relay: Relay) -> None:
    assert (await relay.send(path="/v1/gzip")).body == b""


async def test_an_error_of_the_provider_is_an_answer(relay: Relay) -> None:
    answered = await relay.send(path="/v1/unavailable")

    assert (answered.fate, answered.status) == ("answered", 503)
    assert answered.headers == {"retry-after": "7"}


async def test_an_interim_answer_is_skipped(relay: Relay) -> None:
    answered = await relay.send(path="/v1/early")

    assert (answered.status, answered.body) == (200, b"done")


async def test_a_redirect_is_an_answer_and_not_followed(relay: Relay) -> None:
    answered = await relay.send(path="/v1/redirect")

    assert (answered.fate, answered.status, answered.headers) == ("answered", 302, {})
    assert len(relay.provider.seen) == 1


async def test_a_cookie_is_never_sent_back(relay: Relay) -> None:
    await relay.send(path="/v1/cookie")
    await relay.send(path="/v1/messages")

    assert "cookie" not in relay.provider.seen[1].headers


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
async def test_a_kept_connection_that_breaks_is_unclear_and_never_tried_again(
    relay: Relay, method: str
) -> None:
    assert (await relay.send(path="/v1/drop2", **GET)).fate == "answered"

    shape = GET if method == "GET" else {}
    answered = await relay.send(path="/v1/drop2", **(shape | {"method": method}))

    assert (answered.fate, answered.code) == ("unclear", "dropped")
    assert len(relay.provider.seen) == 2


async def test_a_closed_port_is_not_sent(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with running_relay(tmp_path, rules=[rule(port)]) as relay:
            answered = await relay.send(port=port)

    assert (answered.fate, answered.code) == ("not_sent", "connect_failed")


async def test_a_port_that_accepts_and_says_nothing_is_not_sent(tmp_path: Path) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with _plain_server(say_nothing) as port:
        rules = [rule(port, connect_timeout_s=1.0)]
        async with running_relay(tmp_path, rules=rules) as relay:
            answered = await relay.send(port=port, timeout_s=1.0)

    assert (answered.fate, answered.code) == ("not_sent", "timed_out")


async def test_a_server_without_tls_is_not_sent(tmp_path: Path) -> None:
    received = bytearray()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.read(10_000))
        writer.write(answer(200, b"in clear"))
        writer.close()
        await writer.wait_closed()

    async with (
        _plain_server(plain) as port,
        running_relay(tmp_path, rules=[rule(port)]) as relay,
    ):
        answered = await relay.send(port=port)

    assert (answered.fate, answered.code) == ("not_sent", "tls_failed")
    assert received
    assert CREDENTIAL.encode() not in received


@pytest.mark.parametrize("case", ["another name", "another authority"])
async def test_a_certificate_that_does_not_verify_is_not_sent(tmp_path: Path, case: str) -> None:
    async with running_relay(tmp_path / "r") as relay:
        good = case == "another name"
        authority = relay.authority if good else Authority(tmp_path / "other")
        names = ("impostor.test",) if good else (HOST,)
        async with Provider(authority, names=names) as impostor:
            relay.sign(rule(relay.provider.port), rule(impostor.port, id="impostor"))

            async def is_listed() -> bool:
                return (await relay.send(port=impostor.port)).code != "host_not_listed"

            await eventually(is_listed)
            answered = await relay.send(port=impostor.port)

    assert (answered.fate, answered.code) == ("not_sent", "tls_failed")
    assert impostor.seen == []


async def test_a_request_that_finds_no_place_in_its_time_is_not_sent(tmp_path: Path) -> None:
    async with running_relay(
        tmp_path, behaviour=by_path(hang=hang), rules=[rule(0, concurrency_max=1)]
    ) as relay:
        hanging = asyncio.create_task(relay.send(path="/v1/hang", timeout_s=5.0))
        await eventually(relay.provider.is_asked)
        waiting = await relay.send(timeout_s=0.5)
        hung = await hanging

    assert (waiting.fate, waiting.code) == ("not_sent", "relay_busy")
    assert (hung.fate, hung.code) == ("unclear", "timed_out")
    assert len(relay.provider.seen) == 1


async def test_a_file_is_not_even_redeemed_before_it_has_a_place(tmp_path: Path) -> None:
    rules = [
        rule(
            0,
            concurrency_max=1,
            fields=("file",),
            fixed={"body:/file": "{{delivery:file}}"},
        )
    ]
    body = '{"file":"{{delivery:file}}"}'
    async with running_relay(tmp_path, behaviour=by_path(hang=hang), rules=rules) as relay:

        async def hand_over(path: str, timeout_s: float) -> OutboundAnswer:
            file_id = relay.delivery("", "")
            return await relay.send(path=path, body=body, delivery_id=file_id, timeout_s=timeout_s)

        async def is_hanging() -> bool:
            return len(relay.vault.files) == 1

        hanging = asyncio.create_task(hand_over("/v1/hang", 2.0))
        await eventually(is_hanging)
        waiting = await hand_over("/v1/files", 0.3)
        hung = await hanging
        afterwards = await hand_over("/v1/files", 5.0)

    assert (waiting.fate, waiting.code) == ("not_sent", "relay_busy")
    assert (hung.fate, hung.code) == ("unclear", "timed_out")
    assert afterwards.fate == "answered"
    assert len(relay.vault.files) == 2
    assert [seen.body for seen in relay.provider.seen] == [b'{"file":"ZmlsZQ=="}'] * 2


async def test_the_rule_caps_the_time_that_a_caller_may_ask_for(tmp_path: Path) -> None:
    rules = [rule(0, timeout_s=0.5, connect_timeout_s=0.5)]
    async with running_relay(tmp_path, behaviour=by_path(hang=hang), rules=rules) as relay:
        async with asyncio.timeout(25):
            answered = await relay.send(path="/v1/hang", timeout_s=60.0)

    assert (answered.fate, answered.code) == ("unclear", "timed_out")


async def test_a_link_that_breaks_after_the_slice_was_written_is_unclear(tmp_path: Path) -> None:
    async def read_and_break(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(PREFIX_BYTES)
        writer.close()

    server = await asyncio.start_unix_server(read_and_break, tmp_path / "relay.sock")
    async with server, Outbound(tmp_path / "relay.sock") as outbound:
        answers = await outbound.send([_request(), _request()])

    assert [(a.fate, a.code) for a in answers] == [("unclear", "relay_lost")] * 2


@pytest.mark.parametrize("reply", [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x03abc"])
async def test_a_relay_that_talks_nonsense_is_unclear(tmp_path: Path, reply: bytes) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        prefix = await reader.readexactly(PREFIX_BYTES)
        read_call(await reader.readexactly(body_bytes(prefix)))
        writer.write(reply)
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(nonsense, tmp_path / "relay.sock")
    async with server, Outbound(tmp_path / "relay.sock") as outbound:
        (answered,) = await outbound.send([_request()])

    assert (answered.fate, answered.code) == ("unclear", "relay_lost")


async def test_a_slice_under_way_is_answered_before_the_relay_stops(tmp_path: Path) -> None:
    async def slow(_p: Provider, _s: Seen, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.5)
        writer.write(answer(200, b"late"))

    async with running_relay(tmp_path, behaviour=slow) as relay:
        under_way = asyncio.create_task(relay.send())
        await eventually(relay.provider.is_asked)
        os.kill(os.getpid(), signal.SIGTERM)
        answered = await under_way
        afterwards = await relay.send()

    assert (answered.fate, answered.body) == ("answered", b"late")
    assert (afterwards.fate, afterwards.code) == ("not_sent", "relay_away")


async def test_a_slice_goes_out_although_its_caller_has_vanished(tmp_path: Path) -> None:
    async def slow(_p: Provider, _s: Seen, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(answer(200, b""))

    rules = [rule(0, concurrency_max=1)]
    async with running_relay(tmp_path, behaviour=slow, rules=rules) as relay:
        vanishing = Outbound(relay.settings.socket)
        async with asyncio.TaskGroup() as calling:
            sending = calling.create_task(vanishing.send([relay.request() for _ in range(4)]))
            await eventually(relay.provider.is_asked)
            await vanishing.aclose()

        async def are_sent() -> bool:
            return len(relay.provider.seen) == 4

        await eventually(are_sent)

    assert [a.code for a in sending.result()] == ["relay_lost"] * 4


def _request() -> OutboundRequest:
    return OutboundRequest(host=HOST, port=443, method="GET", path="/")


@asynccontextmanager
async def _plain_server(serve: Serve) -> AsyncGenerator[int]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
