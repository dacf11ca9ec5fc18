"""Data zone: what a payer's page says of paper, and of messages that went to the wrong person."""

from typing import Final

from portal.contract.digital import CHOOSE_BILLING
from portal.contract.hygiene import DENY_BILL
from portal.contract.page import PageBilling
from portal.vault.act import Act
from portal.vault.db import Row

__all__ = ["BILLING", "CHOOSE_BILLING", "DENY_BILL", "billing_of"]

BILLING: Final = """
b.has_address, (select c.state from digital_contract c
                where c.merchant_id = $1 and c.contract_blind = b.contract_blind) as billing_state,
(select bool_or(f.why = 'denied' and f.cleared_at is null) from contact_doubt f
 where f.merchant_id = $1 and f.contract_blind = b.contract_blind
       and f.contact in (b.phone_blind, b.email_blind, b.customer_blind)) is true as is_denied
"""
"""Columns of a bill ``b`` that :func:`billing_of` reads."""


def billing_of(act: Act, row: Row) -> PageBilling:
    """What the page offers: paper to who has an address, all of it by a link's authority alone."""
    may_say = act.capability.covers(CHOOSE_BILLING.name)
    return PageBilling(
        billing=row["billing_state"] or "none",
        may_choose=may_say and row["has_address"],
        may_deny=may_say and not row["is_denied"],
        is_denied=row["is_denied"],
    )
