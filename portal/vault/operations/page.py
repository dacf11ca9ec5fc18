"""Data zone, stage "page": the holder of one link opens it and sees one bill, masked.

No operation here takes a bill's id: the authority names it. What leaves is what proves the message
genuine and what is needed to pay; names and numbers leave masked.
"""

import secrets
from typing import Final

import msgspec

from portal.contract.bills import BillLine
from portal.contract.card_on_file import REMOVE_CARD, CardShown
from portal.contract.mandate import (
    RECORD_MANDATE_ASKING,
    RECORD_MANDATE_OPENING,
    START_MANDATE,
    VIEW_MANDATE_DEPARTURE,
)
from portal.contract.page import (
    MARK_OPENED,
    OPEN_LINK,
    VIEW_PAGE,
    AttemptView,
    LinkOpened,
    MethodOffer,
    OpenLink,
    PageView,
)
from portal.contract.payment import (
    RECORD_INQUIRY,
    RECORD_SUBMISSION,
    START_PAYMENT,
    VIEW_ATTEMPT,
)
from portal.contract.refund_account import GIVE_PAYER_ACCOUNT
from portal.contract.share import ViewPage
from portal.contract.slip import SHOW_SLIP
from portal.domain import page as rules
from portal.domain.bill import BillSums, Settlement, is_payable
from portal.domain.card_on_file import ENROLS
from portal.domain.card_on_file import METHOD as CARD
from portal.domain.card_payment import PAYS
from portal.domain.contact import customer_hint, write_check_code
from portal.domain.errors import Expired, NotFound
from portal.domain.methods import METHODS
from portal.domain.number import METHOD as NUMBER
from portal.domain.number import PAYER_UNFIT, is_unwanted
from portal.domain.page import LatestAttempt
from portal.kit.crypto import same, sha256
from portal.vault.act import Act
from portal.vault.attempt import BESIDE, OF_BILL, Attempt, held_by, open_beside
from portal.vault.attempt_view import to_view
from portal.vault.db import Row
from portal.vault.finding import ask_for_payer
from portal.vault.ledger import sums_of
from portal.vault.mandate_redirect import view_for_payer
from portal.vault.merchant import facts_beside, providers_of
from portal.vault.number import is_named
from portal.vault.opening import NUMBERS
from portal.vault.page_beside import (
    WHETHER,
    read_card,
    read_debit_day,
    read_mandate,
    read_pauses,
    takes_mandates,
)
from portal.vault.page_billing import BILLING, CHOOSE_BILLING, DENY_BILL, billing_of
from portal.vault.page_choice import Choice, read_choice, read_shares
from portal.vault.page_refund import HAS_TRANSFERS, read_transfers
from portal.vault.payer import bill_of, enter_merchant, page_ref_of
from portal.vault.registry import operation
from portal.vault.reminders import REMINDER_OPS, REMINDERS, STOP, reminders_of
from portal.vault.sealed import BillBilling, open_billing, open_contact
from portal.vault.slip import TERMS_BESIDE, terms_beside

PAGE_AUTHORITY_S: Final = 4 * 3600
"""How long an opened page may be used before the link has to be opened again."""

PAGE_VIEWS_MAX: Final = 300
"""Views of one opened page in an hour, reloads while waiting included."""

LINK_NEEDED: Final = "link_needed"
"""Why nothing can be paid with the authority of a return address: it shows one attempt's end."""

OTHER_SUM: Final = "other_sum"
"""Stands for the page of a company where another sum can still be paid: no method leads there."""

WHOLE_ONLY: Final = "whole_only"
"""Why a slip can't be had: it is over all that is left of one bill, and of no other."""

_MONEY_CAME: Final[frozenset[Settlement]] = frozenset({"settled", "over"})
"""Settlements of which something may have been given back, as of a canceled bill's part."""

_OPS: Final = tuple(
    op.name
    for op in (
        VIEW_PAGE, MARK_OPENED, START_PAYMENT, RECORD_SUBMISSION, VIEW_ATTEMPT, RECORD_INQUIRY,
        SHOW_SLIP, REMOVE_CARD, START_MANDATE, RECORD_MANDATE_OPENING, VIEW_MANDATE_DEPARTURE,
        RECORD_MANDATE_ASKING, *REMINDER_OPS, CHOOSE_BILLING, DENY_BILL,
        GIVE_PAYER_ACCOUNT,
    )
)  # fmt: skip
_WEB: Final = frozenset({"web"})
_PAYER: Final = frozenset({"payer"})
_NO_LINK: Final = bytes(32)

