"""Push: where a payer's notifications go, said by their own browser or by the merchant's server.

What is said here is sealed; no operation gives it back but the redemption of one delivery.
"""

from datetime import datetime
from typing import Literal

from portal.contract.envelope import Done, Nothing, Operation, Part, Reply, Request
from portal.domain.ids import DeliveryId, SubscriptionId
from portal.domain.push import PushKind


class KeepPush(Request, frozen=True, kw_only=True):
    """This payer's browser takes notifications; said again it changes nothing.

    Refused: ``push_endpoint``, ``push_host`` (no push service that we know), ``push_keys``,
    ``push_missing`` (the merchant sends none), ``card_number``.
    """

    endpoint: str
    p256dh: str
    auth: str


class PushKept(Reply, frozen=True, kw_only=True):
    """How many of the payer's browsers take notifications now."""

    browsers: int


class RegisterDevice(Request, frozen=True, kw_only=True):
    """A device with the merchant's app, of the payer with this customer number.

    ``token`` as Google or Apple gave it to the app. Said again it is the same device. Refused:
    ``push_token``, ``empty``, ``text_too_long``, ``push_missing``, ``card_number``.
    """

    customer_no: str
    kind: Literal["fcm", "apns"]
    token: str


class Device(Part, frozen=True, kw_only=True):
    """A browser or device that takes notifications; its address is told to nobody."""

    id: SubscriptionId
    kind: PushKind
    registered_at: datetime


class DeviceRegistered(Reply, frozen=True, kw_only=True):
    """The device; ``is_new`` is False when it was known."""

    device: Device
    is_new: bool


class ListDevices(Request, frozen=True, kw_only=True):
    """What takes notifications for a customer number. Refused: ``empty``, ``text_too_long``."""

    customer_no: str


class Devices(Reply, frozen=True, kw_only=True):
    """Newest first; notifications go to the newest."""

    devices: tuple[Device, ...]


class RemoveDevice(Request, frozen=True, kw_only=True):
    """Nothing more goes there. One that is not known (any more) is no fault."""

    device_id: SubscriptionId


class RemoveDevices(Request, frozen=True, kw_only=True):
    """Nothing more goes to any device or browser of a customer number: the contract has ended."""

    customer_no: str


class DevicesRemoved(Reply, frozen=True, kw_only=True):
    """How many there were."""

    removed: int


class ForgetPush(Request, frozen=True, kw_only=True, omit_defaults=True):
    """A push service said that the browser or device of this delivery is gone. Caller: egress.

    ``host``: of whom it was heard; for a delivery that did not go there nothing changes.
    ``gone_since``: a device that has registered later is there again, and stays.
    """

    host: str
    delivery_id: DeliveryId
    gone_since: datetime | None = None


class SetApp(Request, frozen=True, kw_only=True):
    """Which app of a merchant's own its notifications go to, by its name in the relay's rules.

    ``app`` "": the installation's own. Caller: operator. Refused: ``merchant_unknown``,
    ``provider_unknown`` (no host is configured for it), ``app_name``, ``app_taken`` (another
    merchant's), ``card_number``.
    """

    merchant_code: str
    provider: Literal["fcm", "apns"]
    app: str


class AppSet(Reply, frozen=True, kw_only=True):
    """The name of the app that it was ``before``; "": the installation's."""

    before: str


KEEP_PUSH = Operation("keep_push", KeepPush, PushKept)
DROP_PUSH = Operation("drop_push", Nothing, DevicesRemoved)
"""The payer's browsers take no more notifications; the merchant's app is the merchant's matter."""
REGISTER_DEVICE = Operation("register_device", RegisterDevice, DeviceRegistered)
LIST_DEVICES = Operation("list_devices", ListDevices, Devices)
REMOVE_DEVICE = Operation("remove_device", RemoveDevice, DevicesRemoved)
REMOVE_DEVICES = Operation("remove_devices", RemoveDevices, DevicesRemoved)
FORGET_PUSH = Operation("forget_push", ForgetPush, Done)
SET_APP = Operation("set_app", SetApp, AppSet)
