"""Cookies and forms without a vault behind them: what the browser holds decides."""

from pathlib import Path
from uuid import uuid4

import pytest
from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.login import safe_target
from portal.application.doors.seals import Seals
from portal.application.doors.session import (
    PAGES_MAX,
    PayerSession,
    Sessions,
    StaffSession,
    print_api_key,
    read_api_key,
)
from portal.contract.envelope import Authority
from portal.contract.login import MerchantFacts, SignedIn
from portal.domain.errors import NotAllowed
from portal.domain.ids import MerchantId, StaffId
from portal.kit.clock import SystemClock
from tests.make.web import ORIGIN, running_web, web_settings

CLOCK = SystemClock()
HOUR_S = 3600


def authority(life_s: int = HOUR_S) -> Authority:
    end = int(CLOCK.wall().timestamp()) + life_s
    return Authority(capability=b"c" * 120, key=b"k" * 32, expires_at=end)


def signed_in(life_s: int = HOUR_S) -> SignedIn:
    facts = MerchantFacts(
        id=MerchantId(uuid4()),
        code="mizu",
        name="Mizu",
        zone="Asia/Tokyo",
        sms_sender="0005",
        phone="0120",
        website="https://mizu.example",
    )
    return SignedIn(
        authority=authority(life_s), staff_id=StaffId(uuid4()), role="owner", merchant=facts
    )


def sessions_of(
    folder: Path, *, origin: str = ORIGIN, instance: str = "t1", key: bytes | None = None
) -> Sessions:
    settings = web_settings(folder, origin=origin, instance=instance)
    return Sessions(Seals(key or settings.read_cookie_key(), instance), settings, CLOCK)


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw})


def cookies_of(response: Response) -> dict[str, str]:
    lines = [value.decode() for name, value in response.raw_headers if name == b"set-cookie"]
    return dict(line.split(";")[0].split("=", 1) for line in lines)


def returning(*responses: Response) -> Request:
    """A browser that kept what it was given."""
    jar: dict[str, str] = {}
    for response in responses:
        for name, value in cookies_of(response).items():
            if value in {"", '""'}:
                jar.pop(name, None)
            else:
                jar[name] = value
    return request(cookie="; ".join(f"{name}={value}" for name, value in jar.items()))


def open_page(sessions: Sessions, ref: str, seen: Request, life_s: int = HOUR_S) -> Response:
    response = Response()
    sessions.open_page(seen, response, authority(life_s), merchant_code="mizu", page_ref=ref)
    return response


def test_a_session_comes_back_as_it_went(tmp_path: Path) -> None:
    sessions = sessions_of(tmp_path)
    response = Response()
    given = sessions.sign_in(response, signed_in())

    assert sessions.staff(returning(response)) == given


