"""Amazon's signature against its published vectors, and what its answers are taken to mean."""

from datetime import UTC, datetime
from email.message import EmailMessage
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from portal.application.providers import aws_ses, aws_sns
from portal.application.providers.exchange import Endpoint, MessageAnswer, MessageWanted
from portal.domain.errors import InvalidInput
from portal.egress.rules import RulesRefused, sign_rules
from portal.egress.ses import word_of
from portal.egress.signers import ToSign, host_of, sign_aws4
from portal.kit.outbound.wire import OutboundAnswer
from tests.make.companies import rules_of

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
MOMENT = int(datetime(2015, 8, 30, 12, 36, tzinfo=UTC).timestamp())
FORM = "application/x-www-form-urlencoded"
WANTED = MessageWanted(delivery_id=UUID(int=7), key="dlv-7", account="minato", sender="Minato")
PLACE = Endpoint("sns.ap-northeast-1.amazonaws.com", 443)


def to_sign(method: str, path: str, content_type: str = "", body: bytes = b"") -> ToSign:
    return ToSign(
        method=method, path=path, content_type=content_type, body=body, nonce="",
        epoch_s=MOMENT, host="example.amazonaws.com",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "request_", "names", "signature"),
    [
        (
            "get-vanilla", to_sign("GET", "/"), "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "post-vanilla", to_sign("POST", "/"), "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "get-unreserved",
            to_sign("GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
            "host;x-amz-date",
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "post-x-www-form-urlencoded", to_sign("POST", "/", FORM, b"Param1=value1"),
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
)  # fmt: skip
def test_aws4_signs_the_published_requests_as_published(
    name: str, request_: ToSign, names: str, signature: str
) -> None:
    signed = sign_aws4(request_, "us-east-1", "service", key=KEY, secret=SECRET)

    assert signed.mac == signature, name
    assert signed.headers == {
        "authorization": (
            f"AWS4-HMAC-SHA256 Credential={KEY}/20150830/us-east-1/service/aws4_request, "
            f"SignedHeaders={names}, Signature={signature}"
        ),
        "x-amz-date": "20150830T123600Z",
    }


def test_whatever_differs_in_request_scope_or_secret_differs_in_the_signature() -> None:
    plain = to_sign("POST", "/a", FORM, b"x=1")
    scopes = (("eu-west-1", "sns", SECRET), ("us-east-1", "ses", SECRET), ("us-east-1", "sns", "x"))
    changes = ({"method": "PUT"}, {"path": "/b"}, {"body": b"x=2"}, {"content_type": "text/plain"})
    changes += ({"epoch_s": MOMENT + 1}, {"host": host_of("example.amazonaws.com", 8443)})
    fields = {name: getattr(plain, name) for name in ToSign.__slots__}

    macs = [sign_aws4(plain, "us-east-1", "sns", key=KEY, secret=SECRET).mac]
    macs += [sign_aws4(plain, *scope, key=KEY, secret=secret).mac for *scope, secret in scopes]
    for change in changes:
        other = ToSign(**(fields | change))  # type: ignore[arg-type] - a field each
        macs.append(sign_aws4(other, "us-east-1", "sns", key=KEY, secret=SECRET).mac)

    assert len(set(macs)) == len(macs) == 10
    assert host_of("example.amazonaws.com", 443) == "example.amazonaws.com"


TEXT_RULE, MAIL_RULE = rules_of("aws_sns")[0], rules_of("aws_ses")[0]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"region": ""}, "signs for a region and a service"),
        ({"service": "sns/x"}, "signs for a region and a service"),
        ({"name": "opa"}, "a region and a service are for aws4"),
        ({"key": "aws.secret"}, "one credential for both"),
    ],
)
def test_a_signer_that_could_sign_for_anything_else_is_no_rule(
    changes: dict[str, str], fault: str
) -> None:
    refused(TEXT_RULE | {"signer": TEXT_RULE["signer"] | changes}, fault)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"headers": ["x-amz-security-token"]}, "beside a signer"),
        ({"fixed": {"header:authorization": "x"}}, "a fixed Authorization header"),
        ({"credentials": ["aws.secret"]}, "signs, so no placeholder may show it"),
        (
            {
                "methods": ["GET"], "fixed": {}, "fields": [],
                "query": [{"name": "n", "shape": "token", "length_min": 1, "length_max": 2}],
            },
            "aws4 signs no query",
        ),
    ],
)  # fmt: skip
def test_a_rule_that_goes_round_its_signature_is_none(
    changes: dict[str, object], fault: str
) -> None:
    refused(TEXT_RULE | changes, fault)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"region": ""}, "SES is in a region"),
        ({"region": "ap northeast"}, "SES is in a region"),
        ({"user": "", "password": ""}, "wants an access key"),
        ({"tls": "starttls"}, "speaks HTTPS"),
        (
            {"dkim": [{"domain": "bill.merchant.example", "selector": "h", "key": "k"}]},
            "SES signs by itself",
        ),
        ({"configuration_set": "a b"}, "not a configuration set"),
        ({"by": "smtp"}, "are for SES"),
    ],
)
def test_terms_that_ses_can_not_keep_are_no_rule(changes: dict[str, object], fault: str) -> None:
    refused(MAIL_RULE | {"submission": MAIL_RULE["submission"] | changes}, fault)


