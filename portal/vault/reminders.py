"""Data zone: by which channels the payer of a bill can be reminded, and which they have stopped."""

from typing import Final

from portal.contract.ladder import STOP_REMINDERS as STOP
from portal.contract.page import PageReminder
from portal.contract.push import DROP_PUSH, KEEP_PUSH
from portal.vault.db import Row

__all__ = ["REMINDERS", "REMINDER_OPS", "STOP", "reminders_of"]

REMINDER_OPS: Final = (STOP, KEEP_PUSH, DROP_PUSH)
"""What the holder of a link may say of reminders."""

REMINDERS: Final = """
b.phone_blind is not null as has_phone,
exists (select from merchant_channel v where v.merchant_id = $1 and v.channel = 'voice'
        and not v.is_off) as has_calls, b.email_blind is not null as has_email,
array(select c.channel from (
    select distinct on (channel) channel, is_wanted from contact_choice
    where merchant_id = $1 and contact in (b.phone_blind, b.email_blind, b.customer_blind)
          and kind = 'transactional' order by channel, id desc) c
    where not c.is_wanted) as stopped,
exists (select from merchant_channel c where c.merchant_id = $1 and c.channel = 'push'
        and c.provider = 'webpush' and not c.is_off) as pushes,
exists (select from push_subscription s where s.merchant_id = $1 and s.kind = 'web'
        and s.customer_blind = b.customer_blind
        and s.phone_blind is not distinct from b.phone_blind) as has_browser
"""
"""Columns of a bill ``b`` that :func:`reminders_of` reads."""


def reminders_of(row: Row) -> tuple[PageReminder, ...]:
    """The channels for which the bill has a contact; calls only where its merchant calls.

    Push wherever the merchant sends to browsers: it is wanted once a browser of the payer is kept.
    """
    known = (
        ("sms", row["has_phone"]),
        ("email", row["has_email"]),
        ("voice", row["has_phone"] and row["has_calls"]),
    )
    found = [
        PageReminder(channel=channel, is_wanted=channel not in row["stopped"])
        for channel, has in known
        if has
    ]
    if row["pushes"]:
        is_wanted = row["has_browser"] and "push" not in row["stopped"]
        found.append(PageReminder(channel="push", is_wanted=is_wanted))
    return tuple(found)
