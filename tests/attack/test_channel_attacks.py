"""Attacks on the data API's channel, each beside a control that shows the way was open."""

import asyncio
import contextlib
import io
import time
from collections.abc import AsyncGenerator, Callable, Iterator

import msgspec
import pyotp
import pytest

from portal.contract.envelope import FRAME_BYTES_MAX, Answer, Authority
from portal.contract.frames import to_frame
from portal.contract.login import LOG_IN, LogIn, SignedIn
from portal.contract.operator import OpenMerchant
from portal.domain.errors import Refused, TryLater
from portal.kit import limits
from portal.kit.crypto import client_context
from portal.kit.log import get_logger
from portal.vault.capability import Capability
from portal.vault.server import VaultServer
from tests.make.certificates import Authority as Certificates
from tests.make.raw_channel import RawChannel
from tests.make.vault import (
    PASSWORD,
    ClientFor,
    Ground,
    add_staff,
    found_merchant,
    signed_in,
)
from tests.make.written import written_log

pytestmark = pytest.mark.usefixtures("session")
MINATO = msgspec.msgpack.encode(OpenMerchant(code="minato"))


@pytest.fixture
async def opens(ground: Ground, vault: VaultServer) -> AsyncGenerator[Callable[..., object]]:
    """``channel = await opens("operator")``: a raw channel with that zone's certificate."""
    del vault
    async with contextlib.AsyncExitStack() as stack:

        async def open_as(zone: str, certificates: Certificates | None = None) -> RawChannel:
            authority = certificates or ground.authority
            context = client_context(*authority.zone(zone), ground.authority.ca)
            channel = await RawChannel.open(ground.folder / "vault.sock", context)
            stack.push_async_callback(channel.close)
            return channel

        yield open_as


@pytest.fixture
async def session(client_for: ClientFor) -> SignedIn:
    operator, web = await client_for("operator"), await client_for("web")
    await found_merchant(operator)
    await add_staff(operator)
    return await signed_in(operator, web)


async def incidents(vault: VaultServer) -> list[str]:
    async with vault.data.transactions.side() as db:
        rows = await db.fetch("select outcome from audit where outcome like 'incident:%'")
    return [row["outcome"].removeprefix("incident:") for row in rows]


async def seen(vault: VaultServer, code: str) -> bool:
    """Whether an incident was recorded, within a moment."""
    for _ in range(50):
        if code in await incidents(vault):
            return True
        await asyncio.sleep(0.05)
    return False


def code_of(answer: Answer) -> str:
    return answer.failure.code if answer.failure else "ok"


async def test_the_same_frame_twice_closes_the_channel_and_is_an_incident(
    opens: ClientFor, vault: VaultServer
) -> None:
    channel = await opens("operator")
    call = channel.make("open_merchant", MINATO)
    assert code_of(await channel.ask(call)) == "ok"

    await channel.send(call)

    assert await channel.is_cut_off()
    assert await seen(vault, "sequence_replayed")


async def test_a_lower_sequence_with_a_right_mac_closes_the_channel(opens: ClientFor) -> None:
    channel = await opens("operator")
    assert code_of(await channel.ask(channel.make("open_merchant", MINATO, sequence=7))) == "ok"

    await channel.send(channel.make("open_merchant", MINATO, sequence=6))

    assert await channel.is_cut_off()


async def test_a_frame_of_one_channel_is_refused_on_another_and_the_first_goes_on(
    opens: ClientFor,
) -> None:
    first, second = await opens("operator"), await opens("operator")
    stolen = first.make("open_merchant", MINATO)

    assert code_of(await second.ask(stolen)) == "authority_unknown"
    assert code_of(await first.ask(stolen)) == "ok"
    assert code_of(await second.ask(second.make("open_merchant", MINATO, sequence=9))) == "ok"


async def test_a_session_taken_to_another_channel_needs_a_parameter_made_there(
    opens: ClientFor, session: SignedIn
) -> None:
    first, second = await opens("web"), await opens("web")
    made_here = first.make("view_viewer", authority=session.authority)
    made_there = second.make("view_viewer", authority=session.authority)

    assert code_of(await second.ask(made_here)) == "authority_unknown"
    assert code_of(await first.ask(made_here)) == "ok"
    with pytest.raises(asyncio.IncompleteReadError):
        await second.ask(made_there)  # its sequence was spent by the stolen frame


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "ok"),
        ({"expires_at": 0}, "parameter_expired"),
        ({"expires_at": int(time.time()) + 3600}, "parameter_expired"),
        ({"sent_body": msgspec.msgpack.encode(OpenMerchant(code="other"))}, "authority_unknown"),
        ({"sent_operation": "inspect"}, "authority_unknown"),
        ({"sent_version": 2}, "authority_unknown"),
        ({"sent_expires_at": 2**33}, "authority_unknown"),
        ({"sent_parameter": b"\0" * 32}, "authority_unknown"),
        ({"sent_parameter": b""}, "authority_unknown"),
        ({"sent_parameter": b"\0" * 4096}, "authority_unknown"),
        ({"sent_capability": b""}, "authority_unknown"),
        ({"sent_capability": b"\xc1" * 40}, "authority_unknown"),
        ({"sent_capability": b"\x91" * 1999}, "authority_unknown"),
        ({"sent_capability": b"\0" * 100_000}, "authority_unknown"),
        ({"nonce": b"\0" * 32}, "authority_unknown"),
        ({"version": 2}, "version_unknown"),
    ],
)
async def test_a_call_changed_in_one_place_is_refused(
    opens: ClientFor, changes: dict[str, object], code: str
) -> None:
    channel = await opens("operator")

    assert code_of(await channel.ask(channel.make("open_merchant", MINATO, **changes))) == code


