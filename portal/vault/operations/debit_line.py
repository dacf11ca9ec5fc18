"""Data zone: a debit file's way to its bank by the line: one try at a time, then only questions.

The file is ``sending`` and the try handed out before anybody can redeem it, and both commit with
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
from portal.domain import debit as files
from portal.domain import handover as rules
from portal.domain.days import is_in_time
from portal.domain.debit import FileEvent
from portal.domain.doubt import SUBMIT_GRACE
from portal.domain.errors import InvariantBroken
from portal.domain.ids import DeliveryId
from portal.vault import file
from portal.vault.act import Act
from portal.vault.debit import DebitFile, lock_file, moved, read_contract, store_file
from portal.vault.debit_answer import hash_parts
from portal.vault.fetch import plan_fetch
from portal.vault.handover import Handover, at, read_handover, store_handover
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
    debit_file = await lock_file(act, request.file_id)
    handover = await read_handover(act, debit_file.id)
    if handover is None or debit_file.state not in rules.IN_FLIGHT:
        await act.close_task()
        return DebitHandoverBegun(act="done")
    what = rules.next_act(handover.state, handover.state_at, handover.ask_at, act.now)
    if what == "send" and not await _is_in_time(act, debit_file):
        await store_handover(act, replace(at(act, handover, "by_hand"), code="debit_too_late"))
        await _tell_people(act, debit_file, "debit_too_late")
        what = "done"
    if what == "wait":
        await _watch(act, debit_file)
    if what in {"wait", "done"}:
        await act.close_task()
        return DebitHandoverBegun(act=what)
    if what == "send":
        handover = await _hand_out(act, debit_file, handover)
    return DebitHandoverBegun(
        act=what,
        provider=handover.provider,
        reference=_reference(debit_file),
        handover_id=DeliveryId(handover.id),
    )


async def _is_in_time(act: Act, debit_file: DebitFile) -> bool:
    contract = await read_contract(act, debit_file.contract_id)
    return is_in_time(contract.calendar, contract.terms, debit_file.debit_on, act.business)


async def _hand_out(act: Act, debit_file: DebitFile, handover: Handover) -> Handover:
    """A new try, which voids the one before; its watch is planned with it."""
    if debit_file.state == "approved":
        edge = files.advance_file(debit_file.state, "take_out")
        await store_file(act, moved(act, debit_file, edge))
    handed = replace(at(act, handover, "handed"), id=act.new_id(), doubt_at=act.now, given=0)
    await store_handover(act, handed)
    await _watch(act, debit_file)
    return handed


async def _watch(act: Act, debit_file: DebitFile) -> None:
    await act.plan_task("debit.send", debit_file.id, due_in_s=SUBMIT_GRACE.total_seconds())


def _reference(debit_file: DebitFile) -> str:
    """Ours, the same at every try: by it the bank refuses a second file and answers questions."""
    return debit_file.id.hex


@operation(RECORD_DEBIT_HANDOVER, callers=_WORK, kinds=_LEASE, audit="effect")
async def record_debit_handover(act: Act, request: RecordDebitHandover) -> DebitHandoverNow:
    """Book what the bank said to a try or to a question; finishes the lease's task.

    What is said of a try that is over, or of a file that moved on, changes nothing.

    Raises: NotFound for another file than the lease's; InvalidInput for a text that may not be
    stored.
    """
    check_tokens(code=request.code)
    act.require_scope(request.file_id)
    debit_file = await lock_file(act, request.file_id)
    handover = await read_handover(act, debit_file.id)
    await act.close_task()
    if handover is None or handover.id != request.handover_id:
        return DebitHandoverNow(state=debit_file.state)
    if debit_file.state not in rules.IN_FLIGHT:
        if (debit_file.state, request.outcome) == ("rejected", "accepted"):
            # An owner recorded a refusal; its bills are free, and the bank has the file.
            await _tell_people(act, debit_file, "accepted_after_rejected")
        return DebitHandoverNow(state=debit_file.state)
    state, event = rules.after(handover.state, request.outcome, handover.tries)
    told = replace(at(act, handover, state), code=request.code)
    if state == "planned":
        await act.plan_task("debit.send", debit_file.id, due_in_s=rules.TRY_PAUSE_S)
    elif state == "unknown":
        told = await _ask_again(act, debit_file, told)
    elif state == "by_hand" != handover.state:
        await _tell_people(act, debit_file, request.code)
    await store_handover(act, told if state != handover.state or event else handover)
    return DebitHandoverNow(state=await _move(act, debit_file, event))


async def _tell_people(act: Act, debit_file: DebitFile, code: str) -> None:
    """Nothing happens by itself any more, and a day of debits hangs on it."""
    await act.open_case("task.debit.send", debit_file.id, code=code)


async def _ask_again(act: Act, debit_file: DebitFile, handover: Handover) -> Handover:
    since = handover.doubt_at or act.now
    wait_s = rules.ask_again_s(handover.asked, (act.now - since).total_seconds())
    if wait_s is None:
        await _tell_people(act, debit_file, "asking_ended")
        return handover
    await act.plan_task("debit.send", handover.file_id, due_in_s=wait_s)
    return replace(handover, asked=handover.asked + 1, ask_at=act.now + timedelta(seconds=wait_s))


async def _move(act: Act, debit_file: DebitFile, event: FileEvent | None) -> str:
    if event is None or (debit_file.state, event) not in files.FILES:
        return debit_file.state
    edge = files.advance_file(debit_file.state, event)
    await store_file(act, moved(act, debit_file, edge))
    if edge.state == "rejected":
        await act.plan_task("debit.book", debit_file.id)
    elif edge.state == "accepted":
        await plan_fetch(act, debit_file)
    return edge.state


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
    debit_file = await lock_file(act, found[1])
    handover = await read_handover(act, debit_file.id)
    if handover is None or handover.id != request.handover_id:  # another try since
        return _refuse(act, "delivery_unknown", request.handover_id)
    if act.settings.provider_host(handover.provider) != request.host:
        return _refuse(act, "host_wrong", request.handover_id)
    if handover.state != "handed" or debit_file.state not in rules.IN_FLIGHT:
        early = handover.state == "planned"
        return _refuse(
            act, "delivery_not_handed" if early else "delivery_redeemed", request.handover_id
        )
    redeemed = replace(at(act, handover, "redeemed"), tries=handover.tries + 1)
    await store_handover(act, redeemed)
    digest, _ = await hash_parts(act, debit_file.id, debit_file.parts)
    if digest != debit_file.sha256:
        raise InvariantBroken("debit_file_differs")
    act.release(debit_file.lines)
    contract = await read_contract(act, debit_file.contract_id)
    return DebitFileRedeemed(
        collector=contract.collector_code,
        reference=_reference(debit_file),
        parts=debit_file.parts,
        size_bytes=debit_file.size_bytes,
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
    before it was redeemed, ``part_out_of_order``; each is an incident.
    """
    found = await _find(act, request.handover_id)
    if found is None:
        return _refuse_part(act, "delivery_unknown", request.handover_id)
    await act.act_for(found[0])
    debit_file = await lock_file(act, found[1])
    handover = await read_handover(act, debit_file.id)
    if handover is None or handover.id != request.handover_id:
        return _refuse_part(act, "delivery_unknown", request.handover_id)
    if act.settings.provider_host(handover.provider) != request.host:
        return _refuse_part(act, "host_wrong", request.handover_id)
    if handover.state != "redeemed":
        return _refuse_part(act, "delivery_not_handed", request.handover_id)
    if request.part_no != handover.given or request.part_no >= debit_file.parts:
        return _refuse_part(act, "part_out_of_order", request.handover_id)
    await store_handover(act, replace(handover, given=handover.given + 1))
    return DebitPartGiven(
        body=await file.read_part(act, debit_file.id, request.part_no), refused=None
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
