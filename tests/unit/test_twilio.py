"""Twilio's form, against Twilio's own package and its published vectors."""

from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, VoiceResponse

from portal.application.channels.voice import CALLS
from portal.application.providers import sandbox_tel, twilio
from portal.application.providers.exchange import Endpoint, MessageAnswer, MessageWanted
from portal.application.providers.twilio.adapter import Twilio
from portal.application.providers.twilio.signature import is_genuine, read_fields, sign
from portal.contract.call import CallTurn
from portal.domain.errors import InvalidInput, InvariantBroken
from portal.domain.message import RECEIPTS
from portal.egress.template import read_template
from portal.kit.outbound.wire import OutboundAnswer
from portal.sandbox.twiml import read_script
from portal.stack.sandbox_rules import TEL_ACCOUNT, sandbox_rules

SITE = "https://mycompany.com/myapp.php?foo=1&bar=2"
CALL = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "To": "+18005551212",
    "From": "+14158675309",
    "Caller": "+14158675309",
}
CALLER = {**CALL, "From": "+12349013030", "Caller": "+12349013030"}
ADDRESS = "https://pay.example/calls/twilio/minato/a1B2c3D4e5F6g7H8i9J0kL"
AT = Endpoint("api.twilio.com", 443, (TEL_ACCOUNT,))
WANTED = MessageWanted(delivery_id=UUID(int=7), key="dlv-7", account="minato", sender="+8150111")
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=20)
FORMS = st.dictionaries(st.text("abcXYZ09_", min_size=1, max_size=8), TEXTS, max_size=8)


@pytest.mark.parametrize(
    ("form", "signature"),
    [(CALL, "RSOYDt4T1cUTdK1PDd93/VVr8B8="), (CALLER, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=")],
)
def test_signatures_are_those_of_the_documentation(form: dict[str, str], signature: str) -> None:
    raw = urlencode(form).encode()

    assert is_genuine(SITE, raw, signature, ["another", "12345"])
    assert not is_genuine(SITE, raw, signature, ["another"])
    assert not is_genuine(SITE.replace("https", "http"), raw, signature, ["12345"])
    assert not is_genuine(SITE, raw + b"&more=1", signature, ["12345"])
    assert not is_genuine(SITE, raw, "", ["12345"])


@given(FORMS, st.text("abc09", min_size=1), st.sampled_from([SITE, ADDRESS, ADDRESS + ":443"]))
def test_twilios_own_package_signs_and_accepts_the_same(
    form: dict[str, str], key: str, address: str
) -> None:
    validator: Any = RequestValidator(key)
    raw = urlencode(form).encode()
    ours = sign(address, read_fields(raw) or (), key)

    assert validator.compute_signature(address, form) == ours
    assert validator.validate(address, form, ours)
    assert is_genuine(address, raw, ours, [key])
    with_port = address.replace(".example/", ".example:443/")
    assert is_genuine(address, raw, validator.compute_signature(with_port, form), [key])


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"a=%FF", b"&".join([b"a=1"] * 300)])
def test_what_is_no_form_is_nobodys(raw: bytes) -> None:
    assert not is_genuine(SITE, raw, sign(SITE, (), "12345"), ["12345"])
    with pytest.raises(InvalidInput, match="notice_malformed"):
        twilio.CALLS.read(raw)


def turn(*lines: str, digits: int = 1) -> CallTurn:
    return CallTurn(lines=lines, voice="ja-JP", step=2, digits=digits)


def tree(text: str) -> tuple[str, dict[str, str], str, list[Any]]:
    def of(node: ET.Element) -> tuple[str, dict[str, str], str, list[Any]]:
        return node.tag, dict(node.attrib), node.text or "", [of(child) for child in node]

    return of(ET.fromstring(text))  # noqa: S314  # written a line above


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("C",))), max_size=3))
def test_what_is_written_is_what_twilios_own_package_writes(lines: list[str]) -> None:
    action = f"{ADDRESS}/2?a=1&b=2"
    response: Any = VoiceResponse()
    gather: Any = Gather(
        input="dtmf", num_digits=1, timeout=8, action=action, method="POST",
        action_on_empty_result=True,
    )  # fmt: skip
    over: Any = VoiceResponse()
    for line in lines:
        gather.say(line, language="ja-JP")
        over.say(line, language="ja-JP")
    response.append(gather)
    over.hangup()

    assert tree(twilio.CALLS.write(turn(*lines), action)) == tree(str(response))
    assert tree(twilio.CALLS.write(turn(*lines, digits=0), action)) == tree(str(over))
    script = read_script(twilio.CALLS.write(turn(*lines), action))
    assert (script.lines, script.action, script.digits) == (lines, action, 1)


def test_a_vault_that_is_away_is_asked_again_in_a_moment() -> None:
    response: Any = VoiceResponse()
    response.pause(length=2)
    response.redirect(ADDRESS, method="POST")

    assert tree(twilio.CALLS.write_wait(ADDRESS)) == tree(str(response))


