"""Cases: what a person has to look at, and what a person may do about each kind. Pure.

A kind is what happened, a choice is what someone can make of it. One table says which choices a
kind has; the vault acts on a choice, doors only show what the table offers. When the thing that a
case is about has moved on by itself, nothing is left to be done: such a case can only be put away.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

from portal.domain.errors import Conflict, InvalidInput, NotAllowed
from portal.domain.payment import LIVE, AttemptState
from portal.domain.refund import ASKED, RefundState
from portal.domain.task import TaskKind

CaseKind = Literal[
    "task.intake.accept_chunk",
    "task.intake.issue_bills",
    "task.intake.discard_bills",
    "task.message.send_chunk",
    "task.message.advance_ladders",
    "task.payment.inquire",
    "task.payment.pass_due",
    "task.payment.refund",
    "task.payment.refund_inquire",
    "task.debit.fill",
    "task.debit.send",
    "task.mandate.ask",
    "task.debit.fetch",
    "task.debit.tell_failed",
    "task.debit.book",
    "task.transfer.advance",
    "task.transfer.send",
    "task.charge.choose",
    "task.charge.send",
    "task.settlement.write_results",
    "task.message.switch_unopened",
    "overpaid",
    "late_success",
    "amount_mismatch",
    "provider_contradicts",
    "attempt_unresolved",
    "refund_failed",
    "refund_unresolved",
    "refund_contradicts",
    "refund_returned",
    "slip_unknown",
    "slip_differs",
    "slip_check_digit",
    "slip_amount_mismatch",
    "slip_reversal_unmatched",
    "slip_reversal_contradicts",
    "slip_paid_twice",
    "slip_after_deadline",
    "slip_replaced_paid",
    "slip_postal_correction",
    "slip_not_owed",
    "debit_unclear",
    "debit_unexpected",
    "debit_contradicts",
    "slip_unconfirmed",
    "charged_back",
    "chargeback_lost",
    "results_unacknowledged",
    "contact_denied",
    "bill_untold",
    "sender_refused",
    "wording_unfit",
    "card_unauthenticated",
]
"""What happened. ``task.KIND``: a task of that kind failed too often and was given up."""

CaseAction = Literal["restart", "ask_again", "settled_by_hand", "let_be", "ask_to_pay"]
"""What someone makes of a case; a closed case keeps it as its resolution."""

CaseResolution = Literal[
    "restart", "ask_again", "settled_by_hand", "let_be", "ask_to_pay", "returned", "won", "lost",
    "acknowledged", "mended",
]  # fmt: skip
"""How a case ended: by somebody's choice, or by itself because all that was owed back has arrived
(``returned``), because a dispute was decided (``won``, ``lost``) or because the merchant has said
that its files arrived (``acknowledged``), or because a company takes its messages again
(``mended``)."""

Subject = Literal[
    "import", "chunk", "attempt", "bill", "merchant", "refund", "slip", "debit_file", "charge",
    "mandate", "transfer_file", "failed_file",
]  # fmt: skip
Role = Literal["owner", "clerk"]

OF_TASKS: Final = "task."
"""How the kinds begin that tell of a task given up; the task's own kind follows."""

