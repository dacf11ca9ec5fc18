"""The sandbox's card company: opening a payment, giving it back, and asking what became of both.

Application zone; pure. No card number can pass here: the payer types it on the company's page.
"""

from functools import partial
from typing import Final, Literal
from urllib.parse import quote, urlencode

import msgspec

from portal.application.providers import payment_answers
from portal.application.providers.exchange import (
    ChargeWanted,
    Endpoint,
    Exchange,
    KeptWanted,
    RefundWanted,
    SessionAnswer,
    SessionWanted,
    is_page_address,
    read_json,
)
from portal.application.providers.refund_answers import known_of, read_answer, read_finding
from portal.contract.payment import Finding
from portal.domain.payment_word.sandbox import path_of, read_payment
from portal.domain.refund_word.sandbox import SandboxRefunds
from portal.domain.refund_word.word import RefundAnswer, RefundFinding
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

_HEADERS: Final = {
    "authorization": "Bearer {{credential:sandbox_card}}",
    "accept": "application/json",
}
_OPEN_TIMEOUT_S: Final = 8.0
_INQUIRE_TIMEOUT_S: Final = 5.0
_OK: Final = 200
_CREATED: Final = 201
_PAYMENT_REQUIRED: Final = 402
_CONFLICT: Final = 409
_TOO_MANY: Final = 429
_REFUSALS: Final = frozenset({400, 401, 403, 404, 413, 415, 422, _TOO_MANY})

_READER: Final = SandboxRefunds()


class _Session(msgspec.Struct, frozen=True):
    id: str
    reference: str
    url: str


class _Charge(msgspec.Struct, frozen=True):
    id: str
    reference: str
    amount: int
    status: Literal["open", "succeeded", "failed"]
    decline_code: str | None


class SandboxCard:
    """Card by redirect: see :class:`portal.application.methods.redirect.ByRedirect`."""

    def open_session(self, endpoint: Endpoint, wanted: SessionWanted) -> Exchange[SessionAnswer]:
        """Open a payment under our reference; a reference known already reads as unknown."""
        body = {
            "reference": wanted.reference,
            "amount": wanted.amount.amount_minor,
            "currency": wanted.amount.currency,
            "return_url": wanted.return_url,
            "notice_account": wanted.account,
            "description": wanted.description,
        }
        if wanted.enrol:
            body["customer"] = wanted.customer_reference
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="POST",
            path="/v1/sessions",
            headers={**_HEADERS, "content-type": "application/json"},
            body=msgspec.json.encode(body).decode(),
            body_kind="json",
            timeout_s=_OPEN_TIMEOUT_S,
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
            timeout_s=_INQUIRE_TIMEOUT_S,
        )
        read = partial(read_payment, reference=reference)
        return Exchange(request, lambda answer: payment_answers.read_finding(answer, read))

    def charge(self, endpoint: Endpoint, wanted: ChargeWanted) -> Exchange[SessionAnswer]:
        """Charge a card that the company keeps; a reference known already reads as unknown.

        What is charged, how much and under which reference is the relay's to fill in.
        """
        fields = {
            "reference": "{{instrument:reference}}",
            "amount": "{{instrument:amount}}",
            "currency": wanted.amount.currency,
            "card": "{{instrument:token}}",
            "customer": "{{instrument:customer}}",
            "original_reference": wanted.original_reference,
            "notice_account": wanted.account,
            "description": wanted.description,
        }
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="POST",
            path="/v1/charges",
            headers=_HEADERS,
            body=urlencode(fields),
            body_kind="form",
            delivery_id=wanted.instrument_id,
            timeout_s=_OPEN_TIMEOUT_S,
        )
        return Exchange(request, lambda answer: _read_charge(answer, wanted))

    def pay_kept(self, endpoint: Endpoint, wanted: KeptWanted) -> Exchange[SessionAnswer]:
        """Have a card that the company keeps pay while its payer is there, who may be asked.

        The page of the payer's bank is in the answer; the relay puts it into the vault.
        """
        fields = {
            "reference": "{{instrument:reference}}",
            "amount": "{{instrument:amount}}",
            "currency": wanted.amount.currency,
            "card": "{{instrument:token}}",
            "customer": "{{instrument:customer}}",
            "return_url": wanted.return_url,
            "notice_account": wanted.account,
            "description": wanted.description,
        }
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="POST",
            path="/v1/card-payments",
            headers=_HEADERS,
            body=urlencode(fields),
            body_kind="form",
            delivery_id=wanted.attempt_id,
            timeout_s=_OPEN_TIMEOUT_S,
        )
        return Exchange(request, lambda answer: _read_charge(answer, wanted))

    def refund(self, endpoint: Endpoint, wanted: RefundWanted) -> Exchange[RefundAnswer]:
        """Give back a part or all of a payment; a reference known already reads as unknown."""
        body = {
            "reference": wanted.refund_reference,
            "payment": wanted.reference,
            "amount": wanted.amount.amount_minor,
            "currency": wanted.amount.currency,
        }
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="POST",
            path="/v1/refunds",
            headers={**_HEADERS, "content-type": "application/json"},
            body=msgspec.json.encode(body).decode(),
            body_kind="json",
            delivery_id=wanted.refund_id,
            timeout_s=_OPEN_TIMEOUT_S,
        )
        known = known_of(wanted)
        return Exchange(request, lambda answer: read_answer(_READER, answer, known))

    def inquire_refund(self, endpoint: Endpoint, wanted: RefundWanted) -> Exchange[RefundFinding]:
        """Ask what became of the refund under our reference of it."""
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="GET",
            path=f"/v1/refunds/{quote(wanted.refund_reference, safe='')}",
            headers=_HEADERS,
            about_refund=wanted.refund_id,
            timeout_s=_INQUIRE_TIMEOUT_S,
        )
        known = known_of(wanted)
        return Exchange(request, lambda answer: read_finding(_READER, answer, known))


