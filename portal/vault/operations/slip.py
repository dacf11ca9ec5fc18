"""Data zone: a payer's slip, and what a merchant agreed to with its collection agency."""

from dataclasses import replace
from typing import Final

from portal.contract.envelope import Nothing
from portal.contract.slip import (
    SET_SLIP_TERMS,
    SHOW_SLIP,
    SetSlipTerms,
    SlipTermsSet,
    SlipView,
)
from portal.domain import page as page_rules
from portal.domain.errors import Conflict, NotFound
from portal.domain.intake.cells import read_line
from portal.domain.print_batch import TRANSFER_TEXT_MAX
from portal.domain.slip import SlipBill, check_terms
from portal.domain.slip_number import SlipTerms
from portal.vault.act import Act
from portal.vault.attempt import LockedBill, find_live, held_by, lock_bill
from portal.vault.db import Row
from portal.vault.payer import bill_of, enter_merchant
from portal.vault.registry import operation
from portal.vault.share import left_of
from portal.vault.slip import TERMS_BESIDE, Slip, slip_for, terms_beside

_BESIDE: Final = f"""
select b.tax_minor, b.due_on, m.zone, m.lapse_after_days, {TERMS_BESIDE}
from bill b join merchant m on m.id = b.merchant_id
left join slip_terms t on t.merchant_id = b.merchant_id
where b.merchant_id = $1 and b.id = $2
"""  # noqa: S608  constant columns
_SET_TERMS: Final = """
insert into slip_terms (merchant_id, agency, maker_code, company_code, amount_min, amount_max,
    is_public_money, scans_screens, days_open, grace_days, is_offered)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (merchant_id) do update set agency = $2, maker_code = $3, company_code = $4,
    amount_min = $5, amount_max = $6, is_public_money = $7, scans_screens = $8, days_open = $9,
    grace_days = $10, is_offered = $11
"""
_SET_TEXT: Final = "update merchant set transfer_text = $2 where id = $1"


@operation(SHOW_SLIP, callers=frozenset({"web"}), kinds=frozenset({"payer"}), audit="effect")
async def show_slip(act: Act, request: Nothing) -> SlipView:
    """Show the slip of this authority's bill; the first look makes it out.

    It is over what is left of the bill. Looked at again it is the same, until its last day is over
    or another part is paid: then it is made out anew, for as long as the bill can be paid. Who asks
    for it has opened the page, so that is noted too.

    Raises: Conflict ``not_offered``, ``not_payable``, ``attempt_running``, ``attempt_elsewhere``,
    ``amount_too_small``, ``amount_too_large``, ``slip_issues_spent``.
    """
    del request
    bill = await lock_bill(act, bill_of(act))
    row = await act.db.fetchrow(_BESIDE, act.merchant_id, bill.id)
    if row is None:
        raise NotFound("not_found", params={"kind": "bill"})
    found = terms_beside(row)
    if found is None or not found[1]:
        raise Conflict("not_offered")
    terms = found[0]
    bill = replace(bill, amount_minor=(await left_of(act, [bill.id]))[bill.id])
    await _check_offered(act, bill, terms)
    slip = await _slip_of(act, bill, row, terms)
    if bill.opened_at is None:
        act.closing.add("opened", act.merchant_id, bill.id, act.business)
    return SlipView(
        digits=slip.number.digits(),
        lines=slip.number.lines(),
        amount_minor=slip.number.amount_minor,
        pay_until=slip.pay_until,
        at_registers=terms.scans_screens_at_registers,
        needs_stamp=slip.number.needs_stamp,
    )


async def _check_offered(act: Act, bill: LockedBill, terms: SlipTerms) -> None:
    """Refuse for the same reasons as the page does."""
    live = await find_live(act, bill.id)
    offers = page_rules.offers(
        bill.lifecycle,
        bill.settlement,
        None if live is None else live.state,
        amount_minor=bill.amount_minor,
        offered=frozenset({"slip"}),
        held_by=None if live is None else held_by(live),
        bounds={"slip": (terms.amount_min, terms.amount_max)},
    )
    reason = next(offer.reason for offer in offers if offer.method == "slip")
    if reason is not None:
        raise Conflict(reason, params={"method": "slip"})


async def _slip_of(act: Act, bill: LockedBill, row: Row, terms: SlipTerms) -> Slip:
    today = act.clock.business_today(row["zone"])
    wanted = SlipBill(
        bill_id=bill.id,
        amount_minor=bill.amount_minor,
        tax_minor=row["tax_minor"],
        due_on=row["due_on"],
    )
    return await slip_for(act, terms, wanted, today, row["lapse_after_days"])


@operation(
    SET_SLIP_TERMS,
    callers=frozenset({"operator"}),
    kinds=frozenset({"caller"}),
    audit="effect",
)
async def set_slip_terms(act: Act, request: SetSlipTerms) -> SlipTermsSet:
    """Set by which terms a merchant's slips are made out from now on; old ones stay good.

    Raises: NotFound ``merchant_unknown``, ``provider_unknown``; InvalidInput ``slip_maker_code``,
    ``slip_company_code``, ``slip_amount``, ``slip_days``, or what is wrong with the text.
    """
    check_terms(
        SlipTerms(
            name=request.agency,
            maker_code=request.maker_code,
            company_code=request.company_code,
            amount_min=request.amount_min,
            amount_max=request.amount_max,
            is_public_money=request.is_public_money,
            scans_screens_at_registers=request.scans_screens,
            days_open=request.days_open,
            grace_days=request.grace_days,
        )
    )
    words = request.transfer_text
    text = None if words is None else read_line(words, TRANSFER_TEXT_MAX)
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    await act.db.execute(
        _SET_TERMS, act.merchant_id, request.agency, request.maker_code, request.company_code,
        request.amount_min, request.amount_max, request.is_public_money, request.scans_screens,
        request.days_open, request.grace_days, request.offered,
    )  # fmt: skip
    if text is not None:
        await act.db.execute(_SET_TEXT, act.merchant_id, text)
    return SlipTermsSet(offered=request.offered)
