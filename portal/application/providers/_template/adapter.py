"""COMPANY: what we ask and how its answers read.

Application zone; pure: composes requests and reads answers, no I/O, no state, no exception out of a
``read``. What an inquiry is answered is read by portal.domain.payment_word, as in the vault. A
message's adapter has one act, ``compose``, see portal.application.channels.sms.

Three questions decide every answer: did anything happen there (``refused`` and ``busy`` say no), is
it certain (else ``unknown``), and is it about this reference.
"""

from functools import partial
from typing import Final

import msgspec

from portal.application.providers import payment_answers
from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    SessionAnswer,
    SessionWanted,
    is_page_address,
    read_json,
)
from portal.contract.payment import Finding
from portal.domain.payment_word._template import path_of, read_payment
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

_HEADERS: Final = {"authorization": "Bearer {{credential:_template}}"}
_TIMEOUT_S: Final = 8.0
_OK: Final = 200
_REFUSALS: Final = frozenset({400, 401, 403, 422})
"""Answers after which COMPANY holds nothing under our reference. Source: its document, section."""


class _Session(msgspec.Struct, frozen=True):
    reference: str
    url: str


class TemplateCard:
    """Card by redirect: see :class:`portal.application.methods.redirect.ByRedirect`."""

    def open_session(self, endpoint: Endpoint, wanted: SessionWanted) -> Exchange[SessionAnswer]:
        """Open a payment under our reference."""
        body = {"reference": wanted.reference, "amount": wanted.amount.amount_minor}
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="POST",
            path="/sessions",
            headers={**_HEADERS, "content-type": "application/json"},
            body=msgspec.json.encode(body).decode(),
            body_kind="json",
            timeout_s=_TIMEOUT_S,
        )
        return Exchange(request, lambda answer: _read_session(answer, wanted.reference))

    def inquire(
        self, endpoint: Endpoint, reference: str, provider_ref: str = ""
    ) -> Exchange[Finding]:
        """Ask what became of the payment under our reference, which the company always finds."""
        del provider_ref
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="GET",
            path=path_of(reference),
            headers=_HEADERS,
            timeout_s=_TIMEOUT_S,
        )
        read = partial(read_payment, reference=reference)
        return Exchange(request, lambda answer: payment_answers.read_finding(answer, read))


ADAPTER: Final = TemplateCard()


def _read_session(answer: OutboundAnswer, reference: str) -> SessionAnswer:
    if answer.fate == "not_sent":
        return SessionAnswer("refused", code="provider_away")
    if answer.fate == "unclear":
        return SessionAnswer("unknown", code=answer.code)
    if answer.status in _REFUSALS:
        return SessionAnswer("refused", code="provider_refused")
    session = read_json(answer, _Session) if answer.status == _OK else None
    if session is None or session.reference != reference or not is_page_address(session.url):
        return SessionAnswer("unknown", code="answer_unreadable")
    return SessionAnswer("accepted", redirect_url=session.url)
