"""What the DMZ lets through, turns away and writes down; see tests.make.dmz."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from portal.dmz.routes import ROUTES
from portal.stack.processes import is_alive
from tests.make.dmz import SAMPLES, Dmz, Upstream, dial, dmz_before, read_answer, rest, sample


@pytest.fixture
async def dmz(tmp_path: Path) -> AsyncIterator[Dmz]:
    async with dmz_before(Upstream(), tmp_path, rate_scale="50") as it:
        yield it


def below(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")


async def test_declared_route_reaches_the_application_by_its_methods_only(dmz: Dmz) -> None:
    for route, method in itertools.product(ROUTES, METHODS):
        status, answer = await dmz.get(sample(route) + "?q=1", method)

        if method in route.methods:
            assert status == 200, (route.name, method)
            assert dmz.upstream.lines[-1] == f"{method} {sample(route)}?q=1 HTTP/1.1"
        else:
            assert status == 405, (route.name, method)
            allow = f"Allow: {', '.join(route.methods)}\r\n".encode()
            assert allow in answer
    assert len(dmz.upstream.lines) == sum(len(route.methods) for route in ROUTES)


UNDECLARED = [
    "/admin", "/d/", "/d/nothing", "/d/imports/", "/graphql/", "/static/", "/static/a/b.css",
    "/static/.env", "/.git/config", "/.well-known/acme", "/p/aozora", "/p/AOZORA/" + "a" * 22,
    "/p/aozora/short", "/login/ticket/", "/notices/sandbox_card/aozora/more", "/D", "/docs",
    "/openapi.json", "/metrics",
]  # fmt: skip


async def test_undeclared_path_never_reaches_the_application(dmz: Dmz) -> None:
    for path in UNDECLARED:
        status, answer = await dmz.get(path)

        assert status == 404, path
        assert b"nginx/" not in answer
    assert dmz.upstream.lines == []
    assert (await dmz.get("/login"))[0] == 200  # the control: the same nginx does hand on
    assert len(dmz.upstream.lines) == 1


TWISTED = [
    "/static/%2e%2e/d", "/static/../d", "/static/..%2fd", "//d", "/d//imports", "/./d", "/d/.",
    "/d/%69mports", "/d%2fimports", "/d/..", "/d;x=1", "/d\\imports", "/%64", "/d%00",
    "/static/%252e%252e/d", "/static/a%0d%0aX-Evil:1", "/static/x/../../d", "/d/%ff",
    "/b/..%5c..%5cd", "/d#x",
]  # fmt: skip


async def test_twisted_spelling_of_a_declared_path_is_refused(dmz: Dmz) -> None:
    for path in TWISTED:
        status, _ = await dmz.get(path)

        assert status in {400, 404}, path
    assert dmz.upstream.lines == []


async def test_absolute_form_cannot_name_another_host_or_path(dmz: Dmz) -> None:
    port = str(dmz.port).encode()
    evil = b"GET http://evil.test/d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    hidden = b"GET http://localhost/d/../admin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    plain = b"GET http://localhost:" + port + b"/d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    assert (await dmz.ask(evil))[0] == 421
    assert (await dmz.ask(hidden))[0] == 404
    assert dmz.upstream.lines == []

    assert (await dmz.ask(plain))[0] == 200
    assert dmz.upstream.lines == ["GET /d HTTP/1.1"]


async def test_unknown_host_name_is_refused(dmz: Dmz) -> None:
    assert (await dmz.get("/login", host="rebound.evil.test"))[0] == 421
    assert (await dmz.get("/login", host="169.254.169.254"))[0] == 421
    assert dmz.upstream.lines == []
    assert (await dmz.get("/login", host="localhost:8080"))[0] == 200


async def test_two_lengths_or_a_length_with_chunks_are_refused(dmz: Dmz) -> None:
    head = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    smuggled = b"0\r\n\r\nGET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n"
    both = head + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n" + smuggled
    twice = head + b"Content-Length: 1\r\nContent-Length: 9\r\n\r\n" + smuggled

    assert (await dmz.ask(both))[0] == 400
    assert (await dmz.ask(twice))[0] == 400
    assert dmz.upstream.lines == []


async def test_body_at_the_limit_passes_and_one_byte_more_does_not(dmz: Dmz) -> None:
    for route in (route for route in ROUTES if 0 < route.body_max < 2**20):
        method = "PUT" if "PUT" in route.methods else "POST"
        dmz.upstream.bodies.clear()

        assert (await dmz.get(sample(route), method, b"x" * route.body_max))[0] == 200
        assert dmz.upstream.bodies == [route.body_max]

        assert (await dmz.get(sample(route), method, b"x" * (route.body_max + 1)))[0] == 413
        assert len(dmz.upstream.bodies) == 1


async def test_body_on_a_route_that_takes_none_is_refused(dmz: Dmz) -> None:
    assert (await dmz.get("/d", "GET", b"x" * 1000))[0] == 413
    assert dmz.upstream.lines == []


async def test_upload_over_its_cap_is_refused_before_a_byte_is_sent(dmz: Dmz) -> None:
    upload = f"PUT /uploads/{SAMPLES['token']} HTTP/1.1\r\nHost: localhost\r\n"
    too_long = f"{upload}Content-Length: {2 * 2**30 + 1}\r\nConnection: close\r\n\r\n"

    assert (await dmz.ask(too_long.encode()))[0] == 413
    assert dmz.upstream.lines == []


async def test_upload_streams_on_and_leaves_no_file_behind(dmz: Dmz) -> None:
    reader, writer = await dial(dmz.port)
    size = 8 * 2**20
    head = f"PUT /uploads/{SAMPLES['token']} HTTP/1.1\r\nHost: localhost\r\n"
    writer.write(f"{head}Content-Length: {size}\r\nConnection: close\r\n\r\n".encode())
    writer.write(b"x" * (size // 2))
    await writer.drain()

    await asyncio.wait_for(dmz.upstream.body_started.wait(), 5)
    assert [entry for entry in (dmz.state / "spool").rglob("*") if entry.is_file()] == []

    writer.write(b"x" * (size // 2))
    await writer.drain()
    assert read_answer(await rest(reader))[0] == 200
    assert dmz.upstream.bodies == [size]
    writer.close()


async def test_application_sees_our_request_id_and_the_true_address(dmz: Dmz) -> None:
    forged = (
        b"GET /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-Id: forged\r\n"
        b"X-Forwarded-For: 8.8.8.8\r\nX-Real-IP: 8.8.8.8\r\nForwarded: for=8.8.8.8\r\n"
        b"X-Forwarded-Host: evil.test\r\nX_Forwarded_For: 9.9.9.9\r\n\r\n"
    )

    await dmz.ask(forged)
    await dmz.get("/login")

    first, second = dmz.upstream.headers
    assert first["x-forwarded-for"] == "127.0.0.1"
    assert len(first["x-request-id"]) == 32
    assert first["x-request-id"] != second["x-request-id"]
    assert "8.8.8.8" not in str(first)
    assert "evil.test" not in str(first)
    assert "9.9.9.9" not in str(first)


async def test_log_names_routes_and_no_secret(dmz: Dmz) -> None:
    secrets = [SAMPLES["secret"], SAMPLES["token"], SAMPLES["ticket"], "090-1234-5678"]
    await dmz.get(f"/p/aozora/{secrets[0]}?utm=1")
    await dmz.get(f"/return/aozora/{secrets[1]}")
    await dmz.get(f"/login/ticket/{secrets[2]}")
    await dmz.get(f"/p//{secrets[0]}")
    await dmz.get(f"/d/bills?phone={secrets[3]}")
    await dmz.ask(
        f"GET /p/aozora/{secrets[0]} HTTP/1.1\r\nHost: localhost\r\nBad Header\r\n\r\n".encode()
    )
    dmz.upstream.answer = b"x"
    await dmz.running.stop()

    log = (dmz.state / "access.log").read_text()
    rows = [json.loads(line) for line in log.splitlines()]

    assert [row["path_template"] for row in rows[1:6]] == [
        "/p/{code}/{secret}", "/return/{code}/{token}", "/login/ticket/{ticket}", "-", "/d/bills",
    ]  # fmt: skip
    everything = log + dmz.running.program.log.read_text()
    assert all(secret not in everything for secret in secrets)


async def test_dead_upstream_gives_a_plain_page_and_logs_no_link(tmp_path: Path) -> None:
    async with dmz_before(Upstream(), tmp_path) as dmz:
        (tmp_path / "web.sock").unlink()

        status, answer = await dmz.get(f"/p/aozora/{SAMPLES['secret']}")

        assert status == 502
        assert b"Retry-After: 2" in answer
        assert "ただいま準備中".encode() in answer
        assert SAMPLES["secret"] not in dmz.running.program.log.read_text()


async def test_too_many_requests_from_one_address_are_turned_away(tmp_path: Path) -> None:
    async with dmz_before(Upstream(), tmp_path) as dmz:
        answers = await asyncio.gather(*(dmz.get("/login", "POST", b"x") for _ in range(60)))

        statuses = [status for status, _ in answers]
        assert statuses.count(200) == len(dmz.upstream.lines)
        assert 20 <= statuses.count(200) <= 30
        assert statuses.count(429) == 60 - statuses.count(200)
        assert (await dmz.get("/static/page.css"))[0] == 200  # another class is not touched


async def test_login_stays_limited_where_other_rates_are_widened(dmz: Dmz) -> None:
    logins = await asyncio.gather(*(dmz.get("/login") for _ in range(60)))
    pages = await asyncio.gather(*(dmz.get("/b/p_8xY3") for _ in range(100)))

    assert sum(status == 429 for status, _ in logins) >= 30
    assert all(status == 200 for status, _ in pages)


async def test_client_that_sends_its_header_drop_by_drop_is_cut_off(tmp_path: Path) -> None:
    async with dmz_before(Upstream(), tmp_path, client_timeout_s="1") as dmz:
        reader, writer = await dial(dmz.port)
        writer.write(b"GET /login HTTP/1.1\r\n")

        dropped = 0

        async def drip() -> None:
            nonlocal dropped
            while dropped < 40:
                writer.write(b"X-A: b\r\n")
                await writer.drain()
                await asyncio.sleep(0.25)
                dropped += 1

        dripping = asyncio.create_task(drip())
        await rest(reader)
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)

        assert dropped < 40
        assert dmz.upstream.lines == []
        writer.close()


async def test_client_that_stalls_in_its_body_never_holds_the_application(tmp_path: Path) -> None:
    async with dmz_before(Upstream(), tmp_path, client_timeout_s="1") as dmz:
        reader, writer = await dial(dmz.port)
        writer.write(b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx")

        await rest(reader)

        assert dmz.upstream.lines == []
        writer.close()


async def test_answers_are_held_to_the_bandwidth_of_their_route(tmp_path: Path) -> None:
    upstream = Upstream(answer=b"x" * 512 * 1024)
    async with dmz_before(upstream, tmp_path) as dmz:
        started = asyncio.get_running_loop().time()
        status, answer = await dmz.get("/b/p_8xY3")
        slow = asyncio.get_running_loop().time() - started
        started = asyncio.get_running_loop().time()
        await dmz.get("/static/page.css")
        fast = asyncio.get_running_loop().time() - started

        assert status == 200
        assert len(answer) > 512 * 1024
        assert slow > 1.5  # the first second and 64 KiB are free
        assert fast < slow


async def test_nginx_writes_only_below_its_state_folder_and_stops_clean(tmp_path: Path) -> None:
    async with dmz_before(Upstream(), tmp_path) as dmz:
        pid = dmz.running.pid
        await dmz.get("/login")
        await dmz.running.stop()

        assert pid is not None
        assert not is_alive(pid)
        assert below(tmp_path) <= {"dmz", "dmz.log", "web.sock"}
