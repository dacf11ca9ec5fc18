"""References in the provider's own form, made before the call so that an inquiry can always ask.

A reference is computed from the attempt's own id: unique because the id is, the same whenever it
is asked for, and it names nobody. Pure; that it is unique at the provider is kept by a unique key
in the vault.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from portal.domain.errors import InvariantBroken

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceForm:
    """How a provider wants references: letters allowed, at most ``length_max`` of them."""

    name: str
    alphabet: str
    length_max: int


ORDER_ID: Final = ReferenceForm(name="order_id", alphabet=_CROCKFORD, length_max=27)
"""GMO-PG's OrderID and the sandbox's: at most 27 of [A-Za-z0-9-]; Crockford's letters of them.

Source: reference/payments.md §3 (GMO-PG OrderID, 27 characters, unique per shop).
Crockford's base 32 leaves out I, L, O and U, so that it can be read over the telephone.
"""

MERCHANT_PAYMENT_ID: Final = ReferenceForm(
    name="merchant_payment_id", alphabet=_CROCKFORD, length_max=64
)
"""PayPay's merchantPaymentId and merchantRefundId: at most 64 characters, no colon among them.

Source: PayPay Open Payment API, "Create a QR Code".
"""

FORMS: Final[dict[str, ReferenceForm]] = {
    "bank_debit": ORDER_ID,
    "dsk": ORDER_ID,
    "gmopg": ORDER_ID,
    "paypay": MERCHANT_PAYMENT_ID,
    "sandbox_agency": ORDER_ID,
    "sandbox_card": ORDER_ID,
    "sandbox_counter": ORDER_ID,
    "sandbox_wallet": MERCHANT_PAYMENT_ID,
    "smbc_gp": ORDER_ID,
    "stripe": ORDER_ID,
}
"""Provider → form of its references. Collection agencies and banks know none of ours: theirs name
refunds, which the merchant transfers itself. A debit's own is its number in the file
(portal.domain.debit.instruction_no)."""


def form_of(provider: str) -> ReferenceForm:
    """The form that a provider takes.

    Raises: InvariantBroken ``reference_form`` for a provider that has none: no attempt may be made
    there, because nothing could be asked afterwards.
    """
    form = FORMS.get(provider)
    if form is None:
        raise InvariantBroken("reference_form", context=provider)
    return form


def reference_for(form: ReferenceForm, attempt_id: UUID) -> str:
    """The attempt's reference in that form: all 128 bits of the id, so no two can meet.

    Raises: InvariantBroken ``reference_form`` when the form is too short to hold an id.
    """
    number, radix = attempt_id.int, len(form.alphabet)
    letters: list[str] = []
    places = -(-128 // (radix.bit_length() - 1))
    if places > form.length_max:
        raise InvariantBroken("reference_form", context=form.name)
    for _ in range(places):
        number, digit = divmod(number, radix)
        letters.append(form.alphabet[digit])
    return "".join(reversed(letters))


def made_at_s(reference: str) -> int:
    """When the id behind a reference in Crockford's letters was made: a UUIDv7 begins with it.

    For companies that want to be told when a payment was asked for, with the same answer however
    often the request is composed. Units: whole seconds since 1970. Source: RFC 9562 §5.7.

    Raises: InvariantBroken ``reference_form`` for a text that holds no such id.
    """
    made_at_ms = id_behind(reference).int >> 80
    if not made_at_ms:
        raise InvariantBroken("reference_form", context="no id of ours behind a reference")
    return made_at_ms // 1000


def id_behind(reference: str) -> UUID:
    """The attempt whose reference in Crockford's letters it is: :func:`reference_for`, backwards.

    Raises: InvariantBroken ``reference_form`` for a text that holds no such id.
    """
    number = 0
    for letter in reference:
        digit = _CROCKFORD.find(letter)
        if digit < 0:
            raise InvariantBroken("reference_form", context="not a reference of ours")
        number = number * len(_CROCKFORD) + digit
    if number >> 128:
        raise InvariantBroken("reference_form", context="no id of ours behind a reference")
    return UUID(int=number)
