"""Amazon SES: naming one delivery, and reading the relay's word about what SES said.

Application zone; pure. The request holds the delivery's id and nothing else, as for any mail: the
relay builds, signs and posts it. SES knows no key for a mail, so whatever may have happened is
``unknown``; reports come back as mails. Source: Amazon SES API v2, SendEmail, "Common errors".
"""

from collections.abc import Mapping
from typing import Final

from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    MessageAnswer,
    MessageWanted,
    read_json,
    read_retry_after,
)
from portal.kit.outbound.wire import (
    SUBMIT,
    OutboundAnswer,
    OutboundRequest,
    SesReason,
    SesWord,
)

_TIMEOUT_S: Final = 30.0
_OK: Final = 200
_REFUSALS: Final = range(400, 500)
_BUSY_STATUSES: Final[Mapping[int, str]] = {
    401: "credential_refused",
    403: "credential_refused",
    429: "provider_busy",
}
_OUR_REFUSALS: Final = frozenset({"delivery_refused", "value_unfit", "sender_not_as_ruled"})
"""Codes of the relay that end one mail and say nothing about SES."""

_BUSY: Final[Mapping[SesReason, str]] = {
    "SenderNotVerified": "sender_refused",
    "MailFromDomainNotVerifiedException": "sender_refused",
    "NotFoundException": "sender_refused",
    "AccountSuspendedException": "sender_refused",
    "SendingPausedException": "sender_refused",
    "LimitExceededException": "provider_busy",
    "TooManyRequestsException": "provider_busy",
    "ThrottlingException": "provider_busy",
    "AccessDeniedException": "credential_refused",
    "InvalidClientTokenId": "credential_refused",
    "UnrecognizedClientException": "credential_refused",
    "SignatureDoesNotMatch": "credential_refused",
    "InvalidSignatureException": "credential_refused",
    "IncompleteSignature": "credential_refused",
    "RequestExpired": "credential_refused",
    "ExpiredTokenException": "credential_refused",
    "OptInRequired": "credential_refused",
}
"""Refusals that speak of our account, sender, key or speed: the next mail fares the same."""


class AwsSes:
    """E-mail: see :class:`portal.application.channels.email.SendsMail`."""

    def compose(self, endpoint: Endpoint, wanted: MessageWanted) -> Exchange[MessageAnswer]:
        """One mail: which delivery, and by which road."""
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method=SUBMIT,
            path="/",
            delivery_id=wanted.delivery_id,
            timeout_s=_TIMEOUT_S,
        )
        return Exchange(request, _read)


ADAPTER: Final = AwsSes()


def _read(answer: OutboundAnswer) -> MessageAnswer:
    if answer.fate == "unclear":
        return MessageAnswer("unknown", code=answer.code, is_provider_fault=True)
    if answer.fate == "not_sent":
        ours = answer.code in _OUR_REFUSALS
        return MessageAnswer("busy", code=answer.code, is_provider_fault=not ours)
    word = read_json(answer, SesWord)
    if word is None:
        return MessageAnswer("unknown", code="answer_unreadable", is_provider_fault=True)
    if word.status == _OK and word.message_id:
        return MessageAnswer("accepted", provider_ref=word.message_id)
    return _read_refusal(word, answer)


def _read_refusal(word: SesWord, answer: OutboundAnswer) -> MessageAnswer:
    """Only a 4xx is one: SES has nothing then. All else may have sent the mail."""
    if word.status not in _REFUSALS:
        return MessageAnswer("unknown", code="answer_unreadable", is_provider_fault=True)
    code = _BUSY.get(word.reason) or _BUSY_STATUSES.get(word.status)
    if code is None:
        return MessageAnswer("rejected", code="provider_refused")
    wait_s = read_retry_after(answer)
    return MessageAnswer("busy", code=code, retry_after_s=wait_s, is_provider_fault=True)
