"""Calls in a merchant's own words: judged, filled, and never more than words between our keys."""

from dataclasses import replace
from datetime import date
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.application.providers.twilio.calls import CALLS
from portal.contract.call import CallTurn
from portal.domain.call import DIGITS, Call, Saying, Stage
from portal.domain.call_own import asked_in_call, own_said, seconds_of
from portal.domain.call_words import CallFacts, OwnSaid, speak, start_of_call
from portal.domain.sms import BillText
from portal.domain.template import Occasion, TemplateLanguage, find_addresses, parse
from portal.domain.template_form import FORMS, read_words
from portal.domain.template_lint import Checked, Draft, check
from portal.sandbox.twiml import read_script

GREETING = "いつもありがとうございます。{merchant}です。"
TOLD = "{month}は{amount}です。\n{due}までにお願いします。"
FACTS = CallFacts(
    merchant_name="みなと電力",
    phone="0120-000-555",
    period="2026-11",
    amount_minor=8420,
    due_on=date(2027, 1, 31),
)
OF_THE_BILL = ("8420", "8,420", "11月", "Nov", "1月31日", "31 January", "0120")
PROMPTS: tuple[tuple[Stage, Saying], ...] = (
    ("greeting", "greeting"), ("greeting", "contact"), ("identity", "identity"),
    ("identity", "wrong"), ("menu", "facts"), ("menu", "link_sent"), ("menu", "contact"),
    ("ended", "unheard"), ("ended", "stopped"), ("ended", "barred"), ("ended", "machine"),
)  # fmt: skip


def said_of(
    greeting: str = GREETING, told: str = TOLD, facts: CallFacts = FACTS, language: str = "ja"
) -> tuple[OwnSaid, bool] | None:
    words = read_words("voice", greeting, told)
    assert words.subject is not None
    return own_said(language, words.subject, words.body, facts)


def own_of(said: tuple[OwnSaid, bool] | None) -> OwnSaid | None:
    """The words that a call says, as the vault takes them: those that fit, or none."""
    return said[0] if said is not None and said[1] else None


def checked(
    greeting: str = GREETING,
    told: str = TOLD,
    occasion: Occasion = "first",
    language: TemplateLanguage = "ja",
) -> Checked:
    return check(
        Draft(
            channel="voice",
            language=language,
            occasion=occasion,
            subject=greeting,
            body=told,
            merchant_name="みなと電力",
            link="",
        )
    )


def found_in(*parts: str, occasion: Occasion = "first") -> set[tuple[str, str, str]]:
    """Code, weight and part of each finding."""
    return {(f.code, f.severity, f.part) for f in checked(*parts, occasion=occasion).findings}


def test_own_words_take_the_place_of_greeting_and_facts_and_of_nothing_else() -> None:
    own = own_of(said_of())

    for stage, saying in PROMPTS:
        call = Call(stage=stage, saying=saying)
        mine, built_in = speak("ja", call, FACTS, own), speak("ja", call, FACTS)
        if saying == "greeting":
            assert mine == ("いつもありがとうございます。みなと電力です。", built_in[-1])
        elif saying == "facts":
            told = ("2026年11月分は8420円です。", "1月31日までにお願いします。")
            assert mine == (*told, built_in[-1])
        else:
            assert mine == built_in


@pytest.mark.parametrize("language", ["ja", "ja-easy", "en"])
def test_one_s_own_call_begins_with_the_built_in_one_and_says_the_same(
    language: TemplateLanguage,
) -> None:
    own = own_of(said_of(*start_of_call(language), language=language))

    assert own is not None
    for stage, saying in PROMPTS:
        call = Call(stage=stage, saying=saying)
        assert speak(language, call, FACTS, own) == speak(language, call, FACTS)
    assert (
        asked_in_call(language)
        == speak(language, Call(stage="identity", saying="identity"), FACTS)[0]
    )


barbed = st.lists(
    st.sampled_from(
        ["evil", ".", "com", "://", "/", "\n", "\r", "\u2028", "\x00", "\ufffe", "\u202e",
         "</Say><Hangup/><Dial>+81300000000</Dial>", "<Say>", "]]>", "&#60;", '"', "'", "&",
         "みなと", "{amount}", "{month}", "{due}", "{phone}", "{merchant}", "{", "}", "。"]
    ),
    max_size=8,
).map("".join)  # fmt: skip


