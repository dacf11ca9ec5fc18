"""What the relay tells the vault of a company: what was asked, and what it answered."""

from portal.contract.envelope import Operation, Part, Reply, Request
from portal.domain.ids import AttemptId


class CompanyAsked(Part, frozen=True, kw_only=True):
    """A request to a company as its caller wrote it, before the relay put anything in.

    ``headers`` are names in lower case, without what stands in them.
    """

    method: str
    path: str
    headers: tuple[str, ...]
    body: str


class DepositPaymentAnswer(Request, frozen=True, kw_only=True):
    """What ``host`` answered to a question about a payment. Caller: egress.

    The relay's word on what was asked and heard; nobody else's moves an attempt. ``merchant_code``
    and ``attempt_id`` are who had it asked: what was asked is held to that attempt.
    Units: ``age_ms`` milliseconds since the asking began.
    """

    host: str
    merchant_code: str
    attempt_id: AttemptId
    asked: CompanyAsked
    status: int
    body: bytes
    age_ms: int


class PaymentAnswerDeposited(Reply, frozen=True, kw_only=True):
    """``refused`` is a code when the answer moves nothing."""

    refused: str | None


DEPOSIT_PAYMENT_ANSWER = Operation(
    "deposit_payment_answer", DepositPaymentAnswer, PaymentAnswerDeposited
)
