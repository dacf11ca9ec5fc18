"""Transition tables as values: the shape that every state machine of the product shares.

A table maps (state, event) to an :class:`Edge`; whatever is not in the table can't happen. Pure:
no I/O, no clock. Here is no business rule, only how a rule is written down and looked up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from portal.domain.errors import Conflict

S = TypeVar("S", bound=str)
E = TypeVar("E", bound=str)


@dataclass(frozen=True, slots=True)
class Edge(Generic[S]):
    """Where an edge leads, and the timeline code that whoever takes it must emit."""

    state: S
    code: str


def take(table: Mapping[tuple[S, E], Edge[S]], state: S, event: E, refusal: str) -> Edge[S]:
    """The edge that ``event`` takes out of ``state``.

    Raises: Conflict with the code ``refusal`` (params ``state``, ``event``) when the table has no
    such edge.
    """
    edge = table.get((state, event))
    if edge is None:
        raise Conflict(refusal, params={"state": state, "event": event})
    return edge
