"""Mails and notifications in a merchant's own words: judged, filled, and never more than words."""

import re
from datetime import date
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.contract.envelope import FRAME_BYTES_MAX
from portal.domain.mail import SUBJECT_CHARACTERS_MAX, render_mail, start_of_mail
from portal.domain.mail_own import MAIL_BYTES_MAX, compose_mail, fill_mail
from portal.domain.push import render_push
from portal.domain.sms import BUILT_IN, BillText
from portal.domain.template import Occasion, TemplateChannel, TemplateLanguage
from portal.domain.template_form import FORMS, read_words
from portal.domain.template_lint import Checked, Draft, check, mark_sample

LINK = "https://pay.example.jp/p/minato/" + "x" * 22
STOP = "https://pay.example.jp/stop/minato/" + "y" * 22
SITE = "https://minato.example"
SUBJECT = "【{merchant}】{month}のお知らせ"
BODY = (
    "{merchant}です。{month}は{amount}、番号末尾{last4}。期限{due}\n\n"
    "{link}\n\n{proof}\n\n窓口 <b>03</b> & 係\n{stop}"
)
TITLE, LINE = "{merchant}", "{month}のご請求が届きました。期限は{due}です。"


def bill_of(name: str = "みなと電力", subject: str = SUBJECT, body: str = BODY) -> BillText:
    bill = BillText(
        merchant_name=name,
        period="2026-11",
        amount_minor=8420,
        customer_hint="4821",
        due_on=date(2026, 12, 1),
        link=LINK,
        stop_link=STOP,
        phone="03-0000-0000",
        website=SITE,
    )
    return read_words("email", subject, body).of(bill)


def checked(
    subject: str,
    body: str,
    channel: TemplateChannel = "email",
    occasion: Occasion = "reminder",
    language: TemplateLanguage = "ja",
) -> Checked:
    return check(
        Draft(
            channel=channel,
            language=language,
            occasion=occasion,
            subject=subject,
            body=body,
            merchant_name="みなと電力",
            link=LINK,
            stop_link=STOP,
            phone="03-0000-0000",
            website=SITE,
        )
    )


def hrefs(html: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'href="([^"]*)"', html)]


@pytest.mark.parametrize("language", BUILT_IN)
def test_one_s_own_mail_begins_with_the_built_in_one_and_says_the_same(language: str) -> None:
    bill = bill_of("Minato", *start_of_mail(language))
    own, built_in = compose_mail(language, bill), render_mail(language, bill)

    assert own.is_own
    assert not built_in.is_own
    assert (own.subject, own.text) == (built_in.subject, built_in.text)
    assert set(hrefs(own.html)) == set(hrefs(built_in.html)) == {LINK, STOP}


def test_the_html_is_made_of_the_text_and_every_word_is_escaped() -> None:
    mail = compose_mail("ja", bill_of("<script>A&B"))

    assert mail.subject == "【<script>A&B】2026年11月分のお知らせ"
    assert f"\n{LINK}\n" in mail.text
    assert mail.text.endswith(f":\n{STOP}\n")
    assert f"- ウェブサイト: {SITE}\n" in mail.text
    assert hrefs(mail.html) == [LINK, LINK, STOP]
    assert "<script" not in mail.html
    assert "窓口 &lt;b&gt;03&lt;/b&gt; &amp; 係" in mail.html
    assert "\ue000" not in mail.html + mail.text


barbed = st.lists(
    st.sampled_from(
        ["evil", ".", "com", "://", "/", "\n", "\r\nBcc: a@b.jp", "{link}", "\ue000", "\ue002",
         "<a href=", '"', "'", "&", "みなと", "www.", "\u202e", "。"]
    ),
    max_size=8,
).map("".join)  # fmt: skip


@given(name=barbed, body=barbed, subject=barbed)
def test_whatever_the_words_a_mail_has_our_links_and_no_other(
    name: str, body: str, subject: str
) -> None:
    own = bill_of(name, subject + " {merchant}", f"{body}{{merchant}} {{month}}\n{BODY}")

    mail = compose_mail("ja", own)

    assert set(hrefs(mail.html)) == {LINK, STOP}
    assert mail.text.count(LINK) == mail.text.count(STOP) == 1
    assert mail.subject.isprintable()
    assert 0 < len(mail.subject) <= SUBJECT_CHARACTERS_MAX
    assert "<a href=" not in mail.html.replace('<a href="https://', "")


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("", BODY), ("s" * 121, BODY), ("see evil.com", BODY), (SUBJECT, BODY + "\n{link}"),
        (SUBJECT, BODY.replace("{link}", "")), (SUBJECT, BODY.replace("{link}", "x{link}")),
        (SUBJECT, BODY + " and more"), (SUBJECT, BODY + "\nevil.com"),
        (SUBJECT, BODY + "長" * 6_000),
        (SUBJECT, BODY + "\n\ue002"), (SUBJECT, BODY.replace("{link}", "\ue000")),
    ],
)  # fmt: skip
def test_words_that_do_not_fit_a_bill_give_way_to_the_built_in_mail(
    subject: str, body: str
) -> None:
    filled = fill_mail("ja", bill_of(subject=subject, body=body))

    assert filled is not None
    assert not filled[1]
    assert compose_mail("ja", bill_of(subject=subject, body=body)) == render_mail("ja", bill_of())


@pytest.mark.parametrize("channel", FORMS)
@pytest.mark.parametrize("language", ["ja", "en", "ja-easy"])
@pytest.mark.parametrize("occasion", ["first", "reminder", "overdue", "declined"])
def test_what_a_channel_begins_with_has_no_fault_at_all(
    channel: TemplateChannel, language: TemplateLanguage, occasion: Occasion
) -> None:
    found = checked(*FORMS[channel].start(language, occasion), channel, occasion, language)

    codes = {one.code for one in found.findings}
    assert codes <= {"due_missing", "segments_many"}
    assert found.filled.is_fit


@pytest.mark.parametrize(
    ("subject", "body", "code", "part"),
    [
        ("", BODY, "subject_missing", "subject"), (SUBJECT, "", "text_missing", "body"),
        ("{amount}" + SUBJECT, BODY, "variable_misplaced", "subject"),
        ("{link}", BODY, "variable_misplaced", "subject"),
        ("{name}様", BODY, "payer_named", "subject"),
        (SUBJECT + "\nBcc: x", BODY, "line_broken", "subject"),
        ("Re: " + SUBJECT, BODY, "subject_reply", "subject"),
        ("\uff26\uff37\uff1a" + SUBJECT, BODY, "subject_reply", "subject"),
        ("bit.ly/x " + SUBJECT, BODY, "shortener", "subject"),
        ("\U0001f600" + SUBJECT, BODY, "emoji", "subject"),
        ("4242 4242 4242 4242" + SUBJECT, BODY, "card_number", "subject"),
        (SUBJECT + "長" * 120, BODY, "subject_over", "subject"),
        (SUBJECT, BODY.replace("{link}", ""), "link_missing", "body"),
        (SUBJECT, BODY + "\n{link}", "link_repeated", "body"),
        (SUBJECT, BODY.replace("{proof}", ""), "proof_missing", "body"),
        (SUBJECT, BODY.replace("{stop}", ""), "stop_missing", "body"),
        (SUBJECT, BODY.replace("{proof}", "→{proof}"), "block_joined", "body"),
        (SUBJECT, BODY + "\n{stop}", "block_repeated", "body"),
        (SUBJECT, BODY.replace("{merchant}", ""), "merchant_missing", "body"),
        (SUBJECT, BODY.replace("{last4}", ""), "fact_missing", "body"),
        (SUBJECT, BODY + "\nhttps://minato.example", "address_foreign", "body"),
        (SUBJECT, BODY + "\nmail@minato.example", "address_foreign", "body"),
        (SUBJECT, BODY + "\n\u202e", "letter_hidden", "body"),
        (SUBJECT, BODY + "\n\ue000", "letter_hidden", "body"),
        (SUBJECT, BODY + "\n" + "{month}" * 500, "mail_over", "body"),
    ],
)  # fmt: skip
def test_what_no_mail_may_say_is_an_error_in_its_place(
    subject: str, body: str, code: str, part: str
) -> None:
    found = checked(subject, body)

    errors = [(one.code, one.part) for one in found.findings if one.severity == "error"]
    assert (code, part) in errors


@pytest.mark.parametrize(
    ("subject", "body", "occasion", "code", "weight"),
    [
        ("お知らせ", BODY, "reminder", "subject_nameless", "warning"),
        (SUBJECT + "長" * 40, BODY, "reminder", "subject_long", "warning"),
        (SUBJECT, BODY + "\n" + "長" * 1_500, "reminder", "mail_long", "warning"),
        ("至急" + SUBJECT, BODY, "reminder", "urgent_words", "warning"),
        (SUBJECT, BODY + "\n停止します", "overdue", "threat", "warning"),
        ("停止" + SUBJECT, BODY, "first", "threat_first", "error"),
        (SUBJECT, BODY.replace("{due}", ""), "first", "due_missing", "warning"),
        (SUBJECT, BODY.replace("{stop}", ""), "overdue", "stop_missing", "error"),
        (SUBJECT, BODY.replace("{stop}", ""), "first", None, "warning"),
    ],
)
def test_what_a_mail_says_is_weighed_by_its_occasion(
    subject: str, body: str, occasion: Occasion, code: str | None, weight: str
) -> None:
    found = checked(subject, body, occasion=occasion)

    assert {one.code: one.severity for one in found.findings} == ({code: weight} if code else {})


def test_a_hundred_of_the_longest_mails_go_in_one_frame() -> None:
    addresses = 3 * (SUBJECT_CHARACTERS_MAX + 254) + 600

    assert 100 * (MAIL_BYTES_MAX + addresses) < FRAME_BYTES_MAX


def test_advertising_needs_the_way_to_stop_it_whatever_the_occasion() -> None:
    for subject, body in ((SUBJECT + "お得", BODY), (SUBJECT, BODY + "\nクーポンあり")):
        codes = [one.code for one in checked(subject, body, occasion="first").findings]
        without = checked(subject, body.replace("{stop}", ""), occasion="first").findings

        assert set(codes) == {"selling_words"}
        assert "stop_missing" in [one.code for one in without]


@pytest.mark.parametrize(
    ("title", "line", "code"),
    [
        ("お知らせ", LINE, "merchant_missing"), (TITLE, LINE + "{amount}", "variable_misplaced"),
        (TITLE, LINE + "{link}", "variable_misplaced"), (TITLE, LINE + "\n次", "line_broken"),
        (TITLE, LINE + "長" * 240, "push_over"), (TITLE + "長" * 60, LINE, "subject_over"),
        (TITLE, LINE + " evil.com", "address_foreign"), ("", LINE, "subject_missing"),
    ],
)  # fmt: skip
def test_what_no_locked_screen_may_show_is_an_error(title: str, line: str, code: str) -> None:
    found = checked(title, line, "push")

    assert code in [one.code for one in found.findings if one.severity == "error"]


def test_a_trial_is_marked_wherever_it_is_read() -> None:
    draft = Draft(
        channel="email", language="ja", occasion="first", subject=SUBJECT, merchant_name="みなと",
        body="{proof}\n" + BODY.replace("{proof}", ""), link=LINK, stop_link=STOP, website=SITE,
    )  # fmt: skip

    filled = mark_sample(draft, "【テスト】")

    assert filled.subject.startswith("【テスト】【みなと】")
    assert filled.text.startswith("【テスト】\nこのメールが本物か")
    assert "<p>【テスト】</p>\n<p>このメールが本物か" in filled.html


def test_a_notification_in_own_words_still_says_the_sum_only_where_it_may() -> None:
    bill = read_words("push", TITLE, LINE).of(bill_of())
    long = read_words("push", TITLE, LINE + "長" * 240).of(bill_of())

    said = render_push("ja", "first", bill)
    with_sum = render_push("ja", "first", bill, says_amount=True)

    assert (said.title, said.is_own) == ("みなと電力", True)
    assert said.body == "2026年11月分のご請求が届きました。期限は12月1日です。"
    assert with_sum.body == said.body + "(8,420円)"
    assert not render_push("ja", "first", long).is_own