_PAGE: Final = f"""
select b.id, b.number, b.lifecycle, b.settlement, b.kind, b.period, b.amount_minor, b.tax_minor,
       b.due_on, b.language, b.paid_at, b.check_code, b.sealed_version, b.contact, b.billing,
       m.code, m.name, m.zone, m.sms_sender, m.phone, m.website, m.card_provider,
       m.wallet_provider, m.number_provider, m.part_least_minor, m.charge_days_before, {BESIDE},
       {TERMS_BESIDE}, {REMINDERS}, {BILLING}, {WHETHER}, {HAS_TRANSFERS},
       b.amount_minor - coalesce(p.paid_minor, 0) as left_minor
from bill b join merchant m on m.id = b.merchant_id
left join slip_terms t on t.merchant_id = b.merchant_id
left join part_paid p on p.merchant_id = b.merchant_id and p.bill_id = b.id
left join lateral (
    select * from ({OF_BILL}) a
    order by state not in ('created', 'submitting', 'requires_action', 'processing', 'unknown')
             and (state <> 'succeeded' or b.settlement = 'unpaid'), id desc
    limit 1
) a on true
where b.merchant_id = $1 and b.id = $2
"""  # noqa: S608  constant columns
"""The bill, its merchant, and the attempt that counts: the live or successful one, or the last.
A success that left the bill unpaid was a part, and counts no more than what came after it."""


@operation(OPEN_LINK, callers=_WEB, kinds=frozenset({"caller"}), audit="effect")
async def open_link(act: Act, request: OpenLink) -> LinkOpened:
    """Exchange a link's secret for the payer's authority over one bill.

    A link may be opened again and again until it expires. An unknown merchant, an unknown secret
    and a revoked link take the same statements and get the same answer.

    Raises: NotFound ``link_unknown``; Expired ``link_expired``.
    """
    known = await enter_merchant(act, request.merchant_code)
    wanted = sha256(request.secret.encode())
    row = await act.db.fetchrow(
        "select l.secret_hash, l.bill_id, l.expires_at, l.revoked_at, d.channel from link l"
        " left join delivery d on d.merchant_id = $1 and d.id = l.delivery_id"
        " where l.merchant_id = $1 and l.secret_hash = $2",
        act.merchant_id,
        wanted,
    )
    found: bytes = _NO_LINK if row is None else row["secret_hash"]
    if not same(found, wanted) or row is None or not known or row["revoked_at"] is not None:
        raise NotFound("link_unknown")
    if row["expires_at"] <= act.now:
        raise Expired("link_expired")
    bill_id = row["bill_id"]
    authority = await act.mint(
        kind="payer",
        subject=bill_id,
        scope_id=bill_id,
        ops=_OPS,
        life_s=PAGE_AUTHORITY_S,
        budget_rows=PAGE_VIEWS_MAX,
        budget_window_s=3600,
        number=NUMBERS.get(row["channel"], 0),
    )
    return LinkOpened(authority=authority, page_ref=page_ref_of(await act.fields(), bill_id))


@operation(
    VIEW_PAGE,
    callers=_WEB,
    kinds=_PAYER,
    audit="reveal",
    reveals=(
        "payer_name (masked)",
        "customer_no (last 4)",
        "bill lines",
        "card (last 4)",
        "bank name",
        "account (last 3)",
        "account holder (masked)",
        "store number",
    ),
)
async def view_page(act: Act, request: ViewPage) -> PageView:
    """Show the bill of this authority: one call for the whole page, names masked.

    Of the contract's other bills it shows period, due date and amount, nothing personal. Who is
    back from the provider's page without our knowing how it ended makes us ask at once.
    """
    bill_id = bill_of(act)
    row = await act.db.fetchrow(_PAGE, act.merchant_id, bill_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "bill"})
    attempt = await open_beside(act, row)
    act.reveal(1)
    latest = None if attempt is None else LatestAttempt(
        state=attempt.state, state_at=attempt.state_at, heard_at=attempt.heard_at
    )  # fmt: skip
    side = rules.attempt_side(latest, act.now)
    if attempt is not None and side == "asking":
        await ask_for_payer(act, attempt)
        if attempt.instrument.number is not None:
            side = "acting"  # who holds a number sees it, whatever is being asked
    came = row["settlement"] in _MONEY_CAME or row["lifecycle"] == "canceled"
    sums = await sums_of(act, bill_id) if came else BillSums()
    choice = await _choice(act, row, attempt, request)
    return await _view(act, row, attempt, side, sums, choice)


async def _choice(act: Act, row: Row, attempt: Attempt | None, request: ViewPage) -> Choice:
    """What else can be paid here now: nothing while a try is under way, or with no authority."""
    can_choose = (
        is_payable(row["lifecycle"], row["settlement"])
        and (attempt is None or not attempt.is_live)
        and act.capability.covers(START_PAYMENT.name)
    )
    if not can_choose:
        return Choice(pay_minor=row["left_minor"])
    return await read_choice(act, row, request)


