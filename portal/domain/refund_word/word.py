"""What was asked of a company about a refund, what it answered, and what that comes to. Pure."""

from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec

from portal.domain.refund import RefundFound, RefundOutcome

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as its caller wrote it, with placeholders where the relay put something in.

    ``headers`` are names in lower case; what stands in them tells nothing.
    """

    method: str
    path: str
    headers: frozenset[str]
    body: str


@dataclass(frozen=True, slots=True)
class Said:
    """A complete answer."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundKnown:
    """What we know of a refund. Units: minor units.

    ``payment`` is our reference of the payment, ``payment_name`` its company's own name of it as
    that company's adapter keeps it; ``remaining_minor`` is what stays taken afterwards.
    """

    payment: str
    payment_name: str
    reference: str
    amount_minor: int
    remaining_minor: int


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """``refused`` means that nothing was given back; ``unknown`` that only an inquiry can tell."""

    outcome: RefundOutcome
    provider_ref: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class RefundFinding:
    """What an inquiry learned about one refund; ``amount_minor`` matters only for a success."""

    state: RefundFound
    amount_minor: int = 0
    provider_ref: str = ""
    code: str = ""


class RefundReader(Protocol):
    """How a company speaks of refunds. Nothing here raises on anything that can come."""

    def name_payment(self, asked: Asked) -> str | None:
        """Of which payment a refund was asked for, by its company's name; "" where it names none.

        None at a company that is told our own reference of the payment.
        """
        ...

    def is_question(self, asked: Asked, known: RefundKnown) -> bool:
        """Whether it asked about just this refund, so that "there is none" is about it."""
        ...

    def read_answer(self, said: Said, known: RefundKnown) -> RefundAnswer:
        """What came of giving it back."""
        ...

    def read_finding(self, said: Said, known: RefundKnown) -> RefundFinding:
        """What a company knows of it, asked as :meth:`is_question` has it."""
        ...


def read_json(body: bytes | str, shape: type[T]) -> T | None:
    """A body as ``shape``, or None when it is anything else."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
