"""Stripe's disputes, in the shape of its documentation: what is asked, and how the answers read."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from portal.application.providers import stripe
from portal.application.providers.exchange import Endpoint, Exchange
from portal.contract.payment import DisputeFound, Finding
from portal.kit.outbound.wire import OutboundAnswer
from tests.make.stripe import AMOUNT, REFERENCE, answered, event, failed, intent, page_of

API = Endpoint("api.stripe.com", 443)
INTENT = "pi_3MtwBwLkdIwHu7ix28a3tqPa"
CONTESTED = intent(latest_charge={"id": "ch_1", "object": "charge", "disputed": True})
TAKEN = {"amount": -AMOUNT, "currency": "jpy", "fee": 1300, "object": "balance_transaction"}
RETURNED = {"amount": AMOUNT, "currency": "jpy", "object": "balance_transaction"}


def dispute(**changes: object) -> dict[str, object]:
    """The Dispute object as docs.stripe.com/api/disputes/object shows it, over yen."""
    return {
        "id": "du_1MtJUT2eZvKYlo2CNaw2HvEv",
        "object": "dispute",
        "amount": AMOUNT,
        "balance_transactions": [TAKEN],
        "charge": "ch_1AZtxr2eZvKYlo2CJDX8whov",
        "created": 1_680_651_737,
        "currency": "jpy",
        "evidence_details": {"due_by": 1_682_294_399, "has_evidence": False, "past_due": False},
        "is_charge_refundable": False,
        "metadata": {},
        "payment_intent": INTENT,
        "reason": "general",
        "status": "needs_response",
    } | changes


def asked_of(answer: OutboundAnswer) -> Exchange[Finding] | None:
    exchange = stripe.ADAPTER.inquire(API, REFERENCE, INTENT)
    assert exchange.then is not None
    return exchange.then(answer)


def found(answer: OutboundAnswer) -> Finding:
    following = asked_of(answered(200, CONTESTED))
    assert following is not None
    return following.read(answer)


def test_a_payment_that_nobody_contests_costs_one_question() -> None:
    for answer in (answered(200, intent()), answered(200, intent(status="processing"))):
        assert asked_of(answer) is None


def test_a_contested_payments_disputes_are_asked_for_by_its_intent() -> None:
    following = asked_of(answered(200, CONTESTED))

    assert following is not None
    path = urlsplit(following.request.path)
    assert (following.request.method, path.path) == ("GET", "/v1/disputes")
    assert parse_qs(path.query) == {"payment_intent": [INTENT], "limit": ["100"]}


def test_the_newest_dispute_is_told_beside_the_payment() -> None:
    finding = found(answered(200, page_of(dispute(), dispute(id="du_0", status="won"))))

    assert (finding.state, finding.amount_minor) == ("succeeded", AMOUNT)
    assert finding.dispute == DisputeFound(
        reference="du_1MtJUT2eZvKYlo2CNaw2HvEv",
        state="opened",
        amount_minor=AMOUNT,
        taken_minor=AMOUNT,
        reason="general",
        respond_by=datetime(2023, 4, 23, 23, 59, 59, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("status", "moved", "state", "taken"),
    [
        ("warning_needs_response", [], "opened", 0),
        ("warning_under_review", [], "opened", 0),
        ("warning_closed", [], "won", 0),
        ("under_review", [TAKEN], "opened", AMOUNT),
        ("won", [TAKEN, RETURNED], "won", 0),
        ("lost", [TAKEN], "lost", AMOUNT),
        ("prevented", [], "won", 0),
    ],
)
def test_each_status_of_the_documentation_reads_as_what_it_does_with_the_money(
    status: str, moved: list[object], state: str, taken: int
) -> None:
    said = dispute(status=status, balance_transactions=moved, evidence_details=None)

    told = found(answered(200, page_of(said))).dispute

    assert told is not None
    assert (told.state, told.taken_minor, told.respond_by) == (state, taken, None)


@pytest.mark.parametrize(
    "answer",
    [
        OutboundAnswer(fate="unclear", code="timed_out"),
        failed(500, "api_error"),
        answered(200, page_of()),
        answered(200, page_of(dispute(payment_intent="pi_other"))),
        answered(200, page_of(dispute(currency="usd"))),
        answered(200, page_of(dispute(balance_transactions=[TAKEN | {"currency": "usd"}]))),
        answered(200, page_of(dispute(status="astonished"))),
        answered(200, page_of(dispute(evidence_details={"due_by": 10**12}))),
        answered(200, b"<html>"),
    ],
)
def test_what_is_not_readable_is_unclear_and_never_a_plain_success(answer: OutboundAnswer) -> None:
    assert found(answer).state == "unclear"


@pytest.mark.parametrize("kind", ["created", "updated", "funds_withdrawn", "closed"])
def test_a_disputes_notice_names_the_payment_by_stripes_name(kind: str) -> None:
    raw = msgspec.json.encode(event(f"charge.dispute.{kind}", dispute()))

    [claim] = stripe.NOTICES.parse(raw, {})

    assert (claim.reference, claim.provider_ref) == ("", INTENT)
    assert claim.claim == f"charge.dispute.{kind}"


def test_a_disputes_notice_without_a_payment_claims_nothing() -> None:
    raw = msgspec.json.encode(event("charge.dispute.created", dispute(payment_intent=None)))

    assert stripe.NOTICES.parse(raw, {}) == ()
