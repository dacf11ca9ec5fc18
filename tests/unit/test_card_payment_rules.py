"""When the last step of a payment by the card on file is taken, and where a payer may be led."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.domain.card_on_file import ENROLS
from portal.domain.card_payment import (
    AWAY_AFTER,
    LIFE,
    PAYS,
    SECURED_BY_US,
    SECURED_WITHIN,
    CardPaymentState,
    is_left_behind,
    may_begin_anew,
    secures,
)
from portal.egress.card_payment import CardPayment
from portal.egress.rules import RulesRefused, sign_rules
from portal.kit.outbound.wire import OutboundAnswer
from tests.make.relay import rule

SOON, TICK = timedelta(0), timedelta(seconds=1)
THERE = "https://p01.mul-pay.jp"
FORM = CardPayment(page="form:/RedirectUrl", hosts=("p01.mul-pay.jp",))
JSON = CardPayment(page="json:/next/url", hosts=("hooks.stripe.com",))


def said(body: bytes, status: int = 200) -> OutboundAnswer:
    return OutboundAnswer(fate="answered", status=status, body=body)


def test_every_company_that_keeps_cards_takes_them_from_a_payer_who_is_there() -> None:
    assert PAYS == ENROLS
    assert SECURED_BY_US <= PAYS


@pytest.mark.parametrize(
    ("provider", "state", "age", "step"),
    [
        ("gmopg", "returned", SOON, "returned"),
        ("gmopg", "returned", SECURED_WITHIN - TICK, "returned"),
        ("gmopg", "returned", SECURED_WITHIN, ""),
        ("gmopg", "redeemed", AWAY_AFTER - TICK, ""),
        ("gmopg", "redeemed", AWAY_AFTER, "left"),
        ("gmopg", "begun", AWAY_AFTER, ""),
        ("gmopg", "secured", AWAY_AFTER, ""),
        ("gmopg", None, AWAY_AFTER, ""),
        ("stripe", "redeemed", AWAY_AFTER, ""),
    ],
)
def test_the_last_step_is_taken_of_who_is_back_or_surely_stays_away_and_in_time(
    provider: str, state: CardPaymentState | None, age: timedelta, step: str
) -> None:
    assert secures(provider, state, age) == step


def test_only_what_waits_for_our_last_step_may_be_given_up() -> None:
    assert may_begin_anew("gmopg", "returned")
    assert not may_begin_anew("gmopg", "secured")
    assert not may_begin_anew("gmopg", None)
    assert not may_begin_anew("stripe", "redeemed")


def test_only_what_a_company_would_leave_open_is_closed_there_and_late() -> None:
    assert is_left_behind("stripe", "redeemed", LIFE)
    assert not is_left_behind("stripe", "redeemed", LIFE - TICK)
    assert not is_left_behind("gmopg", "redeemed", LIFE)
    assert not is_left_behind("stripe", None, LIFE)


@pytest.mark.parametrize(
    ("rule_", "body", "page"),
    [
        (FORM, b"RedirectUrl=https%3A%2F%2Fp01.mul-pay.jp%2Fa%3Fb%3Dc", f"{THERE}/a?b=c"),
        (FORM, b"ACS=2&RedirectUrl=https://p01.mul-pay.jp/a?b=c%2F", f"{THERE}/a?b=c%2F"),
        (FORM, b"ACS=0&TranID=1", ""),
        (FORM, b"RedirectUrl=https://a/&RedirectUrl=https://b/", ""),
        (FORM, b"RedirectUrl=\xff", ""),
        (JSON, b'{"next": {"url": "https://hooks.stripe.com/x"}}', "https://hooks.stripe.com/x"),
        (JSON, b'{"next": {"url": 7}}', ""),
        (JSON, b'{"next": null}', ""),
        (JSON, b"{", ""),
        (CardPayment(), b"RedirectUrl=https://p01.mul-pay.jp/", ""),
    ],
)  # fmt: skip
def test_the_page_is_read_as_companies_write_it(rule_: CardPayment, body: bytes, page: str) -> None:
    assert rule_.page_in(said(body)) == page
    assert rule_.page_in(said(body, 500)) == ""
    assert rule_.page_in(OutboundAnswer(fate="unclear", status=200, body=body)) == ""


@pytest.mark.parametrize(
    ("page", "is_listed"),
    [
        ("https://p01.mul-pay.jp/x", True),
        ("https://P01.MUL-PAY.JP:443/x", True),
        ("http://p01.mul-pay.jp/x", False),
        ("https://pt01.mul-pay.jp/x", False),
        ("https://a.p01.mul-pay.jp/x", False),
        ("https://p01.mul-pay.jp@evil.example/x", False),
        ("https://p01.mul-pay.jp:pass@p01.mul-pay.jp/x", False),
        ("https://evil.example\\@p01.mul-pay.jp/x", False),
        ("https://p01.mul-pay.jp:0x/x", False),
        ("//p01.mul-pay.jp/x", False),
        ("https:///x", False),
        ("", False),
    ],
)
def test_a_payer_is_led_to_listed_hosts_alone(*, page: str, is_listed: bool) -> None:
    assert FORM.may_lead(page, is_sandbox=False) == is_listed


def test_plain_http_is_the_sandboxes_alone() -> None:
    here = CardPayment(page="json:/url", hosts=("localhost",))

    assert here.may_lead("http://localhost:1/card/1/bank", is_sandbox=True)
    assert not here.may_lead("http://localhost:1/card/1/bank", is_sandbox=False)


ORDER = {"body:/o": "{{instrument:reference}}", "body:/a": "{{instrument:amount}}"}
LAST = {"body:/o": "{{instrument:order}}", "body:/p": "{{instrument:order_pass}}"}
CARD = {**ORDER, "body:/c": "{{instrument:token}}"}
LEADS = {"page": "form:/Url", "hosts": ["bank.example"]}


@pytest.mark.parametrize(
    ("fixed", "terms", "is_taken"),
    [
        (ORDER, {}, True),
        (LAST, {}, True),
        (CARD, LEADS, True),
        (CARD, {}, False),
        (CARD, None, True),
        (LAST, None, False),
        (ORDER, LEADS, False),
        ({}, {}, False),
        (CARD, {"page": "form:/Url"}, False),
        (CARD, {"page": "Url", "hosts": ["bank.example"]}, False),
        (CARD, {"page": "form:/Url", "hosts": ["https://bank.example"]}, False),
    ],
)
def test_a_rule_for_payers_says_all_that_matters(
    *, fixed: dict[str, str], terms: dict[str, object] | None, is_taken: bool
) -> None:
    said_ = {} if terms is None else {"card_payment": terms}
    made = rule(1, fixed=fixed, credentials=(), **said_)
    payload = {"version": 1, "rules": [made]}
    if is_taken:
        sign_rules(Ed25519PrivateKey.generate(), payload)
        return
    with pytest.raises(RulesRefused):
        sign_rules(Ed25519PrivateKey.generate(), payload)


@pytest.mark.parametrize(
    ("ends", "is_taken"),
    [(("", "cancel"), True), (("cancel", "cancel"), False), (("a/b",), False), (("..",), False)],
)
def test_a_rule_for_the_end_of_a_path_stands_beside_one_for_all_of_it(
    *, ends: tuple[str, ...], is_taken: bool
) -> None:
    terms = [{} if not end else {"path_end": end} for end in ends]
    rules = [rule(1, id=f"r{number}", **one) for number, one in enumerate(terms)]
    payload = {"version": 1, "rules": rules}
    if is_taken:
        sign_rules(Ed25519PrivateKey.generate(), payload)
        return
    with pytest.raises(RulesRefused):
        sign_rules(Ed25519PrivateKey.generate(), payload)