def refused(rule: dict[str, object], fault: str) -> None:
    with pytest.raises(RulesRefused, match=fault):
        sign_rules(Ed25519PrivateKey.generate(), {"version": 1, "rules": (rule | {"port": 443},)})


def said(status: int, body: bytes = b"", **headers: str) -> OutboundAnswer:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return OutboundAnswer(fate="answered", status=status, body=body, headers=named)


def mail_read(answer: OutboundAnswer) -> MessageAnswer:
    """As the relay words it and the adapter then reads it."""
    word = OutboundAnswer(
        fate="answered", status=answer.status, headers=answer.headers,
        body=msgspec.json.encode(word_of(answer)),
    )  # fmt: skip
    return aws_ses.ADAPTER.compose(PLACE, WANTED).read(word)


REFUSED, SENDER, ACCOUNT, BUSY, KEYS, LOST = (
    ("rejected", "provider_refused"),
    ("busy", "sender_refused"),
    ("busy", "account_refused"),
    ("busy", "provider_busy"),
    ("busy", "credential_refused"),
    ("unknown", "answer_unreadable"),
)
UNVERIFIED = b'{"message":"Email address is not verified. The following identities failed: taro@x"}'


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (said(200, b'{"MessageId":"0106018f-8d8c-000000"}'), ("accepted", "")),
        (said(200, b'{"MessageId":"<b>"}'), LOST),
        (said(200, b"<html>"), LOST),
        (said(200, b"{}"), LOST),
        (said(202, b'{"MessageId":"0106018f"}'), LOST),
        (said(400, b"", x_amzn_errortype="MessageRejected:http://x/"), REFUSED),
        (said(400, b'{"__type":"MessageRejected","Message":"bad"}'), REFUSED),
        (said(400, UNVERIFIED, x_amzn_errortype="MessageRejected"), SENDER),
        (said(400, b"", x_amzn_errortype="BadRequestException"), REFUSED),
        (said(400, b"", x_amzn_errortype="SomethingNew"), REFUSED),
        (said(400, b"", x_amzn_errortype="MailFromDomainNotVerifiedException"), SENDER),
        (said(404, b"", x_amzn_errortype="NotFoundException"), ACCOUNT),
        (said(400, b"", x_amzn_errortype="AccountSuspendedException"), ACCOUNT),
        (said(400, b"", x_amzn_errortype="SendingPausedException"), ACCOUNT),
        (said(429, b"", x_amzn_errortype="TooManyRequestsException"), BUSY),
        (said(400, b'{"__type":"com.amazon#ThrottlingException"}'), BUSY),
        (said(400, b"", x_amzn_errortype="LimitExceededException"), BUSY),
        (said(429, b"<html>"), BUSY),
        (said(403, b"", x_amzn_errortype="SignatureDoesNotMatch"), KEYS),
        (said(400, b"", x_amzn_errortype="RequestExpired"), KEYS),
        (said(403, b"<xml/>"), KEYS),
        (said(500, b"", x_amzn_errortype="InternalFailure"), LOST),
        (said(503, b"", x_amzn_errortype="ServiceUnavailable"), LOST),
        (said(301, b""), LOST),
    ],
)
def test_what_ses_says_of_a_mail(answer: OutboundAnswer, meaning: tuple[str, str]) -> None:
    read = mail_read(answer)

    assert (read.outcome, read.code) == meaning
    assert read.is_sender_fault == (meaning == SENDER)
    assert read.is_provider_fault == (read.outcome in {"busy", "unknown"} and meaning != SENDER)
    assert b"taro" not in msgspec.json.encode(word_of(answer))


