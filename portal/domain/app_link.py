"""Which links to a wallet's app may be offered to a payer: each company's own form, and no other.

Domain: pure. A link of another scheme starts another program on the payer's telephone, so it is not
enough that it is no script: scheme and host have to be exactly the company's. What is not so costs
the link, never the payment; the company's page is there for everybody.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from portal.domain.card_number import looks_like_card_number

LINK_CHARACTERS_MAX: Final = 2_000
_TARGET: Final = re.compile(r"[/?](?:[A-Za-z0-9._~!$&()*+,;=:@/?-]|%[0-9A-Fa-f]{2})+")
"""A path or a query of what a URI may hold, without quotes. Source: RFC 3986 §3.3, §3.4."""


@dataclass(frozen=True, slots=True)
class AppLink:
    """How the links of one company's app begin."""

    scheme: str
    host: str

    @property
    def beginning(self) -> str:
        """What stands before path and query, to the letter."""
        return f"{self.scheme}://{self.host}"


APP_LINKS: Final[Mapping[str, AppLink]] = MappingProxyType(
    {
        "paypay": AppLink("paypay", "payment"),
        "sandbox_wallet": AppLink("sandbox-wallet", "pay"),
    }
)
"""Provider → the form of its app's links. Source: PayPay Open Payment API, "Create a QR Code",
``deeplink`` (``paypay://payment?link_key=…``)."""


def is_app_link(provider: str, link: str) -> bool:
    """Whether a payer may be offered this link as the way to the app of ``provider``.

    One in which a card's number could stand is none, as nothing else that holds one is kept.
    """
    form = APP_LINKS.get(provider)
    if form is None or len(link) > LINK_CHARACTERS_MAX or not link.startswith(form.beginning):
        return False
    target = link.removeprefix(form.beginning)
    return _TARGET.fullmatch(target) is not None and not looks_like_card_number(link)
