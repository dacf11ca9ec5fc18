"""What comes back of a mail says little, and what it does not plainly say is not believed."""

import hashlib
import hmac
from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.application.providers import smtp
from portal.application.providers.exchange import Endpoint, MessageWanted
from portal.application.providers.refusal import Blame
from portal.domain.errors import InvalidInput
from portal.kit.outbound.wire import OutboundAnswer
from tests.make.returned import complaint, report

TOKEN = "01jd0000000000000000000001." + "a1" * 12


def said(raw: bytes) -> list[tuple[str, str]]:
    return [(claim.reference, claim.claim) for claim in smtp.NOTICES.parse(raw, {})]


@pytest.mark.parametrize(
    ("action", "status", "claim"),
    [
        ("failed", "5.1.1", "bounced"),
        ("failed", "5.1.2", "bounced"),
        ("failed", "5.1.10", "bounced"),
        ("failed", "5.2.1", "bounced"),
        ("failed", "5.2.2", "failed"),
        ("failed", "5.7.1 (policy)", "failed"),
        ("failed", "4.4.7", "undelivered"),
        ("FAILED", " 5.1.1 ", "bounced"),
        ("delivered", "2.0.0", "delivered"),
        ("delayed", "4.4.1", None),
        ("relayed", "2.1.9", None),
        ("failed", "2.0.0", None),
        ("failed", "5", None),
        ("failed", "55.1.1", None),
        ("", "5.1.1", None),
    ],
)
def test_a_report_tells_no_mailbox_from_no_luck_and_late_from_lost(
    action: str, status: str, claim: str | None
) -> None:
    expected = [] if claim is None else [(TOKEN, claim)]

    assert said(report(TOKEN, action=action, status=status)) == expected
    assert said(report(TOKEN.upper(), action=action, status=status)) == expected


def test_a_complaint_is_known_by_what_it_quotes_or_by_where_the_mail_came_from() -> None:
    assert said(complaint(TOKEN)) == [(TOKEN, "complained")]
    assert said(complaint(TOKEN, quoted=False)) == [(TOKEN, "complained")]
    assert said(complaint(TOKEN, kind="not-spam")) == []
    assert said(complaint("not-a-token")) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"From: taro@mail.example\r\nTo: bounce+" + TOKEN.encode() + b"@x\r\n\r\nI am away.\r\n",
        report("short"),
        report(TOKEN).replace(b"message/delivery-status", b"text/plain"),
        report(TOKEN).replace(b"boundary", b"border"),
    ],
)
def test_what_is_no_report_claims_nothing(raw: bytes) -> None:
    assert said(raw) == []


@given(raw=st.binary(max_size=400), place=st.integers(0, 900))
def test_no_bytes_whatever_make_the_reader_fall_over(raw: bytes, place: int) -> None:
    whole = report(TOKEN)
    for hostile in (raw, whole[:place] + raw + whole[place:]):
        with suppress(InvalidInput):
            assert len(smtp.NOTICES.parse(hostile, {})) <= 1


def test_a_mail_made_to_keep_a_reader_busy_is_not_read() -> None:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(2_000)
    )
    wide = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 10_000

    assert said(deep) == said(wide) == []


def test_the_same_mail_is_the_same_notice_and_only_its_signer_is_heard() -> None:
    raw = report(TOKEN)
    first, again = (smtp.NOTICES.parse(raw, {})[0].notice_id for _ in range(2))
    other = smtp.NOTICES.parse(report(TOKEN, status="5.1.2"), {})[0].notice_id
    mac = hmac.new(b"key", b"1000." + raw, hashlib.sha256).hexdigest()
    headers = {"x-harai-signature": f"t=1000,v1={mac}"}

    assert first == again != other
    assert smtp.NOTICES.is_genuine(raw, headers, ["old", "key"], 1100.0)
    assert not smtp.NOTICES.is_genuine(raw, headers, ["key"], 9000.0)
    assert not smtp.NOTICES.is_genuine(raw + b" ", headers, ["key"], 1100.0)
    assert not smtp.NOTICES.is_genuine(raw, {}, ["key"], 1100.0)


def read(fate: str, body: bytes = b"", code: str = "") -> tuple[str, str, Blame]:
    wanted = MessageWanted(
        delivery_id=UUID(int=7), key="dlv_7", account="mizu", sender="a@b.example"
    )
    exchange = smtp.ADAPTER.compose(Endpoint("smtp.provider.test", 465), wanted)
    answer = exchange.read(OutboundAnswer(fate=fate, body=body, code=code))  # type: ignore[arg-type] - texts
    of_sender: Blame = "sender" if answer.is_sender_fault else "message"
    return answer.outcome, answer.code, "road" if answer.is_provider_fault else of_sender


@pytest.mark.parametrize(
    ("stage", "code", "enhanced", "expected"),
    [
        ("done", 250, "", ("accepted", "", "message")),
        ("recipient", 550, "5.1.1", ("rejected", "invalid_address", "message")),
        ("recipient", 550, "", ("rejected", "provider_refused", "message")),
        ("text", 554, "5.7.1", ("rejected", "provider_refused", "message")),
        ("recipient", 451, "4.7.1", ("busy", "provider_busy", "message")),
        ("text", 452, "4.2.2", ("busy", "provider_busy", "message")),
        ("recipient", 421, "4.3.2", ("busy", "provider_busy", "road")),
        ("login", 535, "5.7.8", ("busy", "credential_refused", "road")),
        ("login", 454, "", ("busy", "provider_busy", "road")),
        ("greeting", 554, "", ("busy", "provider_busy", "road")),
        ("sender", 553, "", ("busy", "sender_refused", "sender")),
        ("sender", 550, "5.7.1", ("busy", "sender_refused", "sender")),
        ("sender", 530, "5.7.0", ("busy", "credential_refused", "road")),
        ("recipient", 530, "5.7.1", ("busy", "credential_refused", "road")),
        ("sender", 554, "5.3.2", ("busy", "provider_busy", "road")),
        ("sender", 550, "5.7.25", ("busy", "provider_busy", "road")),
        ("sender", 451, "4.3.0", ("busy", "provider_busy", "road")),
        ("sender", 421, "", ("busy", "provider_busy", "road")),
        ("recipient", 550, "5.1.8", ("busy", "sender_refused", "sender")),
        ("recipient", 553, "5.1.7", ("busy", "sender_refused", "sender")),
        ("text", 550, "5.7.26", ("busy", "sender_refused", "sender")),
        ("text", 550, "5.7.60", ("busy", "sender_refused", "sender")),
        ("text", 354, "", ("unknown", "answer_unreadable", "road")),
    ],
)
def test_a_servers_word_means_what_may_have_happened(
    stage: str, code: int, enhanced: str, expected: tuple[str, str, Blame]
) -> None:
    body = f'{{"stage":"{stage}","code":{code},"enhanced":"{enhanced}"}}'.encode()

    assert read("answered", body) == expected


def test_a_lost_answer_is_unknown_and_what_did_not_leave_may_go_again() -> None:
    assert read("unclear", code="dropped") == ("unknown", "dropped", "road")
    assert read("not_sent", code="connect_failed") == ("busy", "connect_failed", "road")
    assert read("not_sent", code="delivery_refused") == ("busy", "delivery_refused", "message")
    assert read("not_sent", code="value_unfit") == ("busy", "value_unfit", "message")
    assert read("not_sent", code="sender_not_as_ruled") == (
        "busy", "sender_not_as_ruled", "sender",
    )  # fmt: skip
    assert read("answered", b"{}") == ("unknown", "answer_unreadable", "road")
