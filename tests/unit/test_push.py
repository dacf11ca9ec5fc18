"""Notifications: what a locked screen shows, where they may go, and what services' answers mean."""

import json
from datetime import UTC, date, datetime
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from portal.application.providers.exchange import MessageAnswer
from portal.application.providers.push_word import read_push
from portal.domain.errors import InvalidInput
from portal.domain.push import (
    PUSH_HOSTS,
    TTL_S,
    is_host_rule,
    read_device_token,
    read_endpoint,
    read_web_keys,
    render_push,
    topic_of,
)
from portal.domain.sms import BillText
from portal.domain.template import Occasion
from portal.egress.denial import Denied
from portal.egress.jwt import base64url
from portal.egress.push import gone_since, make_push, word_of
from portal.egress.pushing import App, Pushing
from portal.egress.rule import Rule
from portal.egress.rules import Rules, RulesRefused, sign_rules
from portal.kit.outbound.wire import OutboundAnswer, PushWord
from portal.stack.push_services import new_push_key, push_rules
from tests.unit.test_push_crypto import OPENER
from tests.unit.test_push_crypto import PEM as VAPID

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
WEB, FCM, APNS = push_rules(8443)
assert WEB.pushing is not None
assert APNS.pushing is not None
OCCASIONS: tuple[Occasion, ...] = ("first", "reminder", "overdue", "declined")
DELIVERY = UUID("019ac000-0000-7000-8000-000000000001")
VALUES = {
    "delivery:subject": "みなと電力",
    "delivery:body": "お支払い期限は1月31日です。",
    "delivery:link": "https://pay.example/p/minato/abc",
    "delivery:topic": "topic-of-this-bill",
    "delivery:push_keys": "",
    "delivery:push_app": "",
}


def bill(name: str = "みなと電力") -> BillText:
    return BillText(
        merchant_name=name, period="2026-11", amount_minor=8_420, customer_hint="4711",
        due_on=date(2027, 1, 31), link="https://pay.example/p/minato/abc",
    )  # fmt: skip


@pytest.mark.parametrize("language", ["ja", "ja-easy", "en"])
@pytest.mark.parametrize("occasion", OCCASIONS)
def test_a_locked_screen_names_the_merchant_and_no_sum_unless_it_is_wanted(
    language: str, occasion: Occasion
) -> None:
    plain = render_push(language, occasion, bill())
    telling = render_push(language, occasion, bill(), says_amount=True)

    assert plain.title == "みなと電力"
    assert not {"8,420", "4711", "https"} & {plain.body, *plain.body.split()}
    assert "8,420" not in plain.body
    assert "4711" not in plain.body + telling.body
    assert "8,420" in telling.body
    assert len(plain.body) < 70


@given(name=st.text(max_size=200))
def test_whatever_a_merchant_calls_itself_is_one_short_line(name: str) -> None:
    title = render_push("ja", "first", bill(name)).title

    assert len(title) <= 60
    assert title.isprintable()


@pytest.mark.parametrize(
    "address",
    [
        "https://fcm.googleapis.com/fcm/send/dXq:APA91bE_x-y",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABk",
        "https://web.push.apple.com/QGuQ2hk",
        "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAB%2fx%3d",
        "https://FCM.googleapis.com:443/fcm/send/x",
    ],
)
def test_the_addresses_of_all_browsers_are_taken(address: str) -> None:
    endpoint = read_endpoint(address, PUSH_HOSTS)

    assert endpoint.port == 443
    assert endpoint.origin == f"https://{endpoint.host}"
    assert address.endswith(endpoint.path)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("http://fcm.googleapis.com/x", "push_endpoint"),
        ("https://fcm.googleapis.com", "push_endpoint"),
        ("https://fcm.googleapis.com:8443/x", "push_endpoint"),
        ("https://user@fcm.googleapis.com/x", "push_endpoint"),
        ("https://fcm.googleapis.com\\@evil.example/x", "push_endpoint"),
        ("https://fcm.googleapis.com/../x", "push_endpoint"),
        ("https://fcm.googleapis.com/%2e%2e/x", "push_endpoint"),
        ("https://fcm.googleapis.com/x#y", "push_endpoint"),
        ("https://fcm.googleapis.com/x\r\nhost: evil", "push_endpoint"),
        ("https://127.0.0.1/x", "push_endpoint"),
        ("https://2130706433/x", "push_endpoint"),
        ("https://[::1]/x", "push_endpoint"),
        ("https://fcm.googleapis.com.evil.example/x", "push_host"),
        ("https://evil.example/fcm.googleapis.com", "push_host"),
        ("https://notify.windows.com/x", "push_host"),
        ("https://a.b.notify.windows.com/x", "push_host"),
        ("https://localhost/x", "push_host"),
        ("https://fcm.googleapis.com/" + "x" * 1_500, "push_endpoint"),
        ("", "push_endpoint"),
    ],
)
def test_no_other_address_is_dialled(address: str, code: str) -> None:
    with pytest.raises(InvalidInput, match=code):
        read_endpoint(address, PUSH_HOSTS)


