"""The DMZ's own words and its own log: short pages in two languages, files that stay bounded."""

import asyncio
import contextlib
import json
import os
import re
import signal
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from portal.dmz.nginx import ACCESS_LOG
from portal.dmz.refusals import REFUSALS
from portal.stack.drill.ground import children_of
from portal.stack.processes import ended_pid
from tests.make.dmz import SAMPLES, Dmz, Upstream, dmz_before

LINK = f"/p/aozora/{SAMPLES['secret']}"


@pytest.fixture
async def dmz(tmp_path: Path) -> AsyncIterator[Dmz]:
    async with dmz_before(Upstream(), tmp_path, rate_scale="50") as it:
        yield it


def asked(path: str, *lines: str, method: str = "GET", host: str = "localhost") -> bytes:
    return "\r\n".join([
        f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *lines, "", ""
    ]).encode()  # fmt: skip


REFUSED = [
    ("a header that is none", asked("/login", "Bad Header"), 400),
    ("a header that never ends", asked("/login", f"X: {'a' * 40_000}"), 400),
    ("no host", b"GET /login HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
    ("no request at all", b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
    ("a broken escape", asked("/d/%zz"), 400),
    ("two lengths", asked("/login", "Content-Length: 1", "Content-Length: 2", method="POST"), 400),
    (
        "a broken chunk",
        asked("/login", "Transfer-Encoding: chunked", method="POST") + b"zz\r\n",
        400,
    ),
    ("a long address", asked("/" + "a" * 40_000), 414),
    ("another path", asked("/admin"), 404),
    ("a page of a refusal", asked("/.refused/400"), 404),
    ("another method", asked("/login", method="DELETE"), 405),
    ("a large body", asked("/login", "Content-Length: 99999", method="POST"), 413),
    ("another host", asked("/login", host="other.test"), 421),
    ("another coding", asked("/login", "Transfer-Encoding: br", method="POST"), 501),
    ("another version", b"GET /login HTTP/3.0\r\nHost: localhost\r\n\r\n", 505),
]


@pytest.mark.parametrize(("request_", "status"), [case[1:] for case in REFUSED],
                         ids=[case[0] for case in REFUSED])  # fmt: skip
async def test_every_refusal_is_our_own_page_in_both_languages(
    dmz: Dmz, request_: bytes, status: int
) -> None:
    found, answer = await dmz.ask(request_)

    assert found == status
    check_page(answer, status)
    assert dmz.upstream.lines == []


def check_page(answer: bytes, status: int) -> None:
    """Ours, whole, and with the headers of a page that nobody keeps or frames."""
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = dict(
        line.lower().split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:] if line
    )
    refusal = next(refusal for refusal in REFUSALS if refusal.statuses[0] == status)
    for text in (refusal.japanese, refusal.english, "<meta charset=utf-8>"):
        assert text in body.decode()
    assert b"nginx" not in body
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert int(headers["content-length"]) == len(body)
    assert not re.search(rb"https?:|src=|href=", body), "nothing of anybody else"


async def test_a_slow_application_ends_in_our_own_page(tmp_path: Path) -> None:
    async with dmz_before(Upstream(), tmp_path) as dmz:
        (tmp_path / "web.sock").unlink()
        status, answer = await dmz.get(LINK)

        assert status == 502
        check_page(answer, 502)
        assert b"Retry-After: 2\r\n" in answer


async def test_too_many_at_once_are_told_so_in_our_own_page(tmp_path: Path) -> None:
    async with dmz_before(Upstream(), tmp_path) as dmz:
        answers = await asyncio.gather(*(dmz.get("/login") for _ in range(60)))

        turned_away = [answer for status, answer in answers if status == 429]
        assert turned_away
        check_page(turned_away[0], 429)


async def test_refusals_are_logged_by_status_and_never_by_address(dmz: Dmz) -> None:
    await dmz.ask(asked(LINK, "Bad Header"))
    await dmz.ask(asked(f"/{SAMPLES['secret'] * 2_000}"))
    await dmz.get("/login")
    await dmz.running.stop()

    rows = log_of(dmz)
    assert [row["status"] for row in rows[-3:]] == [400, 414, 200]
    assert all(SAMPLES["secret"] not in path.read_text() for path in logs(dmz))


def logs(dmz: Dmz) -> list[Path]:
    return sorted(dmz.state.glob(f"{ACCESS_LOG}*"))


def log_of(dmz: Dmz) -> list[dict[str, object]]:
    """Every line, oldest first."""
    newest_first = [path.read_text().splitlines() for path in logs(dmz)]
    return [json.loads(line) for lines in reversed(newest_first) for line in lines]


async def test_a_full_access_log_is_put_aside_and_nothing_is_lost(tmp_path: Path) -> None:
    async with dmz_before(
        Upstream(), tmp_path, rate_scale="50", log_bytes_max="8192", log_files_kept="50"
    ) as dmz:
        before = len(log_of(dmz))
        async with asyncio.timeout(60):
            asked_times = 0
            while len(logs(dmz)) < 4:
                for _ in range(30):
                    assert (await dmz.get("/static/page.css"))[0] == 200
                    asked_times += 1
                await asyncio.sleep(0.3)
        await dmz.running.stop()

        rows = log_of(dmz)
        assert sum(row["route"] == "static" for row in rows) == asked_times
        assert len(rows) >= before + asked_times
        assert {stat.S_IMODE(path.stat().st_mode) for path in logs(dmz)} == {0o600}


async def test_only_so_many_logs_are_kept(tmp_path: Path) -> None:
    async with dmz_before(
        Upstream(), tmp_path, rate_scale="50", log_bytes_max="1024", log_files_kept="3"
    ) as dmz:
        oldest: set[str] = set()
        async with asyncio.timeout(60):
            while len(oldest) < 3:
                for _ in range(5):
                    await dmz.get("/static/page.css")
                with contextlib.suppress(FileNotFoundError):
                    oldest.add((dmz.state / f"{ACCESS_LOG}.2").read_text())
                await asyncio.sleep(0.2)
        await dmz.running.stop()

        assert len(logs(dmz)) <= 3
        assert not (dmz.state / f"{ACCESS_LOG}.3").exists()


async def test_the_logs_companion_ends_with_nginx(tmp_path: Path) -> None:
    async with dmz_before(Upstream(), tmp_path) as dmz:
        nginx = dmz.running.pid
        assert nginx is not None
        (companion,) = companions_of(nginx)
        assert (await dmz.get("/login"))[0] == 200

        os.kill(nginx, signal.SIGQUIT)

        assert await ended_pid(companion, 10)


def companions_of(nginx: int) -> list[int]:
    """The children that keep its log."""
    return [
        pid
        for pid in children_of(nginx)
        if b"rotate.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
