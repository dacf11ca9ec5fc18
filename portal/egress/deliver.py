"""Values of deliveries, fetched from the vault at the moment of sending.

Zone: egress. One call for all deliveries of a slice that go to one host; each is redeemed once, for
the host of its channel, and the values live only until the answer is scrubbed. Nothing here is
kept, logged or retried: a delivery whose redemption is unclear is not sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

import msgspec

from portal.contract.card_on_file import REDEEM_INSTRUMENT, RedeemInstrument
from portal.contract.company_word import CompanyAsked
from portal.contract.envelope import Operation, Reply, Request
from portal.contract.mandate import DEPOSIT_MANDATE_WORD, DepositMandateWord
from portal.contract.message import REDEEM_DELIVERIES, RedeemDeliveries
from portal.contract.number import REDEEM_PAYER, RedeemPayer
from portal.contract.push import FORGET_PUSH, ForgetPush
from portal.contract.refund import (
    REDEEM_REFUND,
    RETURN_REFUND,
    RedeemRefund,
    RefundRedeemed,
    ReturnRefund,
)
from portal.domain.card_on_file import InstrumentPart
from portal.domain.errors import (
    InvalidInput,
    InvariantBroken,
    LimitReached,
    PortalError,
    Refused,
    Unknown,
)
from portal.domain.ids import AttemptId, DeliveryId, RefundId
from portal.domain.message import HELD, LEFT_OUT
from portal.egress.denial import Denied
from portal.egress.refund import SaidOfRefund
from portal.kit.log import get_logger

_log = get_logger()

_Q = TypeVar("_Q", bound=Request)
_R = TypeVar("_R", bound=Reply)


class Vault(Protocol):
    """What of ``portal.contract.client.VaultClient`` is needed here."""

    async def call(self, op: Operation[_Q, _R], request: _Q) -> _R:
        """One operation under the channel's own small authority."""
        ...


Values = Mapping[str, str]
"""Placeholder → value of one delivery."""


async def redeem(vault: Vault, host: str, ids: Sequence[UUID]) -> dict[UUID, Values | Denied]:
    """Values for each delivery about to go to ``host``, or why there are none.

    ``delivery_refused``: the vault has nothing to send for it (redeemed before, another host's; or
    left out, paid or paused meanwhile, which is nobody's attempt). ``vault_away``: it was not
    asked. ``budget_spent``: it gives the relay no more rows in this minute, and redeemed nothing.
    ``vault_lost``: it may have given the values out, they did not arrive, and nothing was
    sent.
    """
    try:
        reply = await vault.call(
            REDEEM_DELIVERIES,
            RedeemDeliveries(host=host, delivery_ids=tuple(DeliveryId(id_) for id_ in ids)),
        )
    except PortalError as error:
        code = code_of(error)
        _log.warning("deliveries.not_redeemed", code=error.code, reason=code, count=len(ids))
        return {id_: Denied(code) for id_ in ids}
    found: dict[UUID, Values | Denied] = {id_: Denied("delivery_refused") for id_ in ids}
    for delivery in reply.deliveries:
        if delivery.delivery_id not in found:
            continue
        if delivery.refused is None:
            found[delivery.delivery_id] = {
                "delivery:to": delivery.to,
                "delivery:body": delivery.body,
                "delivery:subject": delivery.subject,
                "delivery:html": delivery.html,
                "delivery:sender": delivery.sender,
                "delivery:sender_name": delivery.sender_name,
                "delivery:return_token": delivery.return_token,
                "delivery:callback": delivery.callback,
                "delivery:stop_url": delivery.stop_url,
                "delivery:link": delivery.link,
                "delivery:topic": delivery.topic,
                "delivery:push_keys": delivery.push_keys,
                "delivery:push_app": delivery.push_app,
            }
        elif delivery.refused in LEFT_OUT | HELD:
            found[delivery.delivery_id] = Denied("delivery_refused", is_attempt=False)
    return found


async def forget_push(vault: Vault, host: str, id_: UUID, since: datetime | None) -> None:
    """Tell the vault that the browser or device of a delivery is gone for good, or ``since`` when.

    What the vault does not hear it hears at the next try: the service says the same again.
    """
    try:
        gone = ForgetPush(host=host, delivery_id=DeliveryId(id_), gone_since=since)
        await vault.call(FORGET_PUSH, gone)
    except PortalError as error:
        _log.warning("push.not_forgotten", code=error.code)


@dataclass(frozen=True, slots=True)
class BankAnswer:
    """What a bank said, and to which question: the last part of the path that was asked."""

    status: int
    asked_for: str
    body: bytes


