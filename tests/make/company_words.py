"""Findings in the words of the company that they are of, with the question that it was asked.

So that tests can say what became of a payment, and the vault hears it as it does from the relay.
"""

from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Any
from urllib.parse import urlencode

import msgspec

from portal.contract.company_word import (
    CompanyAsked,
    DepositPaymentAnswer,
)
from portal.contract.payment import Finding
from portal.domain.ids import AttemptId
from portal.domain.payment_word import paypay, sandbox
from portal.domain.payment_word.gmopg_counter import CODES
from portal.domain.payment_word.stripe_body import payment_at
from portal.kit.clock import SystemClock
from tests.make import gmopg, stripe

HOSTS = {
    "sandbox_card": "card.sandbox.test",
    "sandbox_wallet": "wallet.sandbox.test",
    "sandbox_counter": "counter.sandbox.test",
    "gmopg": "p01.mul-pay.test",
    "smbc_gp": "p01.smbc-gp.test",
    "stripe": "api.stripe.test",
}
"""Where the vault of tests believes companies to be."""

_JAPAN = timezone(timedelta(hours=9))


@dataclass(frozen=True)
class Asked:
    """An attempt as its question needs it."""

    provider: str
    method: str
    reference: str
    provider_ref: str = ""


def question(of: Asked) -> CompanyAsked:
    """What its company is asked, as the adapters ask it."""
    method, path, headers, body = "GET", "", ("accept", "authorization"), ""
    if of.method == "number" or of.provider == "gmopg":
        act = "SearchTradeMulti" if of.method == "number" else "SearchTrade"
        fields = {"ShopID": "shop", "ShopPass": f"{{{{credential:{of.provider}}}}}"}
        fields |= {"OrderID": of.reference} | ({"PayType": "3"} if of.method == "number" else {})
        method, path, headers = "POST", f"/payment/{act}.idPass", ()
        body = urlencode(fields)
    elif of.provider == "stripe":
        path = payment_at(of.reference, of.provider_ref)
    elif of.provider == "sandbox_wallet":
        path, headers = paypay.path_of(of.reference), ("accept",)
    else:
        path = sandbox.path_of(of.reference)
    return CompanyAsked(method=method, path=path, headers=headers, body=body)


def answer(of: Asked, found: Finding) -> tuple[int, bytes]:
    """Status and body by which its company says so."""
    if found.state == "unclear":
        return 500, b""
    if of.method == "number":
        return 200, _at_counter(of, found)
    speak = {"sandbox_wallet": _wallet, "gmopg": _gmopg, "stripe": _stripe}.get(of.provider, _card)
    return speak(of, found)


def deposit(of: Asked, attempt_id: Any, code: str, found: Finding) -> DepositPaymentAnswer:  # noqa: ANN401
    """The company's word as the relay hands it over."""
    status, body = answer(of, found)
    return DepositPaymentAnswer(
        host=HOSTS[of.provider], merchant_code=code, attempt_id=AttemptId(attempt_id),
        asked=question(of), status=status, body=body, age_ms=0,
    )  # fmt: skip


def _json(body: object) -> bytes:
    return msgspec.json.encode(body)


def _card(of: Asked, found: Finding) -> tuple[int, bytes]:
    if found.state == "not_found":
        return 404, _json({"code": "not_found"})
    states = {"requires_action": "open", "pending": "processing"}
    state = "expired" if found.decline_code == "expired" else found.state
    dispute = found.dispute
    return 200, _json({
        "id": found.provider_ref, "reference": of.reference, "status": states.get(state, state),
        "amount": found.amount_minor, "currency": "JPY", "decline_code": found.decline_code,
        "approval_no": found.approval_no, "card_hint": found.instrument_hint,
        "authentication": found.authentication, "card": found.saved_token,
        "customer": found.saved_customer, "brand": found.saved_brand,
        "dispute": None if dispute is None else {
            "id": dispute.reference, "status": dispute.state, "amount": dispute.amount_minor,
            "taken": dispute.taken_minor, "reason": dispute.reason,
            "respond_by": int(dispute.respond_by.timestamp()) if dispute.respond_by else 0,
        },
    })  # fmt: skip


def _wallet(of: Asked, found: Finding) -> tuple[int, bytes]:
    if found.state == "not_found":
        return 404, _json({"resultInfo": {"code": "DYNAMIC_QR_PAYMENT_NOT_FOUND"}})
    states = {
        "succeeded": "COMPLETED", "requires_action": "CREATED", "pending": "AUTHORIZED",
        "failed": {"expired": "EXPIRED", "wallet_canceled": "CANCELED"}.get(
            found.decline_code, "FAILED"
        ),
    }  # fmt: skip
    data = {
        "status": states[found.state], "merchantPaymentId": of.reference,
        "amount": {"amount": found.amount_minor, "currency": "JPY"},
        "paymentId": found.provider_ref.removeprefix("p-") or None,
    }  # fmt: skip
    return 200, _json({"resultInfo": {"code": "SUCCESS"}, "data": data})


def _gmopg(of: Asked, found: Finding) -> tuple[int, bytes]:
    if found.state == "not_found":
        return 200, gmopg.errors("E01110002").body
    states = {"succeeded": "CAPTURE", "failed": "VOID", "pending": "AUTH"}
    state = states.get(found.state, "UNPROCESSED")
    told = {"Status": state}
    if state == "UNPROCESSED":  # registered just now
        told["ProcessDate"] = f"{SystemClock().wall().astimezone(_JAPAN):%Y%m%d%H%M%S}"
    return 200, gmopg.paid(of.reference, found.amount_minor, **told).body


def _at_counter(of: Asked, found: Finding) -> bytes:
    if found.state == "not_found":
        return gmopg.errors("E01110002").body
    failed = "EXPIRED" if found.decline_code == "expired" else "PAYFAIL"
    states = {"succeeded": "PAYSUCCESS", "failed": failed, "requires_action": "REQSUCCESS"}
    told = {"OrderID": of.reference, "Amount": str(found.amount_minor)}
    if found.number is not None:
        until = found.number.pay_by.astimezone(_JAPAN)
        told |= {
            "CvsCode": dict(CODES)[found.number.store],  # type: ignore[index]
            "CvsReceiptNo": found.number.receipt_no,
            "CvsConfNo": found.number.confirmation_no,
            "PaymentTerm": f"{until:%Y%m%d%H%M%S}",
        }
    return gmopg.at_counter(states[found.state], **told).body


def _stripe(of: Asked, found: Finding) -> tuple[int, bytes]:
    if found.state == "not_found":
        return 200, _json({"data": [], "has_more": False})
    states = {"succeeded": "succeeded", "failed": "canceled", "pending": "processing"}
    intent = stripe.intent(
        id=found.provider_ref or "pi_1", amount=found.amount_minor,
        amount_received=found.amount_minor, metadata={"reference": of.reference},
        status=states.get(found.state, "requires_action"),
    )  # fmt: skip
    if of.provider_ref.startswith("cs_"):
        status = "complete" if found.state == "succeeded" else "open"
        return 200, _json(
            stripe.session(
                status=status, client_reference_id=of.reference, payment_intent=intent,
                amount_total=found.amount_minor,
            )
        )  # fmt: skip
    if of.provider_ref.startswith("pi_"):
        return 200, _json(intent)
    return 200, _json({"data": [intent], "has_more": False})
