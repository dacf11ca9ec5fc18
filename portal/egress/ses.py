"""Mails handed in where their rule says: by SMTP, or posted to Amazon SES and signed for.

Zone: egress. SES gets the same bytes as a mail server (Raw content), the addressee beside them, and
where reports about this mail go: to the address that holds its token, so they come back as those of
any server do. Who sends is in the mail itself. What SES says is brought to one word of ours; its
own may quote the addressee. SES knows no key for a mail that it has: nothing here is repeated.
Source: Amazon SES API v2, SendEmail and RawMessage; "Email feedback forwarding".
"""

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Final, cast, get_args

import msgspec

from portal.egress.mime import Outgoing
from portal.egress.rule import Rule
from portal.egress.sender import Sender
from portal.egress.signers import ToSign, host_of, sign_aws4
from portal.egress.submission import Submission
from portal.egress.template import Filled
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest, SesReason, SesWord

PATH: Final = "/v2/email/outbound-emails"
_JSON: Final = "application/json"
_KNOWN: Final = frozenset(cast("tuple[str, ...]", get_args(SesReason)))
_MESSAGE_ID: Final = re.compile(r"[A-Za-z0-9-]{1,128}", re.ASCII)
_NOT_VERIFIED: Final = "email address is not verified"


class _Said(msgspec.Struct, frozen=True):
    """The parts of an answer that are looked at; SES writes some of them in two ways."""

    message_id: str = msgspec.field(name="MessageId", default="")
    kind: str = msgspec.field(name="__type", default="")
    message: str = ""
    message_too: str = msgspec.field(name="Message", default="")


async def hand_in(
    sender: Sender,
    rule: Rule,
    mail: Outgoing,
    credentials: Mapping[str, str],
    request: OutboundRequest,
    now: datetime,
) -> OutboundAnswer:
    """Hand one mail in, once, and say what became of it; never raises for what happens outside.

    The body of an ``answered`` one is a SubmitWord, or of SES a SesWord.
    """
    submission = rule.submission
    if submission is None or submission.by == "smtp":
        return await sender.submit(rule, mail, credentials, request.timeout_s)
    login = (credentials[submission.user], credentials[submission.password])
    posted = OutboundRequest(
        host=rule.host, port=rule.port, method="POST", path=PATH, timeout_s=request.timeout_s
    )
    filled = _signed(rule, submission, _body(submission, mail), login, now)
    return _in_a_word(await sender.send(rule, posted, filled))


def _body(submission: Submission, mail: Outgoing) -> bytes:
    said: dict[str, object] = {
        "Content": {"Raw": {"Data": base64.b64encode(mail.data).decode()}},
        "Destination": {"ToAddresses": [mail.recipient]},
        "FeedbackForwardingEmailAddress": mail.sender,
    }
    if submission.configuration_set:
        said["ConfigurationSetName"] = submission.configuration_set
    return msgspec.json.encode(said)


def _signed(
    rule: Rule, submission: Submission, body: bytes, login: tuple[str, str], now: datetime
) -> Filled:
    wanted = ToSign(
        method="POST",
        path=PATH,
        content_type=_JSON,
        body=body,
        nonce="",
        epoch_s=int(now.timestamp()),
        host=host_of(rule.host, rule.port),
    )
    key, secret = login
    signature = sign_aws4(wanted, submission.region, "ses", key=key, secret=secret)
    return Filled({"content-type": _JSON, **signature.headers}, body)


def _in_a_word(answer: OutboundAnswer) -> OutboundAnswer:
    """SES' answer without its words: status, reason, and its name of the mail."""
    wait = answer.headers.get("retry-after", "")
    told = msgspec.structs.replace(
        answer, headers={"retry-after": wait} if wait.isdecimal() else {}, body=b""
    )
    if answer.fate != "answered":
        return told
    return msgspec.structs.replace(told, body=msgspec.json.encode(word_of(answer)))


def word_of(answer: OutboundAnswer) -> SesWord:
    """What SES said, in our words; what it can't be understood to say is left out."""
    try:
        said = msgspec.json.decode(answer.body, type=_Said)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = _Said()
    if answer.status == HTTPStatus.OK:
        fits = _MESSAGE_ID.fullmatch(said.message_id) is not None
        return SesWord(status=answer.status, message_id=said.message_id if fits else "")
    named = answer.headers.get("x-amzn-errortype", "") or said.kind
    reason = named.partition(":")[0].rpartition("#")[2]
    words = (said.message or said.message_too).lower()
    if reason == "MessageRejected" and words.startswith(_NOT_VERIFIED):
        reason = "SenderNotVerified"
    known = cast("SesReason", reason) if reason in _KNOWN else ""
    return SesWord(status=answer.status, reason=known)
