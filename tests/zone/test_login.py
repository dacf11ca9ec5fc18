import asyncio
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Literal

import pyotp
import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters

from portal.contract.client import VaultClient
from portal.contract.envelope import Nothing
from portal.contract.login import (
    LOG_IN,
    LOG_OUT,
    REDEEM_LOGIN_TICKET,
    VIEW_VIEWER,
    LogIn,
    RedeemLoginTicket,
    SignedIn,
)
from portal.contract.operator import (
    ADD_STAFF,
    FOUND_MERCHANT,
    ISSUE_LOGIN_TICKET,
    AddStaff,
    IssueLoginTicket,
)
from portal.domain.errors import (
    Conflict,
    Expired,
    InvalidInput,
    LimitReached,
    NotAllowed,
    NotFound,
    PortalError,
)
from portal.kit.clock import SystemClock
from portal.vault.server import VaultServer
from tests.make.acts import acting
from tests.make.vault import HANA, PASSWORD, ClientFor, Ground, add_staff, found_merchant, signed_in


class MovingClock(SystemClock):
    """Wall time that a test moves."""

    ahead = timedelta(0)

    def wall(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC) + type(self).ahead


class Staff:
    """One member of staff with a telephone that shows codes."""

    def __init__(self, web: VaultClient, secret: str) -> None:
        self.web = web
        self.totp = pyotp.TOTP(secret)

    def code(self, steps: int = 0) -> str:
        return self.totp.at(int((time.time() + MovingClock.ahead.total_seconds()) + 30 * steps))

    async def log_in(self, **changes: str) -> SignedIn:
        values = {"merchant_code": "minato", "email": HANA, "password": PASSWORD}
        return await self.web.call(LOG_IN, LogIn(**(values | {"totp": self.code()} | changes)))

    async def outcome(self, **changes: str) -> str:
        try:
            await self.log_in(**changes)
        except PortalError as fault:
            return f"{fault.kind}:{fault.code}"
        return "in"


@pytest.fixture(autouse=True)
def _present() -> Generator[None]:
    yield
    MovingClock.ahead = timedelta(0)


@pytest.fixture
async def hana(client_for: ClientFor) -> Staff:
    operator = await client_for("operator")
    await found_merchant(operator)
    return Staff(await client_for("web"), await add_staff(operator))


async def test_password_and_code_open_a_session_of_eight_hours(hana: Staff) -> None:
    session = await hana.log_in()

    viewer = await hana.web.call(VIEW_VIEWER, Nothing(), session.authority)
    assert (viewer.name, viewer.role, session.merchant.code) == ("山田 花子", "owner", "minato")
    assert abs(session.authority.expires_at - time.time() - 8 * 3600) < 60


async def test_the_mail_address_is_known_in_any_width_and_case(hana: Staff) -> None:
    assert await hana.outcome(email=" ＨＡＮＡ@Minato.example ") == "in"  # noqa: RUF001  # as typed


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "wrong horse battery"},
        {"totp": "000000"},
        {"totp": ""},
        {"email": "nobody@minato.example"},
        {"email": "not a mail address"},
        {"merchant_code": "nobody"},
        {"password": "x" * 100_000},
    ],
)
async def test_whatever_is_wrong_the_refusal_is_the_same(
    hana: Staff, wrong: dict[str, str]
) -> None:
    assert await hana.outcome(**wrong) == "not_allowed:login_refused"
    assert await hana.outcome() == "in"


async def test_a_code_opens_one_session_only(hana: Staff) -> None:
    code = hana.code()

    first, second = await hana.outcome(totp=code), await hana.outcome(totp=code)

    assert (first, second) == ("in", "not_allowed:login_refused")


async def test_two_at_once_with_one_code_open_one_session(hana: Staff) -> None:
    code = hana.code()

    outcomes = await asyncio.gather(*(hana.outcome(totp=code) for _ in range(6)))

    assert sorted(outcomes).count("in") == 1


async def test_a_code_of_the_step_before_is_taken_and_then_none_before_it(hana: Staff) -> None:
    assert await hana.outcome(totp=hana.code(-1)) == "in"
    assert await hana.outcome(totp=hana.code(-1)) == "not_allowed:login_refused"
    assert await hana.outcome(totp=hana.code(-3)) == "not_allowed:login_refused"
    assert await hana.outcome() == "in"


async def test_five_failures_lock_even_the_right_password_and_time_opens_again(
    client_for: ClientFor, vault: VaultServer, hana: Staff
) -> None:
    for _ in range(5):
        assert await hana.outcome(password="wrong horse battery") == "not_allowed:login_refused"

    with pytest.raises(LimitReached) as locked:
        await hana.log_in()
    assert locked.value.code == "login_locked"
    assert 0 < int(locked.value.params["wait_s"]) <= 61
    assert await hana.outcome(password="wrong horse battery") == "not_allowed:login_refused"

    session = await signed_in(await client_for("operator"), hana.web)
    async with acting(vault, session.merchant.id) as act:
        await act.db.execute("update staff set locked_until = locked_until - interval '5 minutes'")
    assert await hana.outcome() == "in"


