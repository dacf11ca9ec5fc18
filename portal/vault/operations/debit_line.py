"""Data zone: a file's way to its bank by the line: one try at a time, then only questions.

A file of debits or of transfers: the operations are named for the first kind that there was. The
file is ``sending`` and the try handed out before anybody can redeem it, and both commit with
the watch that looks after them whatever happens. The bytes go to the relay alone, once a try.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from portal.contract.debit_line import (
    BEGIN_DEBIT_HANDOVER,
    GIVE_DEBIT_PART,
    RECORD_DEBIT_HANDOVER,
    REDEEM_DEBIT_FILE,
    REDEEMED_LINES_MAX,
    BeginDebitHandover,
    DebitFileRedeemed,
    DebitHandoverBegun,
    DebitHandoverNow,
    DebitPartGiven,
    GiveDebitPart,
    RecordDebitHandover,
    RedeemDebitFile,
)
from portal.domain import handover as rules
from portal.domain.doubt import SUBMIT_GRACE
from portal.domain.errors import InvariantBroken
from portal.domain.ids import DeliveryId
from portal.vault import file
from portal.vault.act import Act
from portal.vault.debit_answer import hash_parts
from portal.vault.handover import Handover, at, read_handover, store_handover
from portal.vault.outgoing import Outgoing, lock_outgoing
from portal.vault.registry import operation
from portal.vault.texts import check_tokens

_WORK: Final = frozenset({"work"})
_LEASE: Final = frozenset({"lease"})
_CROSSING: Final = "select set_config('harai.crossing', $1, true)"
_WHOSE: Final = "select merchant_id, file_id from debit_handover where id = $1"


@operation(BEGIN_DEBIT_HANDOVER, callers=_WORK, kinds=_LEASE, audit="effect")
async def begin_debit_handover(act: Act, request: BeginDebitHandover) -> DebitHandoverBegun:
    """Say whether to send a file or to ask about it, to the one caller who may; else end the task.

    Past the bank's hour a file that was not sent is left to a person.

    Raises: NotFound for another file than the lease's.
    """
    act.require_scope(request.file_id)
    found = await _lock(act, request.file_id)
    if found is None or found[0].file.state not in rules.IN_FLIGHT:
        await act.close_task()
        return DebitHandoverBegun(act="done")
    outgoing, handover = found
    what = rules.next_act(handover.state, handover.state_at, handover.ask_at, act.now)
    if what == "send" and not await outgoing.is_in_time(act):
        await store_handover(act, replace(at(act, handover, "by_hand"), code="debit_too_late"))
        await _tell_people(act, handover, "debit_too_late")
        what = "done"
    if what == "wait":
        await _watch(act, handover)
    if what in {"wait", "done"}:
        await act.close_task()
        return DebitHandoverBegun(act=what)
    if what == "send":
        handover = await _hand_out(act, outgoing, handover)
    return DebitHandoverBegun(
        act=what,
        provider=handover.provider,
        reference=_reference(outgoing),
        handover_id=DeliveryId(handover.id),
        kind=handover.kind,
    )


async def _lock(act: Act, file_id: UUID) -> tuple[Outgoing, Handover] | None:
    """The locked file with its line's row as it is under that lock; None for one without."""
    known = await read_handover(act, file_id)
    if known is None:
        return None
    outgoing = await lock_outgoing(act, known.kind, file_id)
    handover = await read_handover(act, file_id)
    return None if handover is None else (outgoing, handover)


async def _hand_out(act: Act, outgoing: Outgoing, handover: Handover) -> Handover:
    """A new try, which voids the one before; its watch is planned with it."""
    await outgoing.take_out(act)
    handed = replace(at(act, handover, "handed"), id=act.new_id(), doubt_at=act.now, given=0)
    await store_handover(act, handed)
    await _watch(act, handover)
    return handed


