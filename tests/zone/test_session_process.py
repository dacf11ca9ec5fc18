"""`portal web` as a process: starts from its settings, serves, ends cleanly, knows no database."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest

from portal.vault.server import VaultServer
from tests.make.vault import Ground
from tests.make.web import ORIGIN, web_settings

RUN = "from portal.application.run import run; run()"
LIST = (
    "import sys; import portal.application.run;"
    "print([m for m in ('asyncpg', 'sqlalchemy', 'sqlmodel', 'psycopg', 'alembic',"
    " 'portal.vault', 'httpx', 'aiohttp', 'requests') if m in sys.modules])"
)


def environment(ground: Ground) -> dict[str, str]:
    settings = web_settings(ground.folder)
    cert, key = ground.authority.zone("web")
    values: dict[str, object] = {
        "SOCKET": settings.socket,
        "VAULT_SOCKET": ground.folder / "vault.sock",
        "CERT": cert,
        "KEY": key,
        "CA": ground.authority.ca,
        "EGRESS_SOCKET": settings.egress_socket,
        "PUBLIC_ORIGIN": ORIGIN,
        "COOKIE_KEY_FILE": settings.cookie_key_file,
        "INSTANCE": "t1",
        "PROVIDER_ENDPOINTS": settings.provider_endpoints,
    }
    return {**os.environ, **{f"PORTAL_WEB_{name}": str(value) for name, value in values.items()}}


async def start(*, env: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, env=env, stderr=asyncio.subprocess.PIPE
    )


async def until_it_serves(socket: Path) -> None:
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        async with asyncio.timeout(30):
            while True:
                try:
                    answer = await client.get("/healthz")
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
                else:
                    assert answer.json() == {"ok": True}
                    return


async def test_it_serves_on_its_socket_and_ends_with_0_on_sigterm(
    ground: Ground, vault: VaultServer
) -> None:
    del vault
    process = await start(env=environment(ground))
    try:
        await until_it_serves(ground.folder / "web.sock")
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 0
    assert b"Traceback" not in said
    assert b'"web.started"' in said
    assert b'"web.stopped"' in said


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"PORTAL_WEB_PUBLIC_ORIGIN": "http://pay.example"}, "PUBLIC_ORIGIN"),
        ({"PORTAL_WEB_PROVIDER_ENDPOINTS": "x"}, "PROVIDER_ENDPOINTS"),
        ({"PORTAL_WEB_INSTANCE": "a b"}, "INSTANCE"),
    ],
)
async def test_wrong_settings_are_named_and_nothing_starts(
    ground: Ground, change: dict[str, str], name: str
) -> None:
    process = await start(env=environment(ground) | change)
    _, said = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 2
    assert name.lower() in said.decode().lower()


async def test_the_process_has_no_database_driver_and_no_client_of_its_own() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LIST, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()

    assert out.decode().strip() == "[]"
