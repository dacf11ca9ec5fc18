"""What every screen keeps in every state: accessible, light, narrow, silent on the console."""

import re
from collections.abc import Callable
from typing import Any

import gallery as screens
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Request, Route

from portal.application.doors.assets import PAGE_JS, REMIND_JS, WORKER_JS

Open = Callable[..., BrowserContext]
PAYER = sorted(screens.PAYER_PAGES)
STAFF = sorted(screens.STAFF_SCREENS)
HEARD = """
globalThis.heard = [];
SpeechSynthesis.prototype.speak = (said) => heard.push([said.lang, said.text]);
"""
"""What the browser would read out."""
AXE = "axe.run({resultTypes: ['violations']}).then((found) => found.violations)"
LOOKS = [(lang, scheme) for lang in ("ja", "en") for scheme in ("light", "dark")]

PAGE_BYTES_MAX = 10 * 1024
RECEIPTS = ("page-paid", "page-given-back", "page-card-left")
PRINTED = (*RECEIPTS, "page-slip")
"""Pages with a button that prints them, which needs script."""

PAGE_REQUESTS_MAX = 3
STAFF_FIRST_BYTES_MAX = 60 * 1024
STAFF_NEXT_BYTES_MAX = 15 * 1024


def language_cookie(origin: str, lang: str) -> list[dict[str, str]]:
    return [{"name": "harai_lang", "value": lang, "url": origin}]


def go(page: Page, origin: str, name: str) -> None:
    page.goto(f"{origin}/show/{name}", wait_until="load")


def bytes_of(request: Request) -> int:
    sizes = request.sizes()
    return sizes["responseBodySize"] + sizes["responseHeadersSize"]


def requests_of(page: Page) -> list[Request]:
    """Every request of the page, as it ends."""
    asked: list[Request] = []

    def note(request: Request) -> None:
        asked.append(request)

    page.on("requestfinished", note)
    return asked


