"""What becomes of a debit whose answer means one thing only: judged once for all of a kind. Pure.

A bank's answer to a hundred thousand lines is a hundred thousand times the same few cases. Lines
are of one kind when all that the rules look at is alike but for the amount; so the rules are asked
once a kind, with an amount of 1, and whoever stores it does so for all lines of the kind at once.
What is not plain (a bill paid meanwhile or being canceled, money that is told of late, a doubt) is
booked by itself.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from portal.domain import bill as bills
from portal.domain import debit as rules
from portal.domain import payment as attempts
from portal.domain.bill import BillSums, Lifecycle, Settlement
from portal.domain.debit import DebitState
from portal.domain.ledger import Account, attempt_succeeded, with_entries
from portal.domain.payment import AttemptFacts, AttemptState, DeclineCode, Verdict
from portal.domain.transition import Edge
from portal.domain.zengin.result import Cause

_WAITING: Final[frozenset[AttemptState]] = frozenset({"processing", "unknown"})
"""Where the attempt of a debit is while its bank's answer is open."""

_OPEN: Final[frozenset[DebitState]] = frozenset({"in_file", "unknown"})
"""What a bank says after these comes late, and a person looks at it."""

_ONE: Final = UUID(int=1)
_SOME_DAY: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""The rules ask how long something is in doubt only where it stays so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What the rules look at. ``cause`` None: the bank does not debit the file at all.

    ``owes_all``: the ledger has the bill's issue and nothing else, over just the debit's amount.
    """

    cause: Cause | None
    debit: DebitState
    attempt: AttemptState
    lifecycle: Lifecycle
    settlement: Settlement
    owes_all: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One ledger entry of each line: its account, and 1 for a debit or -1 for a credit."""

    account: Account
    sign: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """What becomes of every line of a kind.

    ``settled`` and ``sides``: the bill's settlement and the ledger's entries, None and none where
    no money moved.
    """

    debit: Edge[DebitState]
    attempt: Edge[AttemptState]
    decline: DeclineCode | None = None
    settled: Edge[Settlement] | None = None
    sides: tuple[Side, ...] = ()


def judge_kind(kind: Kind) -> Plain | None:
    """What becomes of the lines of a kind; None where each has to be looked at by itself."""
    event = "withdraw" if kind.cause is None else rules.EVENTS[kind.cause]
    if kind.debit not in _OPEN or (kind.debit, event) not in rules.DEBITS:
        return None
    debit = rules.advance_debit(kind.debit, event)
    if debit.state == "unknown" or kind.attempt not in _WAITING or kind.lifecycle == "canceling":
        return None
    if debit.state == "succeeded":
        is_waited_for = kind.owes_all and kind.settlement == "unpaid"
        return _judge_money(kind, debit) if is_waited_for else None
    decline = rules.DECLINES[debit.state]
    verdict = attempts.judge(_facts(kind), "failed", 1, decline, _SOME_DAY)
    if verdict.edge is None or verdict != Verdict(edge=verdict.edge, decline_code=decline):
        return None
    return Plain(debit=debit, attempt=verdict.edge, decline=decline)


def _judge_money(kind: Kind, debit: Edge[DebitState]) -> Plain | None:
    """A success, of a bill that owes just that."""
    sums = BillSums(receivable=1)
    owed = bills.owed_minor(kind.lifecycle, sums)
    verdict = attempts.judge(_facts(kind), "succeeded", 1, "", _SOME_DAY)
    if owed != 1 or verdict.edge is None or verdict != Verdict(edge=verdict.edge, booked=True):
        return None
    transaction = attempt_succeeded(_ONE, _ONE, 1, owed)
    settled = bills.settle(kind.settlement, with_entries(sums, transaction))
    if settled is None:
        return None
    return Plain(
        debit=debit,
        attempt=verdict.edge,
        settled=settled,
        sides=tuple(
            Side(account=entry.account, sign=entry.amount_minor) for entry in transaction.entries
        ),
    )


def _facts(kind: Kind) -> AttemptFacts:
    return AttemptFacts(
        state=kind.attempt,
        amount_minor=1,
        doubt_at=_SOME_DAY,
        silent_since=_SOME_DAY,
        asked=0,
        missing_at=None,
    )
