"""Data zone, stage "message": browsers and devices that take notifications, and how they end.

A payer's page says it of the payer's own browser; a merchant's server of the devices with its own
app, by customer number. Each is kept once, sealed, and at most SUBSCRIPTIONS_MAX of one customer:
one more takes the oldest's place. They end by the payer's word, by the merchant's, or when the push
service says that there is no such browser any more; the relay tells that, no worker.
"""

from typing import Final

from portal.contract.envelope import Done, Nothing
from portal.contract.push import (
    DROP_PUSH,
    FORGET_PUSH,
    KEEP_PUSH,
    LIST_DEVICES,
    REGISTER_DEVICE,
    REMOVE_DEVICE,
    REMOVE_DEVICES,
    Device,
    DeviceRegistered,
    Devices,
    DevicesRemoved,
    ForgetPush,
    KeepPush,
    ListDevices,
    PushKept,
    RegisterDevice,
    RemoveDevice,
    RemoveDevices,
)
from portal.domain.card_number import refuse_card_number
from portal.domain.contact import normalise_customer_no
from portal.domain.errors import Conflict, NotFound
from portal.domain.ids import SubscriptionId
from portal.domain.push import (
    CARRIES,
    SUBSCRIPTIONS_MAX,
    PushKind,
    read_device_token,
    read_endpoint,
    read_web_keys,
)
from portal.vault.act import Act
from portal.vault.app import app_of
from portal.vault.channels import roads
from portal.vault.db import Row
from portal.vault.operations.contact_choice import want_again
from portal.vault.operations.redeem import find_merchants
from portal.vault.payer import bill_of
from portal.vault.push import CHANNEL, SEALED_VERSION, TABLE, PushContact, blind_of
from portal.vault.registry import operation

_WEB: Final = frozenset({"web"})
_PAYER: Final = frozenset({"payer"})
_SYSTEM: Final = frozenset({"staff", "api_key"})

_BILL: Final = """
select customer_blind, phone_blind from bill where merchant_id = $1 and id = $2 for no key update
"""
_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 32))"
_ALL: Final = """
select id, kind, created_at, contact_blind, phone_blind from push_subscription
where merchant_id = $1 and customer_blind = $2 order by id desc for update
"""
_ADD: Final = """
insert into push_subscription (merchant_id, id, customer_blind, contact_blind, phone_blind, kind,
                               contact, created_at, app)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_REMOVE: Final = "delete from push_subscription where merchant_id = $1 and id = any($2::uuid[])"
_WENT_TO: Final = """
select d.channel, d.provider, d.state, d.bill_id, p.subscription_id from delivery d
join push_delivery p on p.merchant_id = $1 and p.delivery_id = d.id
where d.merchant_id = $1 and d.id = $2
"""
_THERE_AGAIN: Final = """
update push_subscription set created_at = $3, app = $4 where merchant_id = $1 and id = $2
"""
_GONE: Final = """
delete from push_subscription where merchant_id = $1 and contact_blind = (
    select contact_blind from push_subscription where merchant_id = $1 and id = $2)
