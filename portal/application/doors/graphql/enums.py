"""The closed sets of words that both schemas use; their values are the contract's own words.

Zone: application. A test holds them against the contract's Literals, so they can't drift apart.
"""

from enum import Enum

import strawberry


@strawberry.enum(description="The merchant's will about a bill.")
class Lifecycle(Enum):
    """portal.contract.bills.Lifecycle."""

    SCHEDULED = "scheduled"
    OPEN = "open"
    OVERDUE = "overdue"
    LAPSED = "lapsed"
    CANCELING = "canceling"
    CANCELED = "canceled"
    SUPERSEDED = "superseded"


@strawberry.enum(description="What money did to a bill, derived from the ledger.")
class Settlement(Enum):
    """portal.contract.bills.Settlement."""

    UNPAID = "unpaid"
    PROVISIONAL = "provisional"
    SETTLED = "settled"
    OVER = "over"
    REVERSED = "reversed"


@strawberry.enum(description="How far the latest message about a bill has come.")
class MessageState(Enum):
    """portal.contract.bills.MessageState."""

    NONE = "none"
    PLANNED = "planned"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    AMBIGUOUS = "ambiguous"


@strawberry.enum(description="Where a payer said what they want.")
class ChoiceSource(Enum):
    """Of portal.domain.ladder.ChoiceSource what staff can say."""

    TELEPHONE = "telephone"
    LETTER = "letter"
    MAIL = "mail"
    COUNTER = "counter"
    CONTRACT = "contract"


@strawberry.enum(description="By what a payer is told of a bill.")
class MessageChannel(Enum):
    """Of portal.domain.message.Channel what can be asked for."""

    SMS = "sms"
    EMAIL = "email"
    VOICE = "voice"
    PUSH = "push"


@strawberry.enum(description="The order of a list of bills.")
class BillOrder(Enum):
    """portal.contract.bills.BillOrder."""

    CREATED_DESC = "created_desc"
    CREATED_ASC = "created_asc"
    DUE_ASC = "due_asc"
    DUE_DESC = "due_desc"
    AMOUNT_ASC = "amount_asc"
    AMOUNT_DESC = "amount_desc"


@strawberry.enum(description="What a search text is compared with; matches are exact.")
class SearchField(Enum):
    """portal.contract.bills.SearchField."""

    NUMBER = "number"
    CUSTOMER_NO = "customer_no"
    PHONE = "phone"
    EMAIL = "email"
    CHECK_CODE = "check_code"


@strawberry.enum(description="How far an import has come.")
class ImportState(Enum):
    """portal.contract.intake.ImportState."""

    RECEIVING = "receiving"
    CHECKING = "checking"
    CHECKED = "checked"
    ISSUING = "issuing"
    ISSUED = "issued"
    DISCARDING = "discarding"
    DISCARDED = "discarded"
    REFUSED = "refused"


@strawberry.enum(description="What to do with an import's good rows.")
class Decision(Enum):
    """portal.contract.intake.Decision."""

    SEND = "send"
    DISCARD = "discard"


@strawberry.enum(description="What a member of staff may do.")
class Role(Enum):
    """portal.contract.login.Role."""

    OWNER = "owner"
    CLERK = "clerk"


@strawberry.enum(description="What an API key may do.")
class Scope(Enum):
    """portal.contract.login.Scope."""

    BILLS_READ = "bills:read"
    BILLS_WRITE = "bills:write"
    IMPORTS_WRITE = "imports:write"
    SCHEMA_READ = "schema:read"
    PAPER_PRINT = "paper:print"


