"""COMPANY: what we ask and how its answers read.

Application zone; pure: composes requests and reads answers, no I/O, no state, no exception out of a
``read``. A message's adapter has one act, ``compose``, see portal.application.channels.sms.

Three questions decide every answer: did anything happen there (``refused`` and ``busy`` say no), is
it certain (else ``unknown``), and is it about this reference.
"""

from typing import Final, Literal
from urllib.parse import quote

import msgspec

from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    SessionAnswer,
    SessionWanted,
    is_page_address,
    read_json,
)
from portal.contract.payment import Finding, FindingState
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

_HEADERS: Final = {"authorization": "Bearer {{credential:_template}}"}
_TIMEOUT_S: Final = 8.0
_OK: Final = 200
_NOT_FOUND: Final = 404
_REFUSALS: Final = frozenset({400, 401, 403, 422})
"""Answers after which COMPANY holds nothing under our reference. Source: its document, section."""

_States = Literal["waiting", "paid", "refused"]
_FOUND: Final[dict[_States, FindingState]] = {
    "waiting": "requires_action",
    "paid": "succeeded",
    "refused": "failed",
}


class _Session(msgspec.Struct, frozen=True):
    reference: str
    url: str


class _Payment(msgspec.Struct, frozen=True):
    reference: str
    status: _States
    amount: int


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
            path=f"/payments/{quote(reference, safe='')}",
            headers=_HEADERS,
            timeout_s=_TIMEOUT_S,
        )
        return Exchange(request, lambda answer: _read_payment(answer, reference))


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


def _read_payment(answer: OutboundAnswer, reference: str) -> Finding:
    payment = read_json(answer, _Payment) if answer.status == _OK else None
    if answer.fate == "answered" and answer.status == _NOT_FOUND:
        return _finding("not_found")
    if answer.fate != "answered" or payment is None or payment.reference != reference:
        return _finding("unclear")
    return _finding(_FOUND[payment.status], amount_minor=payment.amount)


def _finding(state: FindingState, *, amount_minor: int = 0) -> Finding:
    return Finding(
        state=state,
        amount_minor=amount_minor,
        provider_ref="",
        decline_code="",
        approval_no="",
        instrument_hint="",
        authentication="",
    )