async def _watch(act: Act, handover: Handover) -> None:
    wait_s = SUBMIT_GRACE.total_seconds()
    await act.plan_task(rules.SENT_BY[handover.kind], handover.file_id, due_in_s=wait_s)


def _reference(outgoing: Outgoing) -> str:
    """Ours, the same at every try: by it the bank refuses a second file and answers questions."""
    return outgoing.file.id.hex


@operation(RECORD_DEBIT_HANDOVER, callers=_WORK, kinds=_LEASE, audit="effect")
async def record_debit_handover(act: Act, request: RecordDebitHandover) -> DebitHandoverNow:
    """Book what the bank said to a try or to a question; finishes the lease's task.

    What is said of a try that is over, or of a file that moved on, changes nothing.

    Raises: NotFound for another file than the lease's; InvalidInput for a text that may not be
    stored.
    """
    check_tokens(code=request.code)
    act.require_scope(request.file_id)
    found = await _lock(act, request.file_id)
    await act.close_task()
    if found is None:
        return DebitHandoverNow(state="")
    outgoing, handover = found
    state_now = outgoing.file.state
    if handover.id != request.handover_id:
        return DebitHandoverNow(state=state_now)
    if state_now not in rules.IN_FLIGHT:
        if {state_now, request.outcome} == {"rejected", "accepted"}:
            # An owner recorded one thing and the bank says the other: what a refusal freed is at
            # the bank, or what counts as moved is not.
            await _tell_people(act, handover, f"{request.outcome}_after_{state_now}")
        return DebitHandoverNow(state=state_now)
    state, event = rules.after(handover.state, request.outcome, handover.tries, handover.kind)
    told = replace(at(act, handover, state), code=request.code)
    if state == "planned":
        kind = rules.SENT_BY[handover.kind]
        await act.plan_task(kind, handover.file_id, due_in_s=rules.TRY_PAUSE_S)
    elif state == "unknown":
        told = await _ask_again(act, told)
    elif state == "by_hand" != handover.state:
        await _tell_people(act, handover, request.code)
    elif (state, event) == ("ended", "lose"):
        # A refusal that frees money to go once more is a person's to record.
        await _tell_people(act, handover, "bank_refused")
    await store_handover(act, told if state != handover.state or event else handover)
    return DebitHandoverNow(state=(await outgoing.tell(act, event)).file.state)


async def _tell_people(act: Act, handover: Handover, code: str) -> None:
    """Nothing happens by itself any more, and a day of debits or transfers hangs on it."""
    kind = "task.debit.send" if handover.kind == "debit" else "task.transfer.send"
    await act.open_case(kind, handover.file_id, code=code)


async def _ask_again(act: Act, handover: Handover) -> Handover:
    since = handover.doubt_at or act.now
    wait_s = rules.ask_again_s(handover.asked, (act.now - since).total_seconds())
    if wait_s is None:
        await _tell_people(act, handover, "asking_ended")
        return handover
    kind = rules.SENT_BY[handover.kind]
    await act.plan_task(kind, handover.file_id, due_in_s=wait_s)
    return replace(handover, asked=handover.asked + 1, ask_at=act.now + timedelta(seconds=wait_s))


