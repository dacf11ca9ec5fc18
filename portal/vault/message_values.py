"""Data zone: what a delivery carries, by channel: to whom it goes and what it says.

Made at the moment of redemption, from the sealed contact; kept nowhere. A channel that finds no
way to the payer gives none, and the delivery is left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from portal.domain import refund_message
from portal.domain.call_own import said_to
from portal.domain.contact import takes_sms
from portal.domain.mail_own import compose_mail
from portal.domain.sms import BillText, compose
from portal.vault.sealed import BillContact


@dataclass(frozen=True, slots=True)
class Values:
    """Recipient, in the channel's own form, and text of one message.

    ``is_own``: the text is the merchant's own wording. A mail has a subject, the same in HTML, and
    where its reader stops further ones. A call has no text: its words are asked for while it goes
    on (portal.domain.call), and ``is_own`` says whose they will be. A notification has a title
    (``subject``), the link by itself, the topic that it replaces and, to a browser, its keys, to a
    device its app's name: portal.vault.push makes it, as its contact does not stand in the bill.
    """

    to: str
    body: str
    is_own: bool = False
    subject: str = ""
    html: str = ""
    stop_url: str = ""
    link: str = ""
    topic: str = ""
    push_keys: str = ""
    push_app: str = ""


def account_values(
    contact: BillContact, channel: str, language: str, merchant: str, phone: str, stop_url: str
) -> Values | None:
    """What says that an account for a refund was given, by SMS or mail alone."""
    if channel == "sms" and takes_sms(contact.phone):
        return Values(contact.phone, refund_message.sms_of(language, merchant, phone))
    if channel == "email" and contact.email:
        return Values(
            contact.email,
            refund_message.text_of(language, merchant, phone),
            subject=refund_message.subject_of(language),
            html=refund_message.html_of(language, merchant, phone),
            stop_url=stop_url,
        )
    return None


def _sms(contact: BillContact, language: str, bill: BillText) -> Values | None:
    if not takes_sms(contact.phone):
        return None
    return Values(contact.phone, *compose(language, bill))


def _email(contact: BillContact, language: str, bill: BillText) -> Values | None:
    if not contact.email:
        return None
    mail = compose_mail(language, bill)
    return Values(
        contact.email,
        mail.text,
        is_own=mail.is_own,
        subject=mail.subject,
        html=mail.html,
        stop_url=bill.stop_link,
    )


def _voice(contact: BillContact, language: str, bill: BillText) -> Values | None:
    if not contact.phone:
        return None
    said = said_to(language, bill)
    return Values(contact.phone, "", is_own=said is not None and said[1])


VALUES: Final[Mapping[str, Callable[[BillContact, str, BillText], Values | None]]] = (
    MappingProxyType({"sms": _sms, "email": _email, "voice": _voice})
)
"""Channel → recipient and text for a payer in their language, or None: not reached by it. Only
channels whose contact stands in the bill."""
