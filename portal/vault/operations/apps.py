"""Data zone: which app of its own a merchant's notifications go to, set by the operator."""

from typing import Final

from portal.contract.push import SET_APP, AppSet, SetApp
from portal.domain.card_number import refuse_card_number
from portal.domain.errors import Conflict, NotFound
from portal.domain.push import read_app_name
from portal.vault import sender_hold
from portal.vault.act import Act
from portal.vault.app import app_of
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation

_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 42))"
_CLEAR: Final = "delete from merchant_app where merchant_id = $1 and provider = $2"
_SET: Final = """
insert into merchant_app (merchant_id, provider, name) values ($1, $2, $3)
on conflict do nothing returning name
"""


@operation(SET_APP, callers=frozenset({"operator"}), kinds=frozenset({"caller"}), audit="effect")
async def set_app(act: Act, request: SetApp) -> AppSet:
    """Set a merchant's own app at one service; devices that registered before keep the old name.

    They are told nothing until their app says their token again. Done twice it changes nothing
    more, and an app that was set back has its devices again. What waits because the service refused
    the app goes at once: whoever puts a credential right sets the app once more.

    Raises: InvalidInput ``app_name``, ``card_number``; NotFound ``merchant_unknown``,
    ``provider_unknown``; Conflict ``app_taken`` by another merchant.
    """
    refuse_card_number(request.app)
    name = read_app_name(request.app) if request.app else ""
    if act.settings.provider_host(request.provider) is None:
        raise NotFound("provider_unknown")
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    await act.db.execute(_LOCK, act.merchant_id.bytes)
    before = await app_of(act, request.provider)
    if before != name:
        await act.db.execute(_CLEAR, act.merchant_id, request.provider)
        if name and not await act.db.fetchval(_SET, act.merchant_id, request.provider, name):
            raise Conflict("app_taken")
    await sender_hold.end(act, "push", request.provider)
    return AppSet(before=before)
