"""``portal provider certify smtp|aws_ses``: one mail to an address of yours, by rules to be signed.

Stack only. It goes through the egress' own code with a vault of one mail, so a rule that is too
narrow, a wrong password or a key that does not fit shows before the first payer is written to. The
receiving program tells whether signature and sender agree (DKIM, SPF, DMARC).
"""

from dataclasses import dataclass
from datetime import date
from typing import TypeVar, cast
from uuid import UUID

from portal.application.channels.registry import find_sender
from portal.application.providers.exchange import Endpoint, MessageAnswer, MessageWanted
from portal.contract.envelope import Operation, Reply, Request
from portal.contract.message import RedeemDeliveries, Redeemed, RedeemedDelivery
from portal.domain.errors import InvariantBroken
from portal.domain.mail import render_mail
from portal.domain.sms import BillText
from portal.egress.callers import Caller
from portal.egress.originate import Originate

_Q = TypeVar("_Q", bound=Request)
_R = TypeVar("_R", bound=Reply)

_TOKEN = "0" * 26 + "." + "0" * 24  # the vault makes no such one, so what comes back moves nothing


@dataclass(frozen=True, slots=True)
class OneMail:
    """A vault that has one mail to give out, to ``to``, from the merchant's address ``sender``."""

    to: str
    sender: str

    async def call(self, op: Operation[_Q, _R], request: _Q) -> _R:
        """The mail's values, whatever delivery is asked for."""
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
        mail = render_mail("ja", bill)
        given = tuple(
            RedeemedDelivery(
                delivery_id=one,
                to=self.to,
                body=mail.text,
                refused=None,
                subject=mail.subject,
                html=mail.html,
                sender=self.sender,
                sender_name=bill.merchant_name,
                return_token=_TOKEN,
            )
            for one in request.delivery_ids
        )
        return cast("_R", Redeemed(deliveries=given))


async def send_one(
    relay: Originate,
    endpoint: Endpoint,
    delivery_id: UUID,
    roles: frozenset[str],
    sender: tuple[str, str],
) -> MessageAnswer:
    """Have the message sent, as a worker would; how its answer reads.

    ``sender``: channel and company.
    """
    wanted = MessageWanted(
        delivery_id=delivery_id, key=delivery_id.hex, account="certify", sender=""
    )
    exchange = find_sender(*sender).compose(endpoint, wanted)
    (answer,) = await relay.send_slice(Caller(0, roles), [exchange.request])
    return exchange.read(answer)
