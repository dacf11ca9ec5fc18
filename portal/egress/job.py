"""One request on its way through a slice; what it holds lives no longer. Zone: egress."""

from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import UUID

from portal.egress.bank_file import AnswerKeeper, FileSource
from portal.egress.mime import Outgoing
from portal.egress.push import Push
from portal.egress.rule import Rule
from portal.egress.template import (
    CODECS,
    INSTRUMENT_PLACEHOLDERS,
    INSTRUMENT_SECRETS,
    Filled,
    Template,
)
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest


@dataclass(slots=True)
class Job:
    """One request on its way through the slice; ``answer`` is set once it is decided."""

    request: OutboundRequest
    host: str = ""
    rule: Rule | None = None
    template: Template | None = None
    values: dict[str, str] = field(default_factory=dict[str, str])
    filled: Filled | None = None
    source: FileSource | None = None
    keeper: AnswerKeeper | None = None
    mail: Outgoing | None = None
    push: Push | None = None
    answer: OutboundAnswer | None = None
    is_agreed: bool = False
    """The vault has agreed to the refund, and takes it for sent."""

    age_ms: int = 0
    """How long it was under way."""

    @property
    def refund_id(self) -> UUID | None:
        """The refund that its answer is about: it gives it back, or asks about it."""
        return self.request.delivery_id if self.is_agreed else self.request.about_refund

    @property
    def is_kept(self) -> bool:
        """Whether its answer goes to the vault."""
        return self.rule is not None and self.rule.keeps_answers

    @property
    def awaited_delivery(self) -> UUID | None:
        """The delivery to redeem, while the request is still on its way."""
        return self.request.delivery_id if self.answer is None else None

    @property
    def secrets(self) -> list[str]:
        """What is scrubbed out of the answer."""
        known = INSTRUMENT_PLACEHOLDERS - INSTRUMENT_SECRETS
        return [value for name, value in self.values.items() if name not in known]

    @property
    def codec(self) -> str:
        """In what its company writes, as far as the rule says."""
        return CODECS["utf-8" if self.rule is None else self.rule.charset]

    @property
    def is_file(self) -> bool:
        """Whether it carries a debit file."""
        return self.template is not None and self.template.is_file

    @property
    def goes_alone(self) -> bool:
        """Whether it is redeemed by itself, once it has one of its rule's places."""
        is_charge = self.template is not None and self.template.is_charge
        return self.is_file or self.is_kept or is_charge or self.is_refund or self.names_payer

    @property
    def names_payer(self) -> bool:
        """Whether it tells a company who pays by a number."""
        return self.template is not None and self.template.names_payer

    @property
    def is_refund(self) -> bool:
        """Whether it gives money back, which the vault agrees to first."""
        return self.rule is not None and self.rule.refund is not None

    @property
    def came_to_nothing(self) -> bool:
        """Whether it surely moved nothing: it never got there, or its host takes no more for now.

        Source: RFC 6585 §4 (429: the request was refused because there were too many).
        """
        return self.answer is not None and is_nothing(self.answer)


def is_nothing(answer: OutboundAnswer) -> bool:
    """Whether an answer says that nothing was carried out: it came not there, or was too much."""
    is_refused = answer.fate == "answered" and answer.status == HTTPStatus.TOO_MANY_REQUESTS
    return answer.fate == "not_sent" or is_refused
