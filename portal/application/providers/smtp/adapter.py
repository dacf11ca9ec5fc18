"""Mail by SMTP submission: naming one delivery, and reading what the server said.

Application zone; pure. The request holds the delivery's id and nothing else: the relay builds the
mail of what the vault gives it. Source: RFC 5321 §4.2.1 (codes), RFC 3463 (enhanced codes).
"""

from typing import Final

from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    MessageAnswer,
    MessageWanted,
    read_json,
)
from portal.kit.outbound.wire import SUBMIT, OutboundAnswer, OutboundRequest, SubmitWord

_TIMEOUT_S: Final = 30.0
_OK: Final = 250
_TEMPORARY: Final = range(400, 500)
_PERMANENT: Final = range(500, 600)
_BAD_MAILBOX: Final = "5.1."
_ABOUT_THE_MAIL: Final = frozenset({"recipient", "text"})
"""Stages at which a refusal speaks of this mail; before them of us, whatever the mail."""
_OUR_REFUSALS: Final = frozenset({"delivery_refused", "value_unfit", "sender_not_as_ruled"})
"""Codes of the relay that end one mail and say nothing about the server."""


class Smtp:
    """E-mail: see :class:`portal.application.channels.email.SendsMail`."""

    def compose(self, endpoint: Endpoint, wanted: MessageWanted) -> Exchange[MessageAnswer]:
        """One mail: which delivery, and at which server."""
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method=SUBMIT,
            path="/",
            delivery_id=wanted.delivery_id,
            timeout_s=_TIMEOUT_S,
        )
        return Exchange(request, _read)


ADAPTER: Final = Smtp()


def _read(answer: OutboundAnswer) -> MessageAnswer:
    if answer.fate == "answered":
        word = read_json(answer, SubmitWord)
        if word is None:
            return MessageAnswer("unknown", code="answer_unreadable", is_provider_fault=True)
        return _read_word(word)
    if answer.fate == "unclear":
        return MessageAnswer("unknown", code=answer.code, is_provider_fault=True)
    ours = answer.code in _OUR_REFUSALS
    return MessageAnswer("busy", code=answer.code, is_provider_fault=not ours)


def _read_word(word: SubmitWord) -> MessageAnswer:
    """A refusal leaves nothing behind, at whatever stage; one before the mail is no mail's fault.

    421 says that the server closes: the next mail would fare the same.
    """
    if word.stage == "done" and word.code == _OK:
        return MessageAnswer("accepted")
    if word.stage in _ABOUT_THE_MAIL and word.code in _PERMANENT:
        bad = word.enhanced.startswith(_BAD_MAILBOX)
        return MessageAnswer("rejected", code="invalid_address" if bad else "provider_refused")
    if word.stage == "login" and word.code in _PERMANENT:
        return MessageAnswer("busy", code="credential_refused", is_provider_fault=True)
    if word.code in _TEMPORARY or word.code in _PERMANENT:
        about_mail = word.stage in _ABOUT_THE_MAIL and word.code != 421  # noqa: PLR2004  closes
        return MessageAnswer("busy", code="provider_busy", is_provider_fault=not about_mail)
    return MessageAnswer("unknown", code="answer_unreadable", is_provider_fault=True)
