"""Stripe's answers, read by what may have happened there."""

import json
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.application.providers import stripe
from portal.application.providers.exchange import (
    ChargeWanted,
    Endpoint,
    RefundWanted,
    SessionWanted,
)
from portal.application.providers.stripe.notices import SIGNATURES_MAX, TOLERANCE_S
from portal.domain.errors import InvalidInput
from portal.domain.money import Money
from portal.domain.payment import DECLINE_CODES
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest
from tests.make.stripe import (
    AMOUNT,
    PAGE,
    REFERENCE,
    REFUND_REFERENCE,
    answered,
    event,
    failed,
    intent,
    page_of,
    refund,
    session,
)

API = Endpoint("api.stripe.com", 443)
BACK = "https://pay.example/return/mizu/tok"
SESSION = SessionWanted(
    reference=REFERENCE, amount=Money(AMOUNT), return_url=BACK, account="mizu", description="A-1"
)
CHARGE = ChargeWanted(
    reference=REFERENCE,
    amount=Money(AMOUNT),
    instrument_id=UUID(int=7),
    original_reference="01JD0000000000000000000000",
    account="mizu",
    description="A-2",
)
REFUND = RefundWanted(
    refund_id=UUID(int=9),
    reference=REFERENCE,
    provider_ref="pi_3MtwBwLkdIwHu7ix28a3tqPa",
    refund_reference=REFUND_REFERENCE,
    amount=Money(420),
    remaining=Money(8000),
    account="mizu",
)
INTENT_ID = "pi_3MtwBwLkdIwHu7ix28a3tqPa"
OTHER = {"reference": "01JDZZZZZZZZZZZZZZZZZZZZZZ"}
NOT_SENT = OutboundAnswer(fate="not_sent", code="relay_away")
UNCLEAR = OutboundAnswer(fate="unclear", code="timed_out")
ERROR_PAGE = "<html>502 ゲートウェイ</html>".encode("cp932")


def form_of(request: OutboundRequest) -> dict[str, str]:
    return {name: texts[0] for name, texts in parse_qs(request.body).items()}


def query_of(request: OutboundRequest) -> dict[str, str]:
    return {name: texts[0] for name, texts in parse_qs(urlsplit(request.path).query).items()}


# --- opening ---------------------------------------------------------------------------------


def test_session_is_opened_under_our_reference_with_three_d_secure() -> None:
    request = stripe.ADAPTER.open_session(API, SESSION).request
    form = form_of(request)

    assert (request.path, request.body_kind) == ("/v1/checkout/sessions", "form")
    assert request.headers["authorization"] == "Bearer {{credential:stripe}}"
    assert request.headers["idempotency-key"] == REFERENCE
    assert request.headers["stripe-version"] == "2025-03-31.basil"
    assert form["client_reference_id"] == REFERENCE
    assert form["payment_intent_data[metadata][reference]"] == REFERENCE
    assert form["line_items[0][price_data][unit_amount]"] == "8420"
    assert form["line_items[0][price_data][currency]"] == "jpy"
    assert form["payment_method_options[card][request_three_d_secure]"] == "any"
    assert form["success_url"] == form["cancel_url"] == BACK
    assert "customer_creation" not in form


def test_card_is_kept_only_when_the_payer_agreed() -> None:
    agreed = SessionWanted(
        reference=REFERENCE, amount=Money(AMOUNT), return_url=BACK, account="mizu",
        description="A-1", enrol=True, customer_reference="01JDC",
    )  # fmt: skip

    form = form_of(stripe.ADAPTER.open_session(API, agreed).request)

    assert form["payment_intent_data[setup_future_usage]"] == "off_session"
    assert form["customer_creation"] == "always"


def test_opened_session_leads_to_checkout() -> None:
    read = stripe.ADAPTER.open_session(API, SESSION).read(answered(200, session()))

    assert (read.outcome, read.redirect_url, read.provider_ref) == (
        "accepted",
        PAGE,
        "cs_test_a1B2",
    )


