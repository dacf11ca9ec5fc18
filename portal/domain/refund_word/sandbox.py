"""How the sandbox's card company speaks of refunds. Pure."""

from typing import Final, Literal
from urllib.parse import quote

import msgspec

from portal.domain.refund_word.word import (
    Asked,
    RefundAnswer,
    RefundFinding,
    RefundKnown,
    Said,
    read_json,
)

_OK: Final = 200
_CREATED: Final = 201
_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_REFUSALS: Final = frozenset({400, 401, 403, 404, 413, 415, 422, _TOO_MANY})

_States = Literal["pending", "succeeded", "failed"]
_TAKEN: Final[dict[_States, Literal["succeeded", "accepted", "refused"]]] = {
    "succeeded": "succeeded",
    "pending": "accepted",
    "failed": "refused",
}


class _Refund(msgspec.Struct, frozen=True):
    id: str
    reference: str
    payment: str
    status: _States
    amount: int
    currency: Literal["JPY"]


class _Refusal(msgspec.Struct, frozen=True):
    code: str


class SandboxRefunds:
    """See :class:`portal.domain.refund_word.word.RefundReader`."""

    def name_payment(self, asked: Asked) -> None:
        """It is told our own reference of the payment."""
        del asked

    def is_question(self, asked: Asked, known: RefundKnown) -> bool:
        """A refund is asked for by our reference of it."""
        path = f"/v1/refunds/{quote(known.reference, safe='')}"
        return (asked.method, asked.path) == ("GET", path)

    def read_answer(self, said: Said, known: RefundKnown) -> RefundAnswer:
        """A refusal, or the refund that was made."""
        if said.status in _REFUSALS:
            is_busy = said.status == _TOO_MANY
            return RefundAnswer("refused", code="provider_busy" if is_busy else "provider_refused")
        refund = _the_refund(said, known, {_OK, _CREATED})
        if refund is None or refund.amount != known.amount_minor:
            return RefundAnswer("unknown", code="answer_unreadable")
        return RefundAnswer(_TAKEN[refund.status], provider_ref=refund.id, code=_failure(refund))

    def read_finding(self, said: Said, known: RefundKnown) -> RefundFinding:
        """The refund, or the company's own word that there is none."""
        if said.status == _NOT_FOUND:
            refusal = read_json(said.body, _Refusal)
            found_nothing = refusal is not None and refusal.code == "not_found"
            return RefundFinding("not_found" if found_nothing else "unclear")
        refund = _the_refund(said, known, {_OK})
        if refund is None:
            return RefundFinding("unclear")
        return RefundFinding(refund.status, refund.amount, refund.id, _failure(refund))


def _the_refund(said: Said, known: RefundKnown, good: set[int]) -> _Refund | None:
    """The refund that an answer tells of, if it is the one that was meant."""
    refund = read_json(said.body, _Refund) if said.status in good else None
    if refund is None or refund.reference != known.reference:
        return None
    return refund if refund.payment == known.payment else None


def _failure(refund: _Refund) -> str:
    return "provider_refused" if refund.status == "failed" else ""
