"""Charges of cards that GMO-PG keeps: what its answers to the two calls mean, and to questions."""

from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.application.providers import gmopg, smbc_gp
from portal.application.providers.exchange import (
    ChargeWanted,
    Endpoint,
    Exchange,
    SessionAnswer,
    SessionWanted,
)
from portal.domain.card_on_file import NAMED_BY_US, name_card
from portal.domain.errors import InvariantBroken
from portal.domain.money import Money
from portal.domain.payment import DECLINE_CODES
from portal.domain.reference import ORDER_ID, id_behind, reference_for
from portal.kit.outbound.wire import OutboundAnswer
from tests.make.gmopg import errors, paid, recorded, trade

SITE = Endpoint("pt01.mul-pay.jp", 443, ("tshop00012345", "page01", "tsite00012345"))
SHOP = Endpoint("pt01.mul-pay.jp", 443, ("tshop00012345", "page01"))
# Made at 2013-03-01 11:59:33 in Japan, as its id says: just before the recorded answers.
ATTEMPT = UUID(int=(1_362_106_773_000 << 80) | 7)
REFERENCE = reference_for(ORDER_ID, ATTEMPT)
SENT, UNSENT = "charge-20130301115933", "order-20130301115933"
SOON, LATER = "Fri, 01 Mar 2013 03:59:31 GMT", "Fri, 01 Mar 2013 03:59:34 GMT"
NOT_SENT = OutboundAnswer(fate="not_sent", code="relay_away")
UNCLEAR = OutboundAnswer(fate="unclear", code="timed_out")
ERROR_PAGE = OutboundAnswer(fate="answered", status=503, body=b"<html></html>")
WANTED = ChargeWanted(
    reference=REFERENCE, amount=Money(8420), instrument_id=ATTEMPT, original_reference="X",
    account="mizu", description="A-1",
)  # fmt: skip


def at(date: str, answer: OutboundAnswer) -> OutboundAnswer:
    return msgspec.structs.replace(answer, headers={**answer.headers, "date": date})


def executed(**fields: str) -> OutboundAnswer:
    """The recorded answer to ExecTran, about our order, with other values in it."""
    answer = recorded("ExecTran")
    pairs = dict(item.split("=", 1) for item in answer.body.decode().split("&"))
    pairs |= {"OrderID": REFERENCE} | fields
    body = "&".join(f"{name}={text}" for name, text in pairs.items()).encode()
    return msgspec.structs.replace(answer, body=body)


def charged(answer: OutboundAnswer) -> SessionAnswer:
    """What a charge says that had its order registered, and whose card was answered like this."""
    exchange = gmopg.ADAPTER.charge(SITE, WANTED)
    assert exchange.then is not None
    following = exchange.then(recorded("EntryTran"))
    assert following is not None
    assert following.then is None
    return following.read(answer)


def registered(answer: OutboundAnswer) -> tuple[Exchange[SessionAnswer] | None, SessionAnswer]:
    exchange = gmopg.ADAPTER.charge(SITE, WANTED)
    assert exchange.then is not None
    return exchange.then(answer), exchange.read(answer)


@pytest.mark.parametrize(
    ("answer", "outcome", "name", "code"),
    [
        (executed(), "accepted", "p-1303011158111111111111198879", ""),
        (executed(OrderID="ANOTHER"), "unknown", SENT, "answer_unreadable"),
        (executed(TranID=""), "unknown", SENT, "answer_unreadable"),
        (executed(ACS="2"), "refused", SENT, "authentication_failed"),
        (recorded("ExecTran_3ds2"), "refused", SENT, "authentication_failed"),
        (recorded("EntryTran_refused"), "refused", SENT, "provider_refused"),
        (errors("42G020000"), "refused", SENT, "insufficient_funds"),
        (errors("42G830000"), "refused", SENT, "card_expired"),
        (errors("42G990000"), "refused", SENT, "card_declined"),
        (errors("42G010101"), "refused", SENT, "card_declined"),
        (errors("E01240002"), "refused", SENT, "card_stopped"),
        (errors("E21020002"), "refused", SENT, "authentication_failed"),
        (errors("E01080101", "42G020000"), "refused", SENT, "authentication_failed"),
        (errors("E92000001"), "refused", SENT, "provider_busy"),
        (errors("42C010000"), "unknown", SENT, "provider_unclear"),
        (errors("42G020000", "42C010000"), "unknown", SENT, "provider_unclear"),
        (errors("E11010999"), "unknown", SENT, "provider_unclear"),
        (errors("E11010001"), "unknown", SENT, "provider_unclear"),
        (errors("ZZZ999999"), "unknown", SENT, "provider_unclear"),
        (ERROR_PAGE, "unknown", SENT, "answer_unreadable"),
        (UNCLEAR, "unknown", SENT, "timed_out"),
        (NOT_SENT, "refused", SENT, "provider_away"),
    ],
)
def test_answer_to_the_charge_reads_by_what_may_have_happened(
    answer: OutboundAnswer, outcome: str, name: str, code: str
) -> None:
    said = charged(answer)

    assert (said.outcome, said.provider_ref, said.code) == (outcome, name, code)
    assert not code or outcome == "unknown" or code in DECLINE_CODES


