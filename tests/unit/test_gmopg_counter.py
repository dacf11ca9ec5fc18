"""Numbers for convenience stores: composed as the company asks, read by what may have happened."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.application.providers import gmopg, smbc_gp
from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    NumberAnswer,
    NumberFinding,
    NumberWanted,
    PayNumbers,
    WithdrawAnswer,
)
from portal.domain.errors import InvariantBroken
from portal.domain.konbini import AMOUNT_MAX, DAYS_MAX, STORES
from portal.domain.money import Money
from portal.domain.payment_word.gmopg_counter import CODES
from portal.kit.outbound import SLICE_GRACE_S
from portal.kit.outbound.wire import OutboundAnswer
from tests.make.gmopg import at_counter, errors, numbered, recorded

SHOP = Endpoint("pt01.mul-pay.jp", 443, ("tshop00012345", "page01"))
REFERENCE = "01JD0000000000000000000001"
ATTEMPT = UUID(int=7)
WANTED = NumberWanted(
    reference=REFERENCE,
    amount=Money(8420),
    store="lawson",
    days=10,
    attempt_id=ATTEMPT,
    contact_name="みず水道局 お客様センター",
    contact_phone="0570-000-000",
    contact_hours="09:00-17:00",
)
NUMBERS = PayNumbers(
    "lawson", "20153671234", "580512", datetime(2013, 3, 11, 14, 59, 59, tzinfo=UTC)
)
NOT_SENT = OutboundAnswer(fate="not_sent", code="relay_away")
UNCLEAR = OutboundAnswer(fate="unclear", code="timed_out")
ERROR_PAGE = OutboundAnswer(
    fate="answered", status=200, body="<html>メンテナンス中</html>".encode("cp932")
)


def form_of(exchange: Exchange[NumberAnswer] | Exchange[WithdrawAnswer]) -> dict[str, str]:
    return dict(parse_qsl(exchange.request.body, keep_blank_values=True))


def made(wanted: NumberWanted = WANTED) -> Exchange[NumberAnswer]:
    """The second call, after the recorded answer to the first."""
    exchange = gmopg.COUNTER.issue(SHOP, wanted)
    assert exchange.then is not None
    following = exchange.then(recorded("EntryTranCvs"))
    assert following is not None
    return following


def found(answer: OutboundAnswer) -> NumberFinding:
    return gmopg.COUNTER.inquire(SHOP, REFERENCE).read(answer)


# --- making a number -------------------------------------------------------------------------


def test_an_order_is_registered_as_recorded_and_then_given_to_the_store() -> None:
    first, second = gmopg.COUNTER.issue(SHOP, WANTED), made()

    assert first.request.path == "/payment/EntryTranCvs.idPass"
    assert form_of(first) == {
        "ShopID": "tshop00012345", "ShopPass": "{{credential:gmopg}}", "OrderID": REFERENCE,
        "Amount": "8420",
    }  # fmt: skip
    assert second.request.path == "/payment/ExecTranCvs.idPass"
    assert form_of(second) == {
        "ShopID": "tshop00012345", "ShopPass": "{{credential:gmopg}}",
        "AccessID": "3618be802c7ac572414274731e50cb6c",
        "AccessPass": "4099664bd4b110800e09805539d1d7b5", "OrderID": REFERENCE,
        "Convenience": "10001", "CustomerName": "{{payer:name}}",
        "CustomerKana": "{{payer:kana}}", "TelNo": "{{payer:phone}}", "PaymentTermDay": "10",
        "ReceiptsDisp11": "みず水道局 お客様センター", "ReceiptsDisp12": "0570-000-000",
        "ReceiptsDisp13": "09:00-17:00",
    }  # fmt: skip
    assert (first.request.delivery_id, second.request.delivery_id) == (None, ATTEMPT)
    assert made().read(numbered(REFERENCE)) == NumberAnswer("accepted", NUMBERS)


def test_every_store_has_a_code_of_its_own_and_smbc_gp_makes_numbers_too() -> None:
    assert CODES.keys() == STORES
    assert len(set(CODES.values())) == len(STORES)
    request = smbc_gp.COUNTER.inquire(SHOP, REFERENCE).request
    assert "ShopPass=%7B%7Bcredential%3Asmbc_gp%7D%7D" in request.body


def test_both_calls_are_over_before_an_inquiry_speaks_for_them() -> None:
    for exchange in (gmopg.COUNTER.issue(SHOP, WANTED), made()):
        assert 2 * exchange.request.timeout_s + SLICE_GRACE_S < 60


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        (NOT_SENT, "refused", "provider_away"),
        (UNCLEAR, "unknown", "timed_out"),
        (recorded("EntryTranCvs_missing"), "refused", "provider_refused"),
        (errors("E01040010"), "unknown", "reference_exists"),
        (errors("E92000001"), "refused", "provider_busy"),
        (errors("42C010000"), "unknown", "provider_unclear"),
        (ERROR_PAGE, "unknown", "answer_unreadable"),
        (OutboundAnswer(fate="answered", status=503), "unknown", "answer_unreadable"),
        (OutboundAnswer(fate="answered", status=200, body=b"AccessID=1&AccessPass=2"),
         "unknown", "answer_unreadable"),
    ],
)  # fmt: skip
def test_an_order_that_was_not_registered_goes_to_no_store(
    answer: OutboundAnswer, outcome: str, code: str
) -> None:
    exchange = gmopg.COUNTER.issue(SHOP, WANTED)
    assert exchange.then is not None

    assert exchange.then(answer) is None
    assert exchange.read(answer) == NumberAnswer(outcome, code=code)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        (NOT_SENT, "refused", "provider_away"),
        (UNCLEAR, "unknown", "timed_out"),
        (errors("E01050002"), "refused", "provider_refused"),
        (errors("E01040010"), "unknown", "reference_exists"),
        (errors("42C010000"), "unknown", "provider_unclear"),
        (ERROR_PAGE, "unknown", "answer_unreadable"),
        (numbered("another"), "unknown", "answer_unreadable"),
        (numbered(REFERENCE, Convenience="10002"), "unknown", "answer_unreadable"),
        (numbered(REFERENCE, Convenience="99999"), "unknown", "answer_unreadable"),
        (numbered(REFERENCE, ReceiptNo=""), "unknown", "answer_unreadable"),
        (numbered(REFERENCE, ReceiptNo="<b>1</b>"), "unknown", "answer_unreadable"),
        (numbered(REFERENCE, ConfNo="1 2"), "unknown", "answer_unreadable"),
        (numbered(REFERENCE, PaymentTerm="20130231000000"), "unknown", "answer_unreadable"),
    ],
)
def test_a_number_that_is_not_all_there_is_unknown_and_never_shown(
    answer: OutboundAnswer, outcome: str, code: str
) -> None:
    assert made().read(answer) == NumberAnswer(outcome, code=code)  # type: ignore[arg-type]


@pytest.mark.parametrize("filler", ["", "9" * 18])
def test_a_store_that_asks_for_one_number_has_no_second(filler: str) -> None:
    said = numbered(REFERENCE, Convenience="00007", ConfNo=filler, ReceiptNo="5270912345678")

    read = made(replace(WANTED, store="seven_eleven")).read(said)

    assert read.numbers is not None
    assert (read.numbers.receipt_no, read.numbers.confirmation_no) == ("5270912345678", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": Money(0)}, {"amount": Money(AMOUNT_MAX + 1)}, {"days": 0},
        {"days": DAYS_MAX + 1}, {"contact_name": ""}, {"contact_name": "あ" * 22},
        {"contact_phone": "no"}, {"contact_hours": "always"},
    ],
)  # fmt: skip
def test_a_bill_or_a_merchant_that_no_number_fits_is_our_own_fault(
    changes: dict[str, object],
) -> None:
    with pytest.raises(InvariantBroken, match="number_unfit"):
        gmopg.COUNTER.issue(SHOP, replace(WANTED, **changes))  # type: ignore[arg-type]


# --- asking ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "state", "decline"),
    [
        ("UNPROCESSED", "not_found", ""),
        ("REQSUCCESS", "requires_action", ""),
        ("PAYFAIL", "failed", "declined"),
        ("EXPIRED", "failed", "expired"),
        ("CANCEL", "failed", "expired"),
        ("TRADING", "unclear", "answer_unreadable"),
    ],
)
def test_each_word_of_the_company_has_a_meaning(status: str, state: str, decline: str) -> None:
    finding = found(at_counter(status))

    assert (finding.payment.state, finding.payment.decline_code) == (state, decline)
    assert finding.payment.amount_minor == 0
    assert finding.numbers == (NUMBERS if state == "requires_action" else None)


def test_money_at_a_counter_is_told_with_its_tax_and_under_a_name_of_ours() -> None:
    finding = found(at_counter("PAYSUCCESS", Amount="8000", Tax="420", OrderID=REFERENCE))

    assert (finding.payment.state, finding.payment.amount_minor) == ("succeeded", 8420)
    assert finding.payment.provider_ref == "p-13030100000002212555"
    assert finding.numbers is None


@pytest.mark.parametrize(
    "answer",
    [
        recorded("SearchTradeMulti"),  # the recorded order is a card's
        at_counter("PAYSUCCESS", OrderID="another"),
        at_counter("PAYSUCCESS", Amount="-8420"),
        at_counter("PAYSUCCESS", PayType="0"),
        at_counter("REQSUCCESS", CvsReceiptNo=""),
        at_counter("REQSUCCESS", CvsCode="12345"),
        ERROR_PAGE,
        NOT_SENT,
        UNCLEAR,
        recorded("SearchTradeMulti_missing"),
        errors("42C010000"),
    ],
)
def test_whatever_else_an_inquiry_brings_is_unclear(answer: OutboundAnswer) -> None:
    assert found(answer).payment.state == "unclear"


def test_an_order_that_the_company_has_not_is_not_found_in_its_own_words() -> None:
    assert found(errors("M01004002")).payment.state == "not_found"
    assert found(errors("E01110002")).payment.state == "not_found"


@given(st.integers(0, 10_000), st.binary(max_size=40))
def test_a_cut_or_spoilt_answer_never_reads_as_another_amount(end: int, tail: bytes) -> None:
    whole = at_counter("PAYSUCCESS").body
    cut = OutboundAnswer(fate="answered", status=200, body=whole[: end % len(whole)] + tail)

    finding = found(cut)

    assert finding.payment.state in {"unclear", "succeeded"}
    assert finding.payment.state == "unclear" or end % len(whole) >= whole.index(b"PaymentTerm=")


@given(st.binary(max_size=200), st.integers(100, 599))
def test_no_answer_makes_a_reading_fail(body: bytes, status: int) -> None:
    answer = OutboundAnswer(fate="answered", status=status, body=body)

    assert found(answer).payment.state == "unclear"
    assert made().read(answer).outcome == "unknown"
    assert gmopg.COUNTER.withdraw(SHOP, REFERENCE).read(answer).outcome == "refused"


# --- withdrawing -----------------------------------------------------------------------------


def test_a_number_is_withdrawn_by_the_key_of_its_order() -> None:
    exchange = gmopg.COUNTER.withdraw(SHOP, REFERENCE)
    assert form_of(exchange)["PayType"] == "3"
    assert exchange.then is not None
    cancel = exchange.then(at_counter("REQSUCCESS"))
    assert cancel is not None

    assert cancel.request.path == "/payment/CvsCancel.idPass"
    assert form_of(cancel) == {
        "ShopID": "tshop00012345", "ShopPass": "{{credential:gmopg}}",
        "AccessID": "3618be802c7ac572414274731e50cb6c",
        "AccessPass": "4099664bd4b110800e09805539d1d7b5", "OrderID": REFERENCE,
    }  # fmt: skip
    theirs = recorded("CvsCancel").body.replace(b"1365660033", REFERENCE.encode())
    said = OutboundAnswer(fate="answered", status=200, body=theirs)
    assert cancel.read(said) == WithdrawAnswer("withdrawn")
    assert cancel.read(recorded("CvsCancel")).outcome == "unknown"
    assert cancel.read(UNCLEAR).outcome == "unknown"
    assert cancel.read(NOT_SENT).outcome == "refused"
    assert cancel.read(errors("E11010999")).outcome == "unknown"
    assert cancel.read(errors("E01110002")).outcome == "refused"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (at_counter("PAYSUCCESS"), "refused"),
        (at_counter("EXPIRED"), "withdrawn"),
        (at_counter("CANCEL"), "withdrawn"),
        (errors("M01004002"), "withdrawn"),
        (UNCLEAR, "refused"),
        (ERROR_PAGE, "refused"),
    ],
)
def test_what_can_not_be_withdrawn_is_not_asked_for(answer: OutboundAnswer, outcome: str) -> None:
    exchange = gmopg.COUNTER.withdraw(SHOP, REFERENCE)
    assert exchange.then is not None

    assert exchange.then(answer) is None
    assert exchange.read(answer).outcome == outcome


# --- notices ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "claim"),
    [
        ("REQSUCCESS", "requires_action"), ("PAYSUCCESS", "succeeded"), ("EXPIRED", "failed"),
        ("CANCEL", "failed"), ("PAYFAIL", "failed"), ("TRADING", "trading"),
    ],
)  # fmt: skip
def test_a_notice_about_a_number_claims_what_its_word_means_at_a_counter(
    status: str, claim: str
) -> None:
    raw = (
        f"ShopID=tshop&OrderID={REFERENCE}&Status={status}&Amount=8420&TranDate=20130301115940"
        "&PayType=3&CvsCode=10001&CvsConfNo=580512&CvsReceiptNo=1&FinishDate=20130302101112"
    )

    [told] = gmopg.NOTICES.parse(raw.encode("cp932"), {})

    assert (told.reference, told.claim) == (REFERENCE, claim)
    assert told.at == datetime(2013, 3, 2, 1, 11, 12, tzinfo=UTC)
