"""From outside, at the front door: forms of other sites, stolen cookies, requests that lie.

An answer of the application carries its ``permissions-policy``; nginx' own answers carry none. So
it is seen from outside whether a request reached the application at all.
"""

import hashlib
import socket
from collections.abc import Iterator
from typing import Final

import httpx
import msgspec
import pytest

from portal.application.doors.seals import Seals
from portal.application.doors.session import StaffSession
from portal.dmz.routes import ROUTES
from portal.stack.layout import SOURCE
from portal.stack.payers import read_page
from tests.make.intruder import OTHER_CODE, Town

pytestmark = [pytest.mark.root, pytest.mark.stack, pytest.mark.timeout(240)]

MARK: Final = "permissions-policy"
CLOSE: Final = "Content-Length: 0\r\nConnection: close\r\n\r\n"
FORBIDDEN: Final = 403
SEE_OTHER: Final = 303


@pytest.fixture
def browser(town: Town) -> Iterator[httpx.Client]:
    """A member of staff who has logged in."""
    with town.browser() as made:
        made.get(f"/login/ticket/{town.ticket()}")
        assert made.get("/d").status_code == 200
        yield made


def key_form(browser: httpx.Client) -> dict[str, str]:
    """The form that makes an API key, as the page offers it."""
    forms = read_page(browser.get("/d/keys").text).forms
    form = next(one for one in forms if one.action == "/d/do/ApiKeyCreate")
    return {**form.fields, "name": "by form", "scope.BILLS_READ": "on"}


def keys_of(browser: httpx.Client) -> int:
    return browser.get("/d/keys").text.count("by form")


# --- forms and cookies ---------------------------------------------------------------------------


def test_no_other_site_can_send_a_form_of_staff(town: Town, browser: httpx.Client) -> None:
    form, before = key_form(browser), keys_of(browser)
    with town.browser() as stranger:
        stranger.get(f"/login/ticket/{town.ticket(OTHER_CODE)}")
        strange = key_form(stranger)["csrf"]
    origin = {"origin": town.access.portal}
    attempts = {
        "another origin": (form, {"origin": "https://evil.example"}),
        "another port": (form, {"origin": "http://localhost:1"}),
        "another site, by the browser": (form, {**origin, "sec-fetch-site": "cross-site"}),
        "another subdomain": (form, {**origin, "sec-fetch-site": "same-site"}),
        "no token": ({k: v for k, v in form.items() if k != "csrf"}, origin),
        "an empty token": ({**form, "csrf": ""}, origin),
        "the token of somebody else": ({**form, "csrf": strange}, origin),
        "a changed token": ({**form, "csrf": form["csrf"][::-1]}, origin),
    }

    for name, (fields, headers) in attempts.items():
        answer = browser.post("/d/do/ApiKeyCreate", data=fields, headers=headers)
        assert answer.status_code == FORBIDDEN, name
    assert keys_of(browser) == before

    control = browser.post("/d/do/ApiKeyCreate", data=form, headers=origin)
    assert control.status_code == 200
    assert keys_of(browser) > before


def test_no_other_site_can_log_a_browser_in(town: Town) -> None:
    """Log-in CSRF: a browser that works in the attacker's account without noticing."""
    fields = {"merchant": "aozora", "email": "x@x.example", "password": "x", "totp": "000000"}
    with town.browser() as browser:
        foreign = browser.post("/login", data=fields, headers={"origin": "https://evil.example"})
        own = browser.post("/login", data=fields, headers={"origin": town.access.portal})

    assert foreign.status_code == FORBIDDEN
    assert own.status_code == SEE_OTHER, "the control: the same from our own page is judged"
    assert "code=" in own.headers["location"]


def staff_cookie(browser: httpx.Client) -> tuple[str, str]:
    [(name, value)] = [(n, v) for n, v in browser.cookies.items() if n.endswith("_staff")]
    return name, value


def enters(town: Town, name: str, value: str) -> bool:
    """Whether a browser with just this cookie sees the dashboard."""
    with town.browser(cookies={name: value}) as thief:
        return thief.get("/d").status_code == 200


def test_a_cookie_sealed_for_another_instance_or_purpose_opens_nothing(
    town: Town, browser: httpx.Client
) -> None:
    """Even sealed under the very same key."""
    name, value = staff_cookie(browser)
    layout = town.stack.layout
    key = (layout.zone("web") / "cookie.key").read_bytes()
    ours = Seals(key, layout.facts.instance)
    session = ours.unseal("staff", value, StaffSession)
    assert session is not None

    assert not enters(town, name, Seals(key, "another").seal("staff", session))
    assert not enters(town, name, Seals(bytes(32), layout.facts.instance).seal("staff", session))
    assert not enters(town, name, ours.seal("bill/abcd", session))
    assert not enters(town, name, value[:-4] + ("AAAA" if value[-4:] != "AAAA" else "BBBB"))
    assert not enters(town, name.replace(layout.facts.instance, "other1"), value)
    changed = msgspec.structs.replace(session, merchant_code=OTHER_CODE)
    with town.browser(cookies={name: ours.seal("staff", changed)}) as thief:
        assert "みどりガス" not in thief.get("/d").text, "whose data it is says the vault"

    assert enters(town, name, value), "the control"
    assert enters(town, name, ours.seal("staff", session))


