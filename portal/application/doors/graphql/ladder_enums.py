"""The closed sets of words of plans of messages; their values are the domain's own words.

Zone: application. A test holds them against the domain's Literals, so they can't drift apart.
"""

from enum import Enum

import strawberry


@strawberry.enum(
    description="By what a rung tells; one that the merchant has no company for is skipped."
)
class LadderChannel(Enum):
    """portal.domain.ladder.Way."""

    SMS = "sms"
    EMAIL = "email"
    PUSH = "push"
    VOICE = "voice"
    PAPER = "paper"


@strawberry.enum(description="From when a rung counts its days.")
class LadderWhen(Enum):
    """portal.domain.ladder.When."""

    ISSUE = "issue"
    AFTER_ISSUE = "after_issue"
    BEFORE_DUE = "before_due"
    AFTER_DUE = "after_due"
    AFTER_FAILURE = "after_failure"


@strawberry.enum(description="What makes a rung needless; `NOTHING`: it is sent in any case.")
class LadderUnless(Enum):
    """portal.domain.ladder.Unless."""

    NOTHING = ""
    OPENED = "opened"
    DELIVERED = "delivered"


@strawberry.enum(description="What a rung's message is; `MARKETING` goes only to who said yes.")
class LadderClass(Enum):
    """portal.domain.ladder.Class."""

    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"
