"""Several bills in one payment, and a part of a bill: what pages show, and what operators set."""

from datetime import date

from portal.contract.envelope import Operation, Part, Reply, Request


class ViewPage(Request, frozen=True, kw_only=True):
    """The page with what its payer would pay: other bills beside it, or a part of it alone.

    ``also``: public names of the pages of other bills, as the page itself names them. What can't be
    chosen is not, and the reply's ``choice_refused`` says why.
    """

    also: tuple[str, ...] = ()
    part_minor: int | None = None


class OtherBill(Part, frozen=True, kw_only=True):
    """Another bill of the contract that can be paid with this one: nothing personal.

    ``ref`` is the public name of its page; it grants nothing. Units: what is left to pay.
    """

    ref: str
    period: str
    due_on: date
    amount_minor: int
    is_chosen: bool


class PaidShare(Part, frozen=True, kw_only=True):
    """What one bill got, or is to get, of a payment for several; ``is_this``: the page's bill."""

    period: str
    due_on: date
    amount_minor: int
    is_this: bool


class PartRange(Part, frozen=True, kw_only=True):
    """What may be paid of the bill if not all of it, both ends included."""

    least_minor: int
    most_minor: int


class SetPartPayment(Request, frozen=True, kw_only=True):
    """The least that a merchant takes of a bill at once; None: all or nothing.

    Refused: ``part_least`` (param ``max``), ``merchant_unknown``.
    """

    merchant_code: str
    least_minor: int | None


class PartPaymentSet(Reply, frozen=True, kw_only=True):
    """What holds from now on."""

    least_minor: int | None


SET_PART_PAYMENT = Operation("set_part_payment", SetPartPayment, PartPaymentSet)
