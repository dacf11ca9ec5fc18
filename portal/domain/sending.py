"""Whether the messages of an import go: staff may hold them, let them go on, or end them. Pure.

Held or ended is what was not given to a company yet; what a company has can't be called back.
"""

from typing import Final, Literal

from portal.domain.transition import Edge, take

SendingState = Literal["going", "paused", "canceled"]
SendingAct = Literal["pause", "resume", "cancel"]

SENDING: Final[dict[tuple[SendingState, SendingAct], Edge[SendingState]]] = {
    ("going", "pause"): Edge("paused", "sending.paused"),
    ("paused", "resume"): Edge("going", "sending.resumed"),
    ("going", "cancel"): Edge("canceled", "sending.canceled"),
    ("paused", "cancel"): Edge("canceled", "sending.canceled"),
}
"""``canceled`` ends: bills stay as they are, and their messages are never sent by this import."""


def steer(state: SendingState, act: SendingAct) -> SendingState:
    """The state after the act.

    Raises: Conflict ``sending_state`` (params ``state``, ``event``) for an edge not in the table.
    """
    edge: Edge[SendingState] = take(SENDING, state, act, "sending_state")
    return edge.state
