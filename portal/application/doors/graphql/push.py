"""Both schemas: where notifications go, said on a payer's page or by a merchant's server.

Zone: application. Where exactly a browser or device is goes in and never comes out again.
"""

import strawberry

from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.push_enums import PushApp, PushKind
from portal.application.doors.graphql.schema import VAULT_CALL, DateTime, Info, by, plain
from portal.contract.envelope import Nothing
from portal.contract.push import (
    DROP_PUSH,
    KEEP_PUSH,
    LIST_DEVICES,
    REGISTER_DEVICE,
    REMOVE_DEVICE,
    REMOVE_DEVICES,
    Device,
    DeviceRegistered,
    DevicesRemoved,
    KeepPush,
    ListDevices,
    PushKept,
    RegisterDevice,
    RemoveDevice,
    RemoveDevices,
)
from portal.domain.ids import SubscriptionId, from_public, to_public


def _device_id(device: strawberry.Parent[Device]) -> strawberry.ID:
    return strawberry.ID(to_public("push_subscription", device.id))


@strawberry.type(description="A browser or device that takes notifications.")
class PushDevice:
    """portal.contract.push.Device."""

    id: strawberry.ID = by(_device_id, "`psh_…`")
    kind: PushKind = plain("What it is.")
    registered_at: DateTime = plain("Since when.")


# A payer's browser


def _was_kept(outcome: strawberry.Parent[Outcome[PushKept]]) -> bool:
    return outcome.entity is not None


def _were_removed(outcome: strawberry.Parent[Outcome[DevicesRemoved]]) -> int:
    return outcome.entity.removed if outcome.entity is not None else 0


@strawberry.input(description="This browser takes notifications, as it told it itself.")
class PushKeepInput:
    """portal.contract.push.KeepPush."""

    endpoint: str = plain("Its address at its push service.")
    p256dh: str = plain("Its public key, in base64url.")
    auth: str = plain("Its secret, in base64url.")


@strawberry.type(description="Whether the browser is reminded, or why not.")
class PushKeepPayload:
    """Outcome of pushKeep."""

    kept: bool = by(_was_kept, "True when it is reminded now.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


@strawberry.type
class _Removed:
    """What the payloads of removing have in common."""

    removed: int = by(_were_removed, "How many there were; none is no fault.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


@strawberry.type(description="How many browsers take no notifications any more.")
class PushDropPayload(_Removed):
    """Outcome of pushDrop."""


async def keep_push(info: Info, input: PushKeepInput) -> Outcome[PushKept]:  # noqa: A002 - the argument's name in the schema
    """The payer's own word; the same browser twice is one."""
    request = KeepPush(endpoint=input.endpoint, p256dh=input.p256dh, auth=input.auth)
    return await outcome_of(info, info.context.call(KEEP_PUSH, request))


async def drop_push(info: Info) -> Outcome[DevicesRemoved]:
    """The payer's own word."""
    return await outcome_of(info, info.context.call(DROP_PUSH, Nothing()))


@strawberry.type
class PayerPushMutation:
    """What a payer says of notifications."""

    push_keep: PushKeepPayload = by(keep_push, "Remind me in this browser.", cost=VAULT_CALL)
    push_drop: PushDropPayload = by(drop_push, "Remind me in no browser any more.", cost=VAULT_CALL)


# A merchant's server


@strawberry.input(description="A device with your app, of the payer with this customer number.")
class PushDeviceRegisterInput:
    """portal.contract.push.RegisterDevice."""

    customer_no: str = plain("Yours, as on the bill.")
    kind: PushApp = plain("Whose token it is.")
    token: str = plain("As Google or Apple gave it to the app. The same again is the same device.")


def _device(outcome: strawberry.Parent[Outcome[DeviceRegistered]]) -> Device | None:
    return outcome.entity.device if outcome.entity is not None else None


@strawberry.type(description="The device, or why it was not registered.")
class PushDeviceRegisterPayload:
    """Outcome of pushDeviceRegister."""

    device: PushDevice | None = by(_device, "The device; the same one when it was known.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


@strawberry.input(description="Send nothing more to one browser or device.")
class PushDeviceRemoveInput:
    """portal.contract.push.RemoveDevice."""

    id: strawberry.ID = plain("`psh_…`")


@strawberry.type(description="Whether it takes no notifications any more.")
class PushDeviceRemovePayload(_Removed):
    """Outcome of pushDeviceRemove."""


@strawberry.type(description="How many take no notifications any more.")
class PushDevicesRemovePayload(_Removed):
    """Outcome of pushDevicesRemove."""


@strawberry.input(description="Send nothing more to any browser or device of a customer.")
class PushDevicesRemoveInput:
    """portal.contract.push.RemoveDevices."""

    customer_no: str = plain("Yours; for one whose contract has ended.")


async def list_devices(info: Info, customer_no: str) -> tuple[Device, ...]:
    """What takes notifications for a customer number."""
    return (await info.context.call(LIST_DEVICES, ListDevices(customer_no=customer_no))).devices


async def register_device(info: Info, input: PushDeviceRegisterInput) -> Outcome[DeviceRegistered]:  # noqa: A002 - the argument's name in the schema
    """Said again it is the same device, so no key is needed."""
    request = RegisterDevice(
        customer_no=input.customer_no,
        kind=input.kind.value,
        token=input.token,
    )
    return await outcome_of(info, info.context.call(REGISTER_DEVICE, request))


async def remove_device(info: Info, input: PushDeviceRemoveInput) -> Outcome[DevicesRemoved]:  # noqa: A002 - the argument's name in the schema
    """One that is not there any more is no fault."""

    async def act() -> DevicesRemoved:
        device = SubscriptionId(from_public("push_subscription", input.id))
        return await info.context.call(REMOVE_DEVICE, RemoveDevice(device_id=device))

    return await outcome_of(info, act())


async def remove_devices(info: Info, input: PushDevicesRemoveInput) -> Outcome[DevicesRemoved]:  # noqa: A002 - the argument's name in the schema
    """All of one customer's."""
    request = RemoveDevices(customer_no=input.customer_no)
    return await outcome_of(info, info.context.call(REMOVE_DEVICES, request))


@strawberry.type
class PushQuery:
    """Where a payer's notifications go."""

    push_devices: list[PushDevice] = by(
        list_devices,
        "What takes notifications for a customer number, newest first: that one is told.",
        cost=VAULT_CALL,
        rows=10,
    )


@strawberry.type
class PushMutation:
    """What a merchant's server says of its app's devices."""

    push_device_register: PushDeviceRegisterPayload = by(
        register_device, "Register a device with your app.", cost=VAULT_CALL
    )
    push_device_remove: PushDeviceRemovePayload = by(
        remove_device, "Send nothing more to one browser or device.", cost=VAULT_CALL
    )
    push_devices_remove: PushDevicesRemovePayload = by(
        remove_devices, "Send nothing more to any browser or device of a customer.", cost=VAULT_CALL
    )
