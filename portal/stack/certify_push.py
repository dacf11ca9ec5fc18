"""``portal provider certify webpush|fcm|apns``: one notification to a browser or device of yours.

Stack only. It goes through the egress' own code with a vault of one notification, so a host that
the rules do not list, a key that no service knows or another app's token shows before the first
payer is told anything.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self, TypeVar, cast

import msgspec

from portal.contract.envelope import Done, Operation, Reply, Request
from portal.contract.message import RedeemDeliveries, Redeemed, RedeemedDelivery
from portal.contract.push import ForgetPush
from portal.domain.errors import InvariantBroken
from portal.domain.push import render_push
from portal.domain.sms import BillText

_Q = TypeVar("_Q", bound=Request)
_R = TypeVar("_R", bound=Reply)


class _Keys(msgspec.Struct, frozen=True):
    p256dh: str
    auth: str


class _Subscription(msgspec.Struct, frozen=True):
    """What a browser says of itself (PushSubscription.toJSON)."""

    endpoint: str
    keys: _Keys


@dataclass(frozen=True, slots=True)
class OnePush:
    """A vault that has one notification to give out; what is said of it afterwards is dropped."""

    to: str
    push_keys: str = ""
    app: str = ""

    @classmethod
    def read(cls, file: Path, app: str = "") -> Self:
        """From a browser's subscription as JSON, or as text the token of a device with an app.

        Raises: OSError.
        """
        raw = file.read_bytes().strip()
        try:
            said = msgspec.json.decode(raw, type=_Subscription)
        except msgspec.DecodeError:
            return cls(raw.decode("ascii", "replace"), app=app)
        return cls(said.endpoint, f"{said.keys.p256dh} {said.keys.auth}")

    async def call(self, op: Operation[_Q, _R], request: _Q) -> _R:
        """The notification's values, whatever delivery is asked for."""
        if isinstance(request, ForgetPush):
            return cast("_R", Done())
        if not isinstance(request, RedeemDeliveries):
            raise InvariantBroken("certify_without_vault", context=op.name)
        bill = BillText(
            merchant_name="Harai certify",
            period="2026-11",
            amount_minor=100,
            customer_hint="0000",
            due_on=date(2026, 12, 25),
            link="https://localhost/certify",
        )
        text = render_push("ja", "first", bill)
        given = tuple(
            RedeemedDelivery(
                delivery_id=one,
                to=self.to,
                body=text.body,
                refused=None,
                subject=text.title,
                link=bill.link,
                topic="certify",
                push_keys=self.push_keys,
                push_app=self.app,
            )
            for one in request.delivery_ids
        )
        return cast("_R", Redeemed(deliveries=given))