def watch(page: Page) -> list[str]:
    """Whatever the browser complains about, CSP violations included."""
    complaints: list[str] = []
    page.on(
        "console",
        lambda said: (
            complaints.append(said.text)
            if said.type in {"error", "warning"} and "404 (Not Found)" not in said.text
            else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


# Staff have many screens: each language and each scheme once is enough to find what either breaks.
@pytest.mark.parametrize(
    ("names", "lang", "scheme"),
    [
        *(pytest.param(PAYER, *look, id=f"payer-{look[0]}-{look[1]}") for look in LOOKS),
        pytest.param(STAFF, "ja", "light", id="staff-ja-light"),
        pytest.param(STAFF, "en", "dark", id="staff-en-dark"),
    ],
)
def test_no_screen_breaks_an_axe_rule(
    opened: Open, gallery: tuple[str, Any], names: list[str], lang: str, scheme: str
) -> None:
    origin, _ = gallery
    # axe is put into the page, which our policy rightly forbids: only here it is set aside.
    context = opened(bypass_csp=True, color_scheme=scheme, viewport={"width": 900, "height": 900})
    context.add_init_script(script=Axe().axe_script)  # once, where Axe.run sends it with each page
    context.add_cookies(language_cookie(origin, lang))
    page = context.new_page()
    broken: list[str] = []
    for name in names:
        go(page, origin, name)
        found = page.evaluate(AXE)
        broken += [
            f"{name}: {rule['id']} {[node['target'] for node in rule['nodes']][:3]}"
            for rule in found
        ]

    assert page.locator("html").get_attribute("lang") == lang
    assert not broken, "\n".join(broken)


def test_the_axe_test_finds_a_fault_that_is_there(opened: Open, gallery: tuple[str, Any]) -> None:
    origin, _ = gallery
    context = opened(bypass_csp=True)
    context.add_init_script(script=Axe().axe_script)
    page = context.new_page()
    go(page, origin, "page-open")
    page.evaluate("document.querySelector('input[type=radio]').closest('label').before('x')")
    page.evaluate("document.body.append(document.createElement('input'))")

    found = page.evaluate(AXE)

    assert "label" in {rule["id"] for rule in found}


@pytest.mark.parametrize("names", [PAYER, STAFF], ids=["payer", "staff"])
def test_no_screen_makes_the_browser_complain(
    opened: Open, gallery: tuple[str, Any], names: list[str]
) -> None:
    origin, _ = gallery
    for name in names:
        page = opened().new_page()
        complaints = watch(page)
        go(page, origin, name)
        page.wait_for_timeout(60)

        assert complaints == [], f"{name}: {complaints}"
        page.close()


def test_a_violation_of_the_policy_would_be_seen(opened: Open, gallery: tuple[str, Any]) -> None:
    origin, _ = gallery
    page = opened().new_page()
    complaints = watch(page)
    go(page, origin, "page-open")
    page.evaluate(
        "document.head.append(Object.assign(document.createElement('style'),"
        " {textContent: 'body{display:none}'}))"
    )
    page.wait_for_timeout(60)

    assert any("Content Security Policy" in said for said in complaints)
    assert page.locator("h1").first.is_visible()


@pytest.mark.parametrize("names", [PAYER, STAFF], ids=["payer", "staff"])
@pytest.mark.parametrize("big", [False, True], ids=["normal", "big"])
def test_no_screen_scrolls_sideways_at_320_pixels(
    opened: Open, gallery: tuple[str, Any], names: list[str], *, big: bool
) -> None:
    origin, _ = gallery
    context = opened(viewport={"width": 320, "height": 640})
    if big:
        context.add_cookies([{"name": "harai_size", "value": "big", "url": origin}])
    page = context.new_page()
    wide: dict[str, int] = {}
    for lang in ("ja", "en"):
        context.add_cookies(language_cookie(origin, lang))
        for name in names:
            go(page, origin, name)
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > 320:
                wide[f"{name}-{lang}"] = width

    assert wide == {}


@pytest.mark.parametrize("name", PAYER)
def test_payer_page_stays_within_its_budget(
    opened: Open, gallery: tuple[str, Any], name: str
) -> None:
    origin, _ = gallery
    page = opened().new_page()
    asked = requests_of(page)
    go(page, origin, name)
    page.wait_for_timeout(60)

    assert len(asked) <= PAGE_REQUESTS_MAX
    assert sum(bytes_of(request) for request in asked) <= PAGE_BYTES_MAX
    assert all(request.url.startswith(origin) for request in asked)


def test_staff_screens_stay_within_their_budgets(opened: Open, gallery: tuple[str, Any]) -> None:
    origin, _ = gallery
    page = opened().new_page()
    asked = requests_of(page)
    go(page, origin, "login")
    first = sum(bytes_of(request) for request in asked)
    heavy: dict[str, int] = {}
    for name in STAFF:
        asked.clear()
        go(page, origin, name)
        weight = sum(bytes_of(request) for request in asked if "/events" not in request.url)
        if weight > STAFF_NEXT_BYTES_MAX:
            heavy[name] = weight

    assert first <= STAFF_FIRST_BYTES_MAX
    assert heavy == {}


@pytest.mark.parametrize("name", ["page-open", "page-declined", "page-overdue"])
def test_targets_are_large_enough_for_any_finger(
    opened: Open, gallery: tuple[str, Any], name: str
) -> None:
    origin, _ = gallery
    page = opened(viewport={"width": 390, "height": 844}).new_page()
    go(page, origin, name)

    button = page.locator("form button[data-busy]").bounding_box()
    rows = page.evaluate(
        "[...document.querySelectorAll('form label')].map((label) =>"
        " label.getBoundingClientRect().height)"
    )
    heights = page.evaluate(
        "[...document.querySelectorAll('a, summary')].map((link) =>"
        " link.getBoundingClientRect().height)"
    )

    assert button is not None
    assert button["height"] >= 56
    assert len(rows) == 2
    assert min(rows) >= 64
    assert min(heights) >= 24


def test_a_double_tap_sends_one_form(opened: Open, gallery: tuple[str, Any]) -> None:
    origin, app = gallery
    page = opened().new_page()
    go(page, origin, "page-open")
    app.state.posts.clear()
    page.evaluate(
        "const button = document.querySelector('form button');"
        " button.click(); button.click(); button.click();"
    )
    page.wait_for_url("**/pay")

    sent = [path for path, _ in app.state.posts if path.endswith("/pay")]
    assert len(sent) == 1


def test_what_is_wrong_with_a_text_shows_while_it_is_typed(
    opened: Open, gallery: tuple[str, Any]
) -> None:
    origin, _ = gallery
    asked: list[str] = []
    news = {
        "findings": [{"severity": "warning", "text": "<b>urgent</b>", "at": "at “URGENT”"}],
        "fine": "", "size": "1 parts", "sample": "URGENT Aozora", "subject": "",
    }  # fmt: skip

    def answer(route: Route) -> None:
        asked.append(route.request.post_data or "")
        route.fulfill(json=news)

    page = opened().new_page()
    page.route("**/d/templates/write", answer)
    go(page, origin, "template-preview")

    page.fill("#field-body", "URGENT {merchant}")

    page.wait_for_selector("[data-size]:text-is('1 parts')")
    assert page.inner_text("[data-findings]") == "<b>urgent</b> at “URGENT”"
    assert page.inner_text("[data-sample]") == "URGENT Aozora"
    assert page.is_hidden("[data-fine]")
    assert "body=URGENT+%7Bmerchant%7D" in asked[-1]
    assert "csrf=" in asked[-1]

    # A call's parts are judged apart, and its sample can be heard.
    news["findings"] = [{"severity": "error", "part": "subject", "text": "owing", "at": ""}]
    page.add_init_script(HEARD)
    go(page, origin, "template-call")
    page.click("[data-listen]")
    heard: list[list[str]] = page.evaluate("heard")
    page.fill("#field-subject", "{merchant}")
    page.wait_for_selector("[data-findings]:has-text('owing')")

    assert [lang for lang, _ in heard] == ["ja-JP"] * 3
    assert [page.inner_text(one) for one in ("[data-subject]", "[data-sample]")] == [
        "",
        "URGENT Aozora",
    ]
    assert "4けたの数字" in heard[1][1]
    assert page.locator(".field.is-wrong #field-subject").count() == 1
    assert page.locator(".field.is-wrong #field-body").count() == 0


def test_a_person_who_looks_is_noticed_once_by_script(
    opened: Open, gallery: tuple[str, Any]
) -> None:
    origin, app = gallery
    app.state.posts.clear()
    page = opened().new_page()
    go(page, origin, "page-open")
    page.wait_for_timeout(150)

    assert [path for path, _ in app.state.posts] == ["/b/Qk3nZt8v/opened"]


def test_without_script_every_payer_page_says_the_same(
    opened: Open, gallery: tuple[str, Any]
) -> None:
    origin, _ = gallery
    with_script, without = opened().new_page(), opened(java_script_enabled=False).new_page()
    for name in PAYER:
        if name == "page-remind":  # asks a browser to take notifications, which needs script
            continue
        go(with_script, origin, name)
        go(without, origin, name)
        # What needs script is shown to who has it: printing, and being reminded by the browser.
        with_script.evaluate(
            "document.querySelectorAll('[data-print], [data-push]').forEach(one => one.remove())"
        )
        theirs = without.locator("main").inner_text()
        ours = with_script.locator("main").inner_text()

        assert re.sub(r"\s", "", theirs) in re.sub(r"\s", "", ours), name


def test_a_telephone_is_offered_the_app_and_a_desk_goes_straight_on(
    opened: Open, gallery: tuple[str, Any]
) -> None:
    origin, _ = gallery
    address = f"{origin}/show/go?app=paypay://payment%3Flink_key=x"
    telephone = opened(has_touch=True, locale="ja").new_page()
    telephone.goto(address)

    app = telephone.get_by_role("link", name="アプリを開く")
    assert app.get_attribute("href") == "paypay://payment?link_key=x"
    telephone.get_by_role("link", name="ブラウザで続ける").click()
    telephone.wait_for_url("**/elsewhere")

    desk = opened().new_page()
    desk.goto(address, wait_until="commit")
    desk.wait_for_url("**/elsewhere")


def test_waiting_pages_come_back_by_themselves_without_script(
    opened: Open, gallery: tuple[str, Any]
) -> None:
    origin, _ = gallery
    page = opened(java_script_enabled=False).new_page()
    go(page, origin, "page-processing")
    page.wait_for_url("**/show/page-processing?w=1", timeout=6_000)


def test_keyboard_reaches_everything_in_the_order_of_the_page(
    opened: Open, gallery: tuple[str, Any]
) -> None:
    origin, _ = gallery
    page = opened().new_page()
    go(page, origin, "page-open")
    seen: list[str] = []
    for _ in range(10):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.tagName"))

    assert seen == [
        "A", "A", "SUMMARY", "INPUT", "BUTTON", "SUMMARY", "SUMMARY", "SUMMARY", "A", "A",
    ]  # fmt: skip


def test_language_and_size_are_kept_and_leave_the_address(
    opened: Open, gallery: tuple[str, Any]
) -> None:
    origin, _ = gallery
    page = opened(java_script_enabled=False, locale="ja").new_page()
    go(page, origin, "page-open")
    page.get_by_role("link", name="English").click()
    page.get_by_role("link", name="Larger text").click()

    assert page.url == f"{origin}/show/page-open"
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("html").get_attribute("class") == "big"


@pytest.mark.parametrize("name", PRINTED)
def test_receipt_prints_on_one_page(opened: Open, gallery: tuple[str, Any], name: str) -> None:
    origin, _ = gallery
    page = opened().new_page()
    go(page, origin, name)

    pdf = page.pdf(format="A4")

    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("ja", ("2,000円を返金しました", "420円の返金手続き中です", "返金済み", "返金手続き中")),
        ("en", ("¥2,000 was given back", "A refund of ¥420 is on its way", "On its way back")),
    ],
)
def test_receipt_says_what_was_given_back(
    opened: Open, gallery: tuple[str, Any], lang: str, said: tuple[str, ...]
) -> None:
    origin, _ = gallery
    context = opened()
    context.add_cookies(language_cookie(origin, lang))
    page = context.new_page()
    go(page, origin, "page-given-back")
    shown = page.locator("main").inner_text()
    go(page, origin, "page-paid")
    plain = page.locator("main").inner_text()

    assert [text for text in said if text not in shown] == []
    assert [text for text in said if text in plain] == []