def test_a_session_cannot_be_fixed_beforehand_nor_used_after_its_end(
    town: Town, browser: httpx.Client
) -> None:
    name, planted = staff_cookie(browser)
    with town.browser(cookies={name: planted}) as victim:
        answer = victim.get(f"/login/ticket/{town.ticket(OTHER_CODE)}")
        given = answer.cookies[name]
    assert given != planted, "who logs in gets a session of his own"
    with town.browser(cookies={name: planted}) as attacker:
        assert "みどりガス" not in attacker.get("/d").text, "the planted one is still only its own"
    with town.browser(cookies={name: given}) as control:
        assert "みどりガス" in control.get("/d").text

    assert enters(town, name, planted), "the control: before its end it works"
    form = next(f for f in read_page(browser.get("/d").text).forms if f.action == "/logout")
    assert browser.post("/logout", data=form.fields).status_code == SEE_OTHER
    assert not enters(town, name, planted), "logged out: the vault has ended it, copies too"


def test_a_one_click_link_enters_once(town: Town) -> None:
    ticket = town.ticket()
    with town.browser() as first, town.browser() as second, town.browser() as prefetch:
        ahead = prefetch.get(f"/login/ticket/{ticket}", headers={"sec-purpose": "prefetch"})
        assert (ahead.status_code, len(ahead.cookies)) == (204, 0)
        first.get(f"/login/ticket/{ticket}")
        answer = second.get(f"/login/ticket/{ticket}")

        assert first.get("/d").status_code == 200, "the control"
        assert answer.headers["location"].startswith("/login?code=")
        assert second.get("/d").status_code == SEE_OTHER


def test_a_session_runs_no_document_of_the_attacker_s_choice(
    town: Town, browser: httpx.Client
) -> None:
    """Script in a page, or a stolen cookie: only documents of our own pages run."""
    free = {"query": "{ bills(first: 60) { nodes { payerName customerNo } } }"}
    documents = SOURCE / "portal/application/doors/graphql/documents/merchant"
    own = (documents / "keys.graphql").read_bytes()
    trusted = {"documentId": f"sha256:{hashlib.sha256(own).hexdigest()}", "variables": {}}

    refused = browser.post("/graphql", json=free).json()
    unknown = browser.post("/graphql", json=trusted | {"documentId": "sha256:" + "0" * 64}).json()
    foreign = browser.post("/graphql", json=trusted, headers={"origin": "https://evil.example"})
    with town.browser() as nobody:
        anonymous = nobody.post("/graphql", json=free).json()

    assert refused["errors"][0]["extensions"]["code"] == "document_untrusted"
    assert "data" not in refused
    assert unknown["errors"][0]["extensions"]["code"].startswith("document_")
    assert foreign.status_code == FORBIDDEN
    assert anonymous["error"]["code"] == "not_signed_in"
    assert "data" not in anonymous

    assert "errors" not in browser.post("/graphql", json=trusted).json(), "the control"
    key = {"authorization": f"Bearer {town.access.api_key}"}
    with town.browser(headers=key) as system:
        assert system.post("/graphql", json=free).json()["data"]["bills"]["nodes"]


# --- requests that lie ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/docs", "/openapi.json", "/metrics", "/admin", "/d/", "/graphql/", "/static/",
        "/.git/config", "/.env", "/server-status", "/debug", "/d//imports", "//d",
        "/static/../healthz", "/static/..%2fhealthz", "/%64", "/d/%2e%2e/healthz", "/d/./bills",
        "/p/aozora", "/p/AOZORA/0123456789012345678901", "/p/aozora/short", "/b/", "/b/a",
        "/notices/sandbox_sms", "/notices/../d", "/healthz/x", "/d;x", "/d%00", "/d\\bills",
    ],
)  # fmt: skip
def test_a_path_that_is_not_declared_never_reaches_the_application(town: Town, path: str) -> None:
    status, head, _ = ask(town, f"GET {path} HTTP/1.1\r\nHost: {host(town)}\r\n{CLOSE}".encode())

    assert status in {400, 404}
    assert MARK not in head
    status, head, _ = ask(town, f"GET /healthz HTTP/1.1\r\nHost: {host(town)}\r\n{CLOSE}".encode())
    assert status == 200
    assert MARK in head, "the control"


def test_a_method_that_is_not_declared_never_reaches_the_application(town: Town) -> None:
    samples = {route.path: route for route in ROUTES if "{" not in route.path}
    assert len(samples) >= 10
    tried = 0
    for path, route in samples.items():
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"):
            if method in route.methods:
                continue
            line = f"{method} {path} HTTP/1.1\r\nHost: {host(town)}\r\n{CLOSE}"
            status, head, _ = ask(town, line.encode())
            assert (status, MARK in head) == (405, False), f"{method} {path}"
            tried += 1
    assert tried > 60


