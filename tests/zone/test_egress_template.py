"""Values never become structure: whatever a payer is called, the provider reads one value."""

import json
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.egress.denial import Denied
from portal.egress.rule import Rule
from portal.egress.scrub import scrub
from portal.egress.template import read_template
from portal.kit.outbound.wire import OutboundRequest

DELIVERY = UUID(int=7)
VALUES = st.text(max_size=80) | st.sampled_from(
    ['"', "\\", '","to":"+1', "&to=1", "{{credential:sms}}", "\r\nX: y", "\u2028", "</", "%00"]
)
KEYS = st.text("abcdefgh_-.[]", min_size=1, max_size=8)


def the_rule(**changes: object) -> Rule:
    fields: dict[str, object] = {
        "id": "r", "role": "work", "host": "h.test", "port": 443, "purpose": "p",
        "bytes_up_per_hour": 1, "methods": ("POST",), "path_prefixes": ("/v1",),
        "credentials": ("sms",),
    }  # fmt: skip
    return Rule(**(fields | changes))  # type: ignore[arg-type]


def the_request(**changes: object) -> OutboundRequest:
    fields: dict[str, object] = {
        "host": "h.test", "port": 443, "method": "POST", "path": "/v1",
        "body": "{}", "body_kind": "json", "delivery_id": None,
    }  # fmt: skip
    return OutboundRequest(**(fields | changes))  # type: ignore[arg-type]


def denied(request: OutboundRequest, rule: Rule | None = None) -> str:
    with pytest.raises(Denied) as refused:
        read_template(request, rule or the_rule())
    return refused.value.code


@given(to=VALUES, body=VALUES, others=st.dictionaries(KEYS, VALUES, max_size=3))
def test_any_value_round_trips_through_json(to: str, body: str, others: dict[str, str]) -> None:
    fixed = {key: text for key, text in others.items() if "{{" not in text}
    document = fixed | {"to": "{{delivery:to}}", "text": "-{{delivery:body}}-", "n": [1, None, 2.5]}
    request = the_request(body=json.dumps(document), delivery_id=DELIVERY)

    filled = read_template(request, the_rule()).fill({"delivery:to": to, "delivery:body": body})

    assert json.loads(filled.body) == document | {"to": to, "text": f"-{body}-"}


@given(to=VALUES, body=VALUES, others=st.dictionaries(KEYS, VALUES, max_size=3))
def test_any_value_round_trips_through_a_form(to: str, body: str, others: dict[str, str]) -> None:
    fixed = {key: text for key, text in others.items() if "{{" not in text}
    fields = fixed | {"to": "{{delivery:to}}", "text": "-{{delivery:body}}-"}
    request = the_request(body=urlencode(fields), body_kind="form", delivery_id=DELIVERY)

    filled = read_template(request, the_rule()).fill({"delivery:to": to, "delivery:body": body})

    sent = parse_qsl(filled.body.decode(), keep_blank_values=True, strict_parsing=True)
    assert sent == list((fields | {"to": to, "text": f"-{body}-"}).items())