def test_what_is_no_key_and_no_token_is_refused() -> None:
    good = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    assert len(read_web_keys(good, "BTBZMqHH6r4Tts7J_aSIgg==")[1]) == 16
    bad = (("", "BTBZMqHH6r4Tts7J_aSIgg"), (good, "AAAA"), (good[:-4], good), ("é", ""))
    for key, secret in bad:
        with pytest.raises(InvalidInput, match="push_keys"):
            read_web_keys(key, secret)
    assert read_device_token("apns", " " + "AB" * 32) == "ab" * 32
    none = (("apns", "xy" * 32), ("apns", "ab/../" * 20), ("fcm", "short"), ("web", "a" * 40))
    for kind, token in none:
        with pytest.raises(InvalidInput, match="push_token"):
            read_device_token(kind, token)  # type: ignore[arg-type] - what a stranger may say
    assert is_host_rule("*.notify.windows.com")
    assert not any(is_host_rule(text) for text in ("*", "*.com", "*.*.x.com", "a*.x.com", "X.com"))


@given(blind=st.binary(min_size=16, max_size=32))
def test_a_topic_fits_every_service(blind: bytes) -> None:
    topic = topic_of(blind)

    assert len(topic) <= 32
    assert topic.replace("-", "").replace("_", "").isalnum() or not topic.strip("-_")


def test_a_browsers_notice_is_read_by_that_browser_alone_and_goes_where_it_said() -> None:
    values = VALUES | {
        "delivery:to": "https://push.sandbox.test:8443/push/abc?x=1",
        "delivery:push_keys": f"{base64url(OPENER.public)} {base64url(OPENER.secret)}",
    }
    push = make_push(WEB, values, NOW, {"webpush.key": VAPID}, DELIVERY)

    assert (push.rule.host, push.rule.address, push.path) == (
        "push.sandbox.test", "127.0.0.1", "/push/abc?x=1",
    )  # fmt: skip
    assert json.loads(OPENER.open(push.body)) == {
        "title": "みなと電力", "body": VALUES["delivery:body"], "url": VALUES["delivery:link"],
        "tag": "topic-of-this-bill",
    }  # fmt: skip
    assert (push.headers["ttl"], push.headers["topic"]) == (str(TTL_S), "topic-of-this-bill")
    assert push.headers["authorization"].startswith("vapid t=")


def test_an_apps_notice_has_each_service_s_form() -> None:
    token = "device-token-of-the-app-0001"
    fcm = make_push(FCM, VALUES | {"delivery:to": token}, NOW, {}, DELIVERY)
    apns = make_push(APNS, VALUES | {"delivery:to": "ab" * 32}, NOW, {}, DELIVERY)

    message = json.loads(fcm.body)["message"]
    assert fcm.path == "/v1/projects/harai-sandbox/messages:send"
    assert message["token"] == token
    assert message["notification"] == {"title": "みなと電力", "body": VALUES["delivery:body"]}
    assert message["android"]["notification"]["tag"] == "topic-of-this-bill"
    assert message["apns"]["headers"]["apns-collapse-id"] == "topic-of-this-bill"
    assert message["webpush"]["fcm_options"]["link"] == VALUES["delivery:link"]
    assert apns.path == "/3/device/" + "ab" * 32
    assert apns.headers == {
        "apns-expiration": str(int(NOW.timestamp()) + TTL_S),
        "apns-collapse-id": "topic-of-this-bill",
        "apns-priority": "5",
        "apns-id": str(DELIVERY),
        "apns-topic": "example.aozora.app",
        "apns-push-type": "alert",
        "content-type": "application/json",
    }
    assert json.loads(apns.body)["aps"]["alert"]["title"] == "みなと電力"