@pytest.mark.parametrize(
    "change",
    [
        {"merchant": None},
        {"role": "owner"},
        {"expires_at": 2**40},
        {"kind": "lease"},
        {"kid": 2},
        {"v": 2},
        {"budget": msgspec.msgpack.decode(b"\x92\xce\x7f\xff\xff\xff\x00", type=object)},
    ],
)
async def test_a_capability_edited_under_its_old_key_is_worth_nothing(
    opens: ClientFor, client_for: ClientFor, change: dict[str, object]
) -> None:
    operator, web = await client_for("operator"), await client_for("web")
    await add_staff(operator, email="clerk@minato.example", role="clerk")
    clerk = await signed_in(operator, web, email="clerk@minato.example")
    channel = await opens("web")
    honest = msgspec.msgpack.decode(clerk.authority.capability, type=Capability)
    edited = msgspec.structs.replace(honest, **change)
    forged = Authority(
        capability=msgspec.msgpack.encode(edited), key=clerk.authority.key, expires_at=2**40
    )

    refused = await channel.ask(channel.make("view_viewer", authority=forged))
    control = await channel.ask(channel.make("view_viewer", authority=clerk.authority))

    assert (code_of(refused), code_of(control)) == ("authority_unknown", "ok")


async def test_an_operation_outside_the_authority_or_the_registry_is_refused(
    opens: ClientFor, session: SignedIn
) -> None:
    web = await opens("web")

    for operation in ("open_merchant", "await_work", "redeem_deliveries", "select 1", ""):
        assert code_of(await web.ask(web.make(operation, MINATO))) == "not_allowed"
    assert code_of(await web.ask(web.make("await_work", authority=session.authority))) == (
        "not_allowed"
    )


async def test_a_callers_own_authority_is_good_on_its_certificate_only(opens: ClientFor) -> None:
    operator, web = await opens("operator"), await opens("web")
    stolen = operator.hello.authority

    refused = await web.ask(web.make("open_merchant", MINATO, authority=stolen))
    control = await operator.ask(operator.make("open_merchant", MINATO, authority=stolen))

    assert (code_of(refused), code_of(control)) == ("authority_unknown", "ok")


async def test_a_callers_authority_does_not_survive_in_another_callers_hands_after_restart(
    ground: Ground, vault: VaultServer
) -> None:
    context = client_context(*ground.authority.zone("operator"), ground.authority.ca)
    channel = await RawChannel.open(ground.folder / "vault.sock", context)
    recorded = channel.make("open_merchant", MINATO)
    await vault.stop()
    async with ground.vault():
        again = await RawChannel.open(ground.folder / "vault.sock", context)

        refused = await again.ask(recorded)
        control = await again.ask(again.make("open_merchant", MINATO, sequence=5))

        assert (code_of(refused), code_of(control)) == ("authority_unknown", "ok")
        await again.close()
    await channel.close()


async def test_a_certificate_of_another_authority_sees_the_end_before_the_nonce(
    opens: ClientFor, ground: Ground
) -> None:
    foreign = Certificates(ground.folder / "foreign")

    with pytest.raises((asyncio.IncompleteReadError, OSError)):
        await opens("operator", foreign)  # type: ignore[call-arg]
    assert (await opens("operator")).hello.nonce


@pytest.mark.parametrize("zone", ["vault", "dmz", "sandbox", "operator.evil"])
async def test_a_certificate_of_a_zone_that_is_no_caller_sees_the_end_before_the_nonce(
    opens: ClientFor, zone: str
) -> None:
    with pytest.raises((asyncio.IncompleteReadError, OSError)):
        await opens(zone)
    assert (await opens("web")).hello.nonce


async def test_no_certificate_and_no_tls_get_nothing(opens: ClientFor, ground: Ground) -> None:
    reader, writer = await asyncio.open_unix_connection(str(ground.folder / "vault.sock"))
    writer.write(to_frame(b"hello"))
    with contextlib.suppress(ConnectionError):
        assert b"nonce" not in await reader.read(1000)
    writer.close()
    assert (await opens("web")).hello.nonce


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        (FRAME_BYTES_MAX + 1).to_bytes(4, "big"),
        to_frame(b"\xc1"),
        to_frame(b"\x90"),
        to_frame(b"\x97" + b"\x91" * 100_000),
        to_frame(msgspec.msgpack.encode(["x", 1, 2, 3, 4, 5, 6])),
        to_frame(msgspec.msgpack.encode([2**64 - 1, "a", 1, 1, b"", b"", b""]) + b"\0"),
    ],
)
async def test_bytes_that_are_no_call_end_this_channel_and_no_other(
    opens: ClientFor, data: bytes
) -> None:
    broken, other = await opens("operator"), await opens("operator")

    with contextlib.suppress(ConnectionError):
        await broken.send_bytes(data)

    assert await broken.is_cut_off()
    assert code_of(await other.ask(other.make("open_merchant", MINATO))) == "ok"