CALL_FAILURES = [
    (NOT_SENT, "refused", "provider_away"),
    (UNCLEAR, "unknown", "timed_out"),
    (failed(400), "refused", "provider_refused"),
    (failed(401), "refused", "provider_refused"),
    (failed(403), "refused", "provider_refused"),
    (failed(404), "refused", "provider_refused"),
    (failed(400, "idempotency_error"), "unknown", "reference_exists"),
    (failed(409, code="idempotency_key_in_use"), "unknown", "reference_exists"),
    (failed(409), "unknown", "provider_unclear"),
    (failed(429, code="rate_limit"), "refused", "provider_busy"),
    (failed(429, code="lock_timeout"), "unknown", "reference_exists"),
    (failed(424), "unknown", "provider_unclear"),
    (failed(500, "api_error"), "unknown", "provider_unclear"),
    (failed(503, "api_error"), "unknown", "provider_unclear"),
    (answered(400, b"<html>"), "unknown", "answer_unreadable"),
    (answered(502, ERROR_PAGE), "unknown", "answer_unreadable"),
    (answered(302, b""), "unknown", "answer_unreadable"),
    (answered(200, b'{"id":"cs_te'), "unknown", "answer_unreadable"),
    (answered(200, b""), "unknown", "answer_unreadable"),
    (answered(200, ERROR_PAGE), "unknown", "answer_unreadable"),
]


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        *CALL_FAILURES,
        (failed(402, "card_error"), "unknown", "provider_unclear"),
        (answered(200, session(client_reference_id="other")), "unknown", None),
        (answered(200, session(client_reference_id=None)), "unknown", None),
        (answered(200, session(amount_total=8421)), "unknown", None),
        (answered(200, session(currency="usd")), "unknown", None),
        (answered(200, session(status="expired")), "unknown", None),
        (answered(200, session(url=None)), "unknown", None),
        (answered(200, session(url="http://evil.example/")), "unknown", None),
    ],
)
def test_opening_is_refused_only_in_stripes_own_words(
    answer: OutboundAnswer, outcome: str, code: str | None
) -> None:
    read = stripe.ADAPTER.open_session(API, SESSION).read(answer)

    assert read.outcome == outcome
    assert code is None or read.code == code
    assert read.outcome != "refused" or read.code in DECLINE_CODES


# --- asking ----------------------------------------------------------------------------------


def test_payment_is_asked_for_by_stripes_name_where_we_have_it() -> None:
    by_session = stripe.ADAPTER.inquire(API, REFERENCE, "cs_test_a1B2").request
    by_intent = stripe.ADAPTER.inquire(API, REFERENCE, INTENT_ID).request
    by_reference = stripe.ADAPTER.inquire(API, REFERENCE).request

    assert urlsplit(by_session.path).path == "/v1/checkout/sessions/cs_test_a1B2"
    assert query_of(by_session) == {"expand[]": "payment_intent.latest_charge"}
    assert urlsplit(by_intent.path).path == f"/v1/payment_intents/{INTENT_ID}"
    assert urlsplit(by_reference.path).path == "/v1/payment_intents/search"
    assert query_of(by_reference)["query"] == f"metadata['reference']:'{REFERENCE}'"
    assert "idempotency-key" not in by_reference.headers


def test_names_cannot_climb_out_of_their_path() -> None:
    request = stripe.ADAPTER.inquire(API, REFERENCE, "pi_../../refunds?x#y").request

    assert urlsplit(request.path).path == "/v1/payment_intents/pi_..%2F..%2Frefunds%3Fx%23y"


def test_paid_session_tells_amount_approval_and_authentication() -> None:
    paid = session(status="complete", payment_status="paid", payment_intent=intent())

    finding = stripe.ADAPTER.inquire(API, REFERENCE, "cs_test_a1B2").read(answered(200, paid))

    assert (finding.state, finding.amount_minor) == ("succeeded", AMOUNT)
    assert finding.provider_ref == INTENT_ID
    assert (finding.approval_no, finding.instrument_hint) == ("123456", "4242")
    assert finding.authentication == "Y"