@given(value=VALUES)
def test_a_value_in_a_header_is_one_line_or_refused(value: str) -> None:
    request = the_request(headers={"X-To": "to {{delivery:to}}"}, delivery_id=DELIVERY)
    template = read_template(request, the_rule(headers=("x-to",)))
    values = {"delivery:to": value, "delivery:body": ""}
    is_fit = value.isprintable() and value.isascii() and value != "" and not value.endswith(" ")
    if is_fit:
        assert template.fill(values).headers["x-to"] == f"to {value}"
    else:
        with pytest.raises(Denied, match="value_unfit"):
            template.fill(values)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"body": '{"a":"{{delivery:name}}"}'}, "placeholder_unknown"),
        ({"body": '{"a":"{{delivery:to}"}'}, "placeholder_unknown"),
        ({"body": '{"a":"{{ delivery:to }}"}'}, "placeholder_unknown"),
        ({"body": '{"a":"{{credential:SMS}}"}'}, "placeholder_unknown"),
        ({"body": '{"a":"{{"}'}, "placeholder_unknown"),
        ({"body": '{"a":"\\u007b\\u007bdelivery:x}}"}'}, "placeholder_unknown"),
        ({"body": '{"a":"{{delivery:to}} {{x}}"}'}, "placeholder_unknown"),
        ({"body": "a={{x}}", "body_kind": "form"}, "placeholder_unknown"),
        ({"body": "a=%7B%7Bx}}", "body_kind": "form"}, "placeholder_unknown"),
        ({"headers": {"Accept": "{{x}}"}}, "placeholder_unknown"),
        ({"body": '{"{{delivery:to}}":1}'}, "placeholder_misplaced"),
        ({"body": "{{delivery:to}}=1", "body_kind": "form"}, "placeholder_misplaced"),
        ({"body": "{{delivery:to}}", "body_kind": "raw"}, "placeholder_misplaced"),
        ({"body": '{"a":"{{delivery:to}}"}'}, "delivery_missing"),
        ({"delivery_id": DELIVERY}, "delivery_unused"),
        ({"headers": {"Authorization": "{{credential:other}}"}}, "credential_not_allowed"),
        ({"headers": {"User-Agent": "{{credential:sms}}"}}, "credential_not_allowed"),
        ({"body": '{"text":"{{credential:sms}}"}'}, "credential_not_allowed"),
        ({"body": "text={{credential:sms}}", "body_kind": "form"}, "credential_not_allowed"),
        ({"body": "{"}, "body_invalid"),
        ({"body": ""}, "body_invalid"),
        ({"body": "NaN"}, "body_invalid"),
        ({"body": '{"a/b":1}'}, "body_invalid"),
        ({"body": "[" * 40 + "]" * 40}, "body_invalid"),
        ({"body": '{"a":"' + "x" * 1_100_000 + '"}'}, "body_invalid"),
        ({"body": "x", "body_kind": "none"}, "body_invalid"),
        ({"body": "a", "body_kind": "form"}, "body_invalid"),
        ({"body": "a=1&a=2", "body_kind": "form"}, "body_invalid"),
        ({"body": "a=%ff", "body_kind": "form"}, "body_invalid"),
        ({"headers": {"Content-Type": "text/plain"}}, "body_invalid"),
        ({"headers": {"X-Own": "1"}}, "header_not_allowed"),
        ({"headers": {"Host": "evil"}}, "header_not_allowed"),
        ({"headers": {"Cookie": "a=b"}}, "header_not_allowed"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "header_not_allowed"),
        ({"headers": {"Accept": "a\r\nX: y"}}, "header_invalid"),
        ({"headers": {"Accept": "a\nX: y"}}, "header_invalid"),
        ({"headers": {"Accept": ""}}, "header_invalid"),
        ({"headers": {"Accept": "\u3042"}}, "header_invalid"),
        ({"headers": {"Accept": "x" * 5_000}}, "header_invalid"),
        ({"headers": {"Acc ept": "a"}}, "header_invalid"),
        ({"headers": {"Accept": "a", "accept": "b"}}, "header_invalid"),
    ],
)
def test_a_template_outside_the_grammar_is_refused(changes: dict[str, object], code: str) -> None:
    assert denied(the_request(**changes)) == code


FIXED = {
    "header:authorization": "Bearer {{credential:sms}}",
    "body:/to": "{{delivery:to}}",
    "body:/text": "{{delivery:body}}",
}
GOOD = {
    "headers": {"Authorization": "Bearer {{credential:sms}}"},
    "body": '{"to":"{{delivery:to}}","text":"{{delivery:body}}","from":"0005"}',
    "delivery_id": DELIVERY,
}


