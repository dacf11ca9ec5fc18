"""Which of a merchant's ways to pay this process can carry out at all.

Application zone. The vault knows whom a merchant named, the settings know where companies are. A
name without an address is a mistake of whoever set them up: such a way is offered to nobody, no
try is stored for it, and the log says so as an error.
"""

from collections.abc import Iterable

import msgspec

from portal.application.methods.registry import BY_REDIRECT
from portal.application.payment.desk import PayDesk
from portal.contract.page import MethodOffer
from portal.domain.number import METHOD as NUMBER
from portal.kit import log

UNCONFIGURED = "method_unconfigured"


def narrow(desk: PayDesk, offers: Iterable[MethodOffer]) -> tuple[MethodOffer, ...]:
    """The offers, those not available that only an unknown address could carry out.

    A company is told about once a process: a page is looked at very often.
    """
    return tuple(_narrowed(desk, offer) for offer in offers)


def _narrowed(desk: PayDesk, offer: MethodOffer) -> MethodOffer:
    if offer.kept_at not in {"", *desk.endpoints}:
        tell(desk, offer.kept_at)
        offer = msgspec.structs.replace(offer, kept_at="")
    if offer.method not in {*BY_REDIRECT, NUMBER} or offer.provider in {"", *desk.endpoints}:
        return offer
    tell(desk, offer.provider)
    if not offer.available:
        return offer
    return msgspec.structs.replace(offer, available=False, reason=UNCONFIGURED)


def tell(desk: PayDesk, provider: str) -> None:
    """Say loudly, once a process, that a merchant names a company and nobody told us where it is.

    A payer who sends a form again and again wakes nobody a second time.
    """
    if provider in desk.told:
        return
    desk.told.add(provider)
    log.get_logger().error("payment.unconfigured", provider=provider, code=UNCONFIGURED)
