"""``portal provider certify twilio|aws_sns``: one text message or one call to a number of yours.

Stack only. As with a mail it goes through the egress' own code with a vault of one message, under
the rules that are to be signed. A call asks for its words at an address that you give: the portal's
own door knows no such call and would hang up.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeVar, cast
from uuid import UUID

from portal.application.channels.registry import find_sender
from portal.application.providers.exchange import Endpoint, MessageAnswer, MessageWanted
from portal.contract.envelope import Operation, Reply, Request
from portal.contract.message import RedeemDeliveries, Redeemed, RedeemedDelivery
from portal.domain.contact import normalise_phone
from portal.domain.errors import InvariantBroken
from portal.domain.sms import BillText, render_bill
from portal.egress.callers import Caller
from portal.egress.originate import Originate

_Q = TypeVar("_Q", bound=Request)
_R = TypeVar("_R", bound=Reply)

NOWHERE = "https://localhost/certify"
"""Where nothing is told: what the company says of this message reaches nobody."""


def read_numbers(text: str, call: str) -> "OneText | None":
    """What the command's options say: ``FROM=TO`` of a text, ``FROM=TO=URL`` of a call, or no."""
    sender, _, to = (call or text).partition("=")
    if not to:
        return None
    to, _, callback = to.partition("=")
    if call:
        return OneText(to, sender, "voice", callback or NOWHERE)
    return OneText(to, sender)


@dataclass(frozen=True, slots=True)
class OneText:
    """A vault that has one message to give out, to ``to``, from the number or name ``sender``.

    ``callback``: where a call's words are to be had, or where a text's fate is told.
    """

    to: str
    sender: str
    channel: Literal["sms", "voice"] = "sms"
    callback: str = NOWHERE

    async def call(self, op: Operation[_Q, _R], request: _Q) -> _R:
        """The message's values, whatever delivery is asked for."""
        if not isinstance(request, RedeemDeliveries):
            raise InvariantBroken("certify_without_vault", context=op.name)
        bill = BillText(
            merchant_name="Harai certify",
            period="2026-11",
            amount_minor=100,
            customer_hint="0000",
            due_on=date(2026, 12, 25),
            link=NOWHERE,
        )
        given = tuple(
            RedeemedDelivery(
                delivery_id=one,
                to=normalise_phone(self.to),
                body=render_bill("ja", bill) if self.channel == "sms" else "",
                refused=None,
                callback=self.callback,
            )
            for one in request.delivery_ids
        )
        return cast("_R", Redeemed(deliveries=given))

    async def send(
        self,
        relay: Originate,
        where: tuple[str, Endpoint],
        delivery_id: UUID,
        roles: frozenset[str],
    ) -> MessageAnswer:
        """Have it sent by the company ``where``, as a worker would; how its answer reads."""
        provider, endpoint = where
        wanted = MessageWanted(
            delivery_id=delivery_id, key=delivery_id.hex, account="certify", sender=self.sender
        )
        exchange = find_sender(self.channel, provider).compose(endpoint, wanted)
        (answer,) = await relay.send_slice(Caller(0, roles), [exchange.request])
        return exchange.read(answer)
