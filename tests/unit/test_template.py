from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal.domain.sms import (
    BUILT_IN,
    UNITS_MAX,
    BillText,
    compose,
    render_bill,
    utf16_units,
    values_of,
)
from portal.domain.template import (
    VARIABLES,
    Template,
    as_words,
    fill,
    find_addresses,
    is_hidden,
    is_safe,
    occasion_of,
    parse,
    tidy,
)

LINK = "https://pay.example.jp/p/minato/" + "x" * 22
OWN = "{merchant}です。{month}は{amount}、番号末尾{last4}。期限{due}\n{link}\nお問い合わせは窓口へ"

WIDE = "\uff25\uff36\uff29\uff2c\uff0e\uff43\uff4f\uff4d"

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=60)
barbed = st.one_of(
    texts,
    st.lists(
        st.sampled_from(
            ["evil", ".", "com", "://", "https", "/", "\n", "{link}", "\u2028", "\u202e", "\uff0e",
             "。", "\uff43\uff4f\uff4d", "…", "⒈", "@",
             "みなと", "www.", "{", "}", " ", "192.168.0.1", "bit.ly/x"]
        ),
        max_size=10,
    ).map("".join),
)  # fmt: skip


def bill_of(name: str = "みなと電力", amount: int = 8420, own: str | None = None) -> BillText:
    return BillText(
        merchant_name=name,
        period="2026-11",
        amount_minor=amount,
        customer_hint="4821",
        due_on=date(2026, 12, 1),
        link=LINK,
        own=None if own is None else parse(own),
    )


def test_a_text_is_read_into_words_and_variables_with_their_places() -> None:
    template = parse("{merchant}: {amount} {link}")

    assert template.strays == ()
    assert template.names() == ["merchant", "amount", "link"]
    assert [(piece.start, piece.end) for piece in template.pieces] == [
        (0, 10), (10, 12), (12, 20), (20, 21), (21, 27)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{payer}", ["payer"]), ("{amount*2}", ["", ""]), ("{ amount }", ["", ""]), ("}", [""]),
        ("{{amount}}", ["", ""]), ("{merchant.__class__}", ["", ""]), ("{amount!r}", ["", ""]),
        ("{amount:>9}", ["", ""]), ("{0}", ["0"]), ("${amount}", []), ("{% if %}", ["", ""]),
        ("{Amount}", ["Amount"]),
    ],
)  # fmt: skip
def test_nothing_but_a_variable_s_name_stands_in_braces(text: str, names: list[str]) -> None:
    assert [stray.name for stray in parse(text).strays] == names


@given(texts)
def test_every_letter_of_a_text_is_in_one_piece_or_stray(text: str) -> None:
    template = parse(text)
    places = sorted((part.start, part.end) for part in (*template.pieces, *template.strays))

    assert all(start < end for start, end in places)
    assert [start for start, _ in places] == [0, *(end for _, end in places)][: len(places)]
    assert sum(end - start for start, end in places) == len(text)


@given(barbed, barbed, barbed)
def test_no_value_adds_a_link_a_line_or_a_variable(name: str, month: str, hint: str) -> None:
    values = {
        "merchant": name, "merchant_short": name[:20], "month": month, "amount": "8,420円",
        "last4": hint, "due": "12/1", "link": LINK,
    }  # fmt: skip
    template = parse("{merchant} {month}\n{amount} {last4}\n{link}")

    lines = fill(template, values).split("\n")

    assert len(lines) == 3
    assert lines[2] == LINK
    assert find_addresses(lines[0] + "\n" + lines[1]) == []
    assert all(letter.isprintable() or letter not in "\r\v\f\x85" for letter in lines[0])
    assert "8,420円" in lines[1]


@example("停\u3164止\ud800\u034f")
@example("\u2488AA.://")
@given(barbed)
def test_a_value_as_words_stays_what_it_is_unless_it_would_be_more(value: str) -> None:
    words = as_words(value)

    assert len(words) == len(value)
    assert find_addresses(words) == []
    assert as_words(words) == words
    assert not any(map(is_hidden, words))
    assert all(
        was in (now, was) and (now in (was, " ")) for was, now in zip(value, words, strict=True)
    )