@pytest.mark.parametrize(
    ("answer", "outcome", "name", "code"),
    [
        (errors("E01040010"), "unknown", SENT, "reference_exists"),
        (errors("E01060005"), "refused", UNSENT, "provider_refused"),
        (errors("42C010000"), "unknown", UNSENT, "provider_unclear"),
        (executed(), "unknown", UNSENT, "provider_unclear"),
        (ERROR_PAGE, "unknown", UNSENT, "answer_unreadable"),
        (UNCLEAR, "unknown", UNSENT, "timed_out"),
        (NOT_SENT, "refused", UNSENT, "provider_away"),
    ],
)
def test_no_card_is_named_before_its_order_is_registered(
    answer: OutboundAnswer, outcome: str, name: str, code: str
) -> None:
    following, said = registered(answer)

    assert following is None
    assert (said.outcome, said.provider_ref, said.code) == (outcome, name, code)


@given(body=st.binary(max_size=200), status=st.sampled_from([200, 302, 500]))
def test_garbage_is_never_taken_for_a_charge(body: bytes, status: int) -> None:
    answer = OutboundAnswer(fate="answered", status=status, body=body)

    assert charged(answer).outcome != "accepted"
    assert registered(answer)[0] is None


GONE = errors("E01110002")


@pytest.mark.parametrize(
    ("name", "answer", "state", "code"),
    [
        (SENT, at(SOON, trade(REFERENCE)), "pending", ""),
        (SENT, at(LATER, trade(REFERENCE)), "failed", "declined"),
        (SENT, at(SOON, trade(REFERENCE, Status="AUTHENTICATED")), "pending", ""),
        (SENT, at(LATER, paid(REFERENCE)), "succeeded", ""),
        (SENT, at(LATER, GONE), "unclear", ""),
        (UNSENT, at(SOON, trade(REFERENCE)), "failed", "never_received"),
        (UNSENT, at(SOON, GONE), "failed", "never_received"),
        (UNSENT, at(SOON, paid(REFERENCE)), "succeeded", ""),
        (UNSENT, UNCLEAR, "unclear", "timed_out"),
        # A worker died on the way: nothing is known but what the order itself says.
        ("", at(SOON, trade(REFERENCE)), "requires_action", ""),
        ("", at(LATER, trade(REFERENCE)), "failed", "expired"),
        ("", at(LATER, paid(REFERENCE)), "succeeded", ""),
        ("", at(LATER, GONE), "not_found", ""),
    ],
)
def test_order_of_a_charge_is_given_up_only_once_nobody_can_have_it_paid(
    name: str, answer: OutboundAnswer, state: str, code: str
) -> None:
    found = gmopg.ADAPTER.inquire(SITE, REFERENCE, name).read(answer)

    assert (found.state, found.decline_code) == (state, code)


@pytest.mark.parametrize(
    ("enrol", "endpoint", "mark"),
    [(True, SITE, "keep-"), (True, SHOP, "page-"), (False, SITE, "page-")],
)
def test_only_a_page_whose_payer_leaves_the_card_has_it_kept(
    *, enrol: bool, endpoint: Endpoint, mark: str
) -> None:
    wanted = SessionWanted(
        reference=REFERENCE, amount=Money(8420), return_url="https://pay.example/r/t",
        account="mizu", description="A-1", enrol=enrol, customer_reference=ATTEMPT.hex,
    )  # fmt: skip
    opened = {"OrderID": REFERENCE, "LinkUrl": "https://link.mul-pay.jp/v2/plus/1"}
    body = msgspec.json.encode(opened)
    answer = at(SOON, OutboundAnswer(fate="answered", status=200, body=body))
    exchange = gmopg.ADAPTER.open_session(endpoint, wanted)

    said = exchange.read(answer)
    asking = gmopg.ADAPTER.inquire(endpoint, REFERENCE, said.provider_ref)
    assert asking.then is not None
    following = asking.then(paid(REFERENCE))

    assert said.provider_ref == f"{mark}20130301125931"
    assert ATTEMPT.hex not in exchange.request.body
    assert (following is not None) == (mark == "keep-")
    assert asking.then(trade(REFERENCE)) is None
    if following is not None:
        assert following.request.delivery_id == ATTEMPT


def test_smbc_gp_charges_by_the_same_calls_with_secrets_of_its_own() -> None:
    exchange = smbc_gp.ADAPTER.charge(SITE, WANTED)
    assert exchange.then is not None
    following = exchange.then(recorded("EntryTran"))

    assert following is not None
    assert "%7B%7Bcredential%3Asmbc_gp%7D%7D" in exchange.request.body
    assert "%7B%7Bcredential%3Asmbc_gp.site%7D%7D" in following.request.body


def test_without_a_site_nothing_is_charged() -> None:
    with pytest.raises(InvariantBroken, match="provider_unconfigured"):
        gmopg.ADAPTER.charge(SHOP, WANTED)


@given(number=st.integers(min_value=0, max_value=(1 << 128) - 1))
def test_reference_leads_back_to_its_attempt(number: int) -> None:
    assert id_behind(reference_for(ORDER_ID, UUID(int=number))) == UUID(int=number)


def test_a_card_is_charged_by_its_own_name_whatever_a_worker_says_it_heard() -> None:
    for provider in NAMED_BY_US:
        assert name_card(provider, ATTEMPT, "somebody-elses") == ATTEMPT.hex
    assert name_card("stripe", ATTEMPT, "pm_1") == "pm_1"
