"""Opening a link: the secret of a message becomes a payer's own authority for one bill.

Application zone, stage page. The secret is passed on once and kept nowhere; whether it is known,
expired or paid is the vault's to say.
"""

import re
from dataclasses import dataclass
from typing import Final

from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.contract.page import OPEN_LINK, OpenLink
from portal.domain.errors import NotFound

_CODE: Final = re.compile(r"[a-z0-9]{3,12}")
_SECRET: Final = re.compile(r"[A-Za-z0-9]{16,64}")


@dataclass(frozen=True, slots=True)
class PageOpened:
    """What the browser gets: the authority for its cookie, and the page's public name."""

    authority: Authority
    merchant_code: str
    page_ref: str


async def open_link(vault: VaultClient, merchant_code: str, secret: str) -> PageOpened:
    """Open the page behind a link; changes nothing, so a prefetcher may do it too.

    Raises NotFound ``link_unknown``, Expired ``link_expired``. What can't be a link is answered
    here, so that scanning for links costs the vault nothing.
    """
    if not _CODE.fullmatch(merchant_code) or not _SECRET.fullmatch(secret):
        raise NotFound("link_unknown")
    opened = await vault.call(OPEN_LINK, OpenLink(merchant_code=merchant_code, secret=secret))
    return PageOpened(opened.authority, merchant_code, opened.page_ref)
