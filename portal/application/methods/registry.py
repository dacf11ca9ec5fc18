"""Which adapter serves a method at a provider. Application zone; a lookup, nothing else."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from portal.application.methods.card import CARD
from portal.application.methods.number import ByNumber
from portal.application.methods.redirect import ByRedirect
from portal.application.methods.refunds import Refunds
from portal.application.methods.saved import ChargesSaved, PaysKept
from portal.application.methods.wallet import WALLET
from portal.application.providers import (
    gmopg,
    paypay,
    sandbox_card,
    sandbox_counter,
    sandbox_wallet,
    smbc_gp,
    stripe,
)
from portal.domain.errors import InvariantBroken

BY_REDIRECT: Final[Mapping[str, Mapping[str, ByRedirect]]] = MappingProxyType(
    {"card": CARD, "wallet": WALLET}
)
"""Method → provider → adapter, for methods that send the payer to the provider's page."""

BY_NUMBER: Final[Mapping[str, ByNumber]] = MappingProxyType(
    {
        "gmopg": gmopg.COUNTER,
        "sandbox_counter": sandbox_counter.COUNTER,
        "smbc_gp": smbc_gp.COUNTER,
    }
)
"""Provider → adapter, for those that make numbers to pay by at a store's counter."""

REFUNDS: Final[Mapping[str, Refunds]] = MappingProxyType(
    {
        "gmopg": gmopg.ADAPTER,
        "paypay": paypay.ADAPTER,
        "sandbox_card": sandbox_card.ADAPTER,
        "sandbox_wallet": sandbox_wallet.ADAPTER,
        "smbc_gp": smbc_gp.ADAPTER,
        "stripe": stripe.ADAPTER,
    }
)
"""Provider → adapter, for those that give back what they took."""


CHARGES: Final[Mapping[str, ChargesSaved]] = MappingProxyType(
    {
        "gmopg": gmopg.ADAPTER,
        "sandbox_card": sandbox_card.ADAPTER,
        "smbc_gp": smbc_gp.ADAPTER,
        "stripe": stripe.ADAPTER,
    }
)
"""Provider → adapter, for those that keep a card and charge it later: ENROLS of
portal.domain.card_on_file."""


KEPT: Final[Mapping[str, PaysKept]] = MappingProxyType(
    {
        "gmopg": gmopg.ADAPTER,
        "sandbox_card": sandbox_card.ADAPTER,
        "smbc_gp": smbc_gp.ADAPTER,
        "stripe": stripe.ADAPTER,
    }
)
"""Provider → adapter, for those at which a payer who is there pays by a card that they left: PAYS
of portal.domain.card_payment."""


def find_kept(provider: str) -> PaysKept:
    """The adapter by which payers who are there pay by a kept card at this provider.

    Raises InvariantBroken ``provider_unconfigured``: the vault named one where they can't.
    """
    adapter = KEPT.get(provider)
    if adapter is None:
        raise InvariantBroken("provider_unconfigured", context=f"no kept cards at {provider}")
    return adapter


def find_charges(provider: str) -> ChargesSaved:
    """The adapter that charges cards on file at this provider.

    Raises InvariantBroken ``provider_unconfigured``: the vault named one that keeps no cards.
    """
    adapter = CHARGES.get(provider)
    if adapter is None:
        raise InvariantBroken("provider_unconfigured", context=f"no charges at {provider}")
    return adapter


def find_number(provider: str) -> ByNumber:
    """The adapter that makes numbers for stores at this provider.

    Raises InvariantBroken ``provider_unconfigured``: it makes none.
    """
    adapter = BY_NUMBER.get(provider)
    if adapter is None:
        raise InvariantBroken("provider_unconfigured", context=f"no numbers at {provider}")
    return adapter


def find_refunds(provider: str) -> Refunds:
    """The adapter that gives money back at this provider.

    Raises InvariantBroken ``provider_unconfigured``: the vault sent a refund where none can be.
    """
    adapter = REFUNDS.get(provider)
    if adapter is None:
        raise InvariantBroken("provider_unconfigured", context=f"no refunds at {provider}")
    return adapter


def find_redirect(provider: str) -> ByRedirect:
    """The adapter that asks this provider about payments.

    Raises InvariantBroken ``provider_unconfigured``: the vault named a provider we don't have.
    """
    for adapters in BY_REDIRECT.values():
        adapter = adapters.get(provider)
        if adapter is not None:
            return adapter
    raise InvariantBroken("provider_unconfigured", context=f"no method adapter for {provider}")
