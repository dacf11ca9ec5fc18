"""Data zone, stage "message": calls that a company puts through, prompt by prompt, by their secret.

Whoever owns the door learns nothing of a bill here but what a payer has just proven to hear: digits
are compared in this zone, three times a call and six times a bill, and are kept nowhere. Each
prompt is answered once. Order of locks: the call, its delivery, the bill.
"""

from typing import Final, cast
from uuid import UUID

from portal.contract.call import (
    ANSWER_CALL,
    RECORD_CALL,
    AnswerCall,
    CallRecorded,
    CallTurn,
    RecordCall,
)
from portal.domain import call as rules
from portal.domain.bill import is_payable
from portal.domain.call import DIGITS, EVENTS, PREFIX, Call, Effect, Known
from portal.domain.call_own import own_said
from portal.domain.call_words import VOICES, CallFacts, OwnSaid, speak
from portal.domain.contact import takes_sms
from portal.domain.errors import NotFound
from portal.domain.message import RESENDS_PER_DAY_MAX
from portal.domain.template_form import read_words
from portal.kit.crypto import same, sha256
from portal.vault.act import Act
from portal.vault.call import count_resent, plan_link, stop_calls, wrong_before
from portal.vault.call_trial import end_trial, say_trial
from portal.vault.contact_faults import is_faulty, note_faults
from portal.vault.db import Row
from portal.vault.deliveries import COLUMNS, Delivery, store
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation
from portal.vault.sealed import open_contact
from portal.vault.template import read_version
from portal.vault.texts import check_tokens

_CALL: Final = """
select id, delivery_id, bill_id, secret_hash, call_ref, begun_at, ended_at, stage, saying, step,
       wrong, silent, has_pressed, is_told, is_link_asked, outcome, template_id
from phone_call where merchant_id = $1 and secret_hash = $2 and provider = $3 for update
"""
_BILL: Final = """
select b.id, b.lifecycle, b.settlement, b.language, b.period, b.due_on, b.sealed_version, b.contact,
       b.phone_blind, m.name, m.phone,
       b.amount_minor - coalesce((select p.paid_minor from part_paid p
                                  where p.merchant_id = $1 and p.bill_id = b.id), 0) as left_minor
from bill b join merchant m on m.id = $1 where b.merchant_id = $1 and b.id = $2
"""
_MOVE: Final = """
update phone_call set call_ref = $3, begun_at = coalesce(begun_at, $4), stage = $5, saying = $6,
    step = $7, wrong = $8, silent = $9, has_pressed = $10, is_told = $11, is_link_asked = $12
where merchant_id = $1 and id = $2
"""
_END: Final = """
update phone_call set outcome = $3, ended_at = $4, call_ref = $5 where merchant_id = $1 and id = $2
"""
_DELIVERY: Final = f"""
select {COLUMNS} from delivery d where d.merchant_id = $1 and d.id = $2 for update
"""  # noqa: S608  # constant columns
_NO_SECRET: Final = bytes(32)


@operation(
    ANSWER_CALL,
    callers=frozenset({"web"}),
    kinds=frozenset({"caller"}),
    reveals=("month", "amount", "due date"),
    audit="reveal",
)
async def answer_call(act: Act, request: AnswerCall) -> CallTurn:
    """Take the keys that answered a prompt, once, and give the words of the next one.

    Nothing of the bill is in them before the call's own keys have proven its payer. A trial's call
    has no bill: it says its words once and ends.

    Raises: NotFound ``call_unknown``; InvalidInput ``text_refused``.
    """
    check_tokens(call_ref=request.call_ref, keys=request.keys)
    row = await _find(act, request)
    if row is None:
        trial = await say_trial(act, request)
        if trial is None:
            raise NotFound("call_unknown")
        return trial
    bill = await act.db.fetchrow(_BILL, act.merchant_id, row["bill_id"])
    if bill is None:
        raise NotFound("call_unknown")
    before = _call_of(row)
    if row["begun_at"] is None:
        call, effect = rules.begin(is_machine=request.is_machine), cast("Effect", "")
    else:
        call, effect = await _go_on(act, row, bill, before, request)
    if not is_payable(bill["lifecycle"], bill["settlement"]) or row["ended_at"] is not None:
        # That they want no more calls is about every bill, whatever became of this one.
        effect = effect if effect == "stop" else ""
        call = call if call.stage == "ended" else rules.close(before)
    if call != before or row["begun_at"] is None:
        await _keep(act, row, call, request.call_ref)
    if effect == "send_link":
        await plan_link(act, row["bill_id"])
    elif effect == "stop":
        await stop_calls(act, row["bill_id"], bill["phone_blind"])
    return await _turn(act, row["template_id"], bill, call)


