"""Stripe: what we ask and how its answers read.

Application zone; pure. The payer pays on Checkout, which is Stripe's own page: no script and no
number of a card comes near us. A session is opened under our reference as its idempotency key, its
``client_reference_id`` and the ``reference`` of the payment's metadata, so that every answer says
whose it is.

Source: docs.stripe.com/api (Create a Checkout Session, Create a PaymentIntent, Create a refund,
Errors, Idempotent requests), docs.stripe.com/search (Data freshness).
"""

from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import quote

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
)
from portal.application.providers.refund_answers import known_of, read_answer, read_finding
from portal.application.providers.stripe import reading
from portal.application.providers.stripe.disputes import ask_of_disputes
from portal.application.providers.stripe.shapes import find_payment, get, post
from portal.contract.payment import Finding
from portal.domain.payment_word.stripe import read_payment
from portal.domain.payment_word.stripe_body import where
from portal.domain.refund_word.stripe import CURRENCY, LIST_MAX, REFUNDS_PATH, StripeRefunds
from portal.domain.refund_word.word import RefundAnswer, RefundFinding
from portal.kit.outbound.wire import OutboundAnswer

_READER: Final = StripeRefunds()


class Stripe:
    """Card by redirect, charges of enrolled cards, refunds: the Protocols of ``methods``."""

    def open_session(self, endpoint: Endpoint, wanted: SessionWanted) -> Exchange[SessionAnswer]:
        """Open a Checkout Session; one that exists under our reference reads as unknown.

        3-D Secure is asked for on every payment (Credit Card Security Guideline 6.0). With
        ``enrol`` Stripe makes a customer of its own and keeps the card for charges off session.
        """
        line = "line_items[0]"
        fields = {
            "mode": "payment",
            "client_reference_id": wanted.reference,
            "metadata[reference]": wanted.reference,
            "payment_intent_data[metadata][reference]": wanted.reference,
            f"{line}[quantity]": "1",
            f"{line}[price_data][currency]": CURRENCY,
            f"{line}[price_data][unit_amount]": str(wanted.amount.amount_minor),
            f"{line}[price_data][product_data][name]": wanted.description,
            "payment_method_types[0]": "card",
            "payment_method_options[card][request_three_d_secure]": "any",
            # A payer abroad would otherwise be offered, and pay, another currency than the bill's.
            "adaptive_pricing[enabled]": "false",
            "success_url": wanted.return_url,
            "cancel_url": wanted.return_url,
        }
        if wanted.enrol:
            fields |= {
                "customer_creation": "always",
                "payment_intent_data[setup_future_usage]": "off_session",
                "payment_intent_data[metadata][customer_reference]": wanted.customer_reference,
            }
        request = post(endpoint, "/v1/checkout/sessions", wanted.reference, fields)
        return Exchange(request, lambda answer: reading.read_session(answer, wanted))

    def inquire(
        self, endpoint: Endpoint, reference: str, provider_ref: str = ""
    ) -> Exchange[Finding]:
        """Ask what became of the payment: by its session or intent, else by our reference.

        Nothing found by our reference is ``not_found``: without the answer to its opening nobody
        has the session's address, and no money can come of it. Of a payment that its payer
        contests the dispute is asked for, too.
        """
        return Exchange(
            find_payment(endpoint, reference, provider_ref),
            lambda answer: payment_answers.read_finding(
                answer, partial(read_payment, reference=reference)
            ),
            lambda answer: ask_of_disputes(endpoint, answer, reference),
        )

    def charge(self, endpoint: Endpoint, wanted: ChargeWanted) -> Exchange[SessionAnswer]:
        """Charge an enrolled card off session; a bank that wants the payer there declines it.

        Sum and reference are the relay's to fill in, like the card: what is asked for here is what
        the vault says, and nothing else.
        """
        fields = {
            "amount": "{{instrument:amount}}",
            "currency": CURRENCY,
            "customer": "{{instrument:customer}}",
            "payment_method": "{{instrument:token}}",
            "payment_method_types[0]": "card",
            "confirm": "true",
            "off_session": "true",
            "metadata[reference]": "{{instrument:reference}}",
            "metadata[original_reference]": wanted.original_reference,
        }
        request = post(endpoint, "/v1/payment_intents", "{{instrument:reference}}", fields)
        request = msgspec.structs.replace(request, delivery_id=wanted.instrument_id)
        return Exchange(request, lambda answer: reading.read_charge(answer, wanted))

    def pay_kept(self, endpoint: Endpoint, wanted: KeptWanted) -> Exchange[SessionAnswer]:
        """Have an enrolled card pay on session: the payer's bank may ask them, on its own page.

        Stripe takes the money as soon as the bank knows them; nothing is left for us to do.
        """
        fields = {
            "amount": "{{instrument:amount}}",
            "currency": CURRENCY,
            "customer": "{{instrument:customer}}",
            "payment_method": "{{instrument:token}}",
            "payment_method_types[0]": "card",
            "payment_method_options[card][request_three_d_secure]": "any",
            "confirm": "true",
            "return_url": wanted.return_url,
            "metadata[reference]": "{{instrument:reference}}",
        }
        request = post(endpoint, "/v1/payment_intents", "{{instrument:reference}}", fields)
        request = msgspec.structs.replace(request, delivery_id=wanted.attempt_id)
        return Exchange(request, lambda answer: reading.read_charge(answer, wanted))

    def take_back(self, endpoint: Endpoint, provider_ref: str) -> Exchange[bool] | None:
        """Cancel an intent whose payer has left their bank's page; it would stay open for good.

        One that was paid meanwhile can't be canceled, and is found paid.
        """
        if not provider_ref.startswith("pi_"):
            return None
        path = f"/v1/payment_intents/{quote(provider_ref, safe='')}/cancel"
        fields = {"cancellation_reason": "abandoned"}
        request = post(endpoint, path, f"{provider_ref}.abandoned", fields)
        return Exchange(request, reading.is_canceled)

    def refund(self, endpoint: Endpoint, wanted: RefundWanted) -> Exchange[RefundAnswer]:
        """Give back under our reference of the refund; first find the intent where we must."""
        if wanted.provider_ref.startswith("pi_"):
            return self._refund(endpoint, wanted, wanted.provider_ref)

        def then(answer: OutboundAnswer) -> Exchange[RefundAnswer] | None:
            intent = reading.read_intent(answer, wanted.reference)
            return None if intent is None else self._refund(endpoint, wanted, intent.id)

        request = find_payment(endpoint, wanted.reference, wanted.provider_ref)
        return Exchange(request, reading.read_refund_unsent, then)

    def inquire_refund(self, endpoint: Endpoint, wanted: RefundWanted) -> Exchange[RefundFinding]:
        """Look for our reference among the refunds of the payment; the list is never behind."""
        if wanted.provider_ref.startswith("pi_"):
            return self._refunds_of(endpoint, wanted, wanted.provider_ref)

        def then(answer: OutboundAnswer) -> Exchange[RefundFinding] | None:
            intent = reading.read_intent(answer, wanted.reference)
            return None if intent is None else self._refunds_of(endpoint, wanted, intent.id)

        request = find_payment(endpoint, wanted.reference, wanted.provider_ref)
        return Exchange(request, lambda _answer: RefundFinding("unclear"), then)

    def _refund(
        self, endpoint: Endpoint, wanted: RefundWanted, intent_id: str
    ) -> Exchange[RefundAnswer]:
        fields = {
            "payment_intent": intent_id,
            "amount": str(wanted.amount.amount_minor),
            "metadata[reference]": wanted.refund_reference,
        }
        request = post(endpoint, REFUNDS_PATH, wanted.refund_reference, fields)
        request = msgspec.structs.replace(request, delivery_id=wanted.refund_id)
        known = known_of(wanted)
        return Exchange(request, lambda answer: read_answer(_READER, answer, known))

    def _refunds_of(
        self, endpoint: Endpoint, wanted: RefundWanted, intent_id: str
    ) -> Exchange[RefundFinding]:
        path = where(REFUNDS_PATH, payment_intent=intent_id, limit=LIST_MAX)
        request = get(endpoint, path)
        request = msgspec.structs.replace(request, about_refund=wanted.refund_id)
        known = replace(known_of(wanted), payment_name=intent_id)
        return Exchange(request, lambda answer: read_finding(_READER, answer, known))


ADAPTER: Final = Stripe()