DECLINED = {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds"}


@pytest.mark.parametrize(
    ("body", "state", "decline"),
    [
        (session(), "requires_action", ""),
        (session(status="expired"), "failed", "expired"),
        (
            session(
                payment_intent=intent(status="requires_payment_method", last_payment_error=DECLINED)
            ),
            "requires_action",
            "",
        ),
        (session(status="expired", payment_intent=intent()), "succeeded", ""),
        (
            session(status="complete", payment_intent=intent(status="processing")),
            "pending",
            "",
        ),
        (
            session(status="expired", payment_intent=intent(status="canceled")),
            "failed",
            "declined",
        ),
        (session(status="complete"), "unclear", None),
        (session(status="complete", payment_intent=INTENT_ID), "unclear", None),
        (session(client_reference_id="other", payment_intent=intent()), "unclear", None),
        (session(payment_intent=intent(metadata=OTHER)), "unclear", None),
        (session(currency="usd", payment_intent=intent()), "unclear", None),
        (session(payment_intent=intent(currency="usd")), "unclear", None),
        (session(status="invented"), "unclear", None),
    ],
)
def test_what_a_session_says_counts_after_what_its_payment_says(
    body: object, state: str, decline: str | None
) -> None:
    finding = stripe.ADAPTER.inquire(API, REFERENCE, "cs_test_a1B2").read(answered(200, body))

    assert finding.state == state
    assert decline is None or finding.decline_code == decline
    assert finding.amount_minor == (AMOUNT if state == "succeeded" else 0)


@pytest.mark.parametrize(
    ("changes", "state", "decline"),
    [
        ({}, "succeeded", ""),
        ({"amount_received": 8000}, "succeeded", ""),
        ({"status": "requires_payment_method"}, "requires_action", ""),
        (
            {"status": "requires_payment_method", "last_payment_error": DECLINED},
            "failed",
            "insufficient_funds",
        ),
        ({"status": "requires_action"}, "requires_action", ""),
        ({"status": "requires_confirmation"}, "requires_action", ""),
        ({"status": "processing"}, "pending", ""),
        ({"status": "requires_capture"}, "pending", ""),
        ({"status": "canceled"}, "failed", "declined"),
        ({"status": "invented"}, "unclear", None),
        ({"currency": "usd"}, "unclear", None),
        ({"metadata": OTHER}, "unclear", None),
        ({"metadata": {}}, "unclear", None),
        ({"amount": "8420"}, "unclear", None),
    ],
)
def test_payment_is_believed_only_about_this_reference_and_in_yen(
    changes: dict[str, object], state: str, decline: str | None
) -> None:
    body = intent(**changes)

    for name, answer in ((INTENT_ID, body), ("", page_of(body))):
        finding = stripe.ADAPTER.inquire(API, REFERENCE, name).read(answered(200, answer))
        assert finding.state == state
        assert decline is None or finding.decline_code == decline
        received = body["amount_received"] if state == "succeeded" else 0
        assert finding.amount_minor == received


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (answered(200, page_of()), "not_found"),
        (answered(200, page_of(has_more=True)), "unclear"),
        (answered(200, page_of(intent(), intent(id="pi_2"))), "unclear"),
        (failed(404, code="resource_missing"), "unclear"),
        (failed(429), "unclear"),
        (answered(500, b""), "unclear"),
        (answered(200, b'{"data":['), "unclear"),
        (answered(200, ERROR_PAGE), "unclear"),
        (answered(302, b""), "unclear"),
        (NOT_SENT, "unclear"),
        (UNCLEAR, "unclear"),
    ],
)
def test_nothing_is_missing_before_an_empty_search_says_so(
    answer: OutboundAnswer, state: str
) -> None:
    assert stripe.ADAPTER.inquire(API, REFERENCE).read(answer).state == state


