"""How files of transfers and their lines stand, as the merchant schema has it.

Zone: application. Held against the contract's words like portal.application.doors.graphql.enums.
"""

from enum import Enum

import strawberry


@strawberry.enum(description="How far a file of transfers has come.")
class TransferFileState(Enum):
    """portal.domain.transfer.TransferState."""

    BUILDING = "building"
    SEALED = "sealed"
    APPROVED = "approved"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    DISCARDED = "discarded"


@strawberry.enum(description="What is decided about a file of transfers.")
class TransferDecision(Enum):
    """portal.domain.transfer.TransferDecision."""

    APPROVE = "approve"
    DISCARD = "discard"


@strawberry.enum(description="What a bank said to a file of transfers as a whole.")
class TransferWord(Enum):
    """portal.domain.transfer.TransferWord."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@strawberry.enum(description="What became of one transfer of a file.")
class TransferLineState(Enum):
    """portal.domain.transfer.LineState."""

    IN_FILE = "in_file"
    RELEASED = "released"
    TRANSFERRED = "transferred"
    RETURNED = "returned"