@pytest.mark.parametrize(
    ("rule", "to", "code"),
    [
        (WEB, "https://evil.example:8443/x", "push_host_not_listed"),
        (WEB, "https://push.sandbox.test/x", "value_unfit"),
        (WEB, "https://push.sandbox.test:8443/x", "value_unfit"),  # no keys
        (FCM, "../evil", "value_unfit"),
        (APNS, "../evil", "value_unfit"),
    ],
)
def test_the_relay_itself_dials_no_host_and_no_path_but_a_service_s(
    rule: Rule, to: str, code: str
) -> None:
    with pytest.raises(Denied, match=code):
        make_push(rule, VALUES | {"delivery:to": to}, NOW, {"webpush.key": VAPID}, DELIVERY)


FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


def google(status: int, code: str, outer: str = "") -> tuple[Rule, int, object]:
    details = [{"@type": FCM_ERROR, "errorCode": code}] if code else []
    return FCM, status, {"error": {"status": outer, "details": details, "message": "tok-4711"}}


@pytest.mark.parametrize(
    ("said", "outcome", "code", "is_theirs"),
    [
        ((WEB, 201, ""), "accepted", "", False),
        ((WEB, 404, ""), "busy", "contact_gone", False),
        ((WEB, 410, ""), "busy", "contact_gone", False),
        ((WEB, 429, ""), "busy", "provider_busy", True),
        ((WEB, 503, ""), "busy", "provider_busy", True),
        ((WEB, 500, ""), "unknown", "provider_error", True),
        ((WEB, 401, ""), "busy", "credential_refused", True),
        ((WEB, 403, ""), "rejected", "provider_refused", False),
        ((WEB, 413, ""), "rejected", "provider_refused", False),
        ((WEB, 302, ""), "unknown", "answer_unreadable", True),
        ((FCM, 200, {"name": "projects/x/messages/1"}), "accepted", "", False),
        (google(404, "UNREGISTERED", "NOT_FOUND"), "busy", "contact_gone", False),
        (google(404, "", "NOT_FOUND"), "rejected", "provider_refused", False),
        (google(400, "INVALID_ARGUMENT"), "rejected", "provider_refused", False),
        (google(403, "SENDER_ID_MISMATCH"), "rejected", "invalid_recipient", False),
        (google(429, "QUOTA_EXCEEDED"), "busy", "provider_busy", True),
        (google(503, "UNAVAILABLE"), "busy", "provider_busy", True),
        (google(500, "INTERNAL"), "unknown", "provider_error", True),
        (google(401, "THIRD_PARTY_AUTH_ERROR"), "busy", "credential_refused", True),
        (google(418, "NEVER_HEARD_OF"), "rejected", "provider_refused", False),
        ((FCM, 500, "<html>"), "unknown", "provider_error", True),
        ((APNS, 200, ""), "accepted", "", False),
        ((APNS, 410, {"reason": "Unregistered"}), "busy", "contact_gone", False),
        ((APNS, 400, {"reason": "BadDeviceToken"}), "busy", "contact_gone", False),
        ((APNS, 429, {"reason": "TooManyRequests"}), "busy", "provider_busy", False),
        ((APNS, 403, {"reason": "ExpiredProviderToken"}), "busy", "credential_refused", True),
        ((APNS, 503, {"reason": "ServiceUnavailable"}), "busy", "provider_busy", True),
        ((APNS, 500, {"reason": "InternalServerError"}), "unknown", "provider_error", True),
        ((APNS, 404, {"reason": "BadPath"}), "rejected", "provider_refused", False),
        ((APNS, 200, {"reason": 4711}), "accepted", "", False),
    ],
)
def test_each_answer_of_a_service_means_one_thing_and_nothing_of_it_leaks(
    said: tuple[Rule, int, object], outcome: str, code: str, *, is_theirs: bool
) -> None:
    # given
    rule, status, body = said
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    assert rule.pushing is not None

    # when
    word = word_of(rule.pushing, OutboundAnswer(fate="answered", status=status, body=raw))
    told = msgspec.json.encode(word)
    headers = {"retry-after": "7"}
    read = read_push(OutboundAnswer(fate="answered", status=status, headers=headers, body=told))

    # then
    assert (read.outcome, read.code, read.is_provider_fault) == (outcome, code, is_theirs)
    assert read.retry_after_s == (7.0 if outcome == "busy" and code != "contact_gone" else 0.0)
    assert b"4711" not in told


