"""The funnel: how far bills and messages have come by channel, and telling who never looked."""

from portal.contract.envelope import Operation, Part, Reply, Request
from portal.contract.sending import RoadLoad
from portal.domain.ids import ImportId
from portal.domain.message import Channel


class ChannelFunnel(Part, frozen=True, kw_only=True):
    """One channel. Units: messages; ``opened`` and ``paid`` bills.

    ``channel`` '' holds what no message led to. ``planned`` are all that ever were; of them
    ``waiting`` no company has yet, ``sent`` one took, ``ambiguous`` nobody knows of, ``failed`` and
    ``left_out`` were never sent. ``cost_hundredths`` of a yen, for ordinary messages; None: no
    price is known. ``doubtful_hundredths``: what those in doubt may have cost beside it.
    """

    channel: str
    planned: int
    waiting: int
    sent: int
    delivered: int
    ambiguous: int
    failed: int
    left_out: int
    opened: int
    paid: int
    cost_hundredths: int | None
    doubtful_hundredths: int | None


class ViewFunnel(Request, frozen=True, kw_only=True):
    """The funnel of an import, or of all of the merchant's."""

    import_id: ImportId | None = None


class FunnelView(Reply, frozen=True, kw_only=True):
    """Bills that were issued, and how far they came; ``unopened`` are owed and nobody looked.

    ``sent`` and ``delivered``: by any message about the bill. ``reachable``: by which channels they
    could be told.
    """

    issued: int
    unopened: int
    opened: int
    paid: int
    ambiguous: int
    channels: tuple[ChannelFunnel, ...]
    reachable: tuple[Channel, ...] = ()
    sent: int = 0
    delivered: int = 0


class ViewSwitch(Request, frozen=True, kw_only=True):
    """What telling all who never looked by another channel would mean."""

    import_id: ImportId | None = None
    channel: Channel


class SwitchView(Reply, frozen=True, kw_only=True):
    """At most ``bills`` messages, by these roads, at most at this cost; None: no price is known.

    Who has no such contact, or wants nothing by it, is left out.
    """

    bills: int
    roads: tuple[RoadLoad, ...]
    cost_hundredths: int | None


class SwitchUnopened(Request, frozen=True, kw_only=True):
    """Tell all who never looked by this channel.

    Refused: ``channel_unreachable``, ``nothing_unopened``, ``switch_running``.
    """

    import_id: ImportId | None = None
    channel: Channel
    idempotency_key: str


class SwitchBegun(Reply, frozen=True, kw_only=True):
    """So many bills are looked at by the steps that follow."""

    bills: int


class StepSwitch(Request, frozen=True, kw_only=True):
    """Plan the messages of the next bills of the lease's switch."""


class SwitchStepped(Reply, frozen=True, kw_only=True):
    """Bills looked at and messages planned; ``remaining``: call again."""

    looked: int
    planned: int
    remaining: bool


VIEW_FUNNEL = Operation("view_funnel", ViewFunnel, FunnelView)
VIEW_SWITCH = Operation("view_switch", ViewSwitch, SwitchView)
SWITCH_UNOPENED = Operation("switch_unopened", SwitchUnopened, SwitchBegun)
STEP_SWITCH = Operation("step_switch", StepSwitch, SwitchStepped)
