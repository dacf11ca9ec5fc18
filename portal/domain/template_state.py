"""The versions of a template: how one comes into force, and who may do what about it. Pure.

What is in force was asked for by one person and approved by another, word for word. A version is
never changed after it was asked for: another text is another version.
"""

from typing import Final, Literal

from portal.domain.transition import Edge, take

TemplateState = Literal["draft", "asked", "in_force", "refused", "withdrawn", "superseded"]
TemplateEvent = Literal["ask", "approve", "refuse", "withdraw", "supersede"]
TemplateDecision = Literal["approve", "refuse", "withdraw", "retire"]
"""``retire``: no text of the merchant's own is in force any more, so the built-in one is sent."""
TemplateChoice = Literal["edit", "ask", "approve", "refuse", "withdraw", "retire"]
Role = Literal["owner", "clerk"]

APPROVAL_LIFE_S: Final = 7 * 86_400
"""So long what was asked for may be approved."""

OPEN: Final[tuple[TemplateState, ...]] = ("draft", "asked", "in_force")
"""States of versions that somebody works on or that are sent."""

VERSIONS: Final[dict[tuple[TemplateState, TemplateEvent], Edge[TemplateState]]] = {
    ("draft", "ask"): Edge("asked", "template.asked"),
    ("draft", "withdraw"): Edge("withdrawn", "template.withdrawn"),
    ("asked", "approve"): Edge("in_force", "template.in_force"),
    ("asked", "refuse"): Edge("refused", "template.refused"),
    ("asked", "withdraw"): Edge("withdrawn", "template.withdrawn"),
    ("in_force", "supersede"): Edge("superseded", "template.superseded"),
}

EVENTS: Final[dict[TemplateDecision, TemplateEvent]] = {
    "approve": "approve", "refuse": "refuse", "withdraw": "withdraw", "retire": "supersede"
}  # fmt: skip
"""Decision → what happens to the version."""


def advance(state: TemplateState, event: TemplateEvent) -> Edge[TemplateState]:
    """The next state. Raises: Conflict ``template_state`` (params ``state``, ``event``)."""
    return take(VERSIONS, state, event, "template_state")


def choices_of(
    state: TemplateState, role: Role | None, *, is_asker: bool, is_late: bool
) -> tuple[TemplateChoice, ...]:
    """What someone may do about a version; ``role`` None is a system, which may do nothing.

    Approving takes an owner who did not ask, in time, as with debit files.
    """
    is_owner = role == "owner"
    offered: tuple[tuple[TemplateChoice, bool], ...] = (
        ("edit", state == "draft"),
        ("ask", state == "draft"),
        ("approve", state == "asked" and is_owner and not is_asker and not is_late),
        ("refuse", state == "asked" and is_owner and not is_asker),
        ("withdraw", state == "draft" or (state == "asked" and (is_owner or is_asker))),
        ("retire", state == "in_force" and is_owner),
    )
    return tuple(choice for choice, is_offered in offered if is_offered and role is not None)
