"""Data zone: a bank's answer fetched by the line: begun by a worker, put in by the relay, read.

A try is handed out, then opened once by the relay for the bank's own host, which then puts the
parts in one after another; they lie under the try's id. What is read of them is what is read of an
answer that staff put up. A try that came to nothing is followed by another, until a person has to.
"""

from dataclasses import replace
from typing import Final
from uuid import UUID

from portal.contract.debit_fetch import (
    BEGIN_DEBIT_FETCH,
    KEEP_DEBIT_RESULT,
    OPEN_DEBIT_RESULT,
    RECORD_DEBIT_FETCH,
    BeginDebitFetch,
    DebitFetchBegun,
    DebitFetchNow,
    DebitResultKept,
    DebitResultOpened,
    KeepDebitResult,
    OpenDebitResult,
    RecordDebitFetch,
)
from portal.domain import debit as files
from portal.domain import fetch as rules
from portal.domain.ids import DeliveryId
from portal.kit.limits import RESULT_PARTS_MAX
from portal.vault import file
from portal.vault.act import Act
from portal.vault.debit import DebitFile, lock_file
from portal.vault.debit_answer import hash_parts, take_answer
from portal.vault.fetch import Fetch, ask_again, fetch_at, read_fetch, store_fetch, tell_people
from portal.vault.registry import operation
from portal.vault.texts import check_tokens

_WORK: Final = frozenset({"work"})
_LEASE: Final = frozenset({"lease"})
_EGRESS: Final = frozenset({"egress"})
_CALLER: Final = frozenset({"caller"})
_CROSSING: Final = "select set_config('harai.crossing', $1, true)"
_WHOSE: Final = "select merchant_id, file_id from debit_fetch where id = $1"


@operation(BEGIN_DEBIT_FETCH, callers=_WORK, kinds=_LEASE, audit="effect")
async def begin_debit_fetch(act: Act, request: BeginDebitFetch) -> DebitFetchBegun:
    """Hand a try to the one caller who may make it; else end the task.

    A file whose answer is there already is asked about no more.

    Raises: NotFound for another file than the lease's.
    """
    act.require_scope(request.file_id)
    debit_file = await lock_file(act, request.file_id)
    fetch = await read_fetch(act, debit_file.id)
    if fetch is None:
        await act.close_task()
        return DebitFetchBegun(act="done")
    what = rules.next_act(fetch.state, fetch.state_at, act.now)
    if what == "fetch" and not _is_awaited(debit_file):
        await store_fetch(act, fetch_at(act, fetch, "read"))
        what = "done"
    if what == "wait":
        await _watch(act, debit_file)
    if what != "fetch":
        await act.close_task()
        return DebitFetchBegun(act=what)
    await file.drop_file(act, fetch.id)  # what a try before put in, and nobody read
    handed = replace(fetch_at(act, fetch, "handed"), id=act.new_id(), tries=fetch.tries + 1)
    await store_fetch(act, handed)
    await _watch(act, debit_file)
    return DebitFetchBegun(
        act="fetch",
        provider=handed.provider,
        reference=debit_file.id.hex,
        fetch_id=DeliveryId(handed.id),
    )


def _is_awaited(debit_file: DebitFile) -> bool:
    return debit_file.state in files.ANSWERABLE and debit_file.state != "answered"


async def _watch(act: Act, debit_file: DebitFile) -> None:
    await act.plan_task("debit.fetch", debit_file.id, due_in_s=rules.GRACE.total_seconds())


@operation(RECORD_DEBIT_FETCH, callers=_WORK, kinds=_LEASE, audit="effect")
async def record_debit_fetch(act: Act, request: RecordDebitFetch) -> DebitFetchNow:
    """Read the answer that a try put in, or plan the next one; finishes the lease's task.

    An answer that is doubtful as a whole is a person's from the first time on, and asked for
    again: a bank puts right what it sent.

    Raises: NotFound for another file than the lease's; InvalidInput for a text that may not be
    stored.
    """
    check_tokens(code=request.code)
    act.require_scope(request.file_id)
    debit_file = await lock_file(act, request.file_id)
    fetch = await read_fetch(act, debit_file.id)
    await act.close_task()
    if fetch is None or fetch.id != request.fetch_id or fetch.state not in {"handed", "storing"}:
        return DebitFetchNow(state=debit_file.state)
    code = request.code
    if request.outcome == "stored" and await _is_whole(act, fetch, request):
        read = await take_answer(act, debit_file, fetch.id, request.parts)
        if read.state != "refused":
            await store_fetch(act, fetch_at(act, fetch, "read"))
            state = "answered" if read.state == "booked" else debit_file.state
            return DebitFetchNow(state=state, lines=read.lines)
        code = read.reason
        if code != "answer_checking":  # another one is being read: this one is asked for again
            await tell_people(act, debit_file.id, code)
    await ask_again(act, fetch_at(act, fetch, "planned", code))
    return DebitFetchNow(state=debit_file.state)