@operation(
    RECORD_CALL, callers=frozenset({"web"}), kinds=frozenset({"caller"}), audit="effect"
)  # fmt: skip
async def record_call(act: Act, request: RecordCall) -> CallRecorded:
    """Note how a call ended, once, and what that is for the message that it was.

    Raises: NotFound ``call_unknown``; InvalidInput ``text_refused``.
    """
    check_tokens(call_ref=request.call_ref)
    row = await _find(act, request)
    if row is None:
        if not await end_trial(act, request):
            raise NotFound("call_unknown")
        return CallRecorded(outcome="")
    call = _call_of(row) if row["begun_at"] is not None else None
    outcome = rules.outcome_of(call, request.status)
    if row["outcome"] or outcome is None:
        return CallRecorded(outcome=row["outcome"])
    await act.db.execute(
        _END, act.merchant_id, row["id"], outcome, act.now, row["call_ref"] or request.call_ref
    )
    found = await act.db.fetchrow(_DELIVERY, act.merchant_id, row["delivery_id"])
    delivery = None if found is None else Delivery.of(found)
    if delivery is not None and delivery.take(EVENTS[outcome]):
        delivery.code = PREFIX + outcome
        await store(act, [delivery])
        if outcome == "number_wrong":
            await note_faults(act, {delivery.id: "bounced"})
    return CallRecorded(outcome=outcome)


async def _find(act: Act, request: AnswerCall | RecordCall) -> Row | None:
    """The call of a secret, locked; None where no bill's call has it.

    An unknown merchant and a wrong name of the call look like that to whoever asks.
    """
    known = await enter_merchant(act, request.merchant_code)
    wanted = sha256(request.secret.encode())
    row = await act.db.fetchrow(_CALL, act.merchant_id, wanted, request.provider)
    found: bytes = _NO_SECRET if row is None else row["secret_hash"]
    if not known:
        raise NotFound("call_unknown")
    if not same(found, wanted) or row is None:
        return None
    if row["call_ref"] not in {"", request.call_ref}:
        act.note_incident("call_renamed", row["id"])
        raise NotFound("call_unknown")
    return row


async def _go_on(
    act: Act, row: Row, bill: Row, call: Call, request: AnswerCall
) -> tuple[Call, Effect]:
    """The call after the keys, if they answer the prompt that it is at; else as it is."""
    if request.step != call.step:
        return call, ""
    contact = open_contact(
        await act.fields(), row["bill_id"], bill["sealed_version"], bill["contact"]
    )
    known = Known(
        key=rules.proof_of(contact.customer_no),
        wrong_before=await wrong_before(act, row["bill_id"], row["id"]),
        can_link=await _can_link(act, row["bill_id"], contact.phone),
    )
    return rules.answer(call, request.keys, known)


async def _can_link(act: Act, bill_id: UUID, phone: str) -> bool:
    """Whether a text message reaches the number, and is not one too many."""
    if not takes_sms(phone) or await is_faulty(act, bill_id, "sms"):
        return False
    return (await count_resent(act, bill_id)).lately < RESENDS_PER_DAY_MAX


def _call_of(row: Row) -> Call:
    return Call(
        stage=row["stage"],
        saying=row["saying"],
        step=row["step"],
        wrong=row["wrong"],
        silent=row["silent"],
        has_pressed=row["has_pressed"],
        is_told=row["is_told"],
        is_link_asked=row["is_link_asked"],
    )


async def _keep(act: Act, row: Row, call: Call, call_ref: str) -> None:
    await act.db.execute(
        _MOVE, act.merchant_id, row["id"], call_ref, act.now, call.stage, call.saying, call.step,
        call.wrong, call.silent, call.has_pressed, call.is_told, call.is_link_asked,
    )  # fmt: skip


async def _turn(act: Act, template_id: UUID | None, bill: Row, call: Call) -> CallTurn:
    facts = CallFacts(
        merchant_name=bill["name"],
        phone=bill["phone"],
        period=bill["period"],
        amount_minor=bill["left_minor"],
        due_on=bill["due_on"],
    )
    own = await _own(act, template_id, bill["language"], facts)
    if call.saying == "facts":
        act.reveal(1)
    return CallTurn(
        lines=speak(bill["language"], call, facts, own),
        voice=VOICES.get(bill["language"], VOICES["ja"]),
        step=call.step,
        digits=DIGITS[call.stage],
    )


async def _own(
    act: Act, template_id: UUID | None, language: str, facts: CallFacts
) -> OwnSaid | None:
    """The words that the call was bound to when it was asked for, whatever is in force by now.

    None where they are not in the bill's language any more, or don't fit it.
    """
    if template_id is None:
        return None
    version = await read_version(act, template_id)
    words = read_words(version.channel, version.subject, version.body)
    if version.language != language or words.subject is None:
        return None
    said = own_said(language, words.subject, words.body, facts)
    return said[0] if said is not None and said[1] else None
