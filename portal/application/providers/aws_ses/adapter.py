"""Amazon SES: reading the relay's word about what SES said to a mail.

Application zone; pure. The relay builds, signs and posts the mail. SES knows no key for one, so
whatever may have happened is ``unknown``; reports come back as mails. Source: Amazon SES API v2,
SendEmail, "Common errors".
"""

from collections.abc import Mapping
from typing import Final

from portal.application.providers.exchange import MessageAnswer, read_json, read_retry_after
from portal.application.providers.refusal import busy, unreadable
from portal.application.providers.relay_mail import RelayMail
from portal.kit.outbound.wire import OutboundAnswer, SesReason, SesWord

_OK: Final = 200
_REFUSALS: Final = range(400, 500)
_BUSY_STATUSES: Final[Mapping[int, str]] = {
    401: "credential_refused",
    403: "credential_refused",
    429: "provider_busy",
}

_BUSY: Final[Mapping[SesReason, str]] = {
    "SenderNotVerified": "sender_refused",
    "MailFromDomainNotVerifiedException": "sender_refused",
    "NotFoundException": "account_refused",
    "AccountSuspendedException": "account_refused",
    "SendingPausedException": "account_refused",
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
"""Refusals that speak of whoever asks, as portal.application.providers.refusal sorts them: From and
MAIL FROM are each merchant's; the configuration set, which may not be found, is the rule's."""


def _read_answered(answer: OutboundAnswer) -> MessageAnswer:
    word = read_json(answer, SesWord)
    if word is None:
        return unreadable()
    if word.status == _OK and word.message_id:
        return MessageAnswer("accepted", provider_ref=word.message_id)
    return _read_refusal(word, answer)


def _read_refusal(word: SesWord, answer: OutboundAnswer) -> MessageAnswer:
    """Only a 4xx is one: SES has nothing then. All else may have sent the mail."""
    if word.status not in _REFUSALS:
        return unreadable()
    code = _BUSY.get(word.reason) or _BUSY_STATUSES.get(word.status)
    if code is None:
        return MessageAnswer("rejected", code="provider_refused")
    return busy(code, retry_after_s=read_retry_after(answer))


ADAPTER: Final = RelayMail(_read_answered)
