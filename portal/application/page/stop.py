"""Stopping reminders from a mail: the token goes to the vault, which made it.

Application zone, stage page. What can't be a token is answered here, so that guessing costs the
vault nothing.
"""

import re
from typing import Final

from portal.contract.client import VaultClient
from portal.contract.ladder import STOP_BY_MAIL, StopByMail
from portal.domain.errors import NotFound

_CODE: Final = re.compile(r"[a-z0-9]{3,12}")
_TOKEN: Final = re.compile(r"[0-9a-zA-Z]{26}[0-9a-fA-F]{24}", re.ASCII)


def may_be_token(merchant_code: str, token: str) -> bool:
    """Whether these could stand in one of our mails."""
    return bool(_CODE.fullmatch(merchant_code) and _TOKEN.fullmatch(token))


async def stop_by_mail(vault: VaultClient, merchant_code: str, token: str) -> None:
    """No more reminders to the address of the token's mail; said twice it is said once.

    Raises NotFound ``link_unknown``.
    """
    if not may_be_token(merchant_code, token):
        raise NotFound("link_unknown")
    await vault.call(STOP_BY_MAIL, StopByMail(merchant_code=merchant_code, token=token))
