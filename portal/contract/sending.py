"""An import's messages on their way: how far they have come, held, let go on or ended by staff."""

from portal.contract.envelope import Operation, Part, Reply, Request
from portal.domain.ids import ImportId
from portal.domain.sending import SendingAct, SendingState


class RoadLoad(Part, frozen=True, kw_only=True):
    """What still has to go by one company. Units: messages."""

    provider: str
    left: int


class SendingView(Reply, frozen=True, kw_only=True):
    """How far an import's messages have come.

    ``planned`` are all that were planned so far; of an import not decided on, what its good rows
    would be at most. ``left`` of each road counts whole chunks: one that is being sent is left.
    ``unfit``: messages that went out in the built-in words because the merchant's own did not fit.
    """

    import_id: ImportId
    state: SendingState
    planned: int
    left: tuple[RoadLoad, ...]
    unfit: int = 0


class ViewSending(Request, frozen=True, kw_only=True):
    """How far an import's messages have come, or what sending it would mean."""

    import_id: ImportId


class SteerSending(Request, frozen=True, kw_only=True):
    """Hold an import's messages, let them go on, or end them for good.

    From then on none is handed out, nor given out at the relay; what a company has is not called
    back.
    """

    import_id: ImportId
    act: SendingAct
    idempotency_key: str


VIEW_SENDING = Operation("view_sending", ViewSending, SendingView)
STEER_SENDING = Operation("steer_sending", SteerSending, SendingView)