async def redeem_instrument(
    vault: Vault, host: str, id_: UUID, part: InstrumentPart, *, by_payer: bool = False
) -> Values | Denied:
    """What a request about a card is to say at ``host``, the card too if it charges it; or why not.

    ``by_payer``: its payer is there, and the vault has the order.

    Denied as :func:`redeem` has it; what was paid or taken back since is nobody's attempt.
    """
    try:
        wanted = RedeemInstrument(
            host=host, attempt_id=AttemptId(id_), part=part, by_payer=by_payer
        )
        reply = await vault.call(REDEEM_INSTRUMENT, wanted)
    except PortalError as error:
        code = code_of(error)
        _log.warning("instrument.not_redeemed", code=error.code, reason=code)
        return Denied(code)
    if reply.refused is not None:
        return Denied("delivery_refused", is_attempt=reply.refused != "not_due")
    said = {
        "instrument:reference": reply.reference,
        "instrument:amount": str(reply.amount_minor),
    }
    order = {"instrument:order": reply.order, "instrument:order_pass": reply.order_pass}
    match part:
        case "charge":
            card = {"instrument:token": reply.token, "instrument:customer": reply.customer}
            return said | card | (order if by_payer else {})
        case "secure":
            return said | order
        case "keep":
            return {"instrument:reference": reply.reference, "instrument:member": reply.token}
        case "order":
            return said


async def redeem_payer(vault: Vault, host: str, id_: UUID) -> Values | Denied:
    """Who pays by a number that is about to be made at ``host``; or why there is nothing to tell.

    Denied as :func:`redeem` has it; what was paid since, or asked about, is nobody's attempt.
    """
    try:
        reply = await vault.call(REDEEM_PAYER, RedeemPayer(host=host, attempt_id=AttemptId(id_)))
    except PortalError as error:
        code = code_of(error)
        _log.warning("payer.not_redeemed", code=error.code, reason=code)
        return Denied(code)
    if reply.refused is not None:
        return Denied("delivery_refused", is_attempt=reply.refused != "not_due")
    return {"payer:name": reply.name, "payer:kana": reply.kana, "payer:phone": reply.phone}


async def redeem_refund(
    vault: Vault, host: str, id_: UUID, said: SaidOfRefund, asked: CompanyAsked | None
) -> Denied | None:
    """The vault's leave to send a refund to ``host``, which it takes for sent from then on.

    ``asked`` is the request itself: by it the vault keeps of which payment it was. Denied as
    :func:`redeem` has it; what was withdrawn, or failed, since is nobody's attempt.
    """
    try:
        reply = await _leave(
            vault,
            RedeemRefund(
                host=host,
                refund_id=RefundId(id_),
                reference=said.reference,
                payment=said.payment,
                amount_minor=said.amount_minor,
                remaining_minor=said.remaining_minor,
                asked=asked,
            ),
        )
    except PortalError as error:
        code = code_of(error)
        _log.warning("refund.not_redeemed", code=error.code, reason=code)
        return Denied(code)
    if reply.refused is None:
        return None
    return Denied("delivery_refused", is_attempt=reply.refused != "not_due")


async def _leave(vault: Vault, request: RedeemRefund) -> RefundRedeemed:
    """The vault's answer; one of the release before knows no ``asked``, and takes none."""
    try:
        return await vault.call(REDEEM_REFUND, request)
    except InvalidInput as fault:
        if fault.code != "request_malformed" or request.asked is None:
            raise
    return await vault.call(REDEEM_REFUND, msgspec.structs.replace(request, asked=None))


async def return_refund(vault: Vault, host: str, id_: UUID) -> None:
    """Tell the vault that a refund surely moved nothing; unheard, it counts as sent."""
    try:
        await vault.call(RETURN_REFUND, ReturnRefund(host=host, refund_id=RefundId(id_)))
    except PortalError as error:
        _log.warning("refund.not_returned", code=error.code, reason=code_of(error))


async def deposit_word(vault: Vault, host: str, id_: UUID, answer: BankAnswer) -> str:
    """Put a bank's word about a mandate into the vault; '' when it is there, else a code."""
    try:
        word = DepositMandateWord(
            host=host,
            word_id=DeliveryId(id_),
            body=answer.body,
            status=answer.status,
            asked_for=answer.asked_for,
        )
        reply = await vault.call(DEPOSIT_MANDATE_WORD, word)
    except PortalError as error:
        code = code_of(error)
        _log.warning("mandate_word.not_deposited", code=error.code, reason=code)
        return code
    return "" if reply.refused is None else "deposit_refused"


def code_of(error: PortalError) -> str:
    """What of the vault's refusal or silence a caller is told."""
    match error:
        case LimitReached(code="budget_spent"):
            return "budget_spent"
        case Refused():
            return "delivery_refused"
        case Unknown() | InvariantBroken():
            return "vault_lost"
        case _:
            return "vault_away"
