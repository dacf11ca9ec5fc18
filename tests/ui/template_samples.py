"""Made-up templates for the gallery: what is sent, a text with faults, a version to approve."""

from datetime import date
from typing import Any

from portal.domain.call_words import start_of_call
from portal.domain.mail import start_of_mail
from portal.domain.mail_own import compose_mail
from portal.domain.sms import BillText
from portal.domain.template_form import FORMS, read_words

WHO = "staff:01936f00-0000-7000-8000-000000000001"
BODY = "【{merchant}】{month}のご請求 {amount}(末尾{last4}){due}まで\n{link}"
FAULTY = "至急 電気を停止します。{month} {amount} {due}までに bit.ly/x1 から\n{link}"
SAMPLE = (
    "【あおぞら電力】2026年11月分のご請求 8,420円(末尾4821)12/1まで\n"
    "http://localhost:8080/p/aozora/xxxxxxxxxxxxxxxxxxxxxx"
)


def template(state: str = "IN_FORCE", **changes: object) -> dict[str, Any]:
    """One version."""
    made: dict[str, Any] = {
        "id": "tpl_01JD0000000000000000000001", "channel": "SMS", "language": "JA",
        "occasion": "FIRST", "number": 3, "state": state, "version": 2, "subject": "",
        "body": BODY,
        "writtenBy": WHO, "writtenAt": "2026-11-20T02:00:00.000Z", "askedBy": WHO,
        "askedAt": "2026-11-20T03:00:00.000Z", "approveUntil": "2026-11-27T03:00:00.000Z",
        "decidedBy": None, "decidedAt": None, "choices": [], "told": 9_881, "unfit": 212,
    }  # fmt: skip
    return made | changes


def finding(code: str, severity: str, message: str, start: int, end: int) -> dict[str, Any]:
    """One thing that is wrong."""
    return {
        "code": code, "severity": severity, "message": message, "part": "BODY", "start": start,
        "end": end,
    }  # fmt: skip


def size(segments: int, price: int | None = None) -> dict[str, Any]:
    """What a message costs."""
    return {"encoding": "ucs2", "units": segments * 60, "segments": segments, "price": price}


FINE: dict[str, Any] = {
    "findings": [], "isFit": True, "sample": SAMPLE, "sampleSubject": "", "sampleHtml": "",
    "sender": "0005123456",
    "size": size(2, 660), "longest": size(2, 660),
}  # fmt: skip
FOUND = FINE | {
    "findings": [
        finding("fact_missing", "ERROR", "お客さま番号の末尾4桁がありません。", 0, 0),
        finding("threat_first", "ERROR", "「停止」: 最初のお知らせで警告はできません。", 6, 8),
        finding("shortener", "ERROR", "「bit.ly/x1」は短縮アドレスです。", 37, 46),
        finding("urgent_words", "WARNING", "「至急」は偽のメッセージがよく使う言葉です。", 0, 2),
    ],
    "isFit": False,
    "size": size(2),
    "longest": size(3),
}  # fmt: skip
TEMPLATES = [
    template(),
    template("ASKED", id="tpl_01JD0000000000000000000002", number=4),
    template("DRAFT", id="tpl_01JD0000000000000000000003", language="EN", number=1),
]
PRICES = [
    {"channel": "EMAIL", "provider": "smtp", "prices": [20], "isUsual": False},
    {"channel": "PUSH", "provider": "webpush", "prices": [0], "isUsual": True},
    {"channel": "SMS", "provider": "sandbox_sms", "prices": [330, 660, 990], "isUsual": False},
    {"channel": "VOICE", "provider": "twilio", "prices": [], "isUsual": False},
]
DRAFT = {
    "id": "", "version": "", "channel": "SMS", "language": "JA", "occasion": "FIRST",
    "subject": "", "body": FAULTY,
}  # fmt: skip
REAL = [
    {"billId": "bill_01JD0000000000000000000001", "billNumber": "E-1001", "subject": "",
     "text": SAMPLE, "html": "", "segments": 2, "isOwn": True},
    {"billId": "bill_01JD0000000000000000000002", "billNumber": "E-1002", "subject": "",
     "text": SAMPLE, "html": "", "segments": 2, "isOwn": False},
]  # fmt: skip

MAIL_SUBJECT, MAIL_BODY = start_of_mail("ja")
_BILL = BillText(
    merchant_name="あおぞら電力", period="2026-11", amount_minor=8420, customer_hint="4821",
    due_on=date(2026, 12, 1), link=SAMPLE.rpartition("\n")[2], phone="0120-000-000",
    website="https://aozora.example", stop_link="http://localhost:8080/stop/aozora/x",
)  # fmt: skip
MAIL = compose_mail("ja", read_words("email", MAIL_SUBJECT, MAIL_BODY).of(_BILL))
MAIL_DRAFT = DRAFT | {"channel": "EMAIL", "subject": MAIL_SUBJECT, "body": MAIL_BODY}
MAIL_FINE = FINE | {
    "sampleSubject": MAIL.subject, "sample": MAIL.text, "sampleHtml": MAIL.html,
    "sender": "bill@aozora.example",
    "size": {"encoding": "utf8", "units": 2_940, "segments": 1, "price": 20},
    "longest": {"encoding": "utf8", "units": 3_012, "segments": 1, "price": 20},
    "findings": [
        finding("subject_long", "WARNING", "長いと半角84文字分になります。", 0, 0)
        | {"part": "SUBJECT"}
    ],
}  # fmt: skip
MAIL_REAL = [
    {"billId": "bill_01JD0000000000000000000001", "billNumber": "E-1001", "segments": 1,
     "subject": MAIL.subject, "text": MAIL.text, "html": MAIL.html, "isOwn": True},
]  # fmt: skip

CALL_GREETING, CALL_TOLD = start_of_call("ja")
CALL = FORMS["voice"].compose(
    "ja", "first", read_words("voice", CALL_GREETING, CALL_TOLD).of(_BILL)
)
CALL_DRAFT = DRAFT | {
    "channel": "VOICE", "subject": CALL_GREETING + "料金が未払いです。", "body": CALL_TOLD
}  # fmt: skip
CALL_FINE = FINE | {
    "sampleSubject": CALL.subject, "sample": CALL.text, "sender": "+815011112222",
    "size": {"encoding": "speech", "units": 57, "segments": 1, "price": 2_000},
    "longest": {"encoding": "speech", "units": 62, "segments": 1, "price": 2_000},
}  # fmt: skip
CALL_FOUND = CALL_FINE | {
    "findings": [
        finding(
            "owing_told", "ERROR",
            "「未払」: 電話に出ただれにでも、未払いがあると分かってしまいます。"
            "本人と確かめたあとの部分に書いてください。",
            len(CALL_GREETING) + 3, len(CALL_GREETING) + 5,
        )
        | {"part": "SUBJECT"}
    ],
    "isFit": False,
}  # fmt: skip
CALL_REAL = [
    {"billId": "bill_01JD0000000000000000000001", "billNumber": "E-1001", "segments": 1,
     "subject": CALL.subject, "text": CALL.text, "html": "", "isOwn": True},
    {"billId": "bill_01JD0000000000000000000002", "billNumber": "E-1002", "segments": 1,
     "subject": CALL.subject, "text": CALL.text, "html": "", "isOwn": False},
]  # fmt: skip