def test_another_host_name_never_reaches_the_application(town: Town) -> None:
    for name in ("evil.example", "127.0.0.1.evil.example", "web", "vault", "169.254.169.254"):
        status, head, _ = ask(town, f"GET /healthz HTTP/1.1\r\nHost: {name}\r\n{CLOSE}".encode())
        assert (status, MARK in head) == (421, False), name

    right = f"GET /healthz HTTP/1.1\r\nHost: {host(town)}\r\n{CLOSE}".encode()
    status, head, _ = ask(town, right)
    assert (status, MARK in head) == (200, True), "the control"


def test_what_is_too_large_never_reaches_the_application(town: Town) -> None:
    def post(path: str, size: int, more: str = "") -> tuple[int, bool]:
        head = f"POST {path} HTTP/1.1\r\nHost: {host(town)}\r\n{more}Content-Length: {size}\r\n\r\n"
        status, answer, _ = ask(town, head.encode() + b"a" * min(size, 1 << 16))
        return status, MARK in answer

    assert post("/login", 8 * 1024 + 1) == (413, False)
    assert post("/graphql", 1 << 31) == (413, False)
    assert post("/notices/sandbox_sms/aozora", 64 * 1024 + 1) == (413, False)
    assert post("/login", 4, f"X-Long: {'a' * 40_000}\r\n") == (400, False)
    assert ask(town, b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n\r\n")[0] == 414

    status, reached = post("/login", 100)
    assert reached, "the control: a small form is judged by the application"
    assert status < 500


HIDDEN: Final = b"GET /d HTTP/1.1\r\n"
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
SMUGGLED: Final = {
    "both lengths": b"Content-Length: 4\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + HIDDEN,
    "both, the other way": CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": b"Content-Length: 4\r\nContent-Length: 40\r\n\r\naaaa" + HIDDEN,
    "a list of lengths": b"Content-Length: 4, 40\r\n\r\naaaa" + HIDDEN,
    "a signed length": b"Content-Length: +4\r\n\r\naaaa" + HIDDEN,
    "two encodings": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "an unknown encoding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "an encoding twice": CHUNKED + b"Transfer-Encoding: x\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two hosts": b"Host: evil.example\r\nContent-Length: 0\r\n\r\n",
    "a broken chunk": CHUNKED + b"\r\nzz\r\n" + HIDDEN,
    "a bare line end": b"X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
    "a null": b"X-A: b\0c\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", list(SMUGGLED))
def test_no_request_is_hidden_in_another(town: Town, name: str) -> None:
    start = f"POST /login HTTP/1.1\r\nHost: {host(town)}\r\n".encode()
    form = b"Content-Type: application/x-www-form-urlencoded\r\n"

    status, head, answers = ask(town, start + form + SMUGGLED[name] + b"Host: x\r\n\r\n")
    assert status in {400, 501}, name
    assert MARK not in head
    assert answers == 1, "one answer, and the connection ends: nothing behind it is read"

    good = b"Content-Length: 3\r\nConnection: close\r\n\r\na=b"
    status, head, answers = ask(town, start + form + good)
    assert (status, answers) == (SEE_OTHER, 1)
    assert MARK in head, "the control"


def test_headers_that_name_an_address_or_a_person_are_not_believed(town: Town) -> None:
    lies = (
        "X-Forwarded-For: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\nX-Real-IP: 10.0.0.1\r\n"
        "X-Forwarded-Host: evil.example\r\nX-Original-URL: /d\r\nX-Rewrite-URL: /d\r\n"
        "X-HTTP-Method-Override: DELETE\r\nX-User: owner\r\n"
    )
    line = f"GET / HTTP/1.1\r\nHost: {host(town)}\r\n"

    status, head, _ = ask(town, f"{line}{lies}{CLOSE}".encode())
    control, plain, _ = ask(town, f"{line}{CLOSE}".encode())

    assert (status, MARK in head) == (control, MARK in plain) == (status, True)
    assert "evil.example" not in head
    log = (town.stack.layout.zone("dmz") / "access.log").read_text()
    assert "10.0.0.1" not in log


def host(town: Town) -> str:
    return f"localhost:{town.stack.layout.ports.portal}"


def ask(town: Town, raw: bytes) -> tuple[int, str, int]:
    """Send bytes to the front door as they are; status and head of the first answer, how many."""
    address = ("127.0.0.1", town.stack.layout.ports.portal)
    with socket.create_connection(address, 10) as link:  # noqa: TID251 - from outside
        link.sendall(raw)
        link.settimeout(30.0)  # a first answer comes, however busy the machine is
        data = b""
        try:
            while piece := link.recv(1 << 16):
                data += piece
                if b"\r\n\r\n" in data:
                    link.settimeout(1.0)
        except (TimeoutError, ConnectionError):
            pass
    head = data.partition(b"\r\n\r\n")[0].decode("latin-1").lower()
    status = int(head.split(" ", 2)[1]) if head else 0
    return status, head, data.count(b"HTTP/1.1 ")
