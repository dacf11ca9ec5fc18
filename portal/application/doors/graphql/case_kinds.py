"""What a case tells of, what is done about it and how it ends, as the merchant schema has it.

Zone: application. Held against the contract's words like portal.application.doors.graphql.enums.
"""

from enum import Enum

import strawberry


@strawberry.enum(description="What a case tells of; `TASK_…`: a step failed too often and stopped.")
class CaseKind(Enum):
    """portal.domain.case.CaseKind."""

    TASK_INTAKE_ACCEPT_CHUNK = "task.intake.accept_chunk"
    TASK_INTAKE_ISSUE_BILLS = "task.intake.issue_bills"
    TASK_INTAKE_DISCARD_BILLS = "task.intake.discard_bills"
    TASK_MESSAGE_SEND_CHUNK = "task.message.send_chunk"
    TASK_PAYMENT_INQUIRE = "task.payment.inquire"
    TASK_MESSAGE_ADVANCE_LADDERS = "task.message.advance_ladders"
    TASK_PAYMENT_PASS_DUE = "task.payment.pass_due"  # noqa: S105 - a kind of case, no password
    TASK_PAYMENT_REFUND = "task.payment.refund"
    TASK_PAYMENT_REFUND_INQUIRE = "task.payment.refund_inquire"
    TASK_DEBIT_FILL = "task.debit.fill"
    TASK_DEBIT_BOOK = "task.debit.book"
    TASK_DEBIT_SEND = "task.debit.send"
    TASK_TRANSFER_ADVANCE = "task.transfer.advance"
    TASK_TRANSFER_SEND = "task.transfer.send"
    TASK_CHARGE_CHOOSE = "task.charge.choose"
    TASK_CHARGE_SEND = "task.charge.send"
    TASK_MANDATE_ASK = "task.mandate.ask"
    TASK_DEBIT_FETCH = "task.debit.fetch"
    TASK_DEBIT_TELL_FAILED = "task.debit.tell_failed"
    TASK_MESSAGE_SWITCH_UNOPENED = "task.message.switch_unopened"
    TASK_SETTLEMENT_WRITE_RESULTS = "task.settlement.write_results"
    OVERPAID = "overpaid"
    LATE_SUCCESS = "late_success"
    AMOUNT_MISMATCH = "amount_mismatch"
    PROVIDER_CONTRADICTS = "provider_contradicts"
    ATTEMPT_UNRESOLVED = "attempt_unresolved"
    REFUND_FAILED = "refund_failed"
    REFUND_UNRESOLVED = "refund_unresolved"
    REFUND_CONTRADICTS = "refund_contradicts"
    REFUND_RETURNED = "refund_returned"
    SLIP_UNKNOWN = "slip_unknown"
    SLIP_DIFFERS = "slip_differs"
    SLIP_CHECK_DIGIT = "slip_check_digit"
    SLIP_AMOUNT_MISMATCH = "slip_amount_mismatch"
    SLIP_REVERSAL_UNMATCHED = "slip_reversal_unmatched"
    SLIP_REVERSAL_CONTRADICTS = "slip_reversal_contradicts"
    SLIP_PAID_TWICE = "slip_paid_twice"
    SLIP_AFTER_DEADLINE = "slip_after_deadline"
    SLIP_REPLACED_PAID = "slip_replaced_paid"
    SLIP_POSTAL_CORRECTION = "slip_postal_correction"
    SLIP_NOT_OWED = "slip_not_owed"
    DEBIT_UNCLEAR = "debit_unclear"
    DEBIT_UNEXPECTED = "debit_unexpected"
    DEBIT_CONTRADICTS = "debit_contradicts"
    SLIP_UNCONFIRMED = "slip_unconfirmed"
    CHARGED_BACK = "charged_back"
    CHARGEBACK_LOST = "chargeback_lost"
    RESULTS_UNACKNOWLEDGED = "results_unacknowledged"
    CONTACT_DENIED = "contact_denied"
    BILL_UNTOLD = "bill_untold"
    SENDER_REFUSED = "sender_refused"
    WORDING_UNFIT = "wording_unfit"
    CARD_UNAUTHENTICATED = "card_unauthenticated"


@strawberry.enum(description="What is done about a case.")
class CaseAction(Enum):
    """portal.domain.case.CaseAction."""

    RESTART = "restart"
    ASK_AGAIN = "ask_again"
    SETTLED_BY_HAND = "settled_by_hand"
    LET_BE = "let_be"
    ASK_TO_PAY = "ask_to_pay"


@strawberry.enum(description="How a case ended: by a choice, or by itself.")
class CaseResolution(Enum):
    """portal.domain.case.CaseResolution."""

    RESTART = "restart"
    ASK_AGAIN = "ask_again"
    SETTLED_BY_HAND = "settled_by_hand"
    LET_BE = "let_be"
    ASK_TO_PAY = "ask_to_pay"
    RETURNED = "returned"
    WON = "won"
    LOST = "lost"
    ACKNOWLEDGED = "acknowledged"
    MENDED = "mended"
