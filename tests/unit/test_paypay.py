"""PayPay's adapter reads every answer by what may have happened there, and garbage as unknown."""

from dataclasses import replace
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.application.methods.registry import BY_REDIRECT
from portal.application.providers import paypay, sandbox_wallet
from portal.application.providers.exchange import (
    Endpoint,
    RefundWanted,
    SessionAnswer,
    SessionWanted,
)
from portal.contract.payment import Finding
from portal.domain.doubt import SUBMIT_GRACE
from portal.domain.errors import InvalidInput, InvariantBroken
from portal.domain.ids import new_uuid7
from portal.domain.money import Money
from portal.domain.payment import DECLINE_CODES
from portal.domain.reference import MERCHANT_PAYMENT_ID, made_at_s, reference_for
from portal.domain.refund_word.word import RefundAnswer, RefundFinding
from portal.kit.outbound import SLICE_GRACE_S
from portal.kit.outbound.wire import OutboundAnswer

HOST = Endpoint("apigw.sandbox.paypay.ne.jp", 443)
MADE_AT_S = 1_795_000_000
REFERENCE = reference_for(MERCHANT_PAYMENT_ID, new_uuid7(MADE_AT_S * 1000 + 999, 4711))
REFUND = reference_for(MERCHANT_PAYMENT_ID, new_uuid7(MADE_AT_S * 1000 + 60_000, 1))
URL = "https://qr.paypay.ne.jp/28180104nT8IvPzR"
SESSION = SessionWanted(
    reference=REFERENCE,
    amount=Money(8420),
    return_url="https://pay.example/return/mizu/tok",
    account="mizu",
    description="A-1",
)
BACK = RefundWanted(
    refund_id=UUID(int=9),
    reference=REFERENCE,
    provider_ref="p-03590000000000001234",
    refund_reference=REFUND,
    amount=Money(420),
    remaining=Money(8000),
    account="mizu",
)
CODE = {
    "codeId": "04-hYiB0Vd7A9",
    "url": URL,
    "deeplink": "paypay://payment?link_key=x",
    "expiryDate": MADE_AT_S + 300,
    "merchantPaymentId": REFERENCE,
    "amount": {"amount": 8420, "currency": "JPY"},
    "codeType": "ORDER_QR",
}
PAYMENT = {
    "paymentId": "03590000000000001234",
    "status": "COMPLETED",
    "acceptedAt": MADE_AT_S + 20,
    "merchantPaymentId": REFERENCE,
    "amount": {"amount": 8420, "currency": "JPY"},
}
RETURNED = {
    "status": "CREATED",
    "merchantRefundId": REFUND,
    "paymentId": "03590000000000001234",
    "amount": {"amount": 420, "currency": "JPY"},
}
BAD_GATEWAY = "<html><body>ただいまメンテナンス中です</body></html>".encode("shift_jis")


def answered(
    status: int, code: str | None, data: object = None, raw: bytes = b""
) -> OutboundAnswer:
    body = {"resultInfo": {"code": code, "message": "x", "codeId": "08100001"}, "data": data}
    sent = raw if code is None else msgspec.json.encode(body)
    return OutboundAnswer(fate="answered", status=status, body=sent)


def opened(answer: OutboundAnswer) -> SessionAnswer:
    return paypay.ADAPTER.open_session(HOST, SESSION).read(answer)


def found(answer: OutboundAnswer, provider_ref: str = "") -> Finding:
    return paypay.ADAPTER.inquire(HOST, REFERENCE, provider_ref).read(answer)


def returned(answer: OutboundAnswer) -> RefundAnswer:
    return paypay.ADAPTER.refund(HOST, BACK).read(answer)


def traced(answer: OutboundAnswer) -> RefundFinding:
    return paypay.ADAPTER.inquire_refund(HOST, BACK).read(answer)


