"""Data zone: calls by which staff hear a merchant's words: one way, about a made-up bill.

Such a call has no bill and no keys: it says its words and hangs up. Whoever has its secret can hear
them until it has ended, for a day at most.
"""

from typing import Final

from portal.contract.call import AnswerCall, CallTurn, RecordCall
from portal.domain.call_words import VOICES
from portal.kit.crypto import sha256
from portal.vault.act import Act
from portal.vault.template_trial import CALL_LIFE, TABLE, TrialWords

_TRIAL: Final = """
select id, words from message_trial
where merchant_id = $1 and asked_at > $2 and secret_hash = $3 and provider = $4
  and channel = 'voice'
for update
"""
_END: Final = "update message_trial set words = null where merchant_id = $1 and id = $2"


async def say_trial(act: Act, request: AnswerCall) -> CallTurn | None:
    """What a trial's call says, the same however often it asks; None where there is none."""
    row = await act.db.fetchrow(_TRIAL, *_key(act, request))
    if row is None or row["words"] is None:
        return None
    words = (await act.fields()).open(TABLE, "contact", row["id"], 1, row["words"], TrialWords)
    voice = VOICES.get(words.language, VOICES["ja"])
    return CallTurn(lines=tuple(words.body.split("\n")), voice=voice, step=0, digits=0)


async def end_trial(act: Act, request: RecordCall) -> bool:
    """Forget the words of a trial's call that is over; whether it was one."""
    row = await act.db.fetchrow(_TRIAL, *_key(act, request))
    if row is None:
        return False
    if request.status != "ringing":
        await act.db.execute(_END, act.merchant_id, row["id"])
    return True


def _key(act: Act, request: AnswerCall | RecordCall) -> tuple[object, ...]:
    hashed = sha256(request.secret.encode())
    return act.merchant_id, act.now - CALL_LIFE, hashed, request.provider
