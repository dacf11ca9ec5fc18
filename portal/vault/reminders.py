"""Data zone: by which channels the payer of a bill can be reminded, and which they have stopped."""

from typing import Final

from portal.contract.ladder import STOP_REMINDERS as STOP
from portal.contract.page import PageReminder
from portal.vault.db import Row

__all__ = ["REMINDERS", "STOP", "reminders_of"]

REMINDERS: Final = """
b.phone_blind is not null as has_phone,
exists (select from merchant_channel v where v.merchant_id = $1 and v.channel = 'voice')
    as has_calls, b.email_blind is not null as has_email,
array(select c.channel from (
    select distinct on (channel) channel, is_wanted from contact_choice
    where merchant_id = $1 and contact in (b.phone_blind, b.email_blind)
          and kind = 'transactional' order by channel, id desc) c
    where not c.is_wanted) as stopped
"""
"""Columns of a bill ``b`` that :func:`reminders_of` reads."""


def reminders_of(row: Row) -> tuple[PageReminder, ...]:
    """The channels for which the bill has a contact; calls only where its merchant calls."""
    known = (
        ("sms", row["has_phone"]),
        ("email", row["has_email"]),
        ("voice", row["has_phone"] and row["has_calls"]),
    )
    return tuple(
        PageReminder(channel=channel, is_wanted=channel not in row["stopped"])
        for channel, has in known
        if has
    )
