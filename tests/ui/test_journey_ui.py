"""The whole road through a browser, over the running stack: a file in, a text, a card, the books.

Set HARAI_PICTURES=1 to write the pictures of docs/pictures anew.
"""

import os
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect
from running_stack import phone_of, running_stack, sample_file

from portal.stack.access import Access

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

Open = Callable[..., BrowserContext]
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
APPROVED, DECLINED = "4242424242424242", "4000000000000002"
ROWS = 24
GOOD = ROWS - 2
WIDE = {"width": 1280, "height": 900}
TELEPHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def access() -> Iterator[Access]:
    with running_stack() as given:
        yield given


@pytest.fixture(scope="module")
def sent(access: Access, browser: Browser) -> str:
    """One file, handed in and sent through the dashboard; the import's public id."""
    context = browser.new_context(viewport=WIDE, locale="ja")
    page = context.new_page()
    log_in(page, access)
    import_id = hand_in(page, access, "E", ROWS)
    picture(page, "import")
    page.check("#sure")
    page.get_by_role("button", name=f"正しい{GOOD}件を送る").click()
    expect(page.locator(".badge.is-issued")).to_be_visible(timeout=30_000)
    context.close()
    return import_id


def log_in(page: Page, access: Access, person: int = 0) -> None:
    """By password and TOTP, as every day."""
    staff = access.staff[person]
    page.goto(access.login)
    page.fill("#field-merchant", access.merchant_code)
    page.fill("#field-email", staff.email)
    page.fill("#field-password", staff.password)
    page.fill("#field-totp", pyotp.TOTP(staff.totp_secret).now())
    page.get_by_role("button").last.click()