NOTE_CHARACTERS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be done about a case.

    ``needs_note``: why has to be written down. ``for_clerks``: it changes nothing that the product
    would not do by itself, so it needs no owner.
    """

    action: CaseAction
    needs_note: bool = False
    for_clerks: bool = False


_RESTART: Final = Choice("restart", for_clerks=True)
_ASK_AGAIN: Final = Choice("ask_again", for_clerks=True)
_BY_HAND: Final = Choice("settled_by_hand", needs_note=True)
_GIVE_UP: Final = Choice("let_be", needs_note=True)
_SEEN: Final = Choice("let_be", for_clerks=True)
_PAY_AGAIN: Final = Choice("ask_to_pay")

CHOICES: Final[Mapping[CaseKind, tuple[Choice, ...]]] = {
    "task.intake.accept_chunk": (_RESTART, _GIVE_UP),
    "task.intake.issue_bills": (_RESTART, _GIVE_UP),
    "task.intake.discard_bills": (_RESTART, _GIVE_UP),
    "task.message.send_chunk": (_RESTART, _GIVE_UP),
    "task.payment.inquire": (_RESTART, _GIVE_UP),
    "task.message.advance_ladders": (_RESTART, _GIVE_UP),
    "task.payment.pass_due": (_RESTART, _GIVE_UP),
    "task.payment.refund": (_RESTART, _GIVE_UP),
    "task.payment.refund_inquire": (_RESTART, _GIVE_UP),
    "task.debit.fill": (_RESTART, _GIVE_UP),
    "task.debit.book": (_RESTART, _GIVE_UP),
    "task.debit.send": (_RESTART, _GIVE_UP),
    "task.transfer.advance": (_RESTART, _GIVE_UP),
    "task.transfer.send": (_RESTART, _GIVE_UP),
    "task.charge.choose": (_RESTART, _GIVE_UP),
    "task.charge.send": (_RESTART, _GIVE_UP),
    "task.mandate.ask": (_RESTART, _GIVE_UP),
    "task.debit.fetch": (_RESTART, _GIVE_UP),
    "task.debit.tell_failed": (_RESTART, _GIVE_UP),
    "task.settlement.write_results": (_RESTART, _GIVE_UP),
    "task.message.switch_unopened": (_RESTART, _GIVE_UP),
    "overpaid": (_BY_HAND,),
    "late_success": (_SEEN, _BY_HAND),
    "amount_mismatch": (_ASK_AGAIN, _BY_HAND),
    "provider_contradicts": (_ASK_AGAIN, _BY_HAND),
    "attempt_unresolved": (_ASK_AGAIN, _BY_HAND),
    "refund_failed": (_SEEN, _BY_HAND),
    "refund_unresolved": (_ASK_AGAIN, _BY_HAND),
    "refund_contradicts": (_ASK_AGAIN, _BY_HAND),
    "refund_returned": (_SEEN, _BY_HAND),
    "slip_unknown": (_SEEN, _BY_HAND),
    "slip_differs": (_BY_HAND,),
    "slip_check_digit": (_BY_HAND,),
    "slip_amount_mismatch": (_BY_HAND,),
    "slip_reversal_unmatched": (_SEEN, _BY_HAND),
    "slip_reversal_contradicts": (_BY_HAND,),
    "slip_paid_twice": (_BY_HAND,),
    "slip_after_deadline": (_SEEN, _BY_HAND),
    "slip_replaced_paid": (_SEEN, _BY_HAND),
    "slip_postal_correction": (_BY_HAND,),
    "slip_not_owed": (_BY_HAND,),
    "debit_unclear": (_BY_HAND,),
    "debit_unexpected": (_BY_HAND,),
    "debit_contradicts": (_BY_HAND,),
    "slip_unconfirmed": (_SEEN, _BY_HAND),
    "charged_back": (_BY_HAND, _GIVE_UP),
    "chargeback_lost": (_PAY_AGAIN, _GIVE_UP),
    "results_unacknowledged": (_SEEN,),
    "contact_denied": (_SEEN, _BY_HAND),
    "bill_untold": (_SEEN, _BY_HAND),
    "sender_refused": (_ASK_AGAIN, _SEEN),
    "wording_unfit": (_SEEN,),
    "card_unauthenticated": (_GIVE_UP, _BY_HAND),
}
"""Kind → what can be done about it, the likeliest first."""

SUBJECTS: Final[Mapping[CaseKind, Subject]] = {
    "task.intake.accept_chunk": "import",
    "task.intake.issue_bills": "import",
    "task.intake.discard_bills": "import",
    "task.message.send_chunk": "chunk",
    "task.payment.inquire": "attempt",
    "task.message.advance_ladders": "merchant",
    "task.payment.pass_due": "merchant",
    "task.payment.refund": "refund",
    "task.payment.refund_inquire": "refund",
    "task.debit.fill": "debit_file",
    "task.debit.book": "debit_file",
    "task.debit.send": "debit_file",
    "task.transfer.advance": "transfer_file",
    "task.transfer.send": "transfer_file",
    "task.charge.choose": "merchant",
    "task.charge.send": "charge",
    "task.mandate.ask": "mandate",
    "task.debit.fetch": "debit_file",
    "task.debit.tell_failed": "failed_file",
    "task.settlement.write_results": "merchant",
    "task.message.switch_unopened": "merchant",
    "overpaid": "bill",
    "late_success": "attempt",
    "amount_mismatch": "attempt",
    "provider_contradicts": "attempt",
    "attempt_unresolved": "attempt",
    "refund_failed": "refund",
    "refund_unresolved": "refund",
    "refund_contradicts": "refund",
    "refund_returned": "refund",
    "slip_unknown": "merchant",
    "slip_differs": "slip",
    "slip_check_digit": "slip",
    "slip_amount_mismatch": "slip",
    "slip_reversal_unmatched": "slip",
    "slip_reversal_contradicts": "slip",
    "slip_paid_twice": "slip",
    "slip_after_deadline": "slip",
    "slip_replaced_paid": "slip",
    "slip_postal_correction": "slip",
    "slip_not_owed": "slip",
    "debit_unclear": "debit_file",
    "debit_unexpected": "debit_file",
    "debit_contradicts": "attempt",
    "slip_unconfirmed": "slip",
    "charged_back": "attempt",
    "chargeback_lost": "attempt",
    "results_unacknowledged": "merchant",
    "contact_denied": "bill",
    "bill_untold": "bill",
    "sender_refused": "merchant",
    "wording_unfit": "merchant",
    "card_unauthenticated": "attempt",
}
"""Kind → what its subject's id is of; a chunk is one of messages."""


def subject_of(task: TaskKind) -> Subject:
    """What the subject of a task that was given up is."""
    return SUBJECTS[cast("CaseKind", f"{OF_TASKS}{task}")]