@pytest.mark.parametrize(
    ("result", "letter"),
    [("attempt_acknowledged", "A"), ("failed", "N"), ("exempted", "I"), ("invented", "")],
)
def test_authentication_is_told_in_the_letters_of_emv(result: str, letter: str) -> None:
    details = {"card": {"last4": "4242", "three_d_secure": {"result": result}}}
    body = intent(latest_charge={"payment_method_details": details})

    finding = stripe.ADAPTER.inquire(API, REFERENCE, INTENT_ID).read(answered(200, body))

    assert finding.authentication == letter


# --- charging off session --------------------------------------------------------------------


def test_charge_names_instruments_that_only_the_relay_can_fill() -> None:
    request = stripe.ADAPTER.charge(API, CHARGE).request
    form = form_of(request)

    assert form["payment_method"] == "{{instrument:token}}"
    assert form["customer"] == "{{instrument:customer}}"
    assert (form["confirm"], form["off_session"]) == ("true", "true")
    assert form["amount"] == "{{instrument:amount}}"
    assert form["metadata[reference]"] == "{{instrument:reference}}"
    assert request.headers["idempotency-key"] == "{{instrument:reference}}"
    assert request.delivery_id == CHARGE.instrument_id


@pytest.mark.parametrize("usage", ["off_session", "on_session", None])
def test_card_is_told_of_only_where_the_payment_kept_it(usage: str | None) -> None:
    kept = {"setup_future_usage": usage, "customer": "cus_9", "payment_method": "pm_1"}
    details = {"card": {"last4": "4242", "brand": "visa"}}
    body = intent(**kept, latest_charge={"payment_method_details": details})

    found = stripe.ADAPTER.inquire(API, REFERENCE, INTENT_ID).read(answered(200, body))

    told = (found.saved_token, found.saved_customer, found.saved_brand)
    assert told == (("pm_1", "cus_9", "visa") if usage == "off_session" else ("", "", ""))


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        *CALL_FAILURES,
        (answered(200, intent()), "accepted", ""),
        (answered(200, intent(status="processing")), "accepted", ""),
        (answered(200, intent(metadata=OTHER)), "unknown", None),
        (answered(200, intent(currency="usd")), "unknown", None),
        (answered(200, intent(amount=1)), "unknown", None),
        (failed(402, **DECLINED, payment_intent=intent()), "refused", "insufficient_funds"),
        (
            failed(402, "card_error", code="authentication_required", payment_intent=intent()),
            "refused",
            "authentication_failed",
        ),
        (
            failed(402, "card_error", decline_code="do_not_honor", payment_intent=intent()),
            "refused",
            "card_declined",
        ),
        (
            failed(402, "card_error", decline_code="lost_card", payment_intent=intent()),
            "refused",
            "card_stopped",
        ),
        (
            failed(402, "card_error", code="expired_card", payment_intent=intent()),
            "refused",
            "card_expired",
        ),
        (failed(402, **DECLINED, payment_intent=intent(metadata=OTHER)), "unknown", None),
        (failed(402, **DECLINED), "unknown", None),
        (answered(402, b"<html>"), "unknown", None),
    ],
)  # fmt: skip
def test_charge_is_refused_only_for_this_payment(
    answer: OutboundAnswer, outcome: str, code: str | None
) -> None:
    read = stripe.ADAPTER.charge(API, CHARGE).read(answer)

    assert read.outcome == outcome
    assert code is None or read.code == code


# --- giving back -----------------------------------------------------------------------------


def test_refund_goes_out_under_its_own_reference() -> None:
    request = stripe.ADAPTER.refund(API, REFUND).request

    assert request.headers["idempotency-key"] == REFUND_REFERENCE
    assert form_of(request) == {
        "payment_intent": INTENT_ID,
        "amount": "420",
        "metadata[reference]": REFUND_REFERENCE,
    }


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        *[(answer, outcome) for answer, outcome, _ in CALL_FAILURES],
        (failed(400, code="charge_already_refunded"), "refused"),
        (answered(200, refund()), "succeeded"),
        (answered(200, refund(status="pending")), "accepted"),
        (answered(200, refund(status="requires_action")), "accepted"),
        (answered(200, refund(status="failed")), "refused"),
        (answered(200, refund(status="canceled")), "refused"),
        (answered(200, refund(status="invented")), "unknown"),
        (answered(200, refund(amount=421)), "unknown"),
        (answered(200, refund(currency="usd")), "unknown"),
        (answered(200, refund(metadata={"reference": "other"})), "unknown"),
    ],
)
def test_refund_is_refused_only_when_nothing_went_back(
    answer: OutboundAnswer, outcome: str
) -> None:
    assert stripe.ADAPTER.refund(API, REFUND).read(answer).outcome == outcome


