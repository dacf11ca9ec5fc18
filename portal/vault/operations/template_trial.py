"""Data zone: a text sent to a telephone of the staff, to see how it reads there."""

from datetime import timedelta
from typing import Final

import msgspec

from portal.contract.envelope import Done
from portal.contract.template import TRY_TEMPLATE, TryTemplate
from portal.domain.contact import normalise_mobile
from portal.domain.errors import Conflict, InvalidInput, LimitReached
from portal.domain.template import tidy
from portal.vault.act import Act
from portal.vault.registry import operation
from portal.vault.template import lock_merchant
from portal.vault.template_trial import TrialWords, plan_trial
from portal.vault.template_view import check_body, read_sender, refuse_faulty

TRIALS_PER_DAY_MAX: Final = 20

MARK: Final = {"ja": "【テスト】", "ja-easy": "【テスト】", "en": "[TEST] "}
"""What a trial begins with, so that nobody takes it for a bill."""

_COUNT: Final = """
select count(*) from message_trial where merchant_id = $1 and asked_at > $2
"""
_IS_PAYERS: Final = """
select exists (select from bill where merchant_id = $1 and phone_blind = $2)
"""


@operation(
    TRY_TEMPLATE,
    callers=frozenset({"web"}),
    kinds=frozenset({"staff"}),
    audit="effect",
)
async def try_template(act: Act, request: TryTemplate) -> Done:
    """Send one text to a member of staff; the link in it opens nothing. The same key sends once.

    Raises: InvalidInput ``template_faulty``, ``text_too_long``, or what is wrong with the number
    (param ``field``); Conflict ``trial_to_payer``, ``idempotency_mismatch``; LimitReached
    ``trials_a_day`` (param ``max``).
    """
    use = (request.channel, request.language, request.occasion)
    arguments = msgspec.msgpack.encode([use, request.body, request.phone])
    if await act.once("try_template", request.idempotency_key, arguments) is not None:
        return Done()
    sender = await read_sender(act, request.channel)
    checked = check_body(sender, request.language, request.occasion, tidy(request.body))
    refuse_faulty(checked)
    phone = _read_phone(request.phone)
    fields = await act.fields()
    if await act.db.fetchval(_IS_PAYERS, act.merchant_id, fields.blind("phone", phone)):
        raise Conflict("trial_to_payer", params={"field": "phone"})
    await lock_merchant(act)
    since = act.now - timedelta(days=1)
    if await act.db.fetchval(_COUNT, act.merchant_id, since) >= TRIALS_PER_DAY_MAX:
        raise LimitReached("trials_a_day", params={"max": TRIALS_PER_DAY_MAX})
    await plan_trial(act, TrialWords(to=phone, body=MARK[request.language] + checked.sample))
    await act.answer_once("try_template", request.idempotency_key, b"sent")
    return Done()


def _read_phone(text: str) -> str:
    try:
        return normalise_mobile(text)
    except InvalidInput as fault:
        raise InvalidInput(fault.code, params=fault.params | {"field": "phone"}) from fault