def test_requests_are_signed_by_the_relay_and_name_no_credential() -> None:
    adapter = paypay.ADAPTER
    requests = [
        adapter.open_session(HOST, SESSION).request,
        adapter.inquire(HOST, REFERENCE).request,
        adapter.refund(HOST, BACK).request,
        adapter.inquire_refund(HOST, BACK).request,
    ]

    assert {request.signer for request in requests} == {"opa"}
    for request in requests:
        assert "authorization" not in {name.lower() for name in request.headers}
        assert "{{" not in request.body + "".join(request.headers.values())
    assert [(request.method, request.path) for request in requests] == [
        ("POST", "/v2/codes"),
        ("GET", f"/v2/codes/payments/{REFERENCE}"),
        ("POST", "/v2/refunds"),
        ("GET", f"/v2/refunds/{REFUND}?paymentId=03590000000000001234"),
    ]


def test_a_slow_answer_is_waited_for_no_longer_than_an_inquiry_waits_for_the_submitter() -> None:
    opening = paypay.ADAPTER.open_session(HOST, SESSION).request.timeout_s
    asking = paypay.ADAPTER.inquire(HOST, REFERENCE).request.timeout_s

    for timeout_s in (opening, asking):
        assert 2 * timeout_s + SLICE_GRACE_S < SUBMIT_GRACE.total_seconds()
    assert asking >= 15


def test_a_code_is_asked_for_with_a_way_back_and_the_moment_of_the_attempt() -> None:
    request = paypay.ADAPTER.open_session(HOST, SESSION).request

    assert msgspec.json.decode(request.body) == {
        "merchantPaymentId": REFERENCE,
        "amount": {"amount": 8420, "currency": "JPY"},
        "codeType": "ORDER_QR",
        "orderDescription": "A-1",
        "storeId": "mizu",
        "isAuthorization": False,
        "redirectUrl": "https://pay.example/return/mizu/tok",
        "redirectType": "WEB_LINK",
        "requestedAt": MADE_AT_S,
    }
    assert ":" not in REFERENCE
    assert len(REFERENCE) <= 64
    again = paypay.ADAPTER.open_session(HOST, SESSION).request
    assert again == request


@pytest.mark.parametrize("text", ["", "A-1", "ZZZZZZZZZZZZZZZZZZZZZZZZZZZ", "abc", "7"])
def test_a_text_that_is_no_reference_of_ours_tells_no_moment(text: str) -> None:
    with pytest.raises(InvariantBroken, match="reference_form"):
        made_at_s(text)


def test_a_made_code_leads_to_the_wallets_page() -> None:
    assert opened(answered(201, "SUCCESS", CODE)) == SessionAnswer(
        "accepted", URL, "c-04-hYiB0Vd7A9", app_url="paypay://payment?link_key=x"
    )