@operation(
    REDEEM_DEBIT_FILE,
    callers=frozenset({"egress"}),
    kinds=frozenset({"caller"}),
    reveals=("account", "payer_name (kana)"),
    rows_max=REDEEMED_LINES_MAX,
    audit="reveal",
)
async def redeem_debit_file(act: Act, request: RedeemDebitFile) -> DebitFileRedeemed:
    """Open a file that is being sent to ``host``, once for a try; its parts are given after.

    All its lines count as released here, so that no budget runs out half-way. Refused:
    ``delivery_unknown``, ``host_wrong``, ``delivery_not_handed``, ``delivery_redeemed``; each is an
    incident.

    Raises: LimitReached ``rows_at_most``, ``budget_spent``.
    """
    found = await _find(act, request.handover_id)
    if found is None:
        return _refuse(act, "delivery_unknown", request.handover_id)
    await act.act_for(found[0])
    locked = await _lock(act, found[1])
    if locked is None or locked[1].id != request.handover_id:  # another try since
        return _refuse(act, "delivery_unknown", request.handover_id)
    outgoing, handover = locked
    sealed = outgoing.file
    if act.settings.provider_host(handover.provider) != request.host:
        return _refuse(act, "host_wrong", request.handover_id)
    if handover.state != "handed" or sealed.state not in rules.IN_FLIGHT:
        early = handover.state == "planned"
        return _refuse(
            act, "delivery_not_handed" if early else "delivery_redeemed", request.handover_id
        )
    redeemed = replace(at(act, handover, "redeemed"), tries=handover.tries + 1)
    await store_handover(act, redeemed)
    digest, _ = await hash_parts(act, sealed.id, sealed.parts)
    if digest != sealed.sha256:
        raise InvariantBroken("debit_file_differs")
    act.release(sealed.lines)
    return DebitFileRedeemed(
        collector=await outgoing.code(act),
        reference=_reference(outgoing),
        parts=sealed.parts,
        size_bytes=sealed.size_bytes,
        refused=None,
    )


@operation(
    GIVE_DEBIT_PART,
    callers=frozenset({"egress"}),
    kinds=frozenset({"caller"}),
    reveals=("account", "payer_name (kana)"),
    rows_max=0,
    audit="reveal",
)
async def give_debit_part(act: Act, request: GiveDebitPart) -> DebitPartGiven:
    """Give out the next part of a file that was redeemed for ``host``: each once, in order.

    Refused: ``delivery_unknown`` for a try that is over, ``host_wrong``, ``delivery_not_handed``
    before it was redeemed, or once somebody recorded what became of the file: what a refusal freed
    goes in another. ``part_out_of_order``. Each is an incident.
    """
    found = await _find(act, request.handover_id)
    if found is None:
        return _refuse_part(act, "delivery_unknown", request.handover_id)
    await act.act_for(found[0])
    locked = await _lock(act, found[1])
    if locked is None or locked[1].id != request.handover_id:
        return _refuse_part(act, "delivery_unknown", request.handover_id)
    outgoing, handover = locked
    if act.settings.provider_host(handover.provider) != request.host:
        return _refuse_part(act, "host_wrong", request.handover_id)
    if handover.state != "redeemed" or outgoing.file.state not in rules.IN_FLIGHT:
        return _refuse_part(act, "delivery_not_handed", request.handover_id)
    if request.part_no != handover.given or request.part_no >= outgoing.file.parts:
        return _refuse_part(act, "part_out_of_order", request.handover_id)
    await store_handover(act, replace(handover, given=handover.given + 1))
    return DebitPartGiven(
        body=await file.read_part(act, outgoing.file.id, request.part_no), refused=None
    )


async def _find(act: Act, handover_id: UUID) -> tuple[UUID, UUID] | None:
    """Whose it is. Only this look-up crosses merchants, and it reads ids alone."""
    await act.db.execute(_CROSSING, "redeem_debit_file")
    await act.db.execute("select set_config('harai.merchant', $1, true)", str(UUID(int=0)))
    row = await act.db.fetchrow(_WHOSE, handover_id)
    await act.db.execute(_CROSSING, "")
    return None if row is None else (row["merchant_id"], row["file_id"])


def _refuse(act: Act, code: str, subject: UUID) -> DebitFileRedeemed:
    act.note_incident("delivery_host" if code == "host_wrong" else code, subject)
    return DebitFileRedeemed(collector="", reference="", parts=0, size_bytes=0, refused=code)


def _refuse_part(act: Act, code: str, subject: UUID) -> DebitPartGiven:
    act.note_incident("delivery_host" if code == "host_wrong" else code, subject)
    return DebitPartGiven(body=b"", refused=code)
