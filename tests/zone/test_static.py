"""Icons, robots.txt and security.txt as the application serves them to anybody."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from portal.application.doors.assets import FILES, TEMPLATES, address
from portal.application.settings import WebSettings
from tests.make.web import Web, running_web, web_settings


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with running_web(tmp_path) as running:
        yield running


def with_contact(folder: Path, contact: str) -> WebSettings:
    given = web_settings(folder).model_dump() | {"security_contact": contact}
    return WebSettings(**given)


def fields(text: str) -> list[tuple[str, str]]:
    return [
        (name, value) for name, _, value in (line.partition(": ") for line in text.splitlines())
    ]


async def test_a_browser_that_asks_by_itself_gets_an_icon(web: Web) -> None:
    async with web.browser() as browser:
        answer = await browser.get("/favicon.ico")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/x-icon"
    assert answer.headers["cache-control"] == "public, max-age=86400"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.content[:6] == b"\x00\x00\x01\x00\x02\x00", "an ICO of two pictures"


async def test_the_icon_of_our_pages_is_a_small_file_of_our_own_kept_for_ever(web: Web) -> None:
    where = address("favicon.svg")
    async with web.browser() as browser:
        answer = await browser.get(where)

    assert answer.headers["content-type"] == "image/svg+xml"
    assert "immutable" in answer.headers["cache-control"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert len(answer.content) < 500
    assert set(re.findall(r"https?://[^\"]+", answer.text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<script|<style|href|\bon\w+=", answer.text)
    assert where.removeprefix("/static/") in FILES


def test_every_whole_page_names_the_icon() -> None:
    whole = [path for path in TEMPLATES.rglob("*.html") if "<!doctype" in path.read_text()]

    assert len(whole) >= 4
    for path in whole:
        assert 'href="{{ asset("favicon.svg") }}"' in path.read_text(), path


async def test_security_txt_names_the_contacts_of_the_installation(tmp_path: Path) -> None:
    contacts = "mailto:csirt@minato.example, https://minato.example/security,tel:+81-3-1234-5678"
    async with running_web(tmp_path, settings=with_contact(tmp_path, contacts)) as web:
        async with web.browser() as browser:
            answer = await browser.get("/.well-known/security.txt")
        now = web.doors.clock.wall()

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    said = fields(answer.text)
    assert [value for name, value in said if name == "Contact"] == [
        "mailto:csirt@minato.example",
        "https://minato.example/security",
        "tel:+81-3-1234-5678",
    ]
    (expires,) = (value for name, value in said if name == "Expires")
    assert timedelta(days=30) < datetime.fromisoformat(expires) - now < timedelta(days=365)
    assert ("Canonical", "http://localhost:8080/.well-known/security.txt") in said


async def test_without_a_setting_the_contact_is_a_mailbox_that_people_try_first(web: Web) -> None:
    async with web.browser() as browser:
        answer = await browser.get("/.well-known/security.txt")

    assert ("Contact", "mailto:security@localhost") in fields(answer.text)
    assert "/login" not in answer.text


@pytest.mark.parametrize(
    "contact",
    [
        "csirt@minato.example",
        "http://minato.example/",
        "javascript:alert(1)",
        "mailto:a@b.example\nContact: mailto:evil@evil.example",
        "mailto:a@b.example,nobody",
        "tel:",
    ],
)
def test_a_contact_that_is_no_address_stops_the_start(tmp_path: Path, contact: str) -> None:
    assert with_contact(tmp_path, "mailto:a@b.example")

    with pytest.raises(ValidationError, match="security_contact"):
        with_contact(tmp_path, contact)