@pytest.mark.parametrize("deeplink", [None, 7, {"url": "paypay://payment?x"}, ""])
def test_a_code_without_a_link_into_the_app_leads_to_the_page(deeplink: object) -> None:
    read = opened(answered(201, "SUCCESS", CODE | {"deeplink": deeplink}))

    assert (read.outcome, read.redirect_url, read.app_url) == ("accepted", URL, "")


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        (OutboundAnswer(fate="not_sent", code="relay_away"), "refused", "provider_away"),
        (OutboundAnswer(fate="unclear", code="timed_out"), "unknown", "timed_out"),
        (answered(400, "DUPLICATE_DYNAMIC_QR_REQUEST"), "unknown", "reference_exists"),
        (answered(400, "DYNAMIC_QR_BAD_REQUEST"), "refused", "provider_refused"),
        (answered(400, "INVALID_REQUEST_PARAMS"), "refused", "provider_refused"),
        (answered(401, "UNAUTHORIZED"), "refused", "provider_refused"),
        (answered(404, "OPA_CLIENT_NOT_FOUND"), "refused", "provider_refused"),
        (answered(429, "RATE_LIMIT"), "refused", "provider_busy"),
        (answered(429, None, raw=b""), "refused", "provider_busy"),
        (answered(500, "INTERNAL_SERVER_ERROR"), "unknown", "answer_unreadable"),
        (answered(500, "TRANSACTION_FAILED"), "unknown", "answer_unreadable"),
        (answered(503, "MAINTENANCE_MODE"), "unknown", "answer_unreadable"),
        (answered(502, None, raw=BAD_GATEWAY), "unknown", "answer_unreadable"),
        (answered(400, None, raw=BAD_GATEWAY), "unknown", "answer_unreadable"),
        (answered(404, None, raw=b"<html>"), "unknown", "answer_unreadable"),
        (answered(400, "SUCCESS", CODE), "unknown", "answer_unreadable"),
        (answered(302, None, raw=b""), "unknown", "answer_unreadable"),
        (answered(201, None, raw=b'{"resultInfo":{"code":"SUCC'), "unknown", "answer_unreadable"),
        (answered(201, "UNKNOWN_CODE", CODE), "unknown", "answer_unreadable"),
        (answered(201, "SUCCESS", None), "unknown", "answer_unreadable"),
        (answered(201, "SUCCESS", "text"), "unknown", "answer_unreadable"),
    ],
)
def test_only_paypays_own_word_is_a_refusal(
    answer: OutboundAnswer, outcome: str, code: str
) -> None:
    read = opened(answer)

    assert (read.outcome, read.code) == (outcome, code)
    assert read.redirect_url == ""
    assert read.outcome != "refused" or read.code in DECLINE_CODES


@pytest.mark.parametrize(
    "changes",
    [
        {"merchantPaymentId": "01JD0000000000000000000002"},
        {"amount": {"amount": 8421, "currency": "JPY"}},
        {"amount": {"amount": 8420, "currency": "USD"}},
        {"url": "javascript:alert(1)"},
        {"url": "http://qr.paypay.ne.jp/x"},
        {"url": ""},
        {"codeId": 7},
    ],
)
def test_a_code_that_is_not_the_one_asked_for_is_unknown(changes: dict[str, object]) -> None:
    assert opened(answered(201, "SUCCESS", CODE | changes)).outcome == "unknown"


@pytest.mark.parametrize(
    ("status", "state", "decline"),
    [
        ("CREATED", "requires_action", ""),
        ("AUTHORIZED", "pending", ""),
        ("COMPLETED", "succeeded", ""),
        ("EXPIRED", "failed", "expired"),
        ("CANCELED", "failed", "wallet_canceled"),
        ("FAILED", "failed", "wallet_declined"),
        ("SOMETHING_NEW", "unclear", ""),
    ],
)
def test_each_of_paypays_states_has_a_meaning(status: str, state: str, decline: str) -> None:
    finding = found(answered(200, "SUCCESS", PAYMENT | {"status": status}))

    assert (finding.state, finding.decline_code) == (state, decline)
    assert finding.amount_minor == 8420
    assert not decline or decline in DECLINE_CODES


def test_a_found_payment_tells_paypays_own_id_with_a_letter_before_its_digits() -> None:
    assert found(answered(200, "SUCCESS", PAYMENT)).provider_ref == "p-03590000000000001234"
    waiting = {**PAYMENT, "status": "CREATED", "paymentId": None}
    assert found(answered(200, "SUCCESS", waiting)).provider_ref == ""
    odd = {**PAYMENT, "paymentId": "0 1\n"}
    assert found(answered(200, "SUCCESS", odd)).provider_ref == ""


def test_another_amount_is_told_as_it_is_for_the_vault_to_judge() -> None:
    other = {**PAYMENT, "amount": {"amount": 1, "currency": "JPY"}}

    finding = found(answered(200, "SUCCESS", other))
    assert (finding.state, finding.amount_minor) == ("succeeded", 1)


