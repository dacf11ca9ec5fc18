"""Whether the messages of an import go: staff may hold them, let them go on, or end them. Pure.

Held or ended is what was not given to a company yet; what a company has can't be called back.
"""

import math
from collections.abc import Sequence
from typing import Final, Literal

from portal.domain.errors import Conflict

SendingState = Literal["going", "paused", "canceled"]
SendingAct = Literal["pause", "resume", "cancel"]

SENDING: Final[dict[tuple[SendingState, SendingAct], SendingState]] = {
    ("going", "pause"): "paused",
    ("paused", "resume"): "going",
    ("going", "cancel"): "canceled",
    ("paused", "cancel"): "canceled",
}
"""``canceled`` ends: bills stay as they are, and their messages are never sent by this import."""


def seconds_left(roads: Sequence[tuple[int, float]]) -> int:
    """How long it takes until the last message has gone, as all roads carry at once.

    ``roads``: messages left and messages a second, of each. Units: whole seconds, rounded up.
    """
    return max((math.ceil(left / per_s) for left, per_s in roads), default=0)


def steer(state: SendingState, act: SendingAct) -> SendingState:
    """The state after the act.

    Raises: Conflict ``sending_state`` (params ``state``, ``event``) for an edge not in the table.
    """
    after = SENDING.get((state, act))
    if after is None:
        raise Conflict("sending_state", params={"state": state, "event": act})
    return after
