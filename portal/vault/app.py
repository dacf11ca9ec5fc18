"""Data zone: which app a merchant's notifications go to: its own, or the installation's.

A device's token is good for the app that registered it and for no other. So a device keeps the name
of the app that was the merchant's then, and nothing goes to it once the merchant has another: no
token is shown under another app's credentials unless the merchant's own server says it once more.
"""

from typing import Final

from portal.domain.push import PushKind
from portal.vault.act import Act

OF_APP: Final = """
s.app = coalesce((select a.name from merchant_app a
                  where a.merchant_id = $1 and a.provider = s.kind), '')
"""
"""SQL: whether the subscription ``s`` is one of the app that its merchant has now; browsers, which
have none, always are."""

_APP: Final = "select name from merchant_app where merchant_id = $1 and provider = $2"


async def app_of(act: Act, kind: PushKind) -> str:
    """The name of the merchant's own app; "": it has the installation's."""
    name: str | None = await act.db.fetchval(_APP, act.merchant_id, kind)
    return name or ""
