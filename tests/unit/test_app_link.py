"""Which links into a wallet's app a payer may be offered (portal.domain.app_link)."""

from uuid import UUID

import pytest

from portal.application.payment.submit import told_of_page
from portal.application.providers.exchange import SessionAnswer
from portal.contract.payment import AttemptStarted
from portal.domain.app_link import APP_LINKS, LINK_CHARACTERS_MAX, is_app_link
from portal.domain.ids import AttemptId

LINK = "paypay://payment?link_key=https%3A%2F%2Fqr.paypay.ne.jp%2F28180104nT8IvPzR"
PAGE = "https://qr.paypay.ne.jp/28180104nT8IvPzR"
CARD = "4242424242424242"


def answer_to(link: str, provider: str = "paypay") -> tuple[str, str, str]:
    """What the vault is told of a company's answer that came with this link."""
    started = AttemptStarted(
        attempt_id=AttemptId(UUID(int=1)), provider=provider, reference="01JD", amount_minor=8420,
        state="submitting", fresh=True, return_token="t",
    )  # fmt: skip
    told = told_of_page(started, SessionAnswer("accepted", PAGE, "c-1", app_url=link))
    return told.outcome, told.redirect_url, told.app_url


@pytest.mark.parametrize(
    ("provider", "link"),
    [
        ("paypay", LINK),
        ("paypay", "paypay://payment?link_key=x"),
        ("sandbox_wallet", "sandbox-wallet://pay/04-aB_9"),
    ],
)
def test_a_companys_own_link_is_offered(provider: str, link: str) -> None:
    assert answer_to(link, provider) == ("accepted", PAGE, link)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "javascript:alert(1)",
        "javascript://payment?link_key=x",
        "data:text/html,x",
        "https://qr.paypay.ne.jp/x",
        "intent://payment?link_key=x#Intent;scheme=paypay;package=evil.app;end",
        "sandbox-wallet://pay/04-aB_9",
        "otherpay://payment?link_key=x",
        "PAYPAY://payment?link_key=x",
        " paypay://payment?link_key=x",
        "paypay:payment?link_key=x",
        "paypay://payment",
        "paypay://payment.evil.example/x",
        "paypay://payment:80/x",
        "paypay://evil@payment/x",
        "paypay://payment@evil.example/x",
        "paypay://oauth2/callback?x",
        "paypay://payment?link_key=x#y",
        "paypay://payment?link_key=x\n",
        "paypay://payment?link_key=a b",
        'paypay://payment?link_key="x"',
        "paypay://payment?link_key=%zz",
        "paypay://payment?link_key=\u652f",
        f"paypay://payment?link_key={CARD}",
        "paypay://payment?" + "a" * LINK_CHARACTERS_MAX,
    ],
)
def test_any_other_link_is_dropped_and_the_page_stays(link: str) -> None:
    assert not is_app_link("paypay", link)
    assert answer_to(link) == ("accepted", PAGE, "")


def test_a_company_without_an_app_of_ours_has_no_link() -> None:
    for provider in ("stripe", "gmopg", "sandbox_card", ""):
        assert answer_to(LINK, provider) == ("accepted", PAGE, "")


def test_no_companys_links_begin_like_a_web_page_or_a_script() -> None:
    schemes = {form.scheme for form in APP_LINKS.values()}

    assert not schemes & {"http", "https", "javascript", "data", "blob", "file", "intent", "about"}
    assert len(schemes) == len(APP_LINKS)