def said(word: PushWord) -> OutboundAnswer:
    return OutboundAnswer(fate="answered", status=word.status, body=msgspec.json.encode(word))


def test_what_the_relay_could_not_do_says_nothing_of_a_service_and_garbage_is_unknown() -> None:
    refused = read_push(OutboundAnswer(fate="not_sent", code="delivery_refused"))
    away, nobody_set_up = [
        read_push(OutboundAnswer(fate="not_sent", code=code))
        for code in ("access_refused", "credential_missing")
    ]
    left = read_push(OutboundAnswer(fate="not_sent", code="going_away"))
    nobodys = [
        read_push(OutboundAnswer(fate="not_sent", code=code))
        for code in ("push_app_not_listed", "push_app_refused")
    ] + [
        read_push(said(PushWord(status=403, reason=reason, is_own=True)))
        for reason in (
            "InvalidProviderToken", "TopicDisallowed", "PERMISSION_DENIED", "QUOTA_EXCEEDED",
            "TooManyProviderTokenUpdates", "SENDER_ID_MISMATCH", "DeviceTokenNotForTopic",
        )
    ]  # fmt: skip
    another_apps = read_push(said(PushWord(status=403, reason="SENDER_ID_MISMATCH")))
    ours = read_push(said(PushWord(status=403, reason="InvalidProviderToken")))
    busy = read_push(said(PushWord(status=503, reason="ServiceUnavailable", is_own=True)))
    another_house = msgspec.json.encode(PushWord(status=400, reason="BadDeviceToken"))
    lost = read_push(OutboundAnswer(fate="unclear", code="dropped"))
    garbage = [
        read_push(OutboundAnswer(fate="answered", status=200, body=body))
        for body in (b"", b"<html>", b"{}", b'{"status": "ok"}', b'{"status":200,"reason":"x"}')
    ]

    assert refused == MessageAnswer("busy", code="delivery_refused")
    assert away == MessageAnswer("busy", code="access_refused", is_provider_fault=True)
    # where it does nothing but go away no message uses up a try
    assert left == MessageAnswer("busy", code="going_away", is_provider_fault=True)
    assert not any(answer.is_provider_fault for answer in nobodys)
    assert all(answer.is_sender_fault for answer in nobodys)
    assert {answer.outcome for answer in nobodys[-2:]} == {"rejected"}
    assert not any(answer.is_sender_fault for answer in (ours, busy, away, left, another_apps))
    # what all merchants share makes all wait, and no message runs out of tries
    assert nobody_set_up.is_provider_fault
    assert (ours.is_provider_fault, busy.is_provider_fault) == (True, True)
    assert read_push(
        OutboundAnswer(fate="answered", status=400, body=another_house)
    ) == MessageAnswer("rejected", code="invalid_recipient")
    assert lost == MessageAnswer("unknown", code="dropped", is_provider_fault=True)
    assert {answer.outcome for answer in garbage} == {"unknown"}
    assert msgspec.json.decode(msgspec.json.encode(PushWord(status=201)), type=PushWord).status


