"""Words of the merchant schema about files from and back to the billing system.

Zone: application. Held against the domain's words like portal.application.doors.graphql.enums.
"""

from enum import Enum

import strawberry


@strawberry.enum(description="How a file back to the billing system is written.")
class ResultCharset(Enum):
    """portal.domain.result_file.ResultCharset."""

    UTF_8 = "utf-8"
    SHIFT_JIS = "cp932"


@strawberry.enum(description="How far a file back to the billing system has come.")
class ResultState(Enum):
    """portal.domain.result_file.ResultState."""

    WRITING = "writing"
    READY = "ready"
    ACKNOWLEDGED = "acknowledged"


@strawberry.enum(description="What a row of a file back to the billing system tells.")
class ResultKind(Enum):
    """portal.domain.result_file.ResultKind."""

    SENT = "sent"
    DELIVERED = "delivered"
    OPENED = "opened"
    PAID_PROVISIONAL = "paid_provisional"
    PAID_CONFIRMED = "paid_confirmed"
    PAID_REVERSED = "paid_reversed"
    PAID_RESTORED = "paid_restored"
    REFUNDED = "refunded"
    REFUND_RETURNED = "refund_returned"
    CANCELED = "canceled"
    REPLACED = "replaced"
    TO_PAPER = "to_paper"
    NOT_PRINTED = "not_printed"


@strawberry.enum(description="What a row of a file does to a bill that is there.")
class ChangeAction(Enum):
    """portal.domain.bill_change.ChangeAction."""

    CANCEL = "cancel"
    PAID_ELSEWHERE = "paid_elsewhere"
    REPLACE = "replace"