def test_a_request_as_the_rule_fixes_it_passes() -> None:
    rule = the_rule(fixed=FIXED, fields=("to", "text", "from"))

    assert read_template(the_request(**GOOD), rule).placeholders == {
        "credential:sms", "delivery:to", "delivery:body",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"body": '{"to":"+819012345678","text":"{{delivery:body}}"}'}, "place_not_as_fixed"),
        ({"body": '{"to":"{{delivery:to}}","text":"pay me"}'}, "place_not_as_fixed"),
        (
            {"body": '{"to":"{{delivery:to}}","text":"{{delivery:body}}, pay me"}'},
            "place_not_as_fixed",
        ),
        ({"body": '{"to":"{{delivery:to}}"}'}, "place_not_as_fixed"),
        (
            {"body": '{"to":["{{delivery:to}}"],"text":"{{delivery:body}}"}'},
            "place_not_as_fixed",
        ),
        ({"body": "to=x", "body_kind": "raw"}, "place_not_as_fixed"),
        ({"body": "", "body_kind": "none"}, "place_not_as_fixed"),
        ({"headers": {"Authorization": "Bearer mine"}}, "place_not_as_fixed"),
        ({"headers": {}}, "place_not_as_fixed"),
        (
            {"body": '{"to":"{{delivery:to}}","text":"{{delivery:body}}","cc":"+81"}'},
            "field_not_allowed",
        ),
        ({"body": '["{{delivery:to}}"]'}, "field_not_allowed"),
        ({"body": "cc=1", "body_kind": "form"}, "field_not_allowed"),
    ],
)
def test_what_the_rule_fixes_can_not_be_worded_otherwise(
    changes: dict[str, object], code: str
) -> None:
    rule = the_rule(fixed=FIXED, fields=("to", "text", "from"))

    assert denied(the_request(**(GOOD | changes)), rule) == code


def test_the_second_of_two_equal_json_keys_is_the_one_that_is_checked_and_sent() -> None:
    body = '{"to":"+81","text":"{{delivery:body}}","to":"{{delivery:to}}"}'
    rule = the_rule(fixed={"body:/to": "{{delivery:to}}"})

    filled = read_template(the_request(body=body, delivery_id=DELIVERY), rule).fill(
        {"delivery:to": "+8190", "delivery:body": "t"}
    )

    assert filled.body == b'{"to":"+8190","text":"t"}'


_WORDY = st.text(min_size=4, max_size=60).filter(lambda text: "*" not in text)


@given(value=_WORDY)
def test_a_value_echoed_in_json_is_gone_from_the_answer(value: str) -> None:
    for echo in (
        orjson.dumps({"a": value}),
        json.dumps({"a": value}).encode(),
        json.dumps({"a": value}, ensure_ascii=False).encode(),
        json.dumps({"a": f"before {value} after"}).replace("/", "\\/").encode(),
    ):
        scrubbed = json.loads(scrub(echo, [value]))["a"]
        assert value not in scrubbed
        assert "***" in scrubbed


@given(value=_WORDY)
def test_a_value_echoed_in_a_form_is_gone_from_the_answer(value: str) -> None:
    scrubbed = scrub(urlencode({"a": value}).encode(), [value])

    assert scrubbed == b"a=***"


def test_links_and_numbers_are_scrubbed_out_of_a_part_of_the_message_too() -> None:
    text = "Pay at http://localhost:8080/p/abc/0123456789abcdefghijkl please"
    echo = b'{"link":"http://localhost:8080/p/abc/0123456789abcdefghijkl","msisdn":"819012345678"}'

    assert scrub(echo, [text, "+819012345678"]) == b'{"link":"***","msisdn":"***"}'


@pytest.mark.parametrize("length", range(1, 12))
def test_a_cut_answer_ends_before_the_beginning_of_a_value(length: int) -> None:
    assert scrub(b"answer " + b"secret-value"[:length], ["secret-value"], is_cut=True) == (
        b"answer ***"
    )


def test_an_answer_without_values_comes_back_byte_for_byte() -> None:
    body = bytes(range(256))

    assert scrub(body, ["secret-value"]) == body


