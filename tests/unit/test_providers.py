"""Adapters read every answer by what may have happened at the provider, and garbage as unknown."""

from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.application.channels.registry import BY_CHANNEL, find_sender
from portal.application.channels.voice import CALLS
from portal.application.methods.registry import BY_NUMBER, BY_REDIRECT, REFUNDS, find_redirect
from portal.application.providers import _template, exchange, registry, sandbox_card, sandbox_sms
from portal.application.providers.exchange import Endpoint, MessageWanted, SessionWanted
from portal.domain.errors import InvalidInput, InvariantBroken
from portal.domain.message import TOLD_BY_ADDRESS
from portal.domain.methods import METHODS, WALLETS
from portal.domain.money import Money
from portal.domain.number import COUNTERS
from portal.domain.payment import DECLINE_CODES
from portal.domain.reference import FORMS
from portal.kit.outbound.wire import OutboundAnswer

CARD = Endpoint("card.sandbox.test", 8443)
SMS = Endpoint("sms.sandbox.test", 8443)
REFERENCE = "01JD0000000000000000000001"
URL = "http://localhost:8081/card/cs_1"
SESSION = SessionWanted(
    reference=REFERENCE,
    amount=Money(8420),
    return_url="http://localhost:8080/return/mizu/tok",
    account="mizu",
    description="A-1",
)
MESSAGE = MessageWanted(delivery_id=UUID(int=7), key="dlv-7", account="mizu", sender="0005123456")


def answered(status: int, body: object = None, **headers: str) -> OutboundAnswer:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return OutboundAnswer(fate="answered", status=status, body=raw, headers=named)


def session_of(answer: OutboundAnswer) -> exchange.SessionAnswer:
    return sandbox_card.ADAPTER.open_session(CARD, SESSION).read(answer)


def test_session_request_names_the_credential_and_never_holds_it() -> None:
    request = sandbox_card.ADAPTER.open_session(CARD, SESSION).request

    assert request.headers["authorization"] == "Bearer {{credential:sandbox_card}}"
    assert msgspec.json.decode(request.body) == {
        "reference": REFERENCE,
        "amount": 8420,
        "currency": "JPY",
        "return_url": "http://localhost:8080/return/mizu/tok",
        "notice_account": "mizu",
        "description": "A-1",
    }


def test_opened_session_leads_to_the_providers_page() -> None:
    body = {"id": "cs_1", "reference": REFERENCE, "status": "open", "url": URL}

    assert session_of(answered(201, body)) == exchange.SessionAnswer(
        "accepted", redirect_url=URL, provider_ref="cs_1"
    )


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        (OutboundAnswer(fate="not_sent", code="relay_away"), "refused", "provider_away"),
        (OutboundAnswer(fate="unclear", code="timed_out"), "unknown", "timed_out"),
        (answered(409, {"code": "reference_exists"}), "unknown", "reference_exists"),
        (answered(422, {"code": "invalid_amount"}), "refused", "provider_refused"),
        (answered(429, {"code": "too_many_requests"}), "refused", "provider_busy"),
        (answered(500, {"code": "internal"}), "unknown", "answer_unreadable"),
        (answered(302, b""), "unknown", "answer_unreadable"),
        (answered(201, b"<html>"), "unknown", "answer_unreadable"),
        (answered(201, {"id": "a", "reference": "other", "url": URL}), "unknown", None),
    ],
)
def test_session_is_refused_only_when_nothing_can_be_stored_there(
    answer: OutboundAnswer, outcome: str, code: str | None
) -> None:
    read = session_of(answer)

    assert read.outcome == outcome
    assert code is None or read.code == code
    assert read.outcome != "refused" or read.code in DECLINE_CODES


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example/card",
        "http://evil.example/card",
        "https://user:secret@evil.example/",
        "https://evil.example\\@card.example/",
        "https://evil.example/a b",
        "https://evil.example/\n",
        "https://ev\u0456l.example/",
        "https://[",
        "https://",
        "https://card.example/" + "a" * 2000,
    ],
)
def test_payer_is_never_sent_to_an_address_that_is_no_plain_https_page(url: str) -> None:
    body = {"id": "cs_1", "reference": REFERENCE, "status": "open", "url": url}

    assert session_of(answered(201, body)).outcome == "unknown"
    assert session_of(answered(201, {**body, "url": "https://card.example/x"})).redirect_url