def hand_in(page: Page, access: Access, name: str, rows: int) -> str:
    page.goto(f"{access.dashboard}/imports/new")
    file = {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": sample_file(name, rows)}
    page.set_input_files("#file", file)
    page.wait_for_url("**/d/imports/imp_*", timeout=20_000)
    expect(page.locator(".badge.is-checked")).to_be_visible(timeout=30_000)
    return page.url.rsplit("/", 1)[-1]


def picture(page: Page, name: str) -> None:
    if os.environ.get("HARAI_PICTURES") == "1":
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png", full_page=name not in {"bills", "phone"})


def link_of(page: Page, access: Access, row: int) -> str:
    """The link in the newest text on that person's telephone."""
    page.goto(f"{access.phone}?to={phone_of(row).replace('-', '').replace('0', '%2B81', 1)}")
    link = page.locator(f'a[href*="/p/{access.merchant_code}/"]').first
    return link.get_attribute("href", timeout=15_000) or ""


def pay_by_card(page: Page, number: str) -> None:
    """From the bill's page to wherever the provider's page sends the payer."""
    page.locator("form button[data-busy]").click()
    page.wait_for_url("**/card/**", timeout=20_000)
    page.fill("[name=number]", number)
    page.fill("[name=expiry]", "12/30")
    page.fill("[name=cvc]", "123")
    page.click("[type=submit]")
    page.wait_for_url("**/b/*", timeout=20_000)


@pytest.fixture(scope="module")
def owner(access: Access, browser: Browser) -> StorageState:
    """The cookies of the owner, who came in by the one-click link: it works once."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(access.staff[0].one_click)
    assert page.url == access.dashboard
    cookies = context.storage_state()
    page.goto(access.staff[0].one_click)
    expect(page.get_by_role("alert")).to_be_visible()
    context.close()
    return cookies


@pytest.fixture
def office(opened: Open, owner: StorageState) -> Page:
    """A browser of the merchant's office."""
    return opened(viewport=WIDE, locale="ja", storage_state=owner).new_page()


def find_bill(page: Page, access: Access, text: str) -> None:
    page.goto(f"{access.dashboard}/bills")
    page.fill("#field-q", text)
    page.press("#field-q", "Enter")
    page.wait_for_url("**/d/bills?*")


def bill_screen(page: Page, access: Access, row: int) -> None:
    find_bill(page, access, f"E-{row:04d}")
    page.locator("tbody a").click()


def test_wrong_password_says_so_and_keeps_the_merchant(opened: Open, access: Access) -> None:
    page = opened(locale="ja").new_page()
    page.goto(access.login)
    page.fill("#field-merchant", access.merchant_code)
    page.fill("#field-email", "nobody@aozora.example")
    page.fill("#field-password", "not-the-password")
    page.fill("#field-totp", "000000")
    page.get_by_role("button").last.click()

    expect(page.get_by_role("alert")).to_contain_text("ログインできませんでした")
    expect(page.locator("#field-merchant")).to_have_value(access.merchant_code)
    expect(page).to_have_title(re.compile("^エラー"))


def test_every_fault_of_a_file_is_shown_and_downloads_defused(
    office: Page, access: Access, sent: str
) -> None:
    office.goto(f"{access.dashboard}/imports/{sent}")

    expect(office.locator(".faults tbody tr")).to_have_count(2)
    expect(office.locator(".faults tbody tr").first).to_contain_text("金額が0円です")
    with office.expect_download() as waiting:
        office.get_by_role("link", name="エラーをCSVで保存").click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    assert text.count("\n") == 3
    assert "\"'=HYPERLINK" in text or "'=HYPERLINK" in text
    assert "\n=HYPERLINK" not in text


@pytest.mark.usefixtures("sent")
def test_paying_by_card_moves_the_dashboard_while_it_is_open(
    opened: Open, office: Page, access: Access
) -> None:
    office.goto(access.dashboard)
    expect(office.locator("[data-link].is-on")).to_be_visible()
    before = office.locator("[data-live=paid_note]").inner_text()
    payer = opened(viewport=TELEPHONE, locale="ja").new_page()
    link = link_of(payer, access, 1)
    picture(payer, "phone")
    payer.goto(link)

    assert re.fullmatch(rf"{access.portal}/b/[\w-]+", payer.url)
    assert payer.evaluate("document.referrer") == ""
    picture(payer, "page")
    pay_by_card(payer, APPROVED)
    expect(payer.locator("h1")).to_have_text("お支払いが完了しました")
    expect(payer.locator("main")).to_contain_text("3,271円")
    picture(payer, "receipt")

    expect(office.locator("[data-live=paid_note]")).not_to_have_text(before, timeout=15_000)
    bill_screen(office, access, 1)
    expect(office.locator(".badge.is-settled")).to_be_visible()
    expect(office.locator(".timeline")).to_contain_text("入金されました")
    picture(office, "bill")
    office.goto(f"{access.dashboard}/bills")
    picture(office, "bills")


@pytest.mark.usefixtures("sent")
def test_without_script_a_declined_payer_pays_with_another_card(
    opened: Open, access: Access
) -> None:
    page = opened(viewport=TELEPHONE, locale="ja", java_script_enabled=False).new_page()
    page.goto(link_of(page, access, 2))
    pay_by_card(page, DECLINED)

    expect(page.get_by_role("alert")).to_contain_text("お金は引き落とされていません")
    picture(page, "declined")
    pay_by_card(page, APPROVED)
    expect(page.locator("h1")).to_have_text("お支払いが完了しました")
    page.reload()
    expect(page.locator("h1")).to_have_text("お支払いが完了しました")


@pytest.mark.usefixtures("sent")
def test_without_script_a_payer_leaves_the_wallet_comes_back_elsewhere_and_approves(
    opened: Open, access: Access
) -> None:
    telephone = opened(viewport=TELEPHONE, locale="ja", java_script_enabled=False).new_page()
    link = link_of(telephone, access, 16)
    telephone.goto(link)
    leave_for_wallet(telephone)
    wallet = telephone.url

    # Another browser, while the wallet's page is open: the card is not offered beside it.
    desk = opened(locale="ja", java_script_enabled=False).new_page()
    desk.goto(link)
    expect(desk.locator("form[action$='/pay']")).to_contain_text("別の方法でのお支払いが途中です")
    expect(desk.locator("[name=method]")).to_have_count(1)
    telephone.get_by_role("button", name="やめて戻る").click()
    telephone.wait_for_url("**/b/*", timeout=20_000)
    expect(telephone.locator("form[action$='/pay']")).to_contain_text(
        "有効期限が切れるまでお待ちください"
    )
    expect(telephone.locator("[name=method]")).to_have_count(1)

    # Turning back ended nothing: the way leads to the same page, until the wallet has said no.
    leave_for_wallet(telephone)
    assert telephone.url == wallet
    telephone.get_by_role("button", name="断られる").click()
    telephone.wait_for_url("**/b/*", timeout=20_000)
    expect(telephone.locator("[name=method]")).to_have_count(3)

    desk.reload()
    leave_for_wallet(desk)
    assert desk.url != wallet
    desk.get_by_role("button", name="支払う").first.click()
    desk.wait_for_url("**/b/*", timeout=20_000)
    expect(desk.locator("h1")).to_have_text("お支払いが完了しました")
    expect(desk.locator("main")).to_contain_text("スマホ決済")


def leave_for_wallet(page: Page) -> None:
    """Choose the wallet on the bill's page and go to the company's."""
    page.check("[name=method][value=wallet]")
    page.locator("form button[data-busy]").click()
    # Who has the app may open it; nobody has to, and no script decides.
    app = page.get_by_role("link", name="アプリを開く")
    expect(app).to_have_attribute("href", re.compile(r"^sandbox-wallet://pay/"), timeout=20_000)
    # Another size of type, and so another look: both ways are still there.
    big = page.locator("html.big")
    was_big = big.count()
    page.locator("nav a").last.click()
    expect(big).to_have_count(1 - was_big)
    expect(app).to_have_attribute("href", re.compile(r"^sandbox-wallet://pay/"))
    page.get_by_role("link", name="ブラウザで続ける").click()
    page.wait_for_url("**/wallet/**", timeout=20_000)


@pytest.mark.usefixtures("sent")
def test_looking_ahead_opens_nothing(opened: Open, office: Page, access: Access) -> None:
    scanner = opened()
    link = link_of(scanner.new_page(), access, 4)
    assert scanner.request.head(link).status == 200
    ahead = scanner.request.get(link, headers={"Sec-Purpose": "prefetch"}, max_redirects=0)
    assert ahead.status == 503
    assert scanner.cookies() == []
    # A preview that follows the link shows no amount and no name, and counts as nobody either.
    shown = scanner.request.get(link)
    assert "og:title" in shown.text()
    assert not re.search(r'og:title" content="[^"]*\d', shown.text())

    bill_screen(office, access, 4)
    expect(office.locator(".strip")).to_contain_text("まだ")

    person = opened().new_page()
    person.goto(link)
    person.wait_for_timeout(500)
    office.reload()
    expect(office.locator(".timeline")).to_contain_text("支払者がページを開きました")


@pytest.mark.usefixtures("sent")
def test_one_form_sent_twice_is_one_attempt(opened: Open, access: Access) -> None:
    context = opened(locale="ja")
    page = context.new_page()
    page.goto(link_of(page, access, 6))
    fields = {
        field.get_attribute("name") or "": field.input_value()
        for field in page.locator("form input").all()
    }
    address = page.locator("form[action$='/pay']").get_attribute("action") or ""

    answers = [
        context.request.post(f"{access.portal}{address}", form=fields, max_redirects=0)
        for _ in range(2)
    ]

    assert {answer.status for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1


@pytest.mark.usefixtures("sent")
def test_another_sites_form_is_refused(opened: Open, access: Access) -> None:
    context = opened(locale="ja")
    page = context.new_page()
    page.goto(link_of(page, access, 7))
    address = page.locator("form[action$='/pay']").get_attribute("action") or ""
    fields = {"method": "card", "expected": "1", "key": "k", "csrf": "AAAA"}

    answer = context.request.post(
        f"{access.portal}{address}", form=fields, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert answer.status == 403


def test_a_wrong_link_has_a_page_of_its_own(opened: Open, access: Access) -> None:
    page = opened(locale="ja").new_page()
    answer = page.goto(f"{access.portal}/p/{access.merchant_code}/{'x' * 22}")

    assert answer is not None
    assert answer.status == 404
    expect(page.locator("h1")).to_have_text("このリンクは見つかりません")


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize("text", ["E-0008", "E-C0008", "090-1000-0008", "+81 90 1000 0008"])
def test_one_search_box_finds_a_bill_by_whatever_is_typed(
    office: Page, access: Access, text: str
) -> None:
    office.goto(access.dashboard)
    office.keyboard.press("/")
    office.keyboard.type(text)
    office.keyboard.press("Enter")

    expect(office.locator("tbody tr")).to_have_count(1)
    expect(office.locator("tbody")).to_contain_text("E-0008")
    assert "/d/bills?order=" in office.url
    assert "0008" not in office.url, "what was typed stands in the address"


@pytest.mark.usefixtures("sent")
def test_the_check_code_on_the_page_leads_staff_to_the_bill(
    opened: Open, office: Page, access: Access
) -> None:
    payer = opened(locale="ja").new_page()
    payer.goto(link_of(payer, access, 9))
    code = payer.locator("dt:has-text('確認番号') + dd").inner_text()
    find_bill(office, access, code)

    expect(office.locator("tbody")).to_contain_text("E-0009")


@pytest.mark.usefixtures("sent")
def test_cancel_needs_a_reason_and_the_payer_learns_of_it(
    opened: Open, office: Page, access: Access
) -> None:
    payer = opened(locale="ja").new_page()
    link = link_of(payer, access, 10)
    bill_screen(office, access, 10)
    office.get_by_text("請求を取り消す", exact=True).click()
    office.fill("#field-reason", "二重に請求したため")
    office.get_by_role("button", name=re.compile("の請求を取り消す")).click()

    expect(office.get_by_role("status").first).to_contain_text("請求を取り消しました")
    expect(office.locator(".timeline")).to_contain_text("二重に請求したため")
    office.reload()
    expect(
        office.get_by_text("請求を取り消しました。", exact=True).locator("visible=true")
    ).to_have_count(1)
    payer.goto(link)
    expect(payer.locator("h1")).to_have_text("このご請求は取り消されました")


@pytest.mark.usefixtures("sent")
def test_the_text_can_be_sent_again(office: Page, access: Access) -> None:
    bill_screen(office, access, 12)
    office.get_by_role("button", name="SMSを再送する").click()

    expect(office.get_by_role("status").first).to_contain_text("支払者への連絡を受け付けました")


def test_paging_and_filters_live_in_the_address(office: Page, access: Access, sent: str) -> None:
    office.goto(f"{access.dashboard}/bills?import={sent}&order=AMOUNT_DESC")
    amounts = [
        int(re.sub(r"\D", "", cell.inner_text())) for cell in office.locator("td.strong").all()
    ]

    assert len(amounts) == GOOD
    assert amounts == sorted(amounts, reverse=True)


@pytest.mark.usefixtures("sent")
def test_an_api_key_is_shown_once_and_stops_when_revoked(
    opened: Open, office: Page, access: Access
) -> None:
    office.goto(f"{access.dashboard}/keys")
    office.fill("#field-name", "料金計算システム")
    office.get_by_role("button", name="APIキーを作る").click()
    key = office.locator(".secret code").inner_text()

    def ask() -> str:
        query = {"query": "{ viewer { name } }"}
        headers = {"Authorization": f"Bearer {key}"}
        return opened().request.post(access.graphql, data=query, headers=headers).text()

    assert '"name":"料金計算システム"' in ask()
    office.goto(f"{access.dashboard}/keys")
    assert key not in office.content()
    row = office.locator("tr", has_text="料金計算システム")
    row.get_by_text("無効にする", exact=True).click()
    row.get_by_role("button").click()
    expect(office.get_by_role("status").first).to_contain_text("無効にしました")
    assert "authority_revoked" in ask()


def test_without_script_a_file_is_pasted_checked_and_discarded(
    opened: Open, access: Access
) -> None:
    page = opened(viewport=WIDE, locale="ja", java_script_enabled=False).new_page()
    log_in(page, access, person=1)
    page.goto(f"{access.dashboard}/imports/new")
    page.fill("#field-csv", sample_file("P", 6).decode())
    page.get_by_role("button", name="検査する").click()
    page.wait_for_url("**/d/imports/imp_*")
    for _ in range(40):
        if page.locator(".badge.is-checked").count():
            break
        page.wait_for_timeout(250)
        page.reload()
    page.get_by_text("送らずに破棄する").click()
    page.get_by_role("button", name="この取込を破棄する").click()

    expect(page.get_by_role("status").first).to_contain_text("破棄を始めました")


def test_a_refused_file_says_which_columns_are_missing(office: Page, access: Access) -> None:
    office.goto(f"{access.dashboard}/imports/new")
    file = {"name": "x.csv", "mimeType": "text/csv", "buffer": b"number,amount\n1,100\n"}
    office.set_input_files("#file", file)
    office.wait_for_url("**/d/imports/imp_*", timeout=20_000)

    expect(office.get_by_role("alert")).to_contain_text("customer_no", timeout=20_000)


def test_logging_out_ends_the_session(opened: Open, access: Access) -> None:
    page = opened(locale="ja").new_page()
    page.goto(access.staff[1].one_click)
    page.locator(".who summary").click()
    page.get_by_role("button", name="ログアウト").click()
    page.goto(f"{access.dashboard}/bills")

    assert "/login" in page.url


@pytest.mark.usefixtures("sent")
def test_no_page_of_the_journey_sets_a_cookie_that_script_can_read(
    opened: Open, access: Access
) -> None:
    context = opened(locale="ja")
    page = context.new_page()
    page.goto(link_of(page, access, 14))
    page.goto(page.url + "?lang=en")

    assert page.evaluate("document.cookie") == ""
    assert all(cookie["httpOnly"] for cookie in context.cookies())


@pytest.mark.skipif(os.environ.get("HARAI_PICTURES") != "1", reason="only for new pictures")
def test_pictures_show_a_day_of_business(office: Page, opened: Open, access: Access) -> None:
    """More bills, more payers, then telephone and dashboard side by side for the README."""
    import_id = hand_in(office, access, "F", 60)
    office.check("#sure")
    office.locator(".decide form").first.locator("button").click()
    expect(office.locator(".badge.is-issued")).to_be_visible(timeout=30_000)
    for row in range(21, 50, 2):
        payer = opened(viewport=TELEPHONE, locale="ja").new_page()
        payer.goto(link_of(payer, access, row))
        if row % 5:
            pay_by_card(payer, APPROVED)
    hand_in(office, access, "G", 12)
    office.goto(access.dashboard)
    office.wait_for_timeout(1_500)
    picture(office, "home")
    assert import_id
    beside_each_other(opened(viewport={"width": 1500, "height": 760}).new_page())


def beside_each_other(page: Page) -> None:
    """Telephone, bill and dashboard in one picture."""
    shown = "".join(
        f'<img style="height:{height}px;border:1px solid #bcc6d0;border-radius:12px"'
        f' src="data:image/png;base64,{b64encode((PICTURES / name).read_bytes()).decode()}">'
        for name, height in (("phone.png", 560), ("page.png", 640), ("home.png", 600))
    )
    style = (
        "margin:0;padding:24px;display:inline-flex;gap:24px;align-items:center;background:#e4eaf0"
    )
    page.set_content(f'<body style="{style}">{shown}')
    page.locator("body").screenshot(path=PICTURES / "first-look.png")