@pytest.mark.parametrize(
    "changes",
    [
        {"pushing": None},
        {"mode": "originate"},
        {"methods": ("POST",), "path_prefixes": ("/v1/",)},
        {"pushing": Pushing(service="web", key="k", hosts=("*.jp",), subject="https://a.example")},
        {"pushing": Pushing(service="web", key="k", subject="mailto:a@b.example")},
        {"pushing": Pushing(service="web", key="k", hosts=("push.example",), subject="me")},
        {"pushing": Pushing(service="web", key="../k", hosts=("a.example",), subject="mailto:a@b")},
        {"pushing": Pushing(service="fcm", key="k", project="../x", account="a@b.cd")},
        {"pushing": Pushing(service="fcm", key="k", project="proj-1", account="a@b.example")},
        {"pushing": Pushing(service="apns", key="k", app="x y", team="A" * 10, key_id="B" * 10)},
        {"pushing": Pushing(service="apns", key="k", app="a.b", team="short", key_id="B" * 10)},
        {"protocol": "h2"},  # browsers' services are written to as they always were
        {"pushing": msgspec.structs.replace(WEB.pushing, apps=(App(name="x", key="k"),))},
    ],
)
def test_a_rule_that_breaks_its_own_terms_is_not_signed(changes: dict[str, object]) -> None:
    key = Ed25519PrivateKey.generate()
    assert sign_rules(key, Rules(version=1, rules=(WEB, FCM, APNS)))
    with pytest.raises(RulesRefused):
        sign_rules(key, Rules(version=1, rules=(msgspec.structs.replace(WEB, **changes),)))


@pytest.mark.parametrize(
    ("said", "since"),
    [
        ({"timestamp": 1_764_300_000_000}, datetime(2025, 11, 28, 3, 20, tzinfo=UTC)),
        ({}, None),
        ({"timestamp": 10**30}, None),
        ({"timestamp": "soon"}, None),
        ("garbage", None),
    ],
)
def test_since_when_a_device_is_gone_is_apples_to_say(said: object, since: datetime | None) -> None:
    assert APNS.pushing is not None
    assert FCM.pushing is not None
    body = json.dumps({"reason": "Unregistered", **said} if isinstance(said, dict) else said)
    answer = OutboundAnswer(fate="answered", status=410, body=body.encode())

    assert gone_since(APNS.pushing, answer) == since
    assert gone_since(APNS.pushing, msgspec.structs.replace(answer, status=400)) is None
    assert gone_since(FCM.pushing, answer) is None


MINE = App(name="minato", key="m", app="minato.app", team="M" * 10, key_id="K" * 10)


@pytest.mark.parametrize(
    "changes",
    [
        {"apps": (MINE, MINE)},
        {"apps": (MINE, msgspec.structs.replace(MINE, name="mizu"))},  # one app, two names
        {"apps": (msgspec.structs.replace(MINE, app=APNS.pushing.app),)},
        {"apps": (msgspec.structs.replace(MINE, name="Minato"),)},
        {"apps": (msgspec.structs.replace(MINE, key="../m"),)},
        {"apps": (msgspec.structs.replace(MINE, team="short"),)},
        {"key": ""},
    ],
)
def test_two_merchants_apps_are_two_and_each_has_its_terms(changes: dict[str, object]) -> None:
    assert APNS.pushing is not None
    good = (
        msgspec.structs.replace(APNS.pushing, apps=(MINE,)),
        Pushing(service="apns", apps=(MINE,)),
    )
    for pushing in good:
        rule = msgspec.structs.replace(APNS, pushing=pushing, protocol="h2")
        assert sign_rules(Ed25519PrivateKey.generate(), Rules(version=1, rules=(rule,)))
        mine = pushing.of_app("minato")
        assert mine is not None
        assert (mine.key, mine.app, mine.apps) == ("m", "minato.app", ())
        assert pushing.of_app("mizu") is None
        assert "m" in rule.unshown
    assert good[1].of_app("") is None
    bad = msgspec.structs.replace(APNS, pushing=msgspec.structs.replace(APNS.pushing, **changes))
    with pytest.raises(RulesRefused):
        sign_rules(Ed25519PrivateKey.generate(), Rules(version=1, rules=(bad,)))


def test_a_key_that_signs_is_shown_by_no_placeholder() -> None:
    shows = Rule(
        id="shows", role="work", host="a.example", port=443, purpose="x", bytes_up_per_hour=1,
        methods=("POST",), path_prefixes=("/x",), credentials=("webpush.key",),
    )  # fmt: skip
    with pytest.raises(RulesRefused, match="signs"):
        sign_rules(Ed25519PrivateKey.generate(), Rules(version=1, rules=(WEB, shows)))
    assert new_push_key("apns.key").startswith("-----BEGIN PRIVATE KEY-----")