async def _view(  # what was read for one page
    act: Act,
    row: Row,
    attempt: Attempt | None,
    side: rules.AttemptSide,
    sums: BillSums,
    choice: Choice,
) -> PageView:
    fields = await act.fields()
    contact = open_contact(fields, row["id"], row["sealed_version"], row["contact"])
    billing = open_billing(fields, row["id"], row["sealed_version"], row["billing"])
    days_left = rules.days_left(row["due_on"], act.clock.business_today(row["zone"]))
    state = rules.page_state(
        rules.bill_side(row["lifecycle"], row["settlement"]),
        side,
        is_overdue=row["lifecycle"] == "overdue",
        days_left=days_left,
    )
    mandate, card = await read_mandate(act, row), await read_card(act, row)
    return PageView(
        page_ref=page_ref_of(fields, row["id"]),
        merchant=facts_beside(act, row),
        state=state,
        number=row["number"],
        period=row["period"],
        kind=row["kind"],
        payer_hint=rules.mask_name(contact.payer_name),
        customer_hint=customer_hint(contact.customer_no),
        amount_minor=row["amount_minor"],
        tax_minor=row["tax_minor"],
        lines=_lines(billing),
        due_on=row["due_on"],
        days_left=days_left,
        check_code=write_check_code(row["check_code"]),
        language=row["language"],
        methods=_methods(act, row, attempt, choice, card, is_named=is_named(contact)),
        attempt=_shown(row, attempt),
        debit_on=await read_debit_day(act, attempt),
        paid_at=row["paid_at"],
        given_back_minor=sums.given_back,
        on_its_way_back_minor=sums.on_its_way_back,
        owed_back_minor=-sums.overpayment,
        pauses=await read_pauses(act, row),
        card=card,
        may_remove_card=act.capability.covers(REMOVE_CARD.name),
        left_minor=row["left_minor"],
        pay_minor=choice.pay_minor,
        part_minor=choice.part_minor,
        others=choice.others,
        part=choice.part,
        choice_refused=choice.refused,
        shares=await read_shares(act, row["id"], attempt),
        mandate=None if mandate is None else view_for_payer(mandate),
        mandates_by=takes_mandates(act, row, mandate),
        reminders=reminders_of(row) if act.capability.covers(STOP.name) else (),
        billing=billing_of(act, row),
        refunds=await read_transfers(act, row, contact),
        attempt_key=secrets.token_urlsafe(16),
    )


def _shown(row: Row, attempt: Attempt | None) -> AttemptView | None:
    """The attempt as the page has it; a number that nobody should pay by any more is not on it."""
    if attempt is None:
        return None
    view = to_view(attempt)
    is_over = is_unwanted(row["lifecycle"], row["settlement"])
    return msgspec.structs.replace(view, number=None) if is_over else view


def _lines(billing: BillBilling) -> tuple[BillLine, ...]:
    return tuple(
        BillLine(
            label=item.label,
            amount_minor=item.amount_minor,
            tax_rate_percent=item.tax_rate_percent,
        )
        for item in billing.lines
    )


def _methods(  # all that an offer depends on
    act: Act,
    row: Row,
    attempt: Attempt | None,
    choice: Choice,
    card: CardShown | None,
    *,
    is_named: bool,
) -> tuple[MethodOffer, ...]:
    """The merchant's ways to pay, each with the reason why it can't be used now."""
    providers, bounds = providers_of(row), _slip_bounds(row)
    offers = rules.offers(
        row["lifecycle"],
        row["settlement"],
        None if attempt is None else attempt.state,
        amount_minor=choice.pay_minor,
        offered=frozenset(providers) | bounds.keys(),
        held_by=_held_by(row, attempt),
        bounds=bounds,
    )
    may_start = act.capability.covers(START_PAYMENT.name)
    return tuple(
        MethodOffer(
            method=offer.method,
            available=reason is None,
            reason=reason,
            provider=providers.get(offer.method, ""),
            charge_days_before=row["charge_days_before"]
            if offer.method == CARD and providers.get(offer.method) in ENROLS
            else None,
            kept_at=_kept_at(card) if offer.method == CARD and reason is None else "",
        )
        for offer in offers
        if offer.reason != "not_offered"
        for reason in [
            offer.reason
            or (None if is_named or offer.method != NUMBER else PAYER_UNFIT)
            or (None if may_start else LINK_NEEDED)
            or (None if choice.is_whole or METHODS[offer.method].by_redirect else WHOLE_ONLY)
        ]
    )


def _kept_at(card: CardShown | None) -> str:
    """The company at which the contract's card can pay while its payer is there; "" for none."""
    is_able = card is not None and card.state == "active" and card.provider in PAYS
    return card.provider if card is not None and is_able else ""


def _held_by(row: Row, attempt: Attempt | None) -> str | None:
    """The method on whose page the payer may still pay; of another sum that is no method here."""
    if attempt is None:
        return None
    held = held_by(attempt)
    is_all = attempt.parts == {row["id"]: row["left_minor"]}
    return held if held is None or is_all else OTHER_SUM


def _slip_bounds(row: Row) -> dict[str, tuple[int, int]]:
    """What a slip may be over by the merchant's terms; nothing where no slips are made out."""
    found = terms_beside(row)
    if found is None or not found[1]:
        return {}
    return {"slip": (found[0].amount_min, found[0].amount_max)}
