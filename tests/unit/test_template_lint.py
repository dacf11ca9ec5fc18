import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.sms import BUILT_IN
from portal.domain.template import Occasion, TemplateLanguage
from portal.domain.template_lint import Checked, Draft, check, price_of

LINK = "https://pay.example.jp/p/minato/" + "x" * 22
GOOD = "【{merchant}】{month} {amount} 番号末尾{last4} {due}まで\n{link}"


def checked(body: str, language: TemplateLanguage = "ja", occasion: Occasion = "first") -> Checked:
    return check(
        Draft(
            language=language, occasion=occasion, body=body, merchant_name="みなと電力", link=LINK
        )
    )


def codes(body: str, language: TemplateLanguage = "ja", occasion: Occasion = "first") -> list[str]:
    return [finding.code for finding in checked(body, language, occasion).findings]


@pytest.mark.parametrize("language", ["ja", "en", "ja-easy"])
def test_the_built_in_wording_has_no_errors(language: TemplateLanguage) -> None:
    for body in BUILT_IN[language]:
        assert checked(body, language).is_fit


def test_a_good_text_shows_itself_its_size_and_the_longest_it_gets() -> None:
    found = checked(GOOD)

    assert found.findings == ()
    assert found.sample.startswith("【みなと電力】2026年11月分 8,420円 番号末尾4821 12/1まで\n")
    assert (found.size.encoding, found.size.segments) == ("ucs2", 2)
    assert found.longest.units > found.size.units


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "text_missing"), (" \n", "text_missing"), (GOOD + "{", "brace_stray"),
        (GOOD + "{x}", "variable_unknown"), ("{payer_name}様 " + GOOD, "payer_named"),
        (GOOD.replace("{link}", ""), "link_missing"), (GOOD + " {link}", "link_repeated"),
        (GOOD + "です", "link_joined"), (GOOD.replace("\n", ""), "link_joined"),
        (GOOD.replace("\n", "{month}"), "link_joined"),
        (GOOD.replace("【{merchant}】", ""), "merchant_missing"),
        (GOOD.replace("{month}", ""), "fact_missing"),
        (GOOD.replace("{amount}", ""), "fact_missing"),
        (GOOD.replace("{last4}", ""), "fact_missing"),
        ("https://evil.example " + GOOD, "address_foreign"),
        ("minato-denki.co.jp " + GOOD, "address_foreign"), ("bit.ly/x1 " + GOOD, "shortener"),
        ("\uff42\uff49\uff54\uff0e\uff4c\uff59/x1 " + GOOD, "shortener"),
        ("https://www.tinyurl.com/a " + GOOD, "shortener"),
        (GOOD + " 4242 4242 4242 4242", "card_number"), ("\u202e" + GOOD, "letter_hidden"),
        ("a\tb" + GOOD, "letter_hidden"), ("\U0001f600" + GOOD, "emoji"),
        ("髙橋😀" + GOOD, "emoji"),
        ("ก" + GOOD, "letter_lost"), (GOOD + " " + "長" * 600, "units_over"),
        ("電気の供給を停止します。" + GOOD, "threat_first"),
        ("停 止 します " + GOOD, "threat_first"),
        ("We will cut off your power. " + GOOD, "threat_first"),
        ("法的措置をとります " + GOOD, "threat_first"),
        ("お支払いがないと とめます " + GOOD, "threat_first"),
    ],
)  # fmt: skip
def test_what_may_not_be_stored_is_an_error(body: str, code: str) -> None:
    found = checked(body)

    assert code in [finding.code for finding in found.findings if finding.severity == "error"]
    assert not found.is_fit


@pytest.mark.parametrize(
    ("body", "language", "occasion", "code"),
    [
        ("至急ご確認を " + GOOD, "ja", "first", "urgent_words"),
        ("24時間以内に " + GOOD, "ja", "first", "urgent_words"),
        ("\uff12\uff14 時間 以内に " + GOOD, "ja", "first", "urgent_words"),
        ("URGENT: " + GOOD, "en", "first", "urgent_words"),
        ("Verify your details. " + GOOD, "en", "first", "urgent_words"),
        ("供給を停止します。" + GOOD, "ja", "overdue", "threat"),
        ("夏のセール " + GOOD, "ja", "first", "selling_words"),
        ("Special offer! " + GOOD, "en", "first", "selling_words"),
        (GOOD.replace("{due}まで", ""), "ja", "first", "due_missing"),
        ("𠮷田です " + GOOD, "ja", "first", "letter_replaced"),
        (GOOD + " " + "長" * 100, "ja", "first", "segments_many"),
        ("“Bill” " + GOOD, "en", "first", "letter_not_gsm7"),
    ],
)  # fmt: skip
def test_what_a_person_should_look_at_is_a_warning(
    body: str, language: TemplateLanguage, occasion: Occasion, code: str
) -> None:
    found = checked(body, language, occasion)

    assert code in [finding.code for finding in found.findings]
    assert found.is_fit


@pytest.mark.parametrize("word", ["Saleswoman", "classical", "courteous", "disclosure"])
def test_words_inside_other_words_count_for_nothing(word: str) -> None:
    assert codes(f"{word} " + GOOD, "en") == codes(GOOD, "en")


def test_findings_name_their_place_and_errors_come_first() -> None:
    body = "至急 " + GOOD + " bit.ly/x"

    found = checked(body).findings

    assert [finding.code for finding in found] == ["shortener", "urgent_words"]
    assert body[found[0].start : found[0].end] == "bit.ly/x"
    assert body[found[1].start : found[1].end] == "至急"
    assert found[1].params == {"word": "至急"}


@given(st.text(max_size=120), st.sampled_from(["ja", "en", "ja-easy"]))
def test_any_text_can_be_looked_at(text: str, language: TemplateLanguage) -> None:
    found = checked(text, language)

    assert all(0 <= one.start <= one.end <= len(text) for one in found.findings)
    assert len(found.findings) <= 30


def test_a_price_is_that_of_the_number_of_parts() -> None:
    prices = (300, 600, 900)

    assert [price_of(prices, parts) for parts in (0, 1, 3, 4)] == [None, 300, 900, None]
