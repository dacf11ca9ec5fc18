"""Telling the payer: deliveries by id, redeemed once, reported back by slice."""

from typing import Literal

from portal.contract.envelope import Operation, Part, Reply, Request
from portal.domain.ids import ChunkId, DeliveryId
from portal.domain.message import Channel, Unclear

SLICE_MAX = 100
"""Deliveries handed out, sent and redeemed together."""

SendOutcome = Literal["accepted", "rejected", "busy", "unknown"]
"""What the provider's answer meant: taken; never will be; not now (nothing happened); unclear."""


class DeliveryRoute(Part, frozen=True, kw_only=True):
    """All that a worker learns of a message: an id and by which provider it goes."""

    delivery_id: DeliveryId
    channel: str
    provider: str
    key: str
    """Idempotency key for the provider, the same at every retry."""


class SendResult(Part, frozen=True, kw_only=True):
    """What became of one delivery. ``provider_ref`` is the provider's own id of the message.

    ``is_about_message``: another message would have fared differently. A busy answer that says
    something about the provider or the way there (an outage, a full queue) uses up no try.
    ``is_about_sender``: the company refused the number, address or app of this merchant, whose next
    message would fare the same; the vault stops the road for this merchant then.
    """

    delivery_id: DeliveryId
    outcome: SendOutcome
    provider_ref: str
    code: str
    is_about_message: bool = True
    is_about_sender: bool = False


class ReportAndNext(Request, frozen=True, kw_only=True):
    """Book the last slice's results and take up to ``take`` deliveries that are still due.

    Authority: the chunk's lease; each call renews it. With ``take`` 0 only the results are booked.
    ``away_s``: for how many seconds the chunk's company has taken nothing from this worker; after a
    while what is certainly unsent goes by another company, if the merchant has one.
    """

    chunk_id: ChunkId
    results: tuple[SendResult, ...]
    take: int
    away_s: float = 0.0


class Slice(Reply, frozen=True, kw_only=True):
    """``done`` is True when the chunk has nothing left; its task is finished then.

    A chunk belongs to one merchant: ``account`` is that merchant's public code (providers repeat
    it in their notices), ``sender`` the number or name that its messages come from. ``paused``: the
    merchant's staff hold these messages. ``quiet_s``: for how long nobody may be disturbed by them,
    or the road is stopped for this merchant, so that nothing is to be had before; 0 when that is
    not so, or not known.
    """

    deliveries: tuple[DeliveryRoute, ...]
    done: bool
    paused: bool = False
    account: str = ""
    sender: str = ""
    quiet_s: float = 0.0


class RedeemDeliveries(Request, frozen=True, kw_only=True):
    """Values for up to SLICE_MAX deliveries about to go to ``host``. Caller: egress.

    A delivery is redeemed once per hand-out: again, or for a host that is not its channel's, it is
    refused and an incident recorded.
    """

    host: str
    delivery_ids: tuple[DeliveryId, ...]


class RedeemedDelivery(Part, frozen=True, kw_only=True):
    """``refused`` is a code when there is nothing to send; the values are empty then.

    A mail has more than an addressee and a text: ``subject`` and ``html``; who it comes from
    (``sender`` is the address, ``sender_name`` the merchant's name); and ``return_token``, which
    stands in the address that it comes back to and proves that a bounce speaks of this message.
    ``callback`` is the address at which a company asks for a call's words, or tells what became of
    a message; it names nobody and is good for this one alone. ``stop_url`` is where a mail's reader
    stops further ones by one click; empty: it has no such place.

    A notification has a title (``subject``), the ``link`` that a tap opens, and the ``topic`` under
    which a newer one of the same bill replaces it; ``push_keys`` are a browser's public key and
    secret, with a space between. ``push_app`` is the name of the app that the device has; "": the
    installation's.
    """

    delivery_id: DeliveryId
    to: str
    body: str
    refused: str | None
    subject: str = ""
    html: str = ""
    sender: str = ""
    sender_name: str = ""
    return_token: str = ""
    callback: str = ""
    stop_url: str = ""
    link: str = ""
    topic: str = ""
    push_keys: str = ""
    push_app: str = ""


class Redeemed(Reply, frozen=True, kw_only=True):
    """One entry for each delivery asked for, in the same order."""

    deliveries: tuple[RedeemedDelivery, ...]


class SetChannel(Request, frozen=True, kw_only=True):
    """By which company a merchant's messages of a channel go, under which number or name.

    ``share`` 0 to 100: the road's part of the channel's new messages; None takes the road away,
    and what is planned on it still goes. ``unclear``: what becomes of a message in doubt
    (portal.domain.message); None leaves it as it is, at first ``same_key``. Refused:
    ``provider_unknown`` (no host is configured for it), ``channel_share`` (param ``max``),
    ``text_too_long``, ``merchant_unknown``.
    """

    merchant_code: str
    channel: Channel
    provider: str
    sender: str
    share: int | None
    unclear: Unclear | None = None
    says_amount: bool | None = None
    """Whether a notification names the sum on the locked screen; None leaves it, at first not."""


class ChannelRoad(Part, frozen=True, kw_only=True):
    """One road of a merchant's messages."""

    channel: str
    provider: str
    sender: str
    share: int


class ChannelSet(Reply, frozen=True, kw_only=True):
    """All roads that the merchant has of the channel from now on."""

    roads: tuple[ChannelRoad, ...]


SET_CHANNEL = Operation("set_channel", SetChannel, ChannelSet)
REPORT_AND_NEXT = Operation("report_and_next", ReportAndNext, Slice)
REDEEM_DELIVERIES = Operation("redeem_deliveries", RedeemDeliveries, Redeemed)
