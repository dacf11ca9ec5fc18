"""PayPay: opening a payment, asking what became of it, giving money back.

Application zone; pure: composes requests and reads answers, no I/O, no state, no exception out of a
``read``. Key and secret are not even named here: the relay's rule has a signer, and a request only
says that it must be signed. One key belongs to one merchant's account at PayPay.

PayPay says what happened by ``resultInfo.code``, whatever the status: an answer in which that can't
be read proves nothing, a refusal included. Source: PayPay Open Payment API, "Web Payment": Create a
QR Code, Get payment details, Refund a payment, Fetch refund details, Response code list.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final
from urllib.parse import quote

import msgspec

from portal.application.providers import payment_answers
from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    RefundWanted,
    SessionAnswer,
    SessionWanted,
    is_page_address,
)
from portal.application.providers.paypay.shapes import Code, CodeReply
from portal.application.providers.refund_answers import known_of, read_answer, read_finding
from portal.contract.payment import Finding
from portal.domain.errors import InvariantBroken
from portal.domain.money import Money as Amount
from portal.domain.payment_word.paypay import path_of, read_payment
from portal.domain.reference import made_at_s
from portal.domain.refund_word.paypay import (
    DONE,
    PAYMENT_ID,
    Failure,
    Money,
    PayPayRefunds,
    own_id,
    read_data,
    read_failure,
)
from portal.domain.refund_word.word import RefundAnswer, RefundFinding, Said
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

SIGNER: Final = "opa"
"""Who signs at the relay; see ``docs/egress.md``."""

_ACT_TIMEOUT_S: Final = 20.0
_ASK_TIMEOUT_S: Final = 15.0
"""PayPay asks for 30 s and 15 s. An act has to be over within SUBMIT_GRACE, and before the web door
gives up (both 60 s): waiting for a place at the relay may take the same time again, and the relay
15 s of its own, so 30 s is too much. Cut short it is unknown, and an inquiry tells."""
_DESCRIPTION_MAX: Final = 255
_STORE_MAX: Final = 255

_CODE_ID: Final = "c-"
_READER: Final = PayPayRefunds()


class PayPay:
    """Wallet by redirect, taken back and given back: ``methods.redirect``, ``methods.refunds``."""

    def open_session(self, endpoint: Endpoint, wanted: SessionWanted) -> Exchange[SessionAnswer]:
        """Make a code whose page the payer goes to; a reference known already reads as unknown.

        ``storeId`` is ours to choose: the merchant's public code, which notices then repeat.
        """
        body = {
            "merchantPaymentId": wanted.reference,
            "amount": _money(wanted.amount),
            "codeType": "ORDER_QR",
            "orderDescription": wanted.description[:_DESCRIPTION_MAX],
            "storeId": wanted.account[:_STORE_MAX],
            "isAuthorization": False,
            "redirectUrl": wanted.return_url,
            "redirectType": "WEB_LINK",
            "requestedAt": made_at_s(wanted.reference),
        }
        request = _request(endpoint, "POST", "/v2/codes", body)
        return Exchange(request, lambda answer: _read_code(answer, wanted))

    def inquire(
        self, endpoint: Endpoint, reference: str, provider_ref: str = ""
    ) -> Exchange[Finding]:
        """Ask what became of the payment under our reference, which PayPay always finds.

        A code that nobody used in its time, and one that was deleted, is not found any more. That
        one is not found before it is used, too, is what some integrations tell: so it ends nothing
        here, and the vault waits as for any provider.
        """
        del provider_ref
        request = _request(endpoint, "GET", path_of(reference))
        read = partial(read_payment, reference=reference)
        return Exchange(request, lambda answer: payment_answers.read_finding(answer, read))

    def take_back(self, endpoint: Endpoint, provider_ref: str) -> Exchange[bool] | None:
        """Delete the code, so that nobody pays by it any more; one that was paid stays paid."""
        if not provider_ref.startswith(_CODE_ID):
            return None
        path = f"/v2/codes/{quote(provider_ref.removeprefix(_CODE_ID), safe='')}"
        request = _request(endpoint, "DELETE", path)
        return Exchange(request, lambda answer: answer.status in DONE)

    def refund(self, endpoint: Endpoint, wanted: RefundWanted) -> Exchange[RefundAnswer]:
        """Give a part or all back, once: PayPay takes one refund of a payment.

        Raises: InvariantBroken ``refund_unfounded`` for a payment that no inquiry ever found.
        """
        body = {
            "merchantRefundId": wanted.refund_reference,
            "paymentId": _payment_of(wanted),
            "amount": _money(wanted.amount),
            "requestedAt": made_at_s(wanted.refund_reference),
        }
        request = _request(endpoint, "POST", "/v2/refunds", body)
        request = msgspec.structs.replace(request, delivery_id=wanted.refund_id)
        known = known_of(wanted)
        return Exchange(request, lambda answer: read_answer(_READER, answer, known))

    def inquire_refund(self, endpoint: Endpoint, wanted: RefundWanted) -> Exchange[RefundFinding]:
        """Ask what became of exactly this refund, which PayPay looks for among the payment's.

        Raises: InvariantBroken ``refund_unfounded`` for a payment that no inquiry ever found.
        """
        path = f"/v2/refunds/{quote(wanted.refund_reference, safe='')}"
        request = _request(endpoint, "GET", f"{path}?paymentId={_payment_of(wanted)}")
        request = msgspec.structs.replace(request, about_refund=wanted.refund_id)
        known = known_of(wanted)
        return Exchange(request, lambda answer: read_finding(_READER, answer, known))


ADAPTER: Final = PayPay()


def _request(
    endpoint: Endpoint, method: str, path: str, body: Mapping[str, object] | None = None
) -> OutboundRequest:
    return OutboundRequest(
        host=endpoint.host,
        port=endpoint.port,
        method=method,
        path=path,
        headers={"accept": "application/json"},
        body="" if body is None else msgspec.json.encode(body).decode(),
        body_kind="none" if body is None else "json",
        timeout_s=_ASK_TIMEOUT_S if body is None else _ACT_TIMEOUT_S,
        signer=SIGNER,
    )


def _payment_of(wanted: RefundWanted) -> str:
    """PayPay's own id of the payment, without the letter that it is kept with."""
    if not wanted.provider_ref.startswith(PAYMENT_ID):
        raise InvariantBroken("refund_unfounded", context=wanted.reference)
    return quote(wanted.provider_ref.removeprefix(PAYMENT_ID), safe="")