def error(code: str, words: str = "") -> bytes:
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{words}</Message></Error>".encode()


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (
            said(200, b"<MessageId>d4b21c2d-cf23-4dbd-8dee-27d13ea22c69</MessageId>"),
            ("accepted", ""),
        ),
        (said(200, b"<MessageId>x y</MessageId>"), LOST),
        (said(200, b'{"MessageId":"d4b2"}'), LOST),
        (
            said(400, error("InvalidParameter", "Invalid parameter: PhoneNumber Reason: *** is …")),
            ("rejected", "number_unknown"),
        ),
        (said(400, error("InvalidParameter", "Invalid parameter: Message too long")), REFUSED),
        (said(400, error("InvalidParameterValue", "SenderID of MessageAttributes")), SENDER),
        (said(400, error("OptedOut", "PhoneNumber")), ("rejected", "recipient_opted_out")),
        (said(400, error("SomethingNew", "PhoneNumber")), REFUSED),
        (said(400, b""), REFUSED),
        (said(429, error("Throttled")), BUSY),
        (said(400, error("Throttling")), BUSY),
        (said(403, error("AuthorizationError")), KEYS),
        (said(403, error("SignatureDoesNotMatch")), KEYS),
        (said(400, error("IncompleteSignature")), KEYS),
        (said(500, error("InternalError")), LOST),
        (said(503, b""), LOST),
        (OutboundAnswer(fate="unclear", code="dropped"), ("unknown", "dropped")),
        (OutboundAnswer(fate="not_sent", code="relay_away"), ("busy", "relay_away")),
    ],
)
def test_what_sns_says_of_a_text(answer: OutboundAnswer, meaning: tuple[str, str]) -> None:
    read = aws_sns.ADAPTER.compose(PLACE, WANTED).read(answer)

    assert (read.outcome, read.code) == meaning
    assert read.is_sender_fault == (meaning == SENDER)
    assert read.is_provider_fault == (read.outcome in {"busy", "unknown"} and meaning != SENDER)


def test_neither_says_that_a_repeat_has_one_effect_and_a_pause_is_kept() -> None:
    assert not aws_ses.CAPABILITIES.repeat_is_safe
    assert not aws_sns.CAPABILITIES.repeat_is_safe
    waiting = said(429, error("Throttled"), retry_after="7")

    assert aws_sns.ADAPTER.compose(PLACE, WANTED).read(waiting).retry_after_s == 7
    assert mail_read(waiting).retry_after_s == 7
    denied = OutboundAnswer(fate="not_sent", code="sender_not_as_ruled")
    read = aws_ses.ADAPTER.compose(PLACE, WANTED).read(denied)
    assert (read.is_provider_fault, read.is_sender_fault) == (False, True)


@given(st.integers(100, 599), st.binary(max_size=60), st.text(max_size=20))
def test_no_answer_whatever_makes_either_raise(status: int, body: bytes, name: str) -> None:
    answer = said(status, body, x_amzn_errortype=name)

    reads = (mail_read(answer), aws_sns.ADAPTER.compose(PLACE, WANTED).read(answer))

    for read in reads:
        assert read.outcome != "accepted" or status == 200


def test_a_report_that_ses_forwards_is_read_by_its_token_and_sns_is_never_heard() -> None:
    token = "0" * 26 + "." + "a" * 24
    report = EmailMessage()
    report["From"] = "MAILER-DAEMON@ap-northeast-1.amazonses.com"
    report["To"] = f"bounce+{token}@bounce.example.net"
    report["Subject"] = "Delivery Status Notification (Failure)"
    report.set_content("An error occurred while trying to deliver the mail.")
    status = EmailMessage()
    status["Final-Recipient"] = "rfc822;nobody@mail.example"
    status["Action"], status["Status"] = "failed", "5.1.1"
    part = EmailMessage()
    part.add_header("Content-Type", "message/delivery-status")
    part.set_payload([EmailMessage(), status])
    report.make_mixed()
    report.attach(part)

    [claim] = aws_ses.NOTICES.parse(report.as_bytes(), {})

    assert (claim.claim, claim.reference) == ("bounced", token)
    with pytest.raises(InvalidInput, match="notice_malformed"):
        aws_sns.NOTICES.parse(report.as_bytes(), {})
