"""Mail by SMTP submission: reading what the server said, and at which stage.

Application zone; pure. Source: RFC 5321 §4.2.1 (codes), RFC 3463 (enhanced codes), RFC 4954
(login), RFC 7372 (authentication), RFC 7505 §4.2 (null MX).
"""

from typing import Final

from portal.application.providers.exchange import MessageAnswer, read_json
from portal.application.providers.refusal import busy, unreadable
from portal.application.providers.relay_mail import RelayMail
from portal.kit.outbound.wire import OutboundAnswer, SubmitWord

_OK: Final = 250
_TEMPORARY: Final = range(400, 500)
_PERMANENT: Final = range(500, 600)
_CLOSES: Final = 421
_BAD_MAILBOX: Final = "5.1."
_ABOUT_THE_MAIL: Final = frozenset({"recipient", "text"})
"""Stages at which a refusal speaks of this mail; before them of us, whatever the mail."""
_ABOUT_THE_SENDER: Final = frozenset(
    {"5.1.7", "5.1.8", "5.7.20", "5.7.21", "5.7.22", "5.7.23", "5.7.26", "5.7.27", "5.7.60"}
)
"""Enhanced codes that speak of the sender's address or domain, at whatever stage: many servers wait
for the recipient before they say what they have against MAIL FROM. In their order: no such mailbox,
no such domain; signature missing or refused in three ways; SPF; several of these; a sender that
takes no mail; Exchange's "may not send as this sender"."""
_WANTS_LOGIN: Final = frozenset({530, 534, 535, 538})
"""Said at any stage of a session that has no login, or not the one wanted. Source: RFC 4954 §6."""
_ABOUT_THE_ROAD: Final = ("5.3.0", "5.3.2", "5.3.5", "5.7.25")
"""What a server may say at MAIL FROM, and says to every merchant: something of its system, that it
takes no mail now, or is set up wrongly; that the name of our address is not known to it."""


def _read_answered(answer: OutboundAnswer) -> MessageAnswer:
    word = read_json(answer, SubmitWord)
    return unreadable() if word is None else _read_word(word)


def _read_word(word: SubmitWord) -> MessageAnswer:
    """A refusal leaves nothing behind, at whatever stage; one before the mail is no mail's fault.

    421 says that the server closes: the next mail would fare the same.
    """
    if word.stage == "done" and word.code == _OK:
        return MessageAnswer("accepted")
    if word.code in _PERMANENT:
        return _read_permanent(word)
    if word.code in _TEMPORARY:
        about_mail = word.stage in _ABOUT_THE_MAIL and word.code != _CLOSES
        return MessageAnswer("busy", code="provider_busy", is_provider_fault=not about_mail)
    return unreadable()


def _read_permanent(word: SubmitWord) -> MessageAnswer:
    if word.code in _WANTS_LOGIN or word.stage == "login":
        return busy("credential_refused")
    if word.stage == "sender" and word.enhanced in _ABOUT_THE_ROAD:
        return busy("provider_busy")
    if word.stage == "sender" or word.enhanced in _ABOUT_THE_SENDER:
        return busy("sender_refused")
    if word.stage in _ABOUT_THE_MAIL:
        bad = word.enhanced.startswith(_BAD_MAILBOX)
        return MessageAnswer("rejected", code="invalid_address" if bad else "provider_refused")
    return busy("provider_busy")


ADAPTER: Final = RelayMail(_read_answered)
