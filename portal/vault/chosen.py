"""Data zone: what a payer chose to pay: one bill, several of a contract, or a part of one."""

from collections.abc import Mapping
from uuid import UUID

from portal.contract.payment import StartPayment
from portal.domain.bill import is_payable
from portal.domain.errors import Conflict, InvalidInput, NotFound
from portal.domain.methods import METHODS
from portal.domain.share import BILLS_MAX, split
from portal.vault.act import Act
from portal.vault.attempt import LockedBill, lock_bill, lock_bills
from portal.vault.payee import Payee
from portal.vault.payer import bill_of
from portal.vault.share import left_of, named_of


async def lock_chosen(act: Act, request: StartPayment) -> dict[UUID, LockedBill]:
    """Lock the bill of the authority and those named beside it, in the order of their ids.

    Raises: InvalidInput ``too_many_bills``; NotFound.
    """
    own = bill_of(act)
    if len(set(request.also)) >= BILLS_MAX:
        raise InvalidInput("too_many_bills", params={"most": BILLS_MAX})
    named = await named_of(act, own, request.also)
    if not named:
        return {own: await lock_bill(act, own)}
    bills = await lock_bills(act, [own, *named])
    if own not in bills:
        raise NotFound("not_found", params={"kind": "bill"})
    return bills


def arguments_of(request: StartPayment) -> bytes:
    """What makes an intent another one; of a bill alone as before there were others."""
    more = f"|{request.consent}" if request.consent else ""
    more += f"|at {request.store}" if request.store else ""
    more += "|kept" if request.kept else ""
    more += "" if request.part_minor is None else f"|part {request.part_minor}"
    more += "".join(f"|{ref}" for ref in sorted(set(request.also)))
    return f"{request.method}|{request.expected_minor}{more}".encode()


def check_intent(bills: Mapping[UUID, LockedBill], own: LockedBill, request: StartPayment) -> None:
    """Refuse what can't be paid, or not in this way.

    Raises: InvalidInput ``method_unknown``; Conflict ``not_payable``, ``other_not_payable``.
    """
    facts = METHODS.get(request.method)
    if facts is None or not facts.by_attempt:
        raise InvalidInput("method_unknown")
    if not is_payable(own.lifecycle, own.settlement):
        raise Conflict("not_payable", params={"lifecycle": own.lifecycle})
    # A name that leads nowhere is another contract's or merchant's, or was paid or withdrawn since.
    others = [bill for bill in bills.values() if bill.id != own.id]
    are_payable = all(is_payable(bill.lifecycle, bill.settlement) for bill in others)
    if len(others) != len(set(request.also)) or not are_payable:
        raise Conflict("other_not_payable")


async def shares_of(
    act: Act,
    payee: Payee,
    bills: Mapping[UUID, LockedBill],
    own: LockedBill,
    request: StartPayment,
) -> dict[UUID, int]:
    """What each locked bill gets; refused unless that is what the payer saw.

    Raises: Conflict ``amount_changed``, ``method_unavailable``, ``part_not_taken``; InvalidInput
    ``part_out_of_bounds``, ``part_of_several``.
    """
    left = {own.id: own.amount_minor - payee.paid_minor}
    if len(bills) > 1:
        left = await left_of(act, list(bills))
    shares = split(own.id, left, request.part_minor, payee.part_least_minor)
    amount = sum(shares.values())
    if amount != request.expected_minor:
        raise Conflict("amount_changed", params={"amount_minor": amount})
    facts = METHODS[request.method]
    if not facts.amount_min <= amount <= facts.amount_max:
        raise Conflict("method_unavailable", params={"method": request.method})
    return shares
