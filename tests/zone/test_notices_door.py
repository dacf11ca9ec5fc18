"""The notices door without a vault behind it: what is refused never gets that far."""

import hashlib
import hmac
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from portal.application.doors.notices import BODY_BYTES_MAX, ROUTES, NoticeKeys
from portal.contract.client import VaultClient
from portal.kit.clock import SystemClock
from portal.kit.crypto import client_context
from tests.make.certificates import Authority
from tests.make.stripe import event, intent

RECEIPT = {
    "id": "ev_1",
    "message": "sm_1",
    "reference": "dlv-1",
    "status": "delivered",
    "at": "2026-11-22T10:00:00Z",
}
KEY = "whsec_of_the_address_for_mizu"
GOOD = json.dumps({"events": [RECEIPT]}).encode()


@asynccontextmanager
async def a_door(
    folder: Path, keys: dict[str, dict[str, tuple[str, ...]]] | None = None
) -> AsyncGenerator[httpx.AsyncClient]:
    """The door of a web process whose vault is away."""
    authority = Authority(folder)
    context = client_context(*authority.zone("web"), authority.ca)
    app = Starlette(routes=ROUTES)
    vault = VaultClient(str(folder / "no-vault"), context)
    app.state.vault = vault
    app.state.notice_keys = NoticeKeys(keys or {}, SystemClock())
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client
    await vault.close()


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/notices/nobody/mizu", GOOD, 404, "not_found"),
        ("/notices/_template/mizu", GOOD, 404, "not_found"),
        ("/notices/sandbox_sms/MIZU", GOOD, 404, "not_found"),
        ("/notices/sandbox_sms/m", GOOD, 404, "not_found"),
        ("/notices/sandbox_sms/mizu", b"", 400, "notice_malformed"),
        ("/notices/sandbox_sms/mizu", b"<xml/>", 400, "notice_malformed"),
        ("/notices/sandbox_card/mizu", GOOD, 400, "notice_malformed"),
        ("/notices/sandbox_sms/mizu", b" " * (BODY_BYTES_MAX + 1), 413, "body_too_large"),
        ("/notices/sandbox_sms/mizu", b" " * BODY_BYTES_MAX, 400, "notice_malformed"),
    ],
)
async def test_what_is_no_notice_of_a_provider_is_refused(
    tmp_path: Path, path: str, body: bytes, status: int, code: str
) -> None:
    async with a_door(tmp_path) as door:
        answer = await door.post(path, content=body)

    assert (answer.status_code, answer.json()) == (status, {"code": code})
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("header", [None, "t=1,v1=00", "t=1614556828,v1=02ef8d48"])
async def test_notice_that_its_key_did_not_sign_is_refused_unread(
    tmp_path: Path, header: str | None
) -> None:
    headers = {} if header is None else {"stripe-signature": header}

    async with a_door(tmp_path, {"stripe": {"mizu": (KEY,)}}) as door:
        answer = await door.post("/notices/stripe/mizu", content=b"not even JSON", headers=headers)

    assert (answer.status_code, answer.json()) == (400, {"code": "signature_invalid"})


async def test_signed_notice_comes_as_far_as_the_vault_and_so_does_one_without_a_key(
    tmp_path: Path,
) -> None:
    body = json.dumps(event("payment_intent.succeeded", intent())).encode()
    moment = int(SystemClock().wall().timestamp())
    mac = hmac.new(KEY.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    signed = {"stripe-signature": f"t={moment},v1={mac}"}

    async with a_door(tmp_path, {"stripe": {"mizu": ("whsec_older_one", KEY)}}) as door:
        proved = await door.post("/notices/stripe/mizu", content=body, headers=signed)
        unkeyed = await door.post("/notices/stripe/gas", content=body)
        other = await door.post("/notices/stripe/mizu", content=body + b" ", headers=signed)

    assert (proved.json()["code"], unkeyed.json()["code"]) == ("vault_away", "vault_away")
    assert other.json()["code"] == "signature_invalid"


async def test_body_without_a_length_is_cut_off_at_the_cap(tmp_path: Path) -> None:
    async def endless() -> AsyncGenerator[bytes]:
        while True:
            yield b" " * 4096

    async with a_door(tmp_path) as door:
        answer = await door.post("/notices/sandbox_sms/mizu", content=endless())

    assert answer.status_code == 413


async def test_notice_is_not_acknowledged_while_the_vault_is_away(tmp_path: Path) -> None:
    async with a_door(tmp_path) as door:
        answer = await door.post("/notices/sandbox_sms/mizu", content=GOOD)

    assert answer.status_code == 503
    assert answer.json() == {"code": "vault_away"}
    assert int(answer.headers["retry-after"]) > 0


async def test_refused_body_never_reaches_the_log(tmp_path: Path) -> None:
    with capture_logs() as events:
        async with a_door(tmp_path) as door:
            await door.post("/notices/sandbox_sms/mizu", content=b'{"to":"+819012345678"}')

    [refusal] = events
    assert (refusal["event"], refusal["code"]) == ("notice.refused", "notice_malformed")
    assert refusal["bytes"] == len(b'{"to":"+819012345678"}')
    assert "819012345678" not in str(events)


async def test_only_post_is_a_notice(tmp_path: Path) -> None:
    async with a_door(tmp_path) as door:
        assert (await door.get("/notices/sandbox_sms/mizu")).status_code == 405
