"""The closed sets of words of billing and of contacts; their values are the domain's own words.

Zone: application. A test holds them against the domain's Literals, so they can't drift apart.
"""

from enum import Enum

import strawberry


@strawberry.enum(description="How a contract is billed. `NONE`: nothing was ever said of it.")
class Billing(Enum):
    """portal.domain.digital.Billing."""

    NONE = "none"
    PAPER = "paper"
    PARALLEL = "parallel"
    DIGITAL = "digital"


@strawberry.enum(description="What staff do about how a contract is billed.")
class BillingAct(Enum):
    """portal.contract.digital.BillingAct."""

    AGREE = "agree"
    CONVERT = "convert"
    TAKE_BACK = "take_back"


@strawberry.enum(description="Why staff bill a contract on paper again.")
class BillingReason(Enum):
    """portal.domain.digital.STAFF_REASONS."""

    ASKED = "asked"
    NOT_THEIRS = "not_theirs"
    MISTAKE = "mistake"
    COMPLAINT = "complaint"


@strawberry.enum(description="What is the matter with a contact.")
class ContactProblemKind(Enum):
    """portal.domain.hygiene.Problem."""

    FAULTY = "faulty"
    DOUBTED = "doubted"
    RECYCLED = "recycled"
    SHARED = "shared"
    MISSING = "missing"


@strawberry.enum(description="What a contact is.")
class ContactKind(Enum):
    """portal.contract.hygiene.Contact."""

    PHONE = "phone"
    EMAIL = "email"


@strawberry.enum(description="Why messages go to a contact again.")
class ContactClearReason(Enum):
    """portal.domain.hygiene.ClearReason."""

    CONFIRMED = "confirmed"
    RESTORED = "restored"
    MISTAKE = "mistake"