class SeenWork(PasswordHasher):
    """A hasher that notes what each check of a password cost."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=64, parallelism=1)
        self.checks: list[Parameters] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - its name there
        self.checks.append(extract_parameters(str(hash)))
        return super().verify(hash, password)


async def test_people_who_dont_exist_cost_the_same_check_as_people_who_do(
    hana: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher = SeenWork()
    monkeypatch.setattr("portal.vault.staff._HASHER", hasher)

    for changes in ({}, {"email": "nobody@minato.example"}, {"merchant_code": "nowhere"}):
        await hana.outcome(password="wrong horse battery", **changes)

    somebody, nobody, nowhere = hasher.checks
    assert somebody == nobody == nowhere


async def test_logging_out_ends_this_session_and_no_other(hana: Staff) -> None:
    first = await hana.log_in(totp=hana.code(-1))
    second = await hana.log_in()

    await hana.web.call(LOG_OUT, Nothing(), first.authority)

    with pytest.raises(Expired, match="authority_revoked"):
        await hana.web.call(VIEW_VIEWER, Nothing(), first.authority)
    assert (await hana.web.call(VIEW_VIEWER, Nothing(), second.authority)).email == HANA


async def test_a_revoked_session_stays_revoked_after_a_restart(
    ground: Ground, vault: VaultServer, hana: Staff
) -> None:
    session = await hana.log_in()
    await hana.web.call(LOG_OUT, Nothing(), session.authority)
    await vault.stop()

    async with ground.vault():
        web = await ground.client("web")
        with pytest.raises(Expired, match="authority_revoked"):
            await web.call(VIEW_VIEWER, Nothing(), session.authority)


async def test_a_session_outlives_a_restart_of_the_vault(
    ground: Ground, vault: VaultServer, hana: Staff
) -> None:
    session = await hana.log_in()
    await vault.stop()

    async with ground.vault():
        web = await ground.client("web")
        assert (await web.call(VIEW_VIEWER, Nothing(), session.authority)).email == HANA


async def test_a_ticket_opens_one_session(client_for: ClientFor, hana: Staff) -> None:
    operator = await client_for("operator")
    issued = await operator.call(
        ISSUE_LOGIN_TICKET, IssueLoginTicket(merchant_code="minato", email=HANA, life_s=60)
    )
    redeem = RedeemLoginTicket(ticket=issued.ticket)

    outcomes = await asyncio.gather(
        *(hana.web.call(REDEEM_LOGIN_TICKET, redeem) for _ in range(5)), return_exceptions=True
    )

    signed = [one for one in outcomes if isinstance(one, SignedIn)]
    refused = [one for one in outcomes if isinstance(one, Expired)]
    assert (len(signed), len(refused)) == (1, 4)
    assert {one.code for one in refused} == {"ticket_used"}


async def test_a_ticket_expires_and_an_unknown_one_is_not_found(ground: Ground) -> None:
    async with ground.vault(wall_clock=MovingClock()):
        operator, web = await ground.client("operator"), await ground.client("web")
        await found_merchant(operator)
        await add_staff(operator)
        issued = await operator.call(
            ISSUE_LOGIN_TICKET, IssueLoginTicket(merchant_code="minato", email=HANA, life_s=10)
        )
        for unknown in ("minato.0000000000000000000000", "nobody.x", "", "minato"):
            with pytest.raises(NotFound, match="ticket_unknown"):
                await web.call(REDEEM_LOGIN_TICKET, RedeemLoginTicket(ticket=unknown))

        MovingClock.ahead = timedelta(seconds=11)
        with pytest.raises(Expired, match="ticket_expired"):
            await web.call(REDEEM_LOGIN_TICKET, RedeemLoginTicket(ticket=issued.ticket))


async def test_a_code_belongs_to_one_merchant_and_a_mail_address_to_one_person_in_it(
    client_for: ClientFor, hana: Staff
) -> None:
    operator = await client_for("operator")
    request = await found_merchant(operator, "kansai")
    await add_staff(operator, "kansai")

    with pytest.raises(Conflict, match="merchant_code_taken"):
        await operator.call(FOUND_MERCHANT, request)
    with pytest.raises(Conflict, match="staff_exists"):
        await add_staff(operator, email=HANA.upper())
    session = await signed_in(operator, hana.web, "kansai")
    viewer = await hana.web.call(VIEW_VIEWER, Nothing(), session.authority)
    assert viewer.merchant.code == "kansai"


@pytest.mark.parametrize("password", ["eleven char", "x" * 1025])
async def test_a_password_has_twelve_to_1024_characters(hana: Staff, password: str) -> None:
    operator = hana.web
    request = AddStaff(
        merchant_code="minato", name="x", email="x@x.example", password=password, role="clerk"
    )
    with pytest.raises(NotAllowed):
        await operator.call(ADD_STAFF, request)  # web is no operator


@pytest.mark.usefixtures("hana")
async def test_the_operator_hears_what_is_wrong_with_a_password(client_for: ClientFor) -> None:
    operator = await client_for("operator")
    for password, fits in (("x" * 11, False), ("x" * 12, True), ("x" * 1025, False)):
        request = AddStaff(
            merchant_code="minato",
            name="x",
            email=f"x{len(password)}@x.example",
            password=password,
            role="clerk",
        )
        if fits:
            await operator.call(ADD_STAFF, request)
            continue
        with pytest.raises(InvalidInput, match="password_length"):
            await operator.call(ADD_STAFF, request)