async def test_a_call_that_comes_byte_by_byte_is_served_within_the_deadline_and_not_after(
    opens: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, stalled = await opens("operator"), await opens("operator")
    frame = to_frame(msgspec.msgpack.encode(slow.make("open_merchant", MINATO)))
    for place in range(len(frame)):
        await slow.send_bytes(frame[place : place + 1])
    assert code_of(await slow.answer()) == "ok"

    monkeypatch.setattr(limits, "FRAME_DEADLINE_S", 0.3)
    await stalled.send_bytes(frame[:10])

    assert await stalled.is_cut_off(5.0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x80",
        msgspec.msgpack.encode({"code": "minato", "extra": 1}),
        msgspec.msgpack.encode({"code": 7}),
        b"\x81\xa4code\xa2\xff\xfe",
        b"\x91" * 200_000,
        msgspec.msgpack.encode({"code": float("nan")}),
    ],
)
async def test_a_request_of_the_wrong_form_is_refused_without_a_word_about_it(
    opens: ClientFor, body: bytes
) -> None:
    channel = await opens("operator")

    answer = await channel.ask(channel.make("open_merchant", body))

    assert answer.failure is not None
    assert (answer.failure.code, answer.failure.params) == ("request_malformed", {})
    assert code_of(await channel.ask(channel.make("open_merchant", MINATO))) == "ok"


async def test_thousands_of_calls_at_once_stay_within_bounds_and_others_are_served(
    opens: ClientFor, session: SignedIn, vault: VaultServer
) -> None:
    flood, other = await opens("web"), await opens("operator")
    wanted = 3000
    frames = b"".join(
        to_frame(msgspec.msgpack.encode(flood.make("view_viewer", authority=session.authority)))
        for _ in range(wanted)
    )
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, *(len(channel._calls) for channel in vault._host.channels))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    sending = asyncio.create_task(flood.send_bytes(frames))
    assert code_of(await other.ask(other.make("open_merchant", MINATO))) == "ok"
    answers = [code_of(await flood.answer()) for _ in range(wanted)]
    await sending
    watching.cancel()

    assert set(answers) == {"ok"}
    assert most <= limits.CALLS_IN_FLIGHT_MAX


async def test_a_vault_of_another_authority_is_not_spoken_to(
    ground: Ground, client_for: ClientFor
) -> None:
    assert await client_for("web")
    fake = Certificates(ground.folder / "fake")
    async with ground.vault(
        socket=ground.folder / "fake.sock",
        instance="fake",
        cert=fake.zone("vault")[0],
        key=fake.zone("vault")[1],
    ):
        with pytest.raises(TryLater):
            await asyncio.wait_for(_connect(ground, "fake.sock"), 20)


async def test_another_zone_posing_as_the_vault_is_not_spoken_to(
    ground: Ground, client_for: ClientFor
) -> None:
    assert await client_for("web")
    cert, key = ground.authority.zone("web")
    async with ground.vault(
        socket=ground.folder / "fake.sock", instance="fake", cert=cert, key=key
    ):
        with pytest.raises(TryLater):
            await asyncio.wait_for(_connect(ground, "fake.sock"), 20)


async def _connect(ground: Ground, socket: str) -> object:
    from portal.contract.client import VaultClient  # noqa: PLC0415

    context = client_context(*ground.authority.zone("web"), ground.authority.ca)
    return await VaultClient.connect(str(ground.folder / socket), context, wait_s=0.3)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    with written_log() as lines:
        yield lines


async def test_passwords_never_stand_in_the_log(client_for: ClientFor, log: io.StringIO) -> None:
    web, operator = await client_for("web"), await client_for("operator")
    secret = await add_staff(operator, email="rin@minato.example")
    now = pyotp.TOTP(secret).now()

    tries = ((PASSWORD, now), (PASSWORD, "000000"), ("s3cr3t-canary", now))
    for password, totp in tries:
        asked = LogIn(
            merchant_code="minato", email="rin@minato.example", password=password, totp=totp
        )
        with contextlib.suppress(Refused):
            await web.call(LOG_IN, asked)

    said = log.getvalue()
    for hidden in ("s3cr3t-canary", PASSWORD, "rin@", secret, now):
        assert hidden not in said
    # The controls: these very log-ins were written about, and what is written would be found.
    assert said.count('"operation":"log_in"') == 2
    get_logger().info("call.refused", operation="s3cr3t-canary")
    assert "s3cr3t-canary" in log.getvalue()
