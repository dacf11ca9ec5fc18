"""Tasks: the steps that stages leave in the outbox for one another, by kind and lane."""

from typing import Final, Literal

TaskKind = Literal[
    "intake.accept_chunk",
    "intake.issue_bills",
    "intake.discard_bills",
    "message.send_chunk",
    "message.advance_ladders",
    "payment.inquire",
    "payment.pass_due",
    "payment.refund",
    "payment.refund_inquire",
    "debit.fill",
    "debit.book",
    "debit.send",
    "charge.choose",
    "charge.send",
    "mandate.ask",
    "debit.fetch",
    "transfer.advance",
    "transfer.send",
    "debit.tell_failed",
    "settlement.write_results",
    "message.switch_unopened",
]
"""What a task asks for: stage, dot, step."""

Lane = Literal["urgent", "bulk"]
"""Urgent tasks concern one person who is waiting; bulk tasks are slices of long runs."""

LANES: Final[dict[TaskKind, Lane]] = {
    "intake.accept_chunk": "bulk",
    "intake.issue_bills": "bulk",
    "intake.discard_bills": "bulk",
    "message.send_chunk": "bulk",
    "message.advance_ladders": "bulk",
    "payment.inquire": "urgent",
    "payment.pass_due": "bulk",
    "payment.refund": "urgent",
    "payment.refund_inquire": "urgent",
    "debit.fill": "bulk",
    "debit.book": "bulk",
    "debit.send": "urgent",
    "charge.choose": "bulk",
    "charge.send": "bulk",
    "mandate.ask": "urgent",
    "debit.fetch": "bulk",
    "transfer.advance": "bulk",
    "transfer.send": "urgent",
    "debit.tell_failed": "bulk",
    "settlement.write_results": "bulk",
    "message.switch_unopened": "bulk",
}
"""The lane of a kind unless the task was planned with another (one resent message is urgent)."""