@pytest.mark.parametrize("name", ["", "cs_test_a1B2"])
def test_refund_of_a_payment_without_its_name_looks_for_it_first(name: str) -> None:
    wanted = RefundWanted(
        refund_id=UUID(int=9),
        reference=REFERENCE, provider_ref=name, refund_reference=REFUND_REFERENCE,
        amount=Money(420), remaining=Money(8000), account="mizu",
    )  # fmt: skip
    found = session(status="complete", payment_intent=intent()) if name else page_of(intent())
    for act, method in (("refund", "POST"), ("inquire_refund", "GET")):
        exchange = getattr(stripe.ADAPTER, act)(API, wanted)

        assert exchange.request.method == "GET"
        following = exchange.then(answered(200, found))
        assert following.request.method == method
        assert INTENT_ID in following.request.body + following.request.path
        assert exchange.then(answered(200, page_of())) is None
        assert exchange.then(UNCLEAR) is None

    assert stripe.ADAPTER.refund(API, wanted).read(UNCLEAR).outcome == "refused"
    assert stripe.ADAPTER.inquire_refund(API, wanted).read(UNCLEAR).state == "unclear"


@pytest.mark.parametrize(
    ("answer", "state", "amount"),
    [
        (answered(200, page_of(refund())), "succeeded", 420),
        (answered(200, page_of(refund(amount=400))), "succeeded", 400),
        (answered(200, page_of(refund(status="pending"))), "pending", 0),
        (answered(200, page_of(refund(status="failed"))), "failed", 0),
        (answered(200, page_of(refund(metadata={"reference": "other"}))), "not_found", 0),
        (answered(200, page_of()), "not_found", 0),
        (answered(200, page_of(has_more=True)), "unclear", 0),
        (answered(200, page_of(refund(), refund(id="re_2"))), "unclear", 0),
        (answered(200, page_of(refund(currency="usd"))), "unclear", 0),
        (failed(404), "unclear", 0),
        (answered(500, b""), "unclear", 0),
        (answered(200, b"{"), "unclear", 0),
        (NOT_SENT, "unclear", 0),
        (UNCLEAR, "unclear", 0),
    ],
)
def test_refund_is_found_by_our_reference_alone(
    answer: OutboundAnswer, state: str, amount: int
) -> None:
    finding = stripe.ADAPTER.inquire_refund(API, REFUND).read(answer)

    assert (finding.state, finding.amount_minor) == (state, amount)


@given(status=st.integers(100, 599), body=st.binary(max_size=200))
def test_no_answer_whatever_makes_it_raise_or_invent_success(status: int, body: bytes) -> None:
    answer = answered(status, body)

    assert stripe.ADAPTER.open_session(API, SESSION).read(answer).outcome != "accepted"
    assert stripe.ADAPTER.charge(API, CHARGE).read(answer).outcome != "accepted"
    assert stripe.ADAPTER.inquire(API, REFERENCE).read(answer).state == "unclear"
    assert stripe.ADAPTER.refund(API, REFUND).read(answer).outcome in {"refused", "unknown"}
    assert stripe.ADAPTER.inquire_refund(API, REFUND).read(answer).state == "unclear"