def _money(amount: Amount) -> dict[str, object]:
    return {"amount": amount.amount_minor, "currency": amount.currency}


# Answers


def _read_code(answer: OutboundAnswer, wanted: SessionWanted) -> SessionAnswer:
    failure = _failure(answer)
    if failure is not None:
        return SessionAnswer(failure.outcome, code=failure.code)
    code = read_data(_said(answer), CodeReply)
    if not isinstance(code, Code) or not _is_of(code, wanted) or not is_page_address(code.url):
        return SessionAnswer("unknown", code="answer_unreadable")
    app = code.deeplink if isinstance(code.deeplink, str) else ""
    return SessionAnswer("accepted", code.url, own_id(_CODE_ID, code.code_id), app_url=app)


def _is_of(code: Code, wanted: SessionWanted) -> bool:
    return (code.merchant_payment_id, code.amount) == (wanted.reference, _worth(wanted.amount))


def _failure(answer: OutboundAnswer) -> Failure | None:
    """What an act that PayPay did not do, or was not heard of, comes to; None where it did it."""
    if answer.fate == "not_sent":
        return Failure("refused", "provider_away")
    if answer.fate == "unclear":
        return Failure("unknown", answer.code or "provider_unclear")
    return read_failure(_said(answer))


def _said(answer: OutboundAnswer) -> Said:
    return Said(answer.status, answer.body)


def _worth(amount: Amount) -> Money:
    return Money(amount=amount.amount_minor, currency="JPY")