@example(name="\u01800.0.0.0", amount=1, language="ja")
@given(barbed, st.integers(1, 9_999_999_999), st.sampled_from(["ja", "en", "ja-easy"]))
def test_whatever_the_name_a_text_has_its_link_whole_once_and_no_other(
    name: str, amount: int, language: str
) -> None:
    for own in (None, OWN, "evil.{merchant} {amount} {month} {last4} {link}"):
        text = render_bill(language, bill_of(name, amount, own))

        assert is_safe(text, LINK)
        assert f"{amount:,}" in text
        assert utf16_units(text) <= UNITS_MAX
        if language != "en":
            text.encode("cp932")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("bit.ly/abc", ["bit.ly/abc"]), ("https://evil.example/x です", ["https://evil.example/x"]),
        (WIDE, [WIDE]), ("evil。com", ["evil。com"]), ("evil｡jp", ["evil｡jp"]),
        ("みなと電力.jp へ", ["みなと電力.jp"]), ("a@example.co.jp", ["example.co.jp"]),
        ("10.0.0.1/x", ["10.0.0.1/x"]), ("tel:0120", []), ("8,420円です。Pay", []),
        ("No. 12", []), ("12.5", []), ("a.m. and p.m.", []), ("お支払いください。", []),
        ("javascript://x", ["javascript://x"]), ("x.みんな", ["x.みんな"]),
        ("\u043f\u0440.\u0440\u0444/x", ["\u043f\u0440.\u0440\u0444/x"]),
        ("evil.公司", ["evil.公司"]),
        ("evil.\ub2f7\ucef4", ["evil.\ub2f7\ucef4"]),
    ],
)  # fmt: skip
def test_what_a_telephone_would_make_a_link_of_is_found(text: str, seen: list[str]) -> None:
    assert [text[start:end] for start, end in find_addresses(text)] == seen


def test_a_merchant_s_own_wording_is_used_where_it_fits_and_the_built_in_one_where_not() -> None:
    assert compose("ja", bill_of(own=OWN)) == (
        f"みなと電力です。2026年11月分は8,420円、番号末尾4821。期限12/1\n{LINK}\nお問い合わせは窓口へ",
        True,
    )
    for unfit in ("{merchant}" * 200 + "\n{link}", "{link}です", "no link", "bit.ly/x\n{link}"):
        assert compose("ja", bill_of(own=unfit)) == compose("ja", bill_of()), unfit
    assert not compose("ja", bill_of())[1]


@pytest.mark.parametrize("language", BUILT_IN)
def test_the_built_in_wording_has_all_that_a_merchant_s_own_must_have(language: str) -> None:
    for text in BUILT_IN[language]:
        template = parse(text)
        assert template.strays == ()
        assert {"month", "amount", "last4", "link"} <= set(template.names())
        assert is_safe(render_bill(language, bill_of(own=text)), LINK)


def test_the_built_in_wording_is_what_it_has_always_been() -> None:
    bill = bill_of()

    assert render_bill("ja", bill) == (
        f"【みなと電力】2026年11月分のご請求 8,420円(お客さま番号末尾4821)"
        f"を12/1までにお支払いください。\n{LINK}"
    )
    assert render_bill("ja-easy", bill) == (
        "【みなと電力】2026年11月分の お金は 8,420円です。12/1までに 払って ください。"
        f"お客さま番号の 最後の4つ 4821\n{LINK}"
    )
    assert render_bill("en", bill_of("Minato Power")) == (
        "Minato Power: your bill for Nov 2026 is JPY 8,420 (customer no. ending 4821). "
        f"Please pay by 1 Dec: {LINK}"
    )
    long_name = "み" * 60
    assert (
        render_bill("ja", bill_of(long_name)) == f"{'み' * 20} 2026年11月分8,420円 末尾4821\n{LINK}"
    )


def test_every_variable_has_a_value_in_every_language() -> None:
    for language in BUILT_IN:
        assert set(values_of(language, bill_of())) == set(VARIABLES)


@pytest.mark.parametrize(
    ("campaign", "lifecycle", "occasion"),
    [("first", "open", "first"), ("first", "overdue", "first"), ("resent", "open", "reminder"),
     ("resent", "overdue", "overdue"), ("declined", "overdue", "declined"),
     ("ladder-2", "open", "reminder"), ("ladder-4", "lapsed", "overdue")],
)  # fmt: skip
def test_a_message_s_occasion_is_its_campaign_s_or_how_its_bill_stands(
    campaign: str, lifecycle: str, occasion: str
) -> None:
    assert occasion_of(campaign, lifecycle) == occasion


def test_typed_text_is_tidied_and_nothing_else() -> None:
    assert tidy(" a \r\nb\t\rc\n") == "a\nb\nc"
    assert isinstance(parse(""), Template)