@given(name=barbed, greeting=barbed, told=barbed, prompt=st.sampled_from(PROMPTS))
def test_whatever_the_words_a_call_keeps_its_verbs_and_its_secrets(
    name: str, greeting: str, told: str, prompt: tuple[Stage, Saying]
) -> None:
    facts = replace(FACTS, merchant_name=name)
    said = said_of(greeting + GREETING, told + TOLD, facts)
    call = Call(stage=prompt[0], saying=prompt[1])
    own = own_of(said)
    lines = speak("ja", call, facts, own)
    turn = CallTurn(lines=lines, voice="ja-JP", step=1, digits=DIGITS[call.stage])

    document = CALLS.write(turn, "https://pay.example.jp/calls/x/y/z/1")

    verbs = [one.tag for one in ET.fromstring(document).iter()]  # noqa: S314  # our own
    says = ["Say"] * len(lines)
    gathered = ["Gather", *says] if turn.digits else [*says, "Hangup"]
    assert verbs == ["Response", *gathered]
    assert read_script(document).lines == list(lines)
    assert own is None or not find_addresses("\n".join((own.greeting, *own.facts)))
    if prompt[1] not in {"facts", "contact", "barred"}:
        assert not any(fact in line for fact in OF_THE_BILL for line in lines)


def test_a_greeting_that_would_name_the_bill_is_not_said_whatever_read_it() -> None:
    everything = ("merchant", "month", "amount", "due")
    loose = parse("{merchant} {amount}", everything)

    assert own_said("ja", loose, parse(TOLD, everything), FACTS) is None
    assert said_of("{merchant} {amount}") is None
    assert said_of(told=TOLD + "{last4}") is None


@pytest.mark.parametrize(
    ("greeting", "told", "name"),
    [
        ("", TOLD, "みなと"), (" \n", TOLD, "みなと"), (GREETING, " \n ", "みなと"),
        (GREETING, TOLD, "長" * 60 + "の" * 60), (GREETING + "evil.com", TOLD, "みなと"),
        (GREETING, TOLD + "\nevil.com", "みなと"), ("{merchant}。com", TOLD, "evil"),
        (GREETING, TOLD + "長" * 700, "みなと"),
    ],
)  # fmt: skip
def test_words_that_do_not_fit_a_bill_give_way_to_all_the_built_in_ones(
    greeting: str, told: str, name: str
) -> None:
    many = greeting * 6 if len(name) > 60 else greeting  # past what a greeting takes
    said = said_of(many, told, replace(FACTS, merchant_name=name))

    assert said is not None
    assert not said[1]
    bill = BillText(
        merchant_name=name,
        period="2026-11",
        amount_minor=8420,
        customer_hint="4821",
        due_on=date(2027, 1, 31),
        link="",
    )
    form = FORMS["voice"]
    read = form.compose("ja", "first", read_words("voice", many, told).of(bill))
    assert not read.is_own
    assert read == form.compose("ja", "first", bill)


