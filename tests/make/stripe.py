"""Stripe's objects as its documentation shows them, cut to what an adapter may look at and more."""

import msgspec

from portal.kit.outbound.wire import OutboundAnswer

REFERENCE = "01JD0000000000000000000001"
REFUND_REFERENCE = "01JD0000000000000000000002"
AMOUNT = 8420
PAGE = "https://checkout.stripe.com/c/pay/cs_test_a1B2"


def answered(status: int, body: object) -> OutboundAnswer:
    """A complete answer; ``body`` as it is, or as JSON."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return OutboundAnswer(fate="answered", status=status, body=raw)


def failed(status: int, type_: str = "invalid_request_error", **error: object) -> OutboundAnswer:
    """An error in Stripe's own form."""
    return answered(status, {"error": {"type": type_, "message": "no", **error}})


def intent(**changes: object) -> dict[str, object]:
    """A payment that succeeded, its charge expanded."""
    return {
        "id": "pi_3MtwBwLkdIwHu7ix28a3tqPa",
        "object": "payment_intent",
        "status": "succeeded",
        "amount": AMOUNT,
        "amount_received": AMOUNT,
        "currency": "jpy",
        "metadata": {"reference": REFERENCE},
        "last_payment_error": None,
        "latest_charge": {
            "id": "ch_3MmlLrLkdIwHu7ix0snN0B15",
            "object": "charge",
            "payment_method_details": {
                "type": "card",
                "card": {
                    "brand": "visa",
                    "last4": "4242",
                    "authorization_code": "123456",
                    "three_d_secure": {"result": "authenticated", "version": "2.2.0"},
                },
            },
        },
    } | changes


def session(**changes: object) -> dict[str, object]:
    """A session that was just opened: it has no payment yet."""
    return {
        "id": "cs_test_a1B2",
        "object": "checkout.session",
        "status": "open",
        "payment_status": "unpaid",
        "client_reference_id": REFERENCE,
        "amount_total": AMOUNT,
        "currency": "jpy",
        "url": PAGE,
        "payment_intent": None,
        "metadata": {"reference": REFERENCE},
    } | changes


def refund(**changes: object) -> dict[str, object]:
    """Some of it given back."""
    return {
        "id": "re_1Nispe2eZvKYlo2Cd31jOCgZ",
        "object": "refund",
        "status": "succeeded",
        "amount": 420,
        "currency": "jpy",
        "payment_intent": "pi_3MtwBwLkdIwHu7ix28a3tqPa",
        "metadata": {"reference": REFUND_REFERENCE},
    } | changes


def page_of(*items: object, has_more: bool = False) -> dict[str, object]:
    """A list or the answer to a search."""
    return {"object": "list", "data": items, "has_more": has_more, "url": "/v1/x"}


def event(type_: str, thing: dict[str, object], **changes: object) -> dict[str, object]:
    """A notice about ``thing``."""
    return {
        "id": "evt_1NG8Du2eZvKYlo2CUI79vXWy",
        "object": "event",
        "type": type_,
        "created": 1_764_248_400,
        "data": {"object": thing},
    } | changes