@pytest.mark.parametrize(
    ("status", "refunds", "state", "kept"),
    [
        ("REFUNDED", [("REFUNDED", 8420)], "succeeded", 0),
        ("REFUNDED", [("REFUNDED", 420)], "succeeded", 8000),
        ("REFUNDED", [("REFUNDED", 420), ("REFUNDED", 1000), ("CREATED", 7)], "succeeded", 7000),
        ("COMPLETED", [("REFUNDED", 420)], "succeeded", 8000),
        ("COMPLETED", [("CREATED", 420)], "succeeded", 8420),
        ("COMPLETED", [], "succeeded", 8420),
        ("REFUNDED", [], "unclear", 0),
        ("REFUNDED", [("CREATED", 8420)], "unclear", 0),
        ("REFUNDED", [("REFUNDED", 8421)], "unclear", 0),
        ("COMPLETED", [("REFUNDED", -1)], "unclear", 0),
    ],
)
def test_what_paypay_gave_back_is_not_told_as_paid(
    status: str, refunds: list[tuple[str, int]], state: str, kept: int
) -> None:
    listed = [
        {"status": how, "amount": {"amount": amount, "currency": "JPY"}, "merchantRefundId": "r"}
        for how, amount in refunds
    ]
    told = PAYMENT | {"status": status, "refunds": {"data": listed}}

    finding = found(answered(200, "SUCCESS", told))

    assert (finding.state, finding.amount_minor) == (state, kept)


@pytest.mark.parametrize("refunds", [None, {}, {"data": None}, {"data": [{"status": "REFUNDED"}]}])
def test_a_refunded_payment_that_does_not_say_how_much_is_unclear(refunds: object) -> None:
    told = PAYMENT | {"status": "REFUNDED", "refunds": refunds}

    assert found(answered(200, "SUCCESS", told)).state == "unclear"
    assert found(answered(200, "SUCCESS", PAYMENT | {"refunds": None})).amount_minor == 8420


@pytest.mark.parametrize("status", [400, 404])
def test_not_found_is_paypays_word_and_no_status(status: int) -> None:
    assert found(answered(status, "DYNAMIC_QR_PAYMENT_NOT_FOUND")).state == "not_found"
    assert found(answered(status, "DYNAMIC_QR_BAD_REQUEST")).state == "unclear"
    assert found(answered(status, None, raw=b"<html>")).state == "unclear"


def test_a_code_that_is_not_found_ends_nothing_by_itself() -> None:
    gone = answered(400, "DYNAMIC_QR_PAYMENT_NOT_FOUND")
    code = "c-04-hYiB0Vd7A9"

    for known in ("", code, BACK.provider_ref):
        assert found(gone, known).state == "not_found"
    for unclear in (answered(400, None, raw=b"<html>"), answered(400, "DYNAMIC_QR_BAD_REQUEST")):
        assert found(unclear, code).state == "unclear"
    assert found(answered(200, "SUCCESS", PAYMENT), code).state == "succeeded"


@pytest.mark.parametrize(
    "answer",
    [
        OutboundAnswer(fate="not_sent", code="relay_away"),
        OutboundAnswer(fate="unclear", code="timed_out"),
        answered(500, "INTERNAL_SERVER_ERROR"),
        answered(503, "MAINTENANCE_MODE"),
        answered(401, "UNAUTHORIZED"),
        answered(429, "RATE_LIMIT"),
        answered(200, None, raw=BAD_GATEWAY),
        answered(200, None, raw=msgspec.json.encode({"data": PAYMENT})),
        answered(200, "SUCCESS", None),
        answered(200, "SERVICE_ERROR", PAYMENT),
        answered(500, "SUCCESS", PAYMENT),
        answered(200, "SUCCESS", PAYMENT | {"merchantPaymentId": "01JD0000000000000000000002"}),
        answered(200, "SUCCESS", PAYMENT | {"amount": {"amount": 8420, "currency": "USD"}}),
        answered(200, "SUCCESS", PAYMENT | {"amount": {"amount": "8420", "currency": "JPY"}}),
        answered(200, "SUCCESS", {k: v for k, v in PAYMENT.items() if k != "status"}),
    ],
)
def test_whatever_else_an_inquiry_brings_is_unclear(answer: OutboundAnswer) -> None:
    assert found(answer).state == "unclear"