and ($3::timestamptz is null or created_at <= $3)
"""


@operation(KEEP_PUSH, callers=_WEB, kinds=_PAYER, audit="effect")
async def keep_push(act: Act, request: KeepPush) -> PushKept:
    """Keep this payer's browser; one that is known for the same telephone stays as it is.

    It is the payer's word, newer than any by which they wanted no notifications.
    A browser whose keys changed, or that spoke of another telephone's bill, is kept anew.

    Raises: InvalidInput ``push_endpoint``, ``push_host``, ``push_keys``, ``card_number_refused``;
        Conflict ``push_missing``.
    """
    refuse_card_number(request.endpoint, request.p256dh, request.auth)
    read_endpoint(request.endpoint, act.settings.push_host_list, port=act.settings.push_port)
    read_web_keys(request.p256dh, request.auth)
    await _require_road(act, "web")
    bill_id = bill_of(act)
    bill = await act.db.fetchrow(_BILL, act.merchant_id, bill_id)
    if bill is None:
        raise NotFound("not_found", params={"kind": "bill"})
    contact = PushContact(request.endpoint, request.p256dh, request.auth)
    _, is_new = await _keep(
        act, "web", contact, customer=bill["customer_blind"], phone=bill["phone_blind"]
    )
    if is_new:
        await act.emit(bill_id, "push.kept")
    await want_again(act, bill_id, CHANNEL)
    known = await act.db.fetch(_ALL, act.merchant_id, bill["customer_blind"])
    return PushKept(browsers=sum(row["kind"] == "web" for row in known))


@operation(DROP_PUSH, callers=_WEB, kinds=_PAYER, audit="effect")
async def drop_push(act: Act, request: Nothing) -> DevicesRemoved:
    """Send nothing more to any browser of this payer. Done twice it changes nothing more."""
    del request
    bill_id = bill_of(act)
    bill = await act.db.fetchrow(_BILL, act.merchant_id, bill_id)
    if bill is None:
        raise NotFound("not_found", params={"kind": "bill"})
    known = await act.db.fetch(_ALL, act.merchant_id, bill["customer_blind"])
    browsers = [row["id"] for row in known if row["kind"] == "web"]
    if browsers:
        await act.db.execute(_REMOVE, act.merchant_id, browsers)
        await act.emit(bill_id, "push.dropped")
    return DevicesRemoved(removed=len(browsers))


@operation(
    REGISTER_DEVICE, callers=_WEB, kinds=_SYSTEM, scope="bills:write", audit="effect"
)  # fmt: skip
async def register_device(act: Act, request: RegisterDevice) -> DeviceRegistered:
    """Keep a device with the merchant's app for a customer number; said again it is the same.

    It is one of the app that the merchant has now, whatever it was when it was said before.

    Raises: InvalidInput ``push_token``, ``empty``, ``text_too_long``, ``card_number_refused``;
        Conflict ``push_missing``.
    """
    refuse_card_number(request.token, request.customer_no)
    token = read_device_token(request.kind, request.token)
    customer = await _customer(act, request.customer_no)
    await _require_road(act, request.kind)
    device, is_new = await _keep(
        act, request.kind, PushContact(token), customer=customer, phone=None
    )
    return DeviceRegistered(device=device, is_new=is_new)


@operation(
    LIST_DEVICES, callers=_WEB, kinds=_SYSTEM, scope="bills:read", audit="none"
)  # fmt: skip
async def list_devices(act: Act, request: ListDevices) -> Devices:
    """What takes notifications for a customer number, newest first, without where it is.

    Raises: InvalidInput ``empty``, ``text_too_long``.
    """
    customer = await _customer(act, request.customer_no)
    known = await act.db.fetch(_ALL, act.merchant_id, customer)
    return Devices(devices=tuple(_device(row) for row in known))


@operation(
    REMOVE_DEVICE, callers=_WEB, kinds=_SYSTEM, scope="bills:write", audit="effect"
)  # fmt: skip
async def remove_device(act: Act, request: RemoveDevice) -> DevicesRemoved:
    """Send nothing more to one browser or device; one that is not there any more is no fault."""
    done = await act.db.execute(_REMOVE, act.merchant_id, [request.device_id])
    return DevicesRemoved(removed=_count(done))


@operation(
    REMOVE_DEVICES, callers=_WEB, kinds=_SYSTEM, scope="bills:write", audit="effect"
)  # fmt: skip
async def remove_devices(act: Act, request: RemoveDevices) -> DevicesRemoved:
    """Send nothing more to any browser or device of a customer: the contract has ended.

    Raises: InvalidInput ``empty``, ``text_too_long``.
    """
    customer = await _customer(act, request.customer_no)
    known = await act.db.fetch(_ALL, act.merchant_id, customer)
    await act.db.execute(_REMOVE, act.merchant_id, [row["id"] for row in known])
    return DevicesRemoved(removed=len(known))


@operation(
    FORGET_PUSH, callers=frozenset({"egress"}), kinds=frozenset({"caller"}), audit="effect"
)  # fmt: skip
async def forget_push(act: Act, request: ForgetPush) -> Done:
    """Forget the browser or device that a delivery went to, for every customer it was kept for.

    Only of a delivery that the relay has in its hands, and by the word of the very host that it
    went to: anything else changes nothing and is an incident. Told twice it changes nothing more.
    """
    merchants = await find_merchants(act, (request.delivery_id,))
    for merchant_id in merchants:
        await act.act_for(merchant_id)
        row = await act.db.fetchrow(_WENT_TO, act.merchant_id, request.delivery_id)
        if row is None or not _may_say(act, row, request.host):
            act.note_incident("push_word", request.delivery_id)
            continue
        gone = (row["subscription_id"], request.gone_since)
        done = await act.db.execute(_GONE, act.merchant_id, *gone)
        if _count(done):
            await act.emit(row["bill_id"], "push.gone")
    if not merchants:
        act.note_incident("delivery_unknown", request.delivery_id)
    return Done()


def _may_say(act: Act, row: Row, host: str) -> bool:
    """Whether the relay can have heard this of the delivery just now, from ``host``."""
    is_there = act.settings.provider_host(row["provider"]) == host
    return row["channel"] == CHANNEL and row["state"] == "redeemed" and is_there


async def _keep(
    act: Act, kind: PushKind, contact: PushContact, *, customer: bytes, phone: bytes | None
) -> tuple[Device, bool]:
    """Keep one for a customer, the newest; and whether it was not known. Calls come one by one."""
    await act.db.execute(_LOCK, customer)
    fields = await act.fields()
    blind, app = blind_of(fields, kind, contact), await app_of(act, kind)
    known = await act.db.fetch(_ALL, act.merchant_id, customer)
    same = next((row for row in known if row["contact_blind"] == blind), None)
    if same is not None and (kind != "web" or same["id"] == known[0]["id"]) and (
        same["phone_blind"] == phone
    ):  # fmt: skip
        if kind == "web":
            return _device(same), False
        # The app says so each time it starts: what a service knew of it before is over.
        await act.db.execute(_THERE_AGAIN, act.merchant_id, same["id"], act.now, app)
        return Device(id=SubscriptionId(same["id"]), kind=kind, registered_at=act.now), False
    leaving = [row["id"] for row in known if row is same]
    others = [row["id"] for row in known if row is not same]
    leaving += others[SUBSCRIPTIONS_MAX - 1 :]
    if leaving:
        await act.db.execute(_REMOVE, act.merchant_id, leaving)
    new_id = act.new_id()
    await act.db.execute(
        _ADD,
        act.merchant_id,
        new_id,
        customer,
        blind,
        phone,
        kind,
        fields.seal(TABLE, "contact", new_id, SEALED_VERSION, contact),
        act.now,
        app,
    )
    device = Device(id=SubscriptionId(new_id), kind=kind, registered_at=act.now)
    return device, same is None


async def _require_road(act: Act, kind: PushKind) -> None:
    """Refuse what the merchant has no company for: it would be kept and never used."""
    kinds = {CARRIES.get(road.provider) for road in await roads(act, CHANNEL)}
    if kind not in kinds:
        raise Conflict("push_missing")


async def _customer(act: Act, customer_no: str) -> bytes:
    fields = await act.fields()
    return fields.blind("customer_no", normalise_customer_no(customer_no))


def _device(row: Row) -> Device:
    return Device(
        id=SubscriptionId(row["id"]),
        kind=row["kind"],
        registered_at=row["created_at"],
    )


def _count(status: str) -> int:
    """How many rows a statement touched, by what PostgreSQL says of it (``DELETE 3``)."""
    return int(status.rpartition(" ")[2])