def test_a_form_leaves_in_the_charset_of_its_rule_and_lies_about_no_letter() -> None:
    rule = the_rule(charset="windows-31j")
    name = "髙橋ソ表 ﾊﾅ"  # the second bytes of some are a backslash or a bar in ASCII

    def filled(text: str) -> bytes:
        body = urlencode({"CustomerName": text, "Text": "{{credential:sms}}"})
        request = the_request(
            body=body, body_kind="form", headers={"authorization": "{{credential:sms}}"}
        )
        fixed = msgspec.structs.replace(rule, fixed={"body:/Text": "{{credential:sms}}"})
        return read_template(request, fixed).fill({"credential:sms": "&a=b\\|"}).body

    sent = filled(name)
    assert parse_qsl(sent.decode(), encoding="cp932", errors="strict") == [
        ("CustomerName", name), ("Text", "&a=b\\|")
    ]  # fmt: skip
    assert sent.isascii()
    for lost in ("Zoë", "絵文字\U0001f600", "𠮷野"):
        with pytest.raises(Denied, match="value_unfit"):
            filled(lost)


TWINS = "\xa2\xa3\xac\u2016\u2212\u301c"  # Unicode has each of them twice, Windows-31J once
JAPANESE = st.text(st.characters(codec="cp932", exclude_characters=TWINS), max_size=40)


@given(JAPANESE, JAPANESE)
def test_no_letter_of_another_charset_ends_a_value_or_begins_a_field(one: str, two: str) -> None:
    body = urlencode({"a": one, "b": two})
    template = read_template(
        the_request(body=body, body_kind="form"), the_rule(charset="windows-31j")
    )

    sent = template.fill({}).body.decode("ascii")

    pairs = parse_qsl(sent, keep_blank_values=True, encoding="cp932", errors="strict")
    assert pairs == [("a", one), ("b", two)]


PAYER = {"Name": "{{payer:name}}", "Kana": "{{payer:kana}}", "Tel": "{{payer:phone}}"}
NAMES_PAYER = {"fixed": {f"body:/{field}": text for field, text in PAYER.items()}}


def test_who_pays_stands_where_the_rule_puts_it_and_leaves_in_the_stores_charset() -> None:
    request = the_request(body=urlencode(PAYER), body_kind="form", delivery_id=DELIVERY)
    rule = the_rule(**NAMES_PAYER, charset="windows-31j")
    values = {"payer:name": "髙橋 花", "payer:kana": "タカハシ\u3000ハナ", "payer:phone": "0900"}

    template = read_template(request, rule)

    assert template.names_payer
    sent = parse_qsl(template.fill(values).body.decode(), encoding="cp932", errors="strict")
    assert [text for _, text in sent] == list(values.values())


@pytest.mark.parametrize(
    ("fields", "rule", "delivery", "code"),
    [
        (PAYER, {}, DELIVERY, "placeholder_misplaced"),
        (PAYER | {"Order": "{{payer:name}}"}, NAMES_PAYER, DELIVERY, "placeholder_misplaced"),
        (PAYER | {"Name": "somebody"}, NAMES_PAYER, DELIVERY, "place_not_as_fixed"),
        (PAYER | {"Mail": "{{delivery:to}}"}, NAMES_PAYER, DELIVERY, "placeholder_misplaced"),
        (PAYER | {"Mail": "{{payer:mail}}"}, NAMES_PAYER, DELIVERY, "placeholder_unknown"),
        (PAYER, NAMES_PAYER, None, "delivery_missing"),
    ],
)
def test_no_caller_learns_who_pays_by_another_place_or_another_rule(
    fields: dict[str, str], rule: dict[str, object], delivery: UUID | None, code: str
) -> None:
    request = the_request(body=urlencode(fields), body_kind="form", delivery_id=delivery)

    assert denied(request, the_rule(**rule)) == code


def test_a_name_echoed_in_the_stores_charset_is_gone_from_the_answer() -> None:
    name, kana = "髙橋 花", "タカハシ\u3000ハナ"
    said = f"CustomerName={name}&CustomerKana={kana}&ReceiptNo=1".encode("cp932")
    escaped = urlencode({"n": name, "k": kana}, encoding="cp932").encode()

    assert (
        scrub(said, [name, kana], codec="cp932") == b"CustomerName=***&CustomerKana=***&ReceiptNo=1"
    )
    assert scrub(escaped, [name, kana], codec="cp932") == b"n=***&k=***"
    assert scrub(said, ["𠮷"], codec="cp932") == said