def test_a_truncated_answer_proves_nothing_wherever_it_breaks_off() -> None:
    whole = answered(200, "SUCCESS", PAYMENT).body

    for length in range(len(whole)):
        cut = OutboundAnswer(fate="answered", status=200, body=whole[:length])
        assert found(cut).state == "unclear"


@given(body=st.binary(max_size=300), status=st.integers(100, 599))
def test_no_answer_makes_a_reading_fail(body: bytes, status: int) -> None:
    answer = OutboundAnswer(fate="answered", status=status, body=body)

    for read in (opened, found, returned, traced):
        read(answer)
    assert found(answer).state == "unclear"


def test_a_reference_can_not_lead_an_inquiry_elsewhere() -> None:
    request = paypay.ADAPTER.inquire(HOST, "../../v2/refunds?x#y").request

    assert request.path == "/v2/codes/payments/..%2F..%2Fv2%2Frefunds%3Fx%23y"


# Refunds


def test_a_refund_names_paypays_payment_and_a_reference_of_its_own() -> None:
    assert msgspec.json.decode(paypay.ADAPTER.refund(HOST, BACK).request.body) == {
        "merchantRefundId": REFUND,
        "paymentId": "03590000000000001234",
        "amount": {"amount": 420, "currency": "JPY"},
        "requestedAt": MADE_AT_S + 60,
    }


@pytest.mark.parametrize("unknown", ["", "c-04-hYiB0Vd7A9"])
def test_what_was_never_found_can_not_be_given_back(unknown: str) -> None:
    unfounded = replace(BACK, provider_ref=unknown)

    for act in (paypay.ADAPTER.refund, paypay.ADAPTER.inquire_refund):
        with pytest.raises(InvariantBroken, match="refund_unfounded"):
            act(HOST, unfounded)


def test_a_payments_id_can_not_add_a_parameter_to_the_question() -> None:
    odd = replace(BACK, provider_ref="p-1&assumeMerchant=x#y")

    assert paypay.ADAPTER.inquire_refund(HOST, odd).request.path == (
        f"/v2/refunds/{REFUND}?paymentId=1%26assumeMerchant%3Dx%23y"
    )


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (answered(201, "SUCCESS", RETURNED), "accepted"),
        (answered(202, "REQUEST_ACCEPTED", RETURNED), "accepted"),
        (answered(201, "SUCCESS", RETURNED | {"status": "REFUNDED"}), "succeeded"),
        (OutboundAnswer(fate="not_sent"), "refused"),
        (OutboundAnswer(fate="unclear"), "unknown"),
        (answered(400, "UNACCEPTABLE_OP"), "refused"),
        (answered(404, "RESOURCE_NOT_FOUND"), "refused"),
        (answered(500, "TRANSACTION_FAILED"), "unknown"),
        (answered(500, "INTERNAL_SERVER_ERROR"), "unknown"),
        (answered(201, "SUCCESS", RETURNED | {"merchantRefundId": "other"}), "unknown"),
        (answered(201, "SUCCESS", RETURNED | {"paymentId": "1"}), "unknown"),
        (answered(201, "SUCCESS", RETURNED | {"amount": PAYMENT["amount"]}), "unknown"),
        (answered(201, "SUCCESS", None), "unknown"),
    ],
)
def test_a_refund_is_refused_only_by_paypays_own_word(answer: OutboundAnswer, outcome: str) -> None:
    assert returned(answer).outcome == outcome


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (answered(200, "SUCCESS", RETURNED), "pending"),
        (answered(200, "SUCCESS", RETURNED | {"status": "REFUNDED"}), "succeeded"),
        (answered(200, "SUCCESS", RETURNED | {"status": "FAILED"}), "failed"),
        (answered(200, "SUCCESS", RETURNED | {"status": "NEW"}), "unclear"),
        (answered(404, "NO_SUCH_REFUND_ORDER"), "not_found"),
        (answered(404, None, raw=b"<html>"), "unclear"),
        (answered(200, "SUCCESS", RETURNED | {"merchantRefundId": "other"}), "unclear"),
        (answered(200, "SUCCESS", RETURNED | {"amount": PAYMENT["amount"]}), "unclear"),
        (answered(500, "INTERNAL_SERVER_ERROR"), "unclear"),
        (OutboundAnswer(fate="unclear"), "unclear"),
    ],
)
def test_a_refund_is_found_by_its_own_reference(answer: OutboundAnswer, state: str) -> None:
    finding = traced(answer)

    assert finding.state == state
    if state in {"pending", "succeeded", "failed"}:
        assert finding.amount_minor == 420


