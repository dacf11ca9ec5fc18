"""Which results of EMV 3-D Secure a merchant accepts of card payments that their payers make. Pure.

The company's page asks the payer's bank; we hear the result with the payment. A payment that the
bank did not stand for is the merchant's own risk, so a person decides about it: money that has come
is booked whatever its result. A charge to a card on file has no payer present and no result.

Source: EMV 3-D Secure 2.2, table A.1 (transStatus); クレジットカード・セキュリティガイドライン 6.0
(2025).
"""

from collections.abc import Mapping
from typing import Final, Literal

CardPolicy = Literal["any", "attempted", "authenticated"]
"""``authenticated``: nothing but a payer whom the bank recognised, and the company has to say so.
``attempted``: also one whose bank takes no part, and a company that tells no result. ``any``: all.
"""

_ACCEPTED: Final[Mapping[CardPolicy, frozenset[str]]] = {
    "attempted": frozenset({"", "Y", "A"}),
    "authenticated": frozenset({"Y"}),
}
"""By transStatus; '' where the company told none. C, I, N, R and U are in neither."""

POLICIES: Final[tuple[CardPolicy, ...]] = ("any", "attempted", "authenticated")


def is_accepted_by_all(result: str) -> bool:
    """Whether no policy needs to be looked up for this result."""
    return all(result in accepted for accepted in _ACCEPTED.values())


def is_accepted(policy: CardPolicy, result: str) -> bool:
    """Whether a payment with this result may stand without anybody's look at it."""
    return policy == "any" or result in _ACCEPTED[policy]
