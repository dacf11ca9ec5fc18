"""The closed sets of words of debit files, here and elsewhere; see ``enums``. Zone: application."""

from enum import Enum

import strawberry


@strawberry.enum(description="What became of a debit that failed elsewhere.")
class FailedDebitResult(Enum):
    """portal.domain.failed_debit.FailedResult."""

    TOLD = "told"
    KNOWN = "known"
    UNDER_WAY = "under_way"
    NOT_OWED = "not_owed"
    UNMATCHED = "unmatched"
    UNCLEAR = "unclear"


@strawberry.enum(description="How far a file of failed debits has come.")
class FailedFileState(Enum):
    """portal.contract.failed_file.FailedFileState."""

    TELLING = "telling"
    TOLD = "told"


@strawberry.enum(description="How far a file of bank debits has come.")
class DebitFileState(Enum):
    """portal.domain.debit.FileState."""

    BUILDING = "building"
    SEALED = "sealed"
    APPROVED = "approved"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    ANSWERED = "answered"
    DISCARDED = "discarded"


@strawberry.enum(description="What is decided about a file of bank debits.")
class DebitFileDecision(Enum):
    """portal.domain.debit.FileDecision."""

    APPROVE = "approve"
    DISCARD = "discard"


@strawberry.enum(description="What a bank said to a file as a whole.")
class DebitBankWord(Enum):
    """portal.domain.debit.BankWord."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
