"""The slip's bars on a real screen: a scanner reads them at every pixel density."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from portal.domain.barcode import WIDTH_MODULES, draw_svg, encode, fit_module_px
from tests.make.symbol import grey_of, modules_of, read_picture

Open = Callable[..., BrowserContext]
ADDRESS = "http://slip.test/"
DIGITS = "91959919833262024010101043480024071000395003"
POLICY = "default-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"


def show(page: Page, svg: str) -> list[str]:
    """Open a page with the drawing in it, under our policy; what the browser complains about."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.route(
        f"{ADDRESS}**",
        lambda route: route.fulfill(
            headers={"content-type": "text/html", "content-security-policy": POLICY},
            body=f"<!doctype html><html lang=ja><title>slip</title><body>{svg}</body></html>",
        ),
    )
    page.goto(ADDRESS)
    return complaints


@pytest.mark.parametrize(
    ("ratio", "room", "px", "scheme"),
    [(1, 640, 2, "light"), (2, 360, 2, "dark"), (3, 360, 3, "dark")],
)
def test_a_scanner_reads_the_slip_from_the_screen(
    opened: Open, ratio: int, room: int, px: int, scheme: str
) -> None:
    # given: the widest drawing that this screen holds in whole pixels
    assert fit_module_px(room, ratio) == px
    svg = draw_svg(encode(DIGITS), "slip", module_px=px, ratio=ratio)
    context = opened(
        device_scale_factor=ratio, viewport={"width": room, "height": 640}, color_scheme=scheme
    )
    page = context.new_page()

    # when: a browser shows it
    complaints = show(page, svg)
    rows = grey_of(page.locator("svg").screenshot(animations="disabled"))

    # then: each module is as many pixels wide as asked for, black or white, and the oracle reads it
    middle = rows[len(rows) // 2]
    expected = f"{'0' * 10}{modules_of(encode(DIGITS))}{'0' * 10}"
    seen = "".join("1" if grey < 128 else "0" for grey in middle[px // 2 :: px])
    assert complaints == []
    assert len(middle) == WIDTH_MODULES * px
    assert set(middle) == {0, 255}
    assert seen == expected
    assert read_picture(rows) == [(DIGITS, "]C1")]


@pytest.mark.parametrize("ratio", [1.5, 2.625])
def test_a_screen_of_odd_density_shows_it_readably_too(opened: Open, ratio: float) -> None:
    px = fit_module_px(640, ratio)
    assert px is not None
    svg = draw_svg(encode(DIGITS), "slip", module_px=px, ratio=ratio)
    page = opened(device_scale_factor=ratio, viewport={"width": 640, "height": 640}).new_page()
    show(page, svg)

    assert read_picture(grey_of(page.screenshot(animations="disabled"))) == [(DIGITS, "]C1")]


def test_a_page_without_the_slip_gives_the_oracle_nothing(opened: Open) -> None:
    page = opened(viewport={"width": 640, "height": 320}).new_page()
    show(page, "")

    assert read_picture(grey_of(page.screenshot())) == []


@pytest.mark.parametrize(("width", "ratio"), [(320, 2), (360, 3), (360, 2.625), (390, 3)])
def test_a_telephone_shows_the_whole_slip_of_the_payers_page(
    opened: Open, gallery: tuple[str, Any], width: int, ratio: float
) -> None:
    origin, _ = gallery
    context = opened(device_scale_factor=ratio, viewport={"width": width, "height": 640})
    page = context.new_page()
    page.goto(f"{origin}/show/page-slip", wait_until="load")

    read = read_picture(grey_of(page.screenshot(animations="disabled")))

    digits = page.locator(".bars p").inner_text()
    assert read == [(re.sub(r"[^0-9]", "", digits), "]C1")]
