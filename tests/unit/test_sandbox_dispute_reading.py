"""What the sandbox's card company says of a contested payment, as its adapter reads it."""

from datetime import UTC, datetime

import msgspec
import pytest

from portal.application.providers import sandbox_card
from portal.application.providers.exchange import Endpoint
from portal.contract.payment import DisputeFound, Finding
from portal.kit.outbound.wire import OutboundAnswer

CARD = Endpoint("card.sandbox.test", 443)
DISPUTE = {
    "id": "cd_1", "status": "opened", "amount": 8420, "taken": 8420, "reason": "fraudulent",
    "respond_by": 1_796_137_200,
}  # fmt: skip
PAYMENT = {
    "id": "cs_1", "reference": "R-1", "status": "succeeded", "amount": 8420, "currency": "JPY",
    "decline_code": None, "approval_no": "123456", "card_hint": "4242", "authentication": "Y",
}  # fmt: skip


def found(dispute: object) -> Finding:
    body = msgspec.json.encode(PAYMENT | {"dispute": dispute})
    answer = OutboundAnswer(fate="answered", status=200, body=body)
    return sandbox_card.ADAPTER.inquire(CARD, "R-1").read(answer)


def test_a_dispute_is_told_beside_the_payment_that_it_is_about() -> None:
    finding = found(DISPUTE)

    assert (finding.state, finding.amount_minor) == ("succeeded", 8420)
    assert finding.dispute == DisputeFound(
        reference="cd_1", state="opened", amount_minor=8420, taken_minor=8420,
        reason="fraudulent", respond_by=datetime(2026, 12, 1, 15, 0, tzinfo=UTC),
    )  # fmt: skip
    assert found(None).dispute is None


@pytest.mark.parametrize(
    "changes", [{"status": "perhaps"}, {"taken": "all"}, {"respond_by": 10**12}, {"id": None}]
)
def test_a_dispute_that_cannot_be_read_makes_the_answer_unclear(
    changes: dict[str, object],
) -> None:
    assert found(DISPUTE | changes).state == "unclear"