# Notices


def notice(**changes: object) -> bytes:
    fields: dict[str, object] = {
        "notification_type": "Transaction", "merchant_id": "1", "store_id": "mizu",
        "order_id": "03590000000000001234", "merchant_order_id": REFERENCE,
        "paid_at": "2026-11-22T10:00:00+09:00", "order_amount": "8420", "state": "COMPLETED",
    }  # fmt: skip
    return msgspec.json.encode(fields | changes)


def test_a_notice_makes_one_claim_that_only_its_own_repetition_shares() -> None:
    [claim] = paypay.NOTICES.parse(notice(), {})

    assert (claim.subject, claim.reference, claim.claim) == ("attempt", REFERENCE, "succeeded")
    assert claim.at is not None
    assert claim.at.isoformat() == "2026-11-22T01:00:00+00:00"
    assert [claim] == list(paypay.NOTICES.parse(notice(), {}))
    assert paypay.NOTICES.parse(notice(state="FAILED"), {})[0].notice_id != claim.notice_id


def test_notices_about_other_things_make_no_claim() -> None:
    assert paypay.NOTICES.parse(notice(notification_type="file.created"), {}) == ()


@pytest.mark.parametrize(
    "raw",
    [
        notice(merchant_order_id=""),
        notice(merchant_order_id=None),
        b'{"notification_type":"Transaction","state":"AUTHORIZED"}',
    ],
)
def test_a_notice_without_our_reference_makes_no_claim(raw: bytes) -> None:
    # PayPay's own sample of AUTHORIZED has an empty one: refused, it would be sent again and again.
    assert paypay.NOTICES.parse(raw, {}) == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b"\xff", BAD_GATEWAY,
        notice(merchant_order_id="a b"), notice(merchant_order_id=7),
        notice(merchant_order_id="x" * 65), notice(state=None), notice(paid_at="yesterday"),
        notice(paid_at="2026-11-22T10:00:00"), notice(paid_at="0001-01-01T00:00:00+09:00"),
    ],
)  # fmt: skip
def test_a_malformed_notice_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput, match="notice_malformed"):
        paypay.NOTICES.parse(raw, {})


def test_the_sandboxes_wallet_is_spoken_to_by_the_same_adapter() -> None:
    assert set(BY_REDIRECT["wallet"]) == {"paypay", "sandbox_wallet"}
    assert type(sandbox_wallet.ADAPTER) is type(paypay.ADAPTER)
    assert type(sandbox_wallet.NOTICES) is type(paypay.NOTICES)


def test_a_code_is_deleted_by_its_own_name_and_what_was_paid_is_left_alone() -> None:
    closing = paypay.ADAPTER.take_back(HOST, "c-04-AbC")

    assert closing is not None
    assert (closing.request.method, closing.request.path) == ("DELETE", "/v2/codes/04-AbC")
    assert (closing.request.signer, closing.request.body_kind) == ("opa", "none")
    for name in ("", "p-12345678901234567", "04-AbC"):
        assert paypay.ADAPTER.take_back(HOST, name) is None