@pytest.mark.parametrize(
    ("origin", "name", "secure"),
    [
        ("http://localhost:8080", "harai_t1_staff", False),
        ("https://pay.example", "__Host-harai_t1_staff", True),
    ],
)
def test_cookies_are_host_only_and_secure_wherever_that_is_possible(
    tmp_path: Path, origin: str, name: str, *, secure: bool
) -> None:
    response = Response()
    sessions_of(tmp_path, origin=origin).sign_in(response, signed_in())

    line = response.headers["set-cookie"]
    assert line.startswith(f"{name}=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(line.split("; "))
    assert ("Secure" in line.split("; ")) is secure
    assert "domain" not in line.lower()


@pytest.mark.parametrize(
    "origin", ["http://pay.example", "https://pay.example/", "pay.example", "http://10.0.0.1:80"]
)
def test_an_origin_that_would_send_cookies_in_clear_is_refused(tmp_path: Path, origin: str) -> None:
    with pytest.raises(ValueError, match="public_origin"):
        web_settings(tmp_path, origin=origin)


def test_no_authority_can_be_read_from_a_cookie_and_no_bit_of_it_changed(tmp_path: Path) -> None:
    sessions = sessions_of(tmp_path)
    response = Response()
    sessions.sign_in(response, signed_in())
    [(name, value)] = cookies_of(response).items()
    assert sessions.staff(request(cookie=f"{name}={value}")) is not None

    for place in range(0, len(value), 7):
        other = "A" if value[place] != "A" else "B"
        changed = value[:place] + other + value[place + 1 :]
        assert sessions.staff(request(cookie=f"{name}={changed}")) is None
    assert sessions_of(tmp_path, key=b"x" * 32).staff(returning(response)) is None


def test_a_cookie_of_another_kind_bill_or_installation_opens_nothing(tmp_path: Path) -> None:
    sessions = sessions_of(tmp_path)
    page = open_page(sessions, "ref-1", request())
    [(name, value)] = cookies_of(page).items()
    assert sessions.payer(returning(page), "ref-1") is not None

    assert sessions.staff(request(cookie=f"harai_t1_staff={value}")) is None
    assert sessions.payer(request(cookie=f"harai_t1_bill_ref-2={value}"), "ref-2") is None
    neighbour = sessions_of(tmp_path, instance="t2")
    assert neighbour.payer(request(cookie=f"harai_t2_bill_ref-1={value}"), "ref-1") is None
    assert name == "harai_t1_bill_ref-1"


def test_a_session_ends_with_its_authority(tmp_path: Path) -> None:
    sessions = sessions_of(tmp_path)
    response = Response()
    sessions.sign_in(response, signed_in(life_s=-1))

    assert sessions.staff(returning(response)) is None
    assert "Max-Age=0" in response.headers["set-cookie"]


def test_several_bills_stay_open_side_by_side_and_the_first_to_end_gives_way(
    tmp_path: Path,
) -> None:
    sessions = sessions_of(tmp_path)
    seen, responses = request(), list[Response]()
    for number in range(PAGES_MAX + 1):
        life_s = 60 if number == 3 else HOUR_S + number
        responses.append(open_page(sessions, f"ref-{number}", seen, life_s))
        seen = returning(*responses)

    held = [n for n in range(PAGES_MAX + 1) if sessions.payer(seen, f"ref-{n}") is not None]
    assert held == [0, 1, 2, 4, 5, 6, 7, 8]
    assert len(seen.headers["cookie"]) < 8000


def test_the_short_authority_of_a_return_does_not_shorten_the_visit(tmp_path: Path) -> None:
    sessions = sessions_of(tmp_path)
    first = open_page(sessions, "ref-1", request())
    held = sessions.payer(returning(first), "ref-1")

    again = open_page(sessions, "ref-1", returning(first), life_s=60)

    assert cookies_of(again) == {}
    assert sessions.payer(returning(first, again), "ref-1") == held


def staff_session() -> StaffSession:
    return StaffSession(
        authority=authority(),
        staff_id=StaffId(uuid4()),
        merchant_code="mizu",
        role="clerk",
        csrf=b"s" * 16,
    )


def payer_session() -> PayerSession:
    return PayerSession(
        authority=authority(), merchant_code="mizu", page_ref="ref-1", csrf=b"p" * 16
    )


def refusal(sessions: Sessions, seen: Request, session: StaffSession, token: str) -> str:
    with pytest.raises(NotAllowed) as caught:
        sessions.check_form(seen, session, token)
    return caught.value.code


def test_a_form_passes_with_the_token_of_its_own_session_only(tmp_path: Path) -> None:
    sessions, session = sessions_of(tmp_path), staff_session()
    ours = request(sec_fetch_site="same-origin")
    token = sessions.csrf_token(session)
    sessions.check_form(ours, session, token)
    sessions.check_form(request(origin=ORIGIN), session, token)
    sessions.check_form(request(origin="null"), session, token)

    assert sessions.csrf_token(session) != token
    strange = ("", "x", token[:-2], "ä", sessions.csrf_token(payer_session()), "A" * 43)
    assert {refusal(sessions, ours, session, text) for text in strange} == {"form_stale"}


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": "cross-site", "origin": ORIGIN},
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:8081"},
    ],
)
def test_a_form_that_another_site_sends_is_refused_whatever_its_token(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    sessions, session = sessions_of(tmp_path), staff_session()
    token = sessions.csrf_token(session)

    assert refusal(sessions, request(**headers), session, token) == "form_foreign"


def test_an_opaque_origin_passes_only_beside_a_token(tmp_path: Path) -> None:
    sessions = sessions_of(tmp_path)
    sessions.check_origin(request(origin="null"), opaque=True)

    with pytest.raises(NotAllowed, match="form_foreign"):
        sessions.check_origin(request(origin="null"))


def test_an_api_key_is_the_authority_itself() -> None:
    given = authority()
    read = read_api_key(request(authorization=f"Bearer {print_api_key('mizu', given)}"))

    assert read is not None
    assert (read.authority, read.merchant_code) == (given, "mizu")
    assert read_api_key(request()) is None
    assert given.key.hex() not in repr(read)


@pytest.mark.parametrize(
    "header", ["Bearer", "Basic abc", "Bearer harai_mizu_", "Bearer harai_mizu_" + "A" * 60, ""]
)
def test_anything_else_in_that_header_is_refused_and_not_ignored(header: str) -> None:
    with pytest.raises(NotAllowed, match="key_malformed"):
        read_api_key(request(authorization=header))


async def test_staff_without_a_session_are_led_to_log_in_and_back(tmp_path: Path) -> None:
    async with running_web(tmp_path) as web, web.browser() as browser:
        home = await browser.get("/d")
        bills = await browser.get("/d/bills?settlement=unpaid")
        live = await browser.get("/d/events?screen=home")

    assert (home.status_code, home.headers["location"]) == (303, "/login")
    assert bills.headers["location"] == "/login?next=%2Fd%2Fbills%3Fsettlement%3Dunpaid"
    assert (live.status_code, live.json()["error"]["code"]) == (401, "not_signed_in")


async def test_logging_in_from_another_site_is_refused_before_the_vault_hears_of_it(
    tmp_path: Path,
) -> None:
    form = {"merchant": "mizu", "email": "a@b.example", "password": "p", "totp": "1"}
    async with running_web(tmp_path) as web, web.browser() as browser:
        ours = await browser.post("/login", data=form, headers={"origin": ORIGIN})
        theirs = await browser.post("/login", data=form, headers={"origin": "null"})

    assert "code=vault_away" in ours.headers["location"]
    assert theirs.status_code == 403


@pytest.mark.parametrize(
    ("wanted", "target"),
    [
        ("/d/bills?q=1", "/d/bills?q=1"),
        ("//evil.example", "/d"),
        ("/d//evil.example", "/d"),
        ("/d/\\evil.example", "/d"),
        ("https://evil.example/d", "/d"),
        ("/demo", "/d"),
        ("", "/d"),
    ],
)
def test_after_logging_in_one_stays_inside(wanted: str, target: str) -> None:
    assert safe_target(wanted) == target
