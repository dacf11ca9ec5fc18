"""A mail as bytes, made of values and of nothing that a caller wrote.

Zone: egress; pure. Everything in it comes from the vault (addressee, words, sender, the token in
the address that it comes back to) or from the rule; no value can end a header's line or become a
header. Both texts travel as base64, so the lines are short and ASCII whatever they say.
Source: RFC 5322, RFC 2045 to 2047, RFC 3834 §5 (Auto-Submitted), RFC 8058 (one-click).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final
from uuid import UUID

from portal.egress.denial import Denied
from portal.egress.dkim import sign_dkim
from portal.egress.submission import Submission

_LOCAL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}", re.ASCII)
_HOST: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]",
    re.ASCII,
)
_ATOM: Final = re.compile(r"[^.]+(?:\.[^.]+)*")
_TOKEN: Final = re.compile(r"[0-9a-z]{26}\.[0-9a-f]{24}", re.ASCII)
_ADDRESS_MAX: Final = 254
_STOP: Final = re.compile(r"https?://[A-Za-z0-9.:-]{1,253}/[A-Za-z0-9/._-]{1,200}", re.ASCII)
_TLS: Final = "https://"
TOKEN_HEADER: Final = "X-Message-Token"  # noqa: S105  a header's name
"""The token of the way back once more: who complains often sends the headers and no envelope."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail ready to be handed in: its envelope, and its bytes without the dots of DATA."""

    sender: str
    recipient: str
    data: bytes


def make_mail(
    submission: Submission,
    values: Mapping[str, str],
    delivery_id: UUID,
    now: datetime,
    keys: Mapping[str, str],
) -> Outgoing:
    """The mail of one redeemed delivery, signed where the rule has a key (``keys``: their PEM).

    The Message-ID is the delivery's, whatever comes of it: a receiver sees a repeat as one.

    Raises: Denied ``value_unfit`` for an address or a text that can't stand where it should,
    ``sender_not_as_ruled`` when the merchant's address is of no domain that the rule lists.
    """
    sender = values["delivery:sender"]
    domain = sender.rpartition("@")[2].lower()
    recipient = _path(values["delivery:to"])
    token = values["delivery:return_token"]
    if _path(sender) != sender or _TOKEN.fullmatch(token) is None:
        raise Denied("value_unfit")
    if domain not in submission.from_domains:
        raise Denied("sender_not_as_ruled")
    mail = EmailMessage(policy=SMTP)
    try:
        mail["From"] = Address(values["delivery:sender_name"], addr_spec=sender)
        mail["To"] = recipient
        mail["Subject"] = values["delivery:subject"]
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = f"<{delivery_id.hex}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail[TOKEN_HEADER] = token
        mail.set_content(values["delivery:body"], cte="base64")
        mail.add_alternative(values["delivery:html"], subtype="html", cte="base64")
        data = _ways_out(values["delivery:stop_url"]) + mail.as_bytes()
    except (ValueError, IndexError, UnicodeError) as error:
        # A header with a line's end in it, or half a surrogate: nothing of ours has either.
        raise Denied("value_unfit") from error
    signer = submission.signer_of(domain)
    if signer is not None:
        data = sign_dkim(
            data,
            domain=signer.domain,
            selector=signer.selector,
            key=keys[signer.key],
            epoch_s=int(now.timestamp()),
        )
    return Outgoing(f"bounce+{token}@{submission.bounce_domain}", recipient, data)


def _ways_out(url: str) -> bytes:
    """The headers by which a mail program offers to stop further mails; one click needs TLS.

    Written here, as the library would fold an address of this length into encoded words, which no
    mail program reads as an address. Raises: Denied ``value_unfit``. Source: RFC 2369 §3.2,
    RFC 8058 §3.1 (an HTTPS address).
    """
    if not url:
        return b""
    if _STOP.fullmatch(url) is None:
        raise Denied("value_unfit")
    post = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    return f"List-Unsubscribe: <{url}>\r\n{post if url.startswith(_TLS) else ''}".encode()


def _path(address: str) -> str:
    """An address as SMTP and headers write it; a local part with odd dots is quoted.

    Source: RFC 5321 §4.1.2. Japanese carriers gave out addresses with two dots in a row.
    """
    local, at, host = address.rpartition("@")
    fits = at and _LOCAL.fullmatch(local) and _HOST.fullmatch(host) and len(address) <= _ADDRESS_MAX
    if not fits:
        raise Denied("value_unfit")
    return address if _ATOM.fullmatch(local) else f'"{local}"@{host}'