# --- notices ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "thing", "said"),
    [
        ("checkout.session.completed", session(), "checkout.session.completed"),
        ("checkout.session.expired", session(), "expired"),
        ("payment_intent.succeeded", intent(), "succeeded"),
        ("payment_intent.payment_failed", intent(), "payment_intent.payment_failed"),
        ("refund.updated", refund(), "refund.updated"),
    ],
)
def test_notice_claims_something_about_the_reference_that_it_names(
    type_: str, thing: dict[str, object], said: str
) -> None:
    [claim] = stripe.NOTICES.parse(msgspec.json.encode(event(type_, thing)), {})

    wanted = REFUND_REFERENCE if type_ == "refund.updated" else REFERENCE
    assert (claim.notice_id, claim.reference) == ("evt_1NG8Du2eZvKYlo2CUI79vXWy", wanted)
    assert (claim.subject, claim.claim) == ("attempt", said)
    assert claim.at is not None


def test_notice_about_somebody_elses_thing_claims_nothing() -> None:
    for thing in ({"object": "balance"}, intent(metadata={}), intent(metadata=None)):
        assert stripe.NOTICES.parse(msgspec.json.encode(event("x.y", thing)), {}) == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        msgspec.json.encode(event("a b", intent())),
        msgspec.json.encode(event("x" * 65, intent())),
        msgspec.json.encode(event("x", intent(), id="e\n")),
        msgspec.json.encode(event("x", intent(), created=-1)),
        msgspec.json.encode(event("x", intent(), created=1 << 50)),
        msgspec.json.encode(event("x", intent(metadata={"reference": "a b"}))),
        msgspec.json.encode(event("x", intent(metadata={"reference": "a" * 65}))),
        b"[" * 100_000,
    ],
)
def test_malformed_notice_is_refused_whole(raw: bytes) -> None:
    with pytest.raises(InvalidInput, match="notice_malformed"):
        stripe.NOTICES.parse(raw, {})


BODY = b'{"id":"evt_1","object":"event"}'
KEY = "whsec_test"
AT = 1_614_556_828
MAC = "02ef8d484bdeea5b22c0c706eac1b9102d69a4357b3f27c88e5e0e65e6bc42aa"


def is_genuine(header: str, *keys: str, raw: bytes = BODY, now_s: float = AT) -> bool:
    return stripe.NOTICES.is_genuine(raw, {"stripe-signature": header}, keys or (KEY,), now_s)


def test_signature_fits_the_vector_that_was_computed_elsewhere() -> None:
    assert is_genuine(f"t={AT},v1={MAC}")
    assert is_genuine(f"t={AT},v1={'0' * 64},v1={MAC},v0=abc")
    assert is_genuine(f"t={AT}, v1={MAC}", "whsec_older", KEY)
    assert is_genuine(f"t={AT},v1={MAC}", now_s=AT + TOLERANCE_S)
    assert is_genuine(f"t={AT},v1={MAC}", now_s=AT - TOLERANCE_S)


@pytest.mark.parametrize(
    "header",
    [
        "",
        MAC,
        f"v1={MAC}",
        f"t={AT}",
        f"t=,v1={MAC}",
        f"t=-{AT},v1={MAC}",
        f"t={AT}.0,v1={MAC}",
        f"t=\u0661,v1={MAC}",
        f"t={AT + 1},v1={MAC}",
        f"t={AT},v1={MAC.upper()}",
        f"t={AT},v1={MAC[:-1]}",
        f"t={AT},v1=\u00e9",
        f"t={AT},v0={MAC}",
        f"t={AT}," + "v1=0," * SIGNATURES_MAX + f"v1={MAC}",
    ],
)
def test_anything_else_proves_no_sender(header: str) -> None:
    assert not is_genuine(header)


def test_signature_is_for_these_bytes_this_key_and_this_hour() -> None:
    header = f"t={AT},v1={MAC}"

    assert not is_genuine(header, raw=json.dumps(json.loads(BODY)).encode())
    assert not is_genuine(header, "whsec_other")
    assert not is_genuine(header, now_s=AT + TOLERANCE_S + 1)
    assert not is_genuine(header, now_s=AT - TOLERANCE_S - 1)
    assert not stripe.NOTICES.is_genuine(BODY, {}, (KEY,), AT)
