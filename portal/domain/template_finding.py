"""What can be wrong with the wording of a message: the codes, and how much each weighs. Pure."""

from dataclasses import dataclass, field
from typing import Final, Literal

Severity = Literal["error", "warning"]
TemplatePart = Literal["subject", "body"]
"""Where it is: in the subject (of a notification the title, of a call the greeting), or in the
text (of a call: what its payer is told)."""

FindingCode = Literal[
    "text_missing", "brace_stray", "variable_unknown", "variable_misplaced", "payer_named",
    "link_missing", "link_repeated", "link_joined", "proof_missing", "stop_missing",
    "block_repeated", "block_joined", "merchant_missing", "fact_missing", "due_missing",
    "address_foreign", "shortener", "card_number", "letter_hidden", "line_broken", "emoji",
    "letter_lost", "letter_replaced", "letter_not_gsm7", "units_over", "segments_many",
    "subject_missing", "subject_nameless", "subject_reply", "subject_over", "subject_long",
    "mail_over", "mail_long", "push_over", "push_long", "urgent_words", "threat_first", "threat",
    "selling_words", "unsafe_values", "said_missing", "letter_unspoken", "key_promised",
    "owing_told", "greeting_over", "greeting_long", "told_over", "told_long", "number_read",
    "secret_words",
]  # fmt: skip

WARNINGS: Final[frozenset[FindingCode]] = frozenset(
    {
        "due_missing", "letter_replaced", "letter_not_gsm7", "segments_many", "subject_nameless",
        "subject_long", "mail_long", "push_long", "urgent_words", "threat", "selling_words",
        "greeting_long", "told_long", "number_read", "secret_words",
    }
)  # fmt: skip
"""What is shown and may be stored all the same; every other finding is an error."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, from ``start`` to ``end`` of a part; both 0: with all of it."""

    code: FindingCode
    start: int = 0
    end: int = 0
    params: dict[str, str | int] = field(default_factory=dict[str, str | int])
    part: TemplatePart = "body"

    @property
    def severity(self) -> Severity:
        """Its weight."""
        return "warning" if self.code in WARNINGS else "error"