PAYMENT = {
    "id": "cs_1",
    "reference": REFERENCE,
    "status": "succeeded",
    "amount": 8420,
    "currency": "JPY",
    "decline_code": None,
    "approval_no": "123456",
    "card_hint": "4242",
    "authentication": "Y",
}


@pytest.mark.parametrize(
    ("changes", "state", "decline"),
    [
        ({}, "succeeded", ""),
        ({"status": "open"}, "requires_action", ""),
        ({"status": "processing"}, "pending", ""),
        ({"status": "failed", "decline_code": "card_declined"}, "failed", "card_declined"),
        ({"status": "expired"}, "failed", "expired"),
        ({"status": "invented"}, "unclear", None),
        ({"currency": "USD"}, "unclear", None),
        ({"reference": "other"}, "unclear", None),
        ({"amount": "8420"}, "unclear", None),
    ],
)
def test_inquiry_believes_only_an_answer_about_this_reference(
    changes: dict[str, object], state: str, decline: str | None
) -> None:
    finding = sandbox_card.ADAPTER.inquire(CARD, REFERENCE).read(answered(200, PAYMENT | changes))

    assert finding.state == state
    assert decline is None or finding.decline_code == decline


def test_inquiry_carries_amount_approval_and_authentication() -> None:
    finding = sandbox_card.ADAPTER.inquire(CARD, REFERENCE).read(answered(200, PAYMENT))

    assert (finding.amount_minor, finding.provider_ref) == (8420, "cs_1")
    assert (finding.approval_no, finding.instrument_hint) == ("123456", "4242")
    assert finding.authentication == "Y"


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (answered(404, {"code": "not_found"}), "not_found"),
        (answered(404, b"<html>no such page</html>"), "unclear"),
        (answered(504, {"code": "timed_out"}), "unclear"),
        (OutboundAnswer(fate="not_sent", code="relay_away"), "unclear"),
        (OutboundAnswer(fate="unclear", code="timed_out"), "unclear"),
    ],
)
def test_not_found_counts_only_in_the_providers_own_words(
    answer: OutboundAnswer, state: str
) -> None:
    assert sandbox_card.ADAPTER.inquire(CARD, REFERENCE).read(answer).state == state


def test_reference_cannot_climb_out_of_its_path() -> None:
    request = sandbox_card.ADAPTER.inquire(CARD, "../../v1/sessions?x#y").request

    assert request.path == "/v1/payments/..%2F..%2Fv1%2Fsessions%3Fx%23y"


def test_message_request_holds_placeholders_and_ids_only() -> None:
    request = sandbox_sms.ADAPTER.compose(SMS, MESSAGE).request

    assert request.delivery_id == UUID(int=7)
    assert msgspec.json.decode(request.body) == {
        "to": "{{delivery:to}}",
        "from": "0005123456",
        "text": "{{delivery:body}}",
        "reference": "dlv-7",
        "account": "mizu",
    }
    assert request.headers["authorization"] == "Bearer {{credential:sandbox_sms}}"