ADAPTER: Final = SandboxCard()


def _read_session(answer: OutboundAnswer, reference: str) -> SessionAnswer:
    if answer.fate == "not_sent":
        return SessionAnswer("refused", code="provider_away")
    if answer.fate == "unclear":
        return SessionAnswer("unknown", code=answer.code or "provider_unclear")
    if answer.status in _REFUSALS:
        return SessionAnswer("refused", code=_refusal_code(answer))
    if answer.status == _CONFLICT:
        return SessionAnswer("unknown", code="reference_exists")
    session = read_json(answer, _Session) if answer.status in {_OK, _CREATED} else None
    if session is None or session.reference != reference or not is_page_address(session.url):
        return SessionAnswer("unknown", code="answer_unreadable")
    return SessionAnswer("accepted", redirect_url=session.url, provider_ref=session.id)


def _read_charge(answer: OutboundAnswer, wanted: ChargeWanted | KeptWanted) -> SessionAnswer:
    """A decline counts when it names our payment; what was taken is still asked about."""
    if answer.fate == "not_sent":
        return SessionAnswer("refused", code="provider_away")
    if answer.fate == "unclear":
        return SessionAnswer("unknown", code=answer.code or "provider_unclear")
    if answer.status in _REFUSALS:
        return SessionAnswer("refused", code=_refusal_code(answer))
    read = {_OK, _CREATED, _PAYMENT_REQUIRED}
    charge = read_json(answer, _Charge) if answer.status in read else None
    if charge is None or (charge.reference, charge.amount) != (
        wanted.reference, wanted.amount.amount_minor
    ):  # fmt: skip
        return SessionAnswer("unknown", code="answer_unreadable")
    if charge.status == "failed":
        code = charge.decline_code or "card_declined"
        return SessionAnswer("refused", provider_ref=charge.id, code=code)
    return SessionAnswer("accepted", provider_ref=charge.id)


def _refusal_code(answer: OutboundAnswer) -> str:
    return "provider_busy" if answer.status == _TOO_MANY else "provider_refused"
