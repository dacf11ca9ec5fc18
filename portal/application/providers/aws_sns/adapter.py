"""Amazon SNS: asking for one text message, and reading what it said.

Application zone; pure. Number and text are placeholders, and the relay signs. A sender that is a
number is one of the account's own; any other is the name that telephones show. SNS takes no key for
a message to a telephone, and tells what became of one to CloudWatch alone: whatever may have
happened stays ``unknown``, and ``accepted`` is the last that we hear. It answers in XML, of which
two elements are looked at. Source: Amazon SNS, Publish, "Common error types", "Publishing SMS
messages to a mobile phone"; AWS Query protocol.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    MessageAnswer,
    MessageWanted,
    read_retry_after,
)
from portal.application.providers.refusal import busy, read_way, unreadable
from portal.application.providers.silent import SaysNothing
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

VERSION: Final = "2010-03-31"
_TIMEOUT_S: Final = 10.0
_OK: Final = 200
_TOO_MANY: Final = 429
_NOT_LET_IN: Final = frozenset({401, 403})
_REFUSALS: Final = frozenset({400, 404, 405, 413, 415})
_THROTTLED: Final = frozenset(
    {"Throttled", "Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded"}
)
_SIGNING: Final = frozenset(
    {"IncompleteSignature", "RequestExpired", "ExpiredToken", "InvalidQueryParameter"}
)
"""Said with a 400, though it speaks of who asks: the next message fares the same."""
_OPTED_OUT: Final = frozenset({"OptedOut", "OptedOutException"})
_INVALID: Final = frozenset({"InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid"})
_MESSAGE_ID: Final = re.compile(rb"<MessageId>([0-9A-Fa-f-]{1,36})</MessageId>")
_CODE: Final = re.compile(rb"<Code>([A-Za-z.]{1,64})</Code>")
_ABOUT_NUMBER: Final = re.compile(rb"Phone ?Number", re.IGNORECASE)
_ABOUT_SENDER: Final = re.compile(
    rb"Sender ?ID|Origination ?Number|MessageAttributes", re.IGNORECASE
)


class AwsSns:
    """Text messages: see :class:`portal.application.channels.sms.SendsSms`."""

    def compose(self, endpoint: Endpoint, wanted: MessageWanted) -> Exchange[MessageAnswer]:
        """One message; what it costs and how hard it is tried is that of a transaction."""
        fields = {
            "Action": "Publish",
            "Version": VERSION,
            "PhoneNumber": "{{delivery:to}}",
            "Message": "{{delivery:body}}",
            **_attribute(1, "AWS.SNS.SMS.SMSType", "Transactional"),
        }
        if wanted.sender:
            is_number = wanted.sender.startswith("+")
            name = "AWS.MM.SMS.OriginationNumber" if is_number else "AWS.SNS.SMS.SenderID"
            fields |= _attribute(2, name, wanted.sender)
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="POST",
            path="/",
            body=urlencode(fields),
            body_kind="form",
            delivery_id=wanted.delivery_id,
            timeout_s=_TIMEOUT_S,
            signer="aws4",
        )
        return Exchange(request, _read)


ADAPTER: Final = AwsSns()
NOTICES: Final = SaysNothing()


def _attribute(number: int, name: str, value: str) -> Mapping[str, str]:
    entry = f"MessageAttributes.entry.{number}"
    return {
        f"{entry}.Name": name,
        f"{entry}.Value.DataType": "String",
        f"{entry}.Value.StringValue": value,
    }


def _read(answer: OutboundAnswer) -> MessageAnswer:
    return read_way(answer) or _read_answered(answer)


def _read_answered(answer: OutboundAnswer) -> MessageAnswer:
    found = _CODE.search(answer.body)
    code = "" if found is None else found[1].decode()
    if answer.status == _TOO_MANY or (answer.status in _REFUSALS and code in _THROTTLED):
        return busy("provider_busy", retry_after_s=read_retry_after(answer))
    if answer.status in _NOT_LET_IN or (answer.status in _REFUSALS and code in _SIGNING):
        return busy("credential_refused", retry_after_s=read_retry_after(answer))
    if answer.status in _REFUSALS:
        return _read_refusal(code, answer)
    taken = _MESSAGE_ID.search(answer.body) if answer.status == _OK else None
    if taken is None:
        return unreadable()
    return MessageAnswer("accepted", provider_ref=taken[1].decode())


def _read_refusal(code: str, answer: OutboundAnswer) -> MessageAnswer:
    """Why a message is refused; which parameter is wrong stands in SNS' words alone."""
    if code in _OPTED_OUT:
        return MessageAnswer("rejected", code="recipient_opted_out")
    if code in _INVALID and _ABOUT_SENDER.search(answer.body):
        return busy("sender_refused", retry_after_s=read_retry_after(answer))
    if code in _INVALID and _ABOUT_NUMBER.search(answer.body):
        return MessageAnswer("rejected", code="number_unknown")
    return MessageAnswer("rejected", code="provider_refused")