@pytest.mark.parametrize(
    ("answer", "outcome", "code", "is_fault"),
    [
        (answered(201, {"id": "sm_1", "status": "queued"}), "accepted", "", False),
        (answered(200, {"id": "sm_1", "status": "delivered"}), "accepted", "", False),
        (answered(422, {"code": "invalid_number"}), "rejected", "invalid_number", False),
        (answered(422, {"code": "+819012345678"}), "rejected", "provider_refused", False),
        (answered(429, {"code": "too_many"}, Retry_After="7"), "busy", "provider_busy", True),
        (answered(503, b""), "busy", "provider_busy", True),
        (answered(401, {"code": "unauthorised"}), "busy", "credential_refused", True),
        (answered(500, b""), "unknown", "answer_unreadable", True),
        (answered(201, b"{}"), "unknown", "answer_unreadable", True),
        (OutboundAnswer(fate="unclear", code="dropped"), "unknown", "dropped", True),
        (OutboundAnswer(fate="not_sent", code="connect_failed"), "busy", "connect_failed", True),
        (
            OutboundAnswer(fate="not_sent", code="delivery_refused"),
            "busy",
            "delivery_refused",
            False,
        ),
    ],
)
def test_message_answer_says_what_may_have_happened(
    answer: OutboundAnswer, outcome: str, code: str, *, is_fault: bool
) -> None:
    read = sandbox_sms.ADAPTER.compose(SMS, MESSAGE).read(answer)

    assert (read.outcome, read.code, read.is_provider_fault) == (outcome, code, is_fault)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0", 0.0), ("999999", 3600.0), ("-1", 0.0), ("soon", 0.0), ("1e9", 0.0)],
)
def test_retry_after_is_believed_up_to_an_hour(value: str, seconds: float) -> None:
    read = sandbox_sms.ADAPTER.compose(SMS, MESSAGE).read(answered(429, b"", retry_after=value))

    assert read.retry_after_s == seconds


@given(status=st.integers(100, 599), body=st.binary(max_size=200))
def test_no_answer_whatever_makes_an_adapter_raise_or_invent_success(
    status: int, body: bytes
) -> None:
    answer = OutboundAnswer(fate="answered", status=status, body=body)

    assert session_of(answer).outcome in {"refused", "unknown"}
    assert sandbox_card.ADAPTER.inquire(CARD, REFERENCE).read(answer).state == "unclear"
    assert sandbox_sms.ADAPTER.compose(SMS, MESSAGE).read(answer).outcome != "accepted"


EVENT = {"id": "ev_1", "payment": "cs_1", "reference": REFERENCE, "status": "succeeded"}
RECEIPT = {"id": "ev_1", "message": "sm_1", "reference": "dlv-7", "status": "delivered"}


def test_notices_keep_their_order_and_their_own_ids() -> None:
    events = [EVENT | {"id": f"ev_{n}", "at": "2026-11-22T10:00:00Z"} for n in range(3)]

    claims = sandbox_card.NOTICES.parse(msgspec.json.encode({"events": events}), {})

    assert [claim.notice_id for claim in claims] == ["ev_0", "ev_1", "ev_2"]
    assert {claim.subject for claim in claims} == {"attempt"}
    assert claims[0].at is not None


def test_receipts_are_about_deliveries() -> None:
    [claim] = sandbox_sms.NOTICES.parse(msgspec.json.encode({"events": [RECEIPT]}), {})

    assert (claim.subject, claim.reference, claim.claim) == ("delivery", "dlv-7", "delivered")


@pytest.mark.parametrize("reader", [sandbox_card.NOTICES, sandbox_sms.NOTICES])
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"events":[]}',
        b'{"events":[{}]}',
        b'{"events":[{"id":1}]}',
        msgspec.json.encode({"events": [EVENT | RECEIPT | {"id": "a b"}]}),
        msgspec.json.encode({"events": [EVENT | RECEIPT | {"id": "a" * 65}]}),
        msgspec.json.encode({"events": [EVENT | RECEIPT | {"at": "2026-11-22T10:00:00"}]}),
        msgspec.json.encode({"events": [EVENT | RECEIPT] * (exchange.NOTICE_EVENTS_MAX + 1)}),
        b'{"events":' + b"[" * 100_000,
    ],
)
def test_malformed_notice_is_refused_whole(reader: registry.ReadsNotices, raw: bytes) -> None:
    with pytest.raises(InvalidInput) as refusal:
        reader.parse(raw, {})

    assert refusal.value.code == "notice_malformed"
    fine = [EVENT | RECEIPT] * exchange.NOTICE_EVENTS_MAX
    assert len(reader.parse(msgspec.json.encode({"events": fine}), {})) == len(fine)


