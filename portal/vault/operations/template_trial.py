"""Data zone: a text sent, or said, to one of the staff, to see how it comes out there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import msgspec

from portal.contract.envelope import Done
from portal.contract.template import TRY_TEMPLATE, TryTemplate
from portal.domain.call_own import one_way
from portal.domain.contact import normalise_email, normalise_mobile, normalise_phone
from portal.domain.errors import Conflict, InvalidInput, LimitReached
from portal.domain.template import TemplateChannel, tidy
from portal.domain.template_form import FORMS, Filled
from portal.domain.template_lint import mark_sample
from portal.vault.act import Act
from portal.vault.channels import roads
from portal.vault.ladder import is_night
from portal.vault.registry import operation
from portal.vault.template import lock_merchant
from portal.vault.template_trial import TrialWords, plan_trial
from portal.vault.template_view import check_words, draft_of, read_sender, refuse_faulty

TRIALS_PER_DAY_MAX: Final = 20
TRIALS_TO_ONE_MAX: Final = 5
"""Of a day's trials so many may go to one number or address: whoever it is has not asked for it."""

MARK: Final = {"ja": "【テスト】", "ja-easy": "【テスト】", "en": "[TEST] "}
"""What a trial begins with, so that nobody takes it for a bill."""

_COUNT: Final = """
select count(*) as sent, count(*) filter (where to_blind = $3) as to_one
from message_trial where merchant_id = $1 and asked_at > $2
"""


@dataclass(frozen=True, slots=True)
class _Contact:
    """A contact of the staff: its one form, and whether it is one of the merchant's payers'."""

    read: Callable[[str, TemplateChannel], str]
    is_payers: str


_CONTACTS: Final[Mapping[str, _Contact]] = MappingProxyType(
    {
        "phone": _Contact(
            lambda text, channel: (normalise_phone if channel == "voice" else normalise_mobile)(
                text
            ),
            "select exists (select from bill where merchant_id = $1 and phone_blind = $2)",
        ),
        "email": _Contact(
            lambda text, _channel: normalise_email(text),
            "select exists (select from bill where merchant_id = $1 and email_blind = $2)",
        ),
    }
)
"""By the field of the request, which is also the kind of the keyed hash."""


@operation(
    TRY_TEMPLATE,
    callers=frozenset({"web"}),
    kinds=frozenset({"staff"}),
    audit="effect",
)
async def try_template(act: Act, request: TryTemplate) -> Done:
    """Send one text to a member of staff; the link in it opens nothing. The same key sends once.

    A call says its words one way and hangs up; no telephone rings at night.

    Raises: InvalidInput ``template_faulty``, ``text_too_long``, ``subject_unknown``, or what is
    wrong with the contact (param ``field``); Conflict ``trial_to_payer``, ``trial_impossible``,
    ``call_at_night``, ``idempotency_mismatch``; LimitReached ``trials_a_day``, ``trials_to_one``
    (param ``max``).
    """
    use = (request.channel, request.language, request.occasion)
    arguments = msgspec.msgpack.encode(
        [use, request.subject, request.body, request.phone, request.email]
    )
    if await act.once("try_template", request.idempotency_key, arguments) is not None:
        return Done()
    field = FORMS[request.channel].tried_at
    if field is None or not await roads(act, request.channel):
        raise Conflict("trial_impossible")
    is_call = request.channel == "voice"
    if is_call and await is_night(act):
        raise Conflict("call_at_night")
    filled = await _fill(act, request)
    to = _read_contact(field, request)
    fields = await act.fields()
    if await act.db.fetchval(_CONTACTS[field].is_payers, act.merchant_id, fields.blind(field, to)):
        raise Conflict("trial_to_payer", params={"field": field})
    await lock_merchant(act)
    to_blind = fields.blind("trial_to", f"{field} {to}")
    await _check_number(act, to_blind)
    words = TrialWords(
        to=to,
        body=one_way(filled.subject, filled.text) if is_call else filled.text,
        subject="" if is_call else filled.subject,
        html=filled.html,
        language=request.language,
    )
    await plan_trial(act, request.channel, words, to_blind)
    await act.answer_once("try_template", request.idempotency_key, b"sent")
    return Done()


async def _check_number(act: Act, to_blind: bytes) -> None:
    """Refuse what would be too many trials of a day, in all or to one. See try_template."""
    since = act.now - timedelta(days=1)
    row = await act.db.fetchrow(_COUNT, act.merchant_id, since, to_blind)
    if row is not None and row["sent"] >= TRIALS_PER_DAY_MAX:
        raise LimitReached("trials_a_day", params={"max": TRIALS_PER_DAY_MAX})
    if row is not None and row["to_one"] >= TRIALS_TO_ONE_MAX:
        raise LimitReached("trials_to_one", params={"max": TRIALS_TO_ONE_MAX})


async def _fill(act: Act, request: TryTemplate) -> Filled:
    """The marked message of an ordinary bill. Raises: InvalidInput ``template_faulty``."""
    sender = await read_sender(act, request.channel)
    tidied = msgspec.structs.replace(
        request, subject=tidy(request.subject), body=tidy(request.body)
    )
    refuse_faulty(check_words(sender, tidied))
    return mark_sample(draft_of(sender, tidied), MARK[request.language])


def _read_contact(field: str, request: TryTemplate) -> str:
    text = request.phone if field == "phone" else request.email
    try:
        return _CONTACTS[field].read(text, request.channel)
    except InvalidInput as fault:
        raise InvalidInput(fault.code, params=fault.params | {"field": field}) from fault
