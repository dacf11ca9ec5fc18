"""The closed sets of words of templates; their values are the domain's own words.

Zone: application. A test holds them against the domain's Literals, so they can't drift apart.
"""

from enum import Enum

import strawberry


@strawberry.enum(description="By what a template's words go.")
class TemplateChannel(Enum):
    """portal.domain.template.TemplateChannel."""

    SMS = "sms"
    EMAIL = "email"
    PUSH = "push"
    VOICE = "voice"


@strawberry.enum(description="What costs something by the piece.")
class PricedChannel(Enum):
    """portal.contract.message_price.MessagePrices.channel."""

    SMS = "sms"
    EMAIL = "email"
    PUSH = "push"
    VOICE = "voice"
    PAPER = "paper"


@strawberry.enum(description="A part of a template's words.")
class TemplatePart(Enum):
    """portal.domain.template_finding.TemplatePart."""

    SUBJECT = "subject"
    BODY = "body"


@strawberry.enum(description="The language of a template; `JA_EASY` is plain Japanese.")
class TemplateLanguage(Enum):
    """portal.domain.template.TemplateLanguage."""

    JA = "ja"
    EN = "en"
    JA_EASY = "ja-easy"


@strawberry.enum(description="What a message is about.")
class TemplateOccasion(Enum):
    """portal.domain.template.Occasion."""

    FIRST = "first"
    REMINDER = "reminder"
    OVERDUE = "overdue"
    DECLINED = "declined"


@strawberry.enum(description="How far a version of a template has come.")
class TemplateState(Enum):
    """portal.domain.template_state.TemplateState."""

    DRAFT = "draft"
    ASKED = "asked"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


@strawberry.enum(description="What is decided about a version of a template.")
class TemplateDecision(Enum):
    """portal.domain.template_state.TemplateDecision."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    RETIRE = "retire"


@strawberry.enum(description="What the viewer may do about a version of a template.")
class TemplateChoice(Enum):
    """portal.domain.template_state.TemplateChoice."""

    EDIT = "edit"
    ASK = "ask"
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    RETIRE = "retire"


@strawberry.enum(description="Whether a finding keeps a text from being stored.")
class TemplateSeverity(Enum):
    """portal.domain.template_finding.Severity."""

    ERROR = "error"
    WARNING = "warning"