def test_a_company_speaks_of_its_own_things_only() -> None:
    payment, receipt = (msgspec.json.encode({"events": [event]}) for event in (EVENT, RECEIPT))
    assert len(sandbox_card.NOTICES.parse(payment, {})) == 1
    assert len(sandbox_sms.NOTICES.parse(receipt, {})) == 1

    for reader, raw in ((sandbox_card.NOTICES, receipt), (sandbox_sms.NOTICES, payment)):
        with pytest.raises(InvalidInput, match="notice_malformed"):
            reader.parse(raw, {})


def test_every_provider_folder_is_in_every_list_it_claims() -> None:
    folder = Path(exchange.__file__).parent
    folders = {path.parent.name for path in folder.glob("*/adapter.py")} - {"_template"}

    assert folders == set(registry.CAPABILITIES) == set(registry.NOTICES)
    signed = {name for name, can in registry.CAPABILITIES.items() if can.notices_signed}
    assert signed == set(registry.SIGNED) | set(registry.SIGNED_AT)
    assert set(registry.SIGNED_AT) == TOLD_BY_ADDRESS
    assert set(CALLS) == set(BY_CHANNEL["voice"])
    for name, can in registry.CAPABILITIES.items():
        assert can.methods or can.channels
        offers = (*BY_REDIRECT.items(), ("number", BY_NUMBER))
        assert {method for method, by in offers if name in by} == set(can.methods)
        assert {channel for channel, carries in BY_CHANNEL.items() if name in carries} == set(
            can.channels
        )
        assert (name in COUNTERS) is ("number" in can.methods)
        if can.methods:
            assert FORMS[name].length_max <= can.reference_max


def test_template_reads_as_carefully_as_the_real_ones() -> None:
    assert _template.CAPABILITIES.provider not in registry.CAPABILITIES
    opened = _template.ADAPTER.open_session(CARD, SESSION)
    asked = _template.ADAPTER.inquire(CARD, REFERENCE)

    assert opened.read(answered(500, b"")).outcome == "unknown"
    assert asked.read(OutboundAnswer(fate="unclear")).state == "unclear"
    assert asked.read(answered(404, b"")).state == "not_found"
    paid = {"reference": REFERENCE, "status": "paid", "amount": 1}
    assert asked.read(answered(200, paid)).state == "succeeded"
    with pytest.raises(InvalidInput):
        _template.NOTICES.parse(b"{", {})


def test_unknown_provider_is_our_own_fault() -> None:
    with pytest.raises(InvariantBroken):
        find_redirect("nobody")
    with pytest.raises(InvariantBroken):
        find_sender("sms", "sandbox_card")


def test_endpoints_are_read_whole_or_refused_with_every_fault() -> None:
    assert exchange.parse_endpoints("a=h.test:1, b=i.test:65535, c=j.test:443/shop-1/page_1") == {
        "a": Endpoint("h.test", 1),
        "b": Endpoint("i.test", 65535),
        "c": Endpoint("j.test", 443, ("shop-1", "page_1")),
    }
    with pytest.raises(ValueError, match=r"x=h\.test, y=:1, z=h:65536, v=h:1/, w=h:1/a b$"):
        exchange.parse_endpoints("a=h.test:1,x=h.test,y=:1,z=h:65536,v=h:1/,w=h:1/a b")


def test_a_wallet_is_who_has_a_wallets_adapter_and_nobody_else() -> None:
    assert set(BY_REDIRECT["wallet"]) == WALLETS
    assert not WALLETS & set(BY_REDIRECT["card"])


def test_whoever_takes_a_method_that_can_be_refunded_gives_back_too() -> None:
    takers = {
        provider
        for method, adapters in BY_REDIRECT.items()
        if METHODS[method].can_refund
        for provider in adapters
    }

    assert set(REFUNDS) == takers