@pytest.mark.parametrize(
    ("greeting", "told", "code", "part"),
    [
        ("", TOLD, "subject_missing", "subject"), (GREETING, "", "text_missing", "body"),
        ("お知らせです", TOLD, "merchant_missing", "subject"),
        ("{amount}" + GREETING, TOLD, "variable_misplaced", "subject"),
        ("{month}" + GREETING, TOLD, "variable_misplaced", "subject"),
        ("{due}" + GREETING, TOLD, "variable_misplaced", "subject"),
        ("{name}様" + GREETING, TOLD, "payer_named", "subject"),
        (GREETING, TOLD + "{last4}", "variable_misplaced", "body"),
        (GREETING, TOLD + "{link}", "variable_misplaced", "body"),
        (GREETING, TOLD + "{phone}", "payer_named", "body"),
        (GREETING, TOLD.replace("{month}", ""), "said_missing", "body"),
        (GREETING, TOLD.replace("{amount}", ""), "said_missing", "body"),
        (GREETING, TOLD.replace("{due}", ""), "said_missing", "body"),
        (GREETING, TOLD + "minato.example", "address_foreign", "body"),
        (GREETING + "bit.ly/x", TOLD, "shortener", "subject"),
        (GREETING + "\n次", TOLD, "line_broken", "subject"),
        (GREETING + "\u202e", TOLD, "letter_hidden", "subject"),
        (GREETING, TOLD + "\ufffe", "letter_unspoken", "body"),
        (GREETING, TOLD + "😀", "emoji", "body"),
        (GREETING, TOLD + "<break time='1s'/>", "letter_unspoken", "body"),
        (GREETING + "\uff1c", TOLD, "letter_unspoken", "subject"),
        (GREETING, TOLD + "→", "letter_unspoken", "body"),
        (GREETING, TOLD + "★", "letter_unspoken", "body"),
        (GREETING, TOLD + "4242 4242 4242 4242", "card_number", "body"),
        (GREETING, TOLD + "0を押してください。", "key_promised", "body"),
        (GREETING + "９番を押してください。", TOLD, "key_promised", "subject"),
        (GREETING + "一を お押しください。", TOLD, "key_promised", "subject"),
        (GREETING, TOLD + "「1」を押してください。", "key_promised", "body"),
        (GREETING, TOLD + "1番ボタンを押すと、つながります。", "key_promised", "body"),
        (GREETING, TOLD + "１を おして ください。", "key_promised", "body"),
        (GREETING, TOLD + "Press button 1.", "key_promised", "body"),
        (GREETING, TOLD + "Please press the number zero.", "key_promised", "body"),
        (GREETING + "料金が未払いです。", TOLD, "owing_told", "subject"),
        (GREETING + "督 促です。", TOLD, "owing_told", "subject"),
        (GREETING + "Your bill is past due.", TOLD, "owing_told", "subject"),
        (GREETING + "電気を停止します。", TOLD, "threat_first", "subject"),
        (GREETING + "長" * 120, TOLD, "greeting_over", "subject"),
        (GREETING, TOLD + "長" * 240, "told_over", "body"),
    ],
)  # fmt: skip
def test_what_no_call_may_say_is_an_error_in_its_place(
    greeting: str, told: str, code: str, part: str
) -> None:
    assert (code, "error", part) in found_in(greeting, told)


@pytest.mark.parametrize(
    ("greeting", "told", "code", "part"),
    [
        (GREETING + "長" * 40, TOLD, "greeting_long", "subject"),
        (GREETING, TOLD + "長" * 90, "told_long", "body"),
        (GREETING, TOLD + "電話は0120-000-555です。", "number_read", "body"),
        (GREETING, TOLD + "カード番号はおたずねしません。", "secret_words", "body"),
        (GREETING, TOLD + "We never ask for your PIN.", "secret_words", "body"),
        (GREETING, TOLD + "至急お願いします。", "urgent_words", "body"),
        (GREETING, TOLD + "クーポンもあります。", "selling_words", "body"),
        (GREETING, TOLD + "電気が止まります。", "threat", "body"),
    ],
)
def test_what_a_person_should_hear_before_it_is_said_is_a_warning(
    greeting: str, told: str, code: str, part: str
) -> None:
    assert found_in(greeting, told, occasion="overdue") == {(code, "warning", part)}


@pytest.mark.parametrize(
    ("greeting", "told"),
    [
        (GREETING, TOLD),
        ("{merchant_short}の佐藤でございます。「お支払い」の件です。", TOLD),
        (GREETING, TOLD + "10,000円以上の方も、24時間どうぞ。ボタンを押すと、リンクを送ります。"),
        ("A&B Gas here: it's {merchant}.", "{month}: {amount}, due {due}. A key sends the link."),
        (GREETING, TOLD + "期限を過ぎています。未払いです。"),
    ],
)
def test_plain_words_have_nothing_to_find_fault_with(greeting: str, told: str) -> None:
    assert found_in(greeting, told, occasion="overdue") == set()


def test_a_look_shows_the_call_as_it_is_heard_and_how_long_it_takes() -> None:
    found = checked()

    opened, told = found.filled.subject.split("\n"), found.sample.split("\n")
    assert opened[0] == "いつもありがとうございます。みなと電力です。"
    assert "9を押してください" in opened[-1]
    assert told[:2] == ["2026年11月分は8420円です。", "12月1日までにお願いします。"]
    assert "もう一度聞くには2を" in told[-1]
    assert found.size.encoding == "speech"
    assert found.size.units == sum(map(seconds_of, (*opened, asked_in_call("ja"), *told)))
    assert found.longest.units > found.size.units


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 0), ("   ", 0), ("あ", 1), ("あ" * 20, 3), ("漢" * 100, 27), ("8420円", 2), ("。。", 1),
     ("ab" * 500, 70)],
)  # fmt: skip
def test_how_long_it_takes_to_read_out_grows_with_what_is_read(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds
