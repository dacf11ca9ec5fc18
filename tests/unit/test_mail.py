"""A mail proves itself, names no payer where others look, and lets nothing out of its place."""

from datetime import UTC, date, datetime
from html.parser import HTMLParser
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.application.doors.graphql.bills import said_by_channel
from portal.application.doors.locales import TEXTS
from portal.application.providers import sandbox_mail
from portal.application.providers.exchange import Endpoint, MessageWanted
from portal.contract.bills import BillEvent
from portal.domain.mail import SUBJECT_CHARACTERS_MAX, render_mail
from portal.domain.sms import BillText
from portal.kit.outbound.wire import OutboundAnswer

LINK = "http://localhost:8080/p/minato/0123456789abcdefghijkl"


def bill(**changes: object) -> BillText:
    values: dict[str, object] = {
        "merchant_name": "みなと電力",
        "period": "2026-11",
        "amount_minor": 8420,
        "customer_hint": "12E0",
        "due_on": date(2026, 12, 25),
        "link": LINK,
        "phone": "0120-000-555",
        "website": "https://minato.example",
    }
    return BillText(**{**values, **changes})  # type: ignore[arg-type] - as above


class Read(HTMLParser):
    """What a mail program would show and follow."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.shown = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.shown += data


def read(html: str) -> Read:
    reader = Read()
    reader.feed(html)
    return reader


@pytest.mark.parametrize(
    ("language", "facts"),
    [
        ("ja", ("2026年11月分", "8,420円", "12E0", "2026年12月25日", "0120-000-555")),
        ("ja-easy", ("2026年11月分", "8,420円", "12E0", "2026年12月25日", "0120-000-555")),
        ("en", ("Nov 2026", "JPY 8,420", "12E0", "25 Dec 2026", "https://minato.example")),
    ],
)
def test_text_and_html_say_the_same_facts_and_how_to_check_them(
    language: str, facts: tuple[str, ...]
) -> None:
    mail = render_mail(language, bill())

    shown = read(mail.html)
    for fact in (*facts, "みなと電力", LINK):
        assert fact in mail.text
        assert fact in shown.shown
    assert set(shown.links) == {LINK}
    assert not {"img", "script", "link", "style", "iframe", "form"} & set(shown.tags)


@pytest.mark.parametrize("language", ["ja", "ja-easy", "en"])
def test_the_subject_names_merchant_and_month_and_neither_payer_nor_sum(language: str) -> None:
    mail = render_mail(language, bill())

    assert "みなと電力" in mail.subject
    assert "11" in mail.subject or "Nov" in mail.subject
    assert "8,420" not in mail.subject
    assert "12E0" not in mail.subject


STOP = "https://pay.example/stop/minato/0123456789abcdef"


@pytest.mark.parametrize("language", ["ja", "ja-easy", "en"])
def test_a_mail_says_how_to_stop_reminders_where_there_is_a_way(language: str) -> None:
    mail = render_mail(language, bill(stop_link=STOP))

    assert STOP in mail.text.splitlines()
    assert read(mail.html).links == [LINK, LINK, STOP]
    assert "/stop/" not in render_mail(language, bill()).text


HOSTILE = 'x\r\nBcc: everyone@evil.example\r\n\r\n<script>alert(1)</script>"&\u2028\u202e'


def test_a_merchants_name_ends_no_line_and_opens_no_tag() -> None:
    mail = render_mail("ja", bill(merchant_name=HOSTILE, phone="03\r\n<b>", website='"><b>'))

    shown = read(mail.html)
    assert not any(sign in mail.subject for sign in "\r\n\u2028\u202e")
    assert {"script", "b"} & set(shown.tags) == set()
    assert set(shown.links) == {LINK}
    assert "\r" not in mail.text


@given(name=st.text(max_size=300), language=st.sampled_from(["ja", "ja-easy", "en", "xx"]))
def test_any_name_makes_one_line_of_a_subject_that_is_short_enough(
    name: str, language: str
) -> None:
    mail = render_mail(language, bill(merchant_name=name))

    assert len(mail.subject) <= SUBJECT_CHARACTERS_MAX
    assert mail.subject.splitlines() == [mail.subject]
    assert LINK in mail.text


MESSAGE = MessageWanted(delivery_id=UUID(int=7), key="dlv-7", account="mizu", sender="a@b.example")


def test_a_mails_request_holds_placeholders_and_ids_only() -> None:
    request = sandbox_mail.ADAPTER.compose(Endpoint("mail.sandbox.test", 1), MESSAGE).request

    assert msgspec.json.decode(request.body) == {
        "to": "{{delivery:to}}",
        "from": "a@b.example",
        "subject": "{{delivery:subject}}",
        "text": "{{delivery:body}}",
        "html": "{{delivery:html}}",
        "reference": "dlv-7",
        "account": "mizu",
    }


@pytest.mark.parametrize(
    ("status", "body", "outcome", "code"),
    [
        (201, b'{"id":"ml_1","status":"queued"}', "accepted", ""),
        (200, b'{"id":"ml_1","status":"delivered"}', "accepted", ""),
        (422, b'{"code":"invalid_address"}', "rejected", "invalid_address"),
        (422, b'{"code":"a@b.example"}', "rejected", "provider_refused"),
        (429, b"{}", "busy", "provider_busy"),
        (503, b"", "busy", "provider_busy"),
        (401, b"", "busy", "credential_refused"),
        (500, b"", "unknown", "answer_unreadable"),
        (201, b"{}", "unknown", "answer_unreadable"),
    ],
)
def test_a_mail_companys_answer_says_what_may_have_happened(
    status: int, body: bytes, outcome: str, code: str
) -> None:
    exchange = sandbox_mail.ADAPTER.compose(Endpoint("mail.sandbox.test", 1), MESSAGE)

    answer = exchange.read(OutboundAnswer(fate="answered", status=status, body=body))

    assert (answer.outcome, answer.code) == (outcome, code)
    lost = exchange.read(OutboundAnswer(fate="unclear", code="dropped"))
    assert (lost.outcome, lost.code) == ("unknown", "dropped")


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_a_bills_timeline_calls_a_mail_a_mail(language: str) -> None:
    def said(code: str, **params: str) -> str:
        event = BillEvent(
            at=datetime(2026, 11, 28, tzinfo=UTC), code=code, actor="system", params=params
        )
        return TEXTS[language].code(said_by_channel(event), params)

    for state in ("planned", "accepted", "ambiguous", "delivered", "undelivered", "failed"):
        by_mail = said(f"message.{state}", channel="email")
        assert by_mail != said(f"message.{state}", channel="sms")
        assert "mail" in by_mail or "メール" in by_mail
    assert said("message.delivered") == said("message.delivered", channel="sms")
    assert said("bill.opened", channel="email") == said("bill.opened")