def test_script_of_the_payer_page_is_small_and_writes_no_markup() -> None:
    assert len(PAGE_JS.text.encode()) <= 1536
    assert len(REMIND_JS.text.encode()) <= 1536
    assert len(WORKER_JS.text.encode()) <= 512
    for script in (PAGE_JS, REMIND_JS, WORKER_JS):
        said = re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", script.text)
        assert said is None


def test_news_that_need_a_new_page_do_not_cancel_where_the_person_goes(
    opened: Open, gallery: tuple[str, Any]
) -> None:
    """Both come while the next screen is on its way: the reload and the person's own click."""
    origin, _ = gallery
    page = opened().new_page()
    events: list[Route] = []
    screens_asked: list[Route] = []

    def hold_news(route: Route) -> None:
        events.append(route)

    def hold_screen(route: Route) -> None:
        screens_asked.append(route)

    page.route("**/d/events*", hold_news)
    go(page, origin, "home")
    page.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
    while not events:
        page.wait_for_timeout(10)
    page.route("**/d/bills*", hold_screen)
    page.route("**/show/home", hold_screen)
    page.locator("nav a[href='/d/bills']").click(no_wait_after=True)
    while not screens_asked:
        page.wait_for_timeout(10)

    news = '{"structure": "another", "texts": {}, "bars": {}, "paths": {}, "marks": []}'
    events[0].fulfill(content_type="text/event-stream", body=f"data: {news}\n\n")
    page.wait_for_timeout(200)
    screens_asked[0].fulfill(content_type="text/html", body="<title>bills</title>")

    page.wait_for_url("**/d/bills")
    assert [route.request.url for route in screens_asked] == [f"{origin}/d/bills"]