@strawberry.enum(description="Where a card on file stands.")
class CardState(Enum):
    """The part of portal.domain.card_on_file.CardState that stands."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@strawberry.enum(description="What the payment page has to say.")
class PageState(Enum):
    """portal.contract.page.PageState."""

    OPEN = "open"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    PROCESSING = "processing"
    DECLINED = "declined"
    UNCLEAR = "unclear"
    PAID = "paid"
    CANCELED = "canceled"
    SUPERSEDED = "superseded"
    LAPSED = "lapsed"
    PROVISIONAL = "provisional"
    CONTESTED = "contested"


@strawberry.enum(description="How a file of slips is written.")
class PrintCharset(Enum):
    """portal.domain.print_batch.Charset."""

    UTF_8 = "utf-8-sig"
    SHIFT_JIS = "cp932"


@strawberry.enum(description="What a person has to know of a bill for a print shop.")
class PrintRemarkReason(Enum):
    """portal.domain.print_batch.RemarkReason."""

    LETTERS = "letters"
    NO_ADDRESS = "no_address"
    NO_WAY = "no_way"
    NO_SLIP = "no_slip"
    NOT_PRINTABLE = "not_printable"
    ENDED = "ended"
    TO_PULL = "to_pull"


@strawberry.enum(description="What became of one line of an agency's file.")
class SlipLineResult(Enum):
    """portal.domain.slip.LineResult."""

    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    NOTED = "noted"
    DUPLICATE = "duplicate"
    SET_ASIDE = "set_aside"
    REFUSED = "refused"


@strawberry.enum(description="How far a refund has come.")
class RefundState(Enum):
    """portal.domain.refund.RefundState."""

    REQUESTED = "requested"
    RESERVED = "reserved"
    SUBMITTING = "submitting"
    PENDING = "pending"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    BY_BANK_TRANSFER = "by_bank_transfer"
    IN_TRANSFER = "in_transfer"
    TRANSFERRED = "transferred"


@strawberry.enum(description="Who gives a refund back: who took the money, or the merchant itself.")
class RefundWay(Enum):
    """portal.domain.refund.RefundWay."""

    PROVIDER = "provider"
    BANK_TRANSFER = "bank_transfer"


@strawberry.enum(description="Why money goes back.")
class RefundReason(Enum):
    """portal.domain.refund.RefundReason."""

    OVERPAID = "overpaid"
    CANCELED = "canceled"
    WRONG_BILL = "wrong_bill"
    GOODWILL = "goodwill"
    OTHER = "other"


@strawberry.enum(description="What the viewer may do about a refund.")
class RefundChoice(Enum):
    """portal.domain.refund.RefundChoice."""

    APPROVE = "approve"
    WITHDRAW = "withdraw"
    RECORD_TRANSFER = "record_transfer"
    RECORD_RETURN = "record_return"


@strawberry.enum(description="Whether a mandate may be used.")
class MandateState(Enum):
    """portal.domain.mandate.MandateState."""

    DRAFT = "draft"
    REDIRECTED = "redirected"
    PENDING_BANK = "pending_bank"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    REJECTED = "rejected"
    ABANDONED = "abandoned"


@strawberry.enum(description="How a mandate was given.")
class MandateWay(Enum):
    """portal.domain.mandate.MandateWay."""

    PAPER = "paper"
    REDIRECT = "redirect"


@strawberry.enum(description="Why that is said of a mandate.")
class MandateReason(Enum):
    """portal.domain.mandate.MandateReason."""

    NAME_DIFFERS = "name_differs"
    SEAL_DIFFERS = "seal_differs"
    NO_ACCOUNT = "no_account"
    BANK_OTHER = "bank_other"
    PAYER_ASKED = "payer_asked"
    CONTRACT_ENDED = "contract_ended"


@strawberry.enum(description="What is said of a mandate.")
class MandateDecision(Enum):
    """portal.domain.mandate.MandateDecision."""

    ACTIVATE = "activate"
    REJECT = "reject"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"


@strawberry.enum(description="What is decided about a refund.")
class RefundDecision(Enum):
    """portal.contract.refund.RefundDecision."""

    APPROVE = "approve"
    WITHDRAW = "withdraw"


@strawberry.enum(description="What stops dunning for a bill.")
class PauseKind(Enum):
    """portal.domain.pause.PauseKind."""

    HOLD = "hold"
    PROMISE = "promise"
    EXTENSION = "extension"


@strawberry.enum(description="How a pause stands, or how it ended.")
class PauseState(Enum):
    """portal.domain.pause.PauseState."""

    IN_FORCE = "in_force"
    PASSED = "passed"
    KEPT = "kept"
    MISSED = "missed"
    RELEASED = "released"
    REPLACED = "replaced"


@strawberry.enum(description="What a list says of a bill's pause.")
class PauseShown(Enum):
    """portal.domain.pause.PauseShown."""

    HOLD = "hold"
    PROMISE = "promise"
    MISSED = "missed"
    EXTENDED = "extended"


@strawberry.enum(description="What staff may do about a bill's dunning.")
class PauseChoice(Enum):
    """portal.domain.pause.PauseChoice."""

    HOLD = "hold"
    PROMISE = "promise"
    EXTENSION = "extension"
    RELEASE = "release"


@strawberry.enum(description="Whether an import's messages go.")
class SendingState(Enum):
    """portal.domain.sending.SendingState."""

    GOING = "going"
    PAUSED = "paused"
    CANCELED = "canceled"


@strawberry.enum(description="What is done about an import's messages.")
class SendingAct(Enum):
    """portal.domain.sending.SendingAct."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