@pytest.mark.parametrize(
    ("form", "status", "is_machine"),
    [
        ({"CallStatus": "in-progress", "AnsweredBy": "human"}, "ringing", False),
        ({"CallStatus": "in-progress", "AnsweredBy": "machine_start"}, "ringing", True),
        ({"CallStatus": "in-progress", "AnsweredBy": "fax"}, "ringing", True),
        ({"CallStatus": "in-progress", "AnsweredBy": "unknown"}, "ringing", False),
        ({"CallStatus": "completed"}, "over", False),
        ({"CallStatus": "busy"}, "busy", False),
        ({"CallStatus": "no-answer"}, "no_answer", False),
        ({"CallStatus": "failed", "SipResponseCode": "503"}, "failed", False),
        ({"CallStatus": "failed", "SipResponseCode": "404"}, "number_wrong", False),
        ({"CallStatus": "canceled"}, "canceled", False),
    ],
)
def test_callbacks_of_a_call_read_by_the_table(
    form: dict[str, str],
    status: str,
    is_machine: bool,  # noqa: FBT001  # a column of the table
) -> None:
    heard = CALLS["twilio"].read(urlencode({"CallSid": "CA1", **form, "Digits": "12"}).encode())

    assert (heard.call_ref, heard.keys) == ("CA1", "12")
    assert (heard.status, heard.is_machine) == (status, is_machine)


@pytest.mark.parametrize(
    "form",
    [
        {"CallStatus": "completed"},
        {"CallSid": "CA1"},
        {"CallSid": "CA1", "CallStatus": "asleep"},
        {"CallSid": "CA1", "CallStatus": "in-progress", "Digits": "4 1"},
        {"CallSid": "CA1", "CallStatus": "in-progress", "Digits": "123456789"},
    ],
)
def test_a_callback_of_another_form_is_refused(form: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="notice_malformed"):
        twilio.CALLS.read(urlencode(form).encode())


@pytest.mark.parametrize(
    ("status", "reason", "claim"),
    [
        ("queued", "", "queued"),
        ("sent", "", "sent"),
        ("delivered", "", "delivered"),
        ("undelivered", "", "undelivered"),
        ("undelivered", "30003", "undelivered"),
        ("undelivered", "30004", "bounced"),
        ("undelivered", "30005", "bounced"),
        ("undelivered", "30006", "bounced"),
        ("undelivered", "30007", "failed"),
        ("failed", "30008", "undelivered"),
        ("failed", "21610", "bounced"),
        ("failed", "99999", "failed"),
        ("delivered", "30005", "delivered"),
    ],
)
def test_what_became_of_a_text_message_reads_by_the_table(
    status: str, reason: str, claim: str
) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": reason}
    (said,) = twilio.NOTICES.parse(urlencode(form).encode(), {})

    assert (said.notice_id, said.reference, said.provider_ref) == (f"SM1.{status}", "", "SM1")
    assert said.claim == claim
    assert (claim in RECEIPTS) == (status not in {"queued", "sent"})


def answered(status: int, body: object) -> OutboundAnswer:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return OutboundAnswer(fate="answered", status=status, body=raw)


@pytest.mark.parametrize("adapter", [twilio.SMS, twilio.VOICE])
@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        (answered(201, {"sid": "XX1", "status": "queued"}), "accepted", ""),
        (answered(400, {"code": 21211, "status": 400}), "rejected", "number_unknown"),
        (answered(400, {"code": 21610}), "rejected", "recipient_opted_out"),
        (answered(400, {"code": 21614}), "rejected", "number_no_sms"),
        (answered(400, {"code": 12345}), "rejected", "provider_refused"),
        (answered(400, b"<html>"), "rejected", "provider_refused"),
        (answered(400, {"code": 21606}), "busy", "sender_refused"),
        (answered(400, {"code": 21212}), "busy", "sender_refused"),
        (answered(400, {"code": 21603}), "busy", "sender_refused"),
        (answered(403, {"code": 20003}), "busy", "credential_refused"),
        (answered(401, {"code": 20003}), "busy", "credential_refused"),
        (answered(429, {"code": 20429}), "busy", "provider_busy"),
        (answered(500, b""), "unknown", "answer_unreadable"),
        (answered(503, {"code": 20503}), "unknown", "answer_unreadable"),
        (answered(201, b"[]"), "unknown", "answer_unreadable"),
        (OutboundAnswer(fate="unclear", code="timed_out"), "unknown", "timed_out"),
        (OutboundAnswer(fate="not_sent", code="relay_away"), "busy", "relay_away"),
        (OutboundAnswer(fate="not_sent", code="delivery_refused"), "busy", "delivery_refused"),
    ],
)
def test_every_answer_reads_by_what_may_have_happened(
    adapter: Twilio, answer: OutboundAnswer, outcome: str, code: str
) -> None:
    read: MessageAnswer = adapter.compose(AT, WANTED).read(answer)
    assert (read.outcome, read.code) == (outcome, code)
    assert read.is_sender_fault == (code == "sender_refused")
    assert not (read.is_sender_fault and read.is_provider_fault)


def test_requests_keep_to_their_rules_and_no_worker_says_whom_to_call_or_what() -> None:
    rules = {rule.id: rule for rule in sandbox_rules(8443)}
    for adapter, name, resource in (
        (sandbox_tel.SMS, "sandbox-tel-text", "Messages"),
        (sandbox_tel.VOICE, "sandbox-tel-call", "Calls"),
    ):
        request = adapter.compose(Endpoint("tel.sandbox.test", 8443, AT.account), WANTED).request
        found = read_template(request, rules[name])
        assert request.path.endswith(f"/{TEL_ACCOUNT}/{resource}.json")
        assert {"delivery:to", "delivery:callback"} <= found.placeholders
        assert dict(parse_qsl(request.body))["From"] == "+8150111"
        assert "Twiml" not in rules[name].fields
    with pytest.raises(InvariantBroken, match="provider_unconfigured"):
        twilio.VOICE.compose(Endpoint("api.twilio.com", 443), WANTED)