async def _is_whole(act: Act, fetch: Fetch, request: RecordDebitFetch) -> bool:
    """Whether the parts that lie there are those of which the relay told."""
    if fetch.state != "storing" or not 0 < request.parts <= RESULT_PARTS_MAX:
        return False
    digest, _ = await hash_parts(act, fetch.id, request.parts)
    return digest == request.sha256


@operation(OPEN_DEBIT_RESULT, callers=_EGRESS, kinds=_CALLER, audit="effect")
async def open_debit_result(act: Act, request: OpenDebitResult) -> DebitResultOpened:
    """Open a try for the answer of ``host``, once; whose answer that must be.

    Refused: ``delivery_unknown``, ``host_wrong``, ``delivery_redeemed``; each is an incident.
    """
    fetch = await _enter(act, request.fetch_id)
    if fetch is None:
        return _refuse_to_open(act, "delivery_unknown", request.fetch_id)
    if act.settings.provider_host(fetch.provider) != request.host:
        return _refuse_to_open(act, "host_wrong", request.fetch_id)
    if fetch.state != "handed":
        return _refuse_to_open(act, "delivery_redeemed", request.fetch_id)
    await store_fetch(act, fetch_at(act, fetch, "storing"))
    return DebitResultOpened(reference=fetch.file_id.hex, refused=None)


@operation(KEEP_DEBIT_RESULT, callers=_EGRESS, kinds=_CALLER, audit="none")
async def keep_debit_result(act: Act, request: KeepDebitResult) -> DebitResultKept:
    """Seal a part of the answer that is coming in; the same part again is acknowledged.

    Refused: ``delivery_unknown`` for a try that is over, ``host_wrong``, ``delivery_not_handed``
    before it was opened, ``file_too_large``; but for the last, each is an incident.

    Raises: Conflict ``part_differs``; InvalidInput ``part_size``.
    """
    fetch = await _enter(act, request.fetch_id)
    refused = None
    if fetch is None:
        refused = "delivery_unknown"
    elif act.settings.provider_host(fetch.provider) != request.host:
        refused = "host_wrong"
    elif fetch.state != "storing":
        refused = "delivery_not_handed"
    if refused is not None:
        act.note_incident(_incident(refused), request.fetch_id)
        return DebitResultKept(refused=refused)
    if not 0 <= request.part_no < RESULT_PARTS_MAX:
        return DebitResultKept(refused="file_too_large")
    await file.store_part(act, request.fetch_id, request.part_no, request.body)
    return DebitResultKept(refused=None)


async def _enter(act: Act, fetch_id: UUID) -> Fetch | None:
    """Enter the merchant of a try that is not over, its file locked.

    Only the look-up of whose it is crosses merchants, and it reads ids alone.
    """
    await act.db.execute(_CROSSING, "keep_debit_result")
    await act.db.execute("select set_config('harai.merchant', $1, true)", str(UUID(int=0)))
    row = await act.db.fetchrow(_WHOSE, fetch_id)
    await act.db.execute(_CROSSING, "")
    if row is None:
        return None
    await act.act_for(row["merchant_id"])
    await lock_file(act, row["file_id"])
    fetch = await read_fetch(act, row["file_id"])
    return fetch if fetch is not None and fetch.id == fetch_id else None


def _incident(code: str) -> str:
    return "delivery_host" if code == "host_wrong" else code


def _refuse_to_open(act: Act, code: str, subject: UUID) -> DebitResultOpened:
    act.note_incident(_incident(code), subject)
    return DebitResultOpened(reference="", refused=code)