ENDED_BY: Final[Mapping[str, tuple[CaseKind, CaseResolution]]] = {
    "bill.overpayment_returned": ("overpaid", "returned"),
}
"""Event of a bill → the kind of its case that ends with it, by itself, and how. What was paid
twice and what came for a canceled bill make the same kind."""

_AFTERWARDS: Final[tuple[Choice, ...]] = (_SEEN, _BY_HAND)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """How the thing that a case is about stands now; what it has nothing of stays as it is here.

    ``waiting``: parts of a file or messages that nobody works on any more. ``ask_planned``: an
    inquiry about the attempt or refund is due or to come. ``has_task``: another task does the same
    already. ``is_judged_again``: what the first look at a file made is to be deleted.
    """

    import_state: str = ""
    is_judged_again: bool = False
    waiting: int = 0
    attempt_state: AttemptState | None = None
    refund_state: RefundState | None = None
    ask_planned: bool = False
    has_task: bool = False
    settlement: str = ""


_MOVED_ON: Final[Mapping[CaseKind, Callable[[CaseFacts], bool]]] = {
    "task.intake.accept_chunk": lambda facts: (
        facts.import_state not in {"receiving", "checking"} or not facts.waiting
    ),
    "task.intake.issue_bills": lambda facts: (
        # Of one that was sent, new bills may still wait to replace others.
        facts.import_state != "issuing" and not (facts.import_state == "issued" and facts.waiting)
    ),
    "task.intake.discard_bills": lambda facts: (
        facts.import_state not in {"discarding", "refused"} and not facts.is_judged_again
    ),
    "task.message.send_chunk": lambda facts: not facts.waiting,
    "task.payment.inquire": lambda facts: facts.attempt_state not in LIVE and not facts.ask_planned,
    "task.message.advance_ladders": lambda facts: facts.has_task,
    "task.payment.pass_due": lambda facts: facts.has_task,
    "task.payment.refund": lambda facts: facts.refund_state != "reserved" or facts.has_task,
    "task.payment.refund_inquire": lambda facts: (
        facts.refund_state not in ASKED and not facts.ask_planned
    ),
    "task.debit.fill": lambda facts: facts.has_task,
    "task.debit.book": lambda facts: facts.has_task,
    "task.debit.send": lambda facts: facts.has_task,
    "task.transfer.advance": lambda facts: facts.has_task,
    "task.transfer.send": lambda facts: facts.has_task,
    "task.charge.choose": lambda facts: facts.has_task,
    "task.charge.send": lambda facts: facts.has_task,
    "task.mandate.ask": lambda facts: facts.has_task,
    "task.debit.fetch": lambda facts: facts.has_task,
    "task.debit.tell_failed": lambda facts: facts.has_task,
    "task.settlement.write_results": lambda facts: facts.has_task,
    "task.message.switch_unopened": lambda facts: facts.has_task,
    "refund_unresolved": lambda facts: facts.refund_state not in ASKED,
    "attempt_unresolved": lambda facts: facts.attempt_state not in LIVE,
    "refund_returned": lambda facts: facts.refund_state != "by_bank_transfer",
    "overpaid": lambda facts: facts.settlement != "over",
    "chargeback_lost": lambda facts: facts.settlement != "reversed",
}
"""Kind → whether nothing is left to be done; the kinds that are missing need a look whatever
happened since."""


def has_moved_on(kind: CaseKind, facts: CaseFacts) -> bool:
    """Whether what the case asks for has happened meanwhile, or is not wanted any more."""
    judge = _MOVED_ON.get(kind)
    return judge is not None and judge(facts)


def choices_of(kind: CaseKind, role: Role | None, *, moved_on: bool) -> tuple[Choice, ...]:
    """What someone of ``role`` may do about an open case; None is a system with an API key."""
    offered = _AFTERWARDS if moved_on else CHOICES[kind]
    return tuple(choice for choice in offered if choice.for_clerks or role != "clerk")


def choose(kind: CaseKind, action: CaseAction, role: Role | None, *, moved_on: bool) -> Choice:
    """The row of the table for an action that someone of ``role`` asked for.

    Raises: Conflict ``case_moved_on`` when there is nothing left to do, ``case_action`` (params
    ``action``, ``kind``) when this kind knows no such action; NotAllowed ``not_allowed``.
    """
    offered = _AFTERWARDS if moved_on else CHOICES[kind]
    for choice in offered:
        if choice.action == action:
            if role == "clerk" and not choice.for_clerks:
                raise NotAllowed("not_allowed")
            return choice
    if any(choice.action == action for choice in CHOICES[kind]):
        raise Conflict("case_moved_on")
    raise Conflict("case_action", params={"action": action, "kind": kind})


def check_note(choice: Choice, note: str) -> None:
    """Refuse to settle without a word what needs one.

    Raises: InvalidInput ``case_note_needed`` (param ``field``).
    """
    if choice.needs_note and not note:
        raise InvalidInput("case_note_needed", params={"field": "note"})
