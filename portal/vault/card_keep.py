"""Data zone: a card that a payment leaves at a company which keeps it under a name of ours.

The relay has the payment's reference and the card's name from here, so nobody else can say which
payment's card is kept under which name; see portal.domain.card_on_file.name_card.
"""

from typing import Final
from uuid import UUID

from portal.contract.card_on_file import InstrumentRedeemed, RedeemInstrument
from portal.domain import card_on_file as rules
from portal.vault.act import Act
from portal.vault.attempt import Attempt, read_attempt
from portal.vault.db import Row

_CROSSING: Final = "select set_config('harai.crossing', $1, true)"
_WHOSE: Final = "select merchant_id, id from card_on_file where attempt_id = $1"
_AWAITED: Final = """
select state = 'awaited' from card_on_file where merchant_id = $1 and id = $2
"""


async def name_kept(act: Act, request: RedeemInstrument) -> InstrumentRedeemed:
    """The name that a payment's card is to be kept by, and the payment's reference.

    To be asked for again as long as the card is awaited: both calls that keep it need them, and a
    repeat keeps the same card under the same name.

    Refused: ``delivery_unknown`` where nobody left a card with the payment, ``host_wrong``, each an
    incident; ``not_due`` for a card that is there already or not wanted any more.
    """
    found = await look_across(act, _WHOSE, request.attempt_id)
    if found is None:
        return refuse(act, "delivery_unknown", request.attempt_id)
    await act.act_for(found["merchant_id"])
    attempt = await read_attempt(act, request.attempt_id)
    is_named = attempt.provider in rules.NAMED_BY_US
    if not is_named or act.settings.provider_host(attempt.provider) != request.host:
        return refuse(act, "host_wrong", request.attempt_id)
    if not await act.db.fetchval(_AWAITED, act.merchant_id, found["id"]):
        return refusal("not_due")
    return told(attempt, rules.name_card(attempt.provider, found["id"], ""))


async def look_across(act: Act, query: str, attempt_id: UUID) -> Row | None:
    """Whose an attempt is. Only this look-up crosses merchants, and it reads ids alone."""
    await act.db.execute(_CROSSING, "redeem_instrument")
    await act.db.execute("select set_config('harai.merchant', $1, true)", str(UUID(int=0)))
    row = await act.db.fetchrow(query, attempt_id)
    await act.db.execute(_CROSSING, "")
    return row


def told(attempt: Attempt, token: str = "", customer: str = "") -> InstrumentRedeemed:
    """What the relay may say of an attempt, with its card or without."""
    return InstrumentRedeemed(
        token=token,
        customer=customer,
        reference=attempt.reference,
        amount_minor=attempt.amount_minor,
        refused=None,
    )


def refuse(act: Act, code: str, subject: UUID) -> InstrumentRedeemed:
    """Give out nothing, and note that somebody asked who should not have."""
    act.note_incident("delivery_host" if code == "host_wrong" else code, subject)
    return refusal(code)


def refusal(code: str) -> InstrumentRedeemed:
    """Give out nothing."""
    return InstrumentRedeemed(token="", customer="", reference="", amount_minor=0, refused=code)
