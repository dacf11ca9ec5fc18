"""Rendering: strict templates, escaped values, money and time as each language writes them."""

import gzip
import re
from base64 import b64encode
from hashlib import sha256

import pytest
from jinja2 import UndefinedError

from portal.application.doors import assets
from portal.application.doors.chart import HEIGHT, WIDTH, line_chart, nice_step
from portal.application.doors.dashboard.asked import ORDERS, is_filtered, read_query, variables
from portal.application.doors.dashboard.faults import defused
from portal.application.doors.dashboard.search import recognise
from portal.application.doors.render import formats, render
from portal.domain.mail import STYLES

JA, EN = formats("ja"), formats("en")


def test_a_template_that_asks_for_what_was_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("page/closed.html", "ja", big=False)


def test_values_are_escaped_in_text_and_attributes() -> None:
    nasty = '"><script>alert(1)</script>'
    html = render("dashboard/trouble.html", "ja", text=nasty, remedy=nasty, request_id=nasty)

    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;") == 4


def test_yen_is_written_as_each_language_does() -> None:
    assert JA.yen(8420) == "8,420円"
    assert EN.yen(8420) == "¥8,420"
    assert str(JA.yen_parts(8420)) == "8,420<small>円</small>"


@pytest.mark.parametrize(
    ("amount", "short"),
    [
        (0, "0円"),
        (9_999, "9,999円"),
        (10_000, "1万円"),
        (15_500, "1.55万円"),
        (1_804_220, "180万円"),
        (341_000_000, "3.41億円"),
        (12_000_000_000, "120億円"),
    ],
)
def test_large_yen_amounts_use_japanese_units(amount: int, short: str) -> None:
    assert JA.yen_short(amount) == short


def test_moments_are_shown_in_the_merchants_zone() -> None:
    assert JA.moment("2026-11-22T15:20:00.000Z", "Asia/Tokyo") == "2026/11/23 00:20"
    assert EN.moment("2026-11-22T15:20:00.000Z", "Asia/Tokyo") == "23 Nov 2026, 00:20"
    with pytest.raises(ValueError, match="zone"):
        JA.moment("2026-11-22T15:20:00", "Asia/Tokyo")


def test_days_periods_shares_and_sizes_read_naturally() -> None:
    assert JA.day("2026-12-10") == "12月10日(木)"
    assert EN.day("2026-12-10") == "Thu, 10 Dec 2026"
    assert JA.period("2026-11") == "2026年11月分"
    assert JA.period("2026-10/2026-11") == "2026年10月・11月分"
    assert JA.share(1, 3) == "33.3%"
    assert JA.share(1, 0) == "–"  # noqa: RUF001 - the dash that is shown
    assert JA.size(0) == "0 KB"
    assert JA.size(1) == "1 KB"
    assert JA.size(182 * 1024 * 1024) == "182.0 MB"


def test_the_policy_allows_exactly_the_style_and_script_in_the_page() -> None:
    html = render("page/closed.html", "ja", big=False, kind="link_unknown")
    for tag, policy_part in (("style", "style-src"), ("script", "script-src")):
        [text] = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = b64encode(sha256(text.encode()).digest()).decode()

        assert f"{policy_part} 'sha256-{digest}'" in assets.PAGE_POLICY


@pytest.mark.parametrize("policy", [assets.PAGE_POLICY, assets.DASHBOARD_POLICY])
def test_policies_leave_nothing_open(policy: str) -> None:
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "*" not in policy
    for part in (
        "default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
        "require-trusted-types-for 'script'", "trusted-types 'none'",
    ):  # fmt: skip
        assert part in policy


def test_a_screen_with_a_mail_in_it_allows_the_mail_s_own_styles_and_no_more() -> None:
    allowed = f" 'unsafe-hashes' {' '.join(map(source_of, STYLES))}"

    assert assets.MAIL_POLICY.replace(allowed, "") == assets.DASHBOARD_POLICY


def source_of(style: str) -> str:
    return f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"


def test_static_files_are_named_by_their_content() -> None:
    for name, file in assets.FILES.items():
        assert sha256(file.plain).hexdigest()[:12] in name
        assert gzip.decompress(file.packed) == file.plain
    with pytest.raises(KeyError):
        assets.address("../locale/ja.json")


def test_no_script_of_ours_writes_markup() -> None:
    for name, file in assets.FILES.items():
        if name.endswith(".js"):
            text = file.plain.decode()
            assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", text)


@pytest.mark.parametrize(
    ("highest", "step"), [(0, 1), (3, 1), (4, 1), (5, 2), (1_000, 500), (13_000_000, 5_000_000)]
)
def test_axes_have_round_steps(highest: int, step: int) -> None:
    assert nice_step(highest) == step


@pytest.mark.parametrize("values", [[], [0], [5], [0, 0, 0], [3, 1, 4, 1, 5, 9, 2, 6] * 8])
def test_every_chart_stays_inside_its_frame(values: list[int]) -> None:
    chart = line_chart(values)

    assert len(chart.marks) == len(values)
    assert all(0 <= mark.x <= WIDTH and 0 <= mark.y <= HEIGHT for mark in chart.marks)
    assert chart.line.count("M") == (1 if values else 0)
    assert not values or chart.ticks_x[-1].index == len(values) - 1
    assert chart.ticks_y[-1].value >= max(values, default=0)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", ()),
        ("hanako@example.jp", ("EMAIL",)),
        ("4821-77", ("CHECK_CODE", "NUMBER", "CUSTOMER_NO")),
        ("４８２１-７７", ("CHECK_CODE", "NUMBER", "CUSTOMER_NO")),  # noqa: RUF001 - full width on purpose
        ("090-1234-5678", ("PHONE", "NUMBER", "CUSTOMER_NO")),
        ("+81 90 1234 5678", ("PHONE", "NUMBER", "CUSTOMER_NO")),
        ("482177", ("NUMBER", "CUSTOMER_NO", "CHECK_CODE")),
        ("E-2026-11-0048-21", ("NUMBER", "CUSTOMER_NO")),
    ],
)
def test_the_search_box_recognises_what_was_typed(text: str, fields: tuple[str, ...]) -> None:
    assert recognise(text) == fields


def test_a_mangled_address_shows_more_bills_rather_than_an_error() -> None:
    wanted = read_query(
        {"state": "nonsense", "due_from": "31/12/2026", "order": "name", "import": "x' or 1=1"}
    )

    assert not is_filtered(wanted)
    assert wanted["order"] == ORDERS[0]


def test_an_address_becomes_the_variables_of_its_operation() -> None:
    wanted = read_query({"state": "overdue", "due_to": "2026-12-10", "never_opened": "1"})

    asked = variables(wanted, None, first=50, after="abc")

    assert asked["after"] == "abc"
    assert asked["filter"] == {
        "lifecycle": ["OVERDUE"], "settlement": None, "message": None, "dueFrom": None,
        "pause": None,
        "dueTo": "2026-12-10", "importId": None, "neverOpened": True,
    }  # fmt: skip


@pytest.mark.parametrize("cell", ["=1+1", "+81", "-5", "@SUM", "\t=1", "＝1"])  # noqa: RUF001 - full width on purpose
def test_a_cell_that_a_spreadsheet_would_run_is_defused(cell: str) -> None:
    assert defused(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "090-1234", "山田", "1-2"])
def test_an_ordinary_cell_is_left_as_it_is(cell: str) -> None:
    assert defused(cell) == cell
