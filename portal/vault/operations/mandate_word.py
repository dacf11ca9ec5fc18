"""Data zone: asking a bank about a mandate, and its word, which comes past everybody else.

The relay puts the word here, account and all; who asked learns that there is one.
"""

from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Final
from uuid import UUID

from portal.contract.mandate import (
    BEGIN_MANDATE_ASKING,
    DEPOSIT_MANDATE_WORD,
    RECORD_MANDATE_ASKING,
    BeginMandateAsking,
    DepositMandateWord,
    MandateAsking,
    MandateNow,
    MandateWordDeposited,
    RecordMandateAsking,
)
from portal.domain import mandate as rules
from portal.domain import mandate_word as words
from portal.domain.ids import DeliveryId
from portal.domain.mandate_word import ON_THE_WAY, Verdict
from portal.kit.banks import banks
from portal.vault.act import Act
from portal.vault.debit import MANDATE_TABLE, Mandate, lock_mandate, move_mandate
from portal.vault.mandate_redirect import (
    Redirect,
    ask_in,
    lock_own,
    now_of,
    read_redirect,
    store_redirect,
)
from portal.vault.registry import operation

OK, NOT_FOUND = HTTPStatus.OK, HTTPStatus.NOT_FOUND

_CROSSING: Final = "select set_config('harai.crossing', $1, true)"
_WHOSE: Final = "select merchant_id, mandate_id from mandate_redirect where id = $1"
_CONFIRMED: Final = """
update mandate set details = $3, sealed_version = $4 where merchant_id = $1 and id = $2
"""


@operation(
    BEGIN_MANDATE_ASKING,
    callers=frozenset({"work"}),
    kinds=frozenset({"lease"}),
    audit="effect",
)
async def begin_mandate_asking(act: Act, request: BeginMandateAsking) -> MandateAsking:
    """Say what to ask the bank about, or that nothing needs asking; that ends the task.

    Raises: NotFound for another mandate than the lease's.
    """
    act.require_scope(request.mandate_id)
    mandate = await lock_mandate(act, request.mandate_id)
    redirect = await read_redirect(act, mandate.id)
    ended = mandate.state not in ON_THE_WAY
    if ended:
        await act.close_task()
    else:  # this task is the question that was planned; what it learns plans the next
        await store_redirect(act, replace(redirect, ask_at=None))
    return MandateAsking(
        provider=redirect.provider,
        reference=redirect.reference,
        word_id=DeliveryId(redirect.id),
        ended=ended,
    )


@operation(
    DEPOSIT_MANDATE_WORD,
    callers=frozenset({"egress"}),
    kinds=frozenset({"caller"}),
    audit="effect",
)
async def deposit_mandate_word(act: Act, request: DepositMandateWord) -> MandateWordDeposited:
    """Take a bank's word about a mandate, as the relay had it; the same one changes nothing.

    That the bank knows nothing of it (404) is a word, too. Refused: ``delivery_unknown``,
    ``host_wrong``, which are incidents; ``word_unreadable`` for bytes that are no word, or one
    about another registration.
    """
    found = await _find(act, request.word_id)
    if found is None:
        return _refuse(act, "delivery_unknown", request.word_id)
    await act.act_for(found[0])
    mandate = await lock_mandate(act, found[1])
    redirect = await read_redirect(act, mandate.id)
    if act.settings.provider_host(redirect.provider) != request.host:
        return _refuse(act, "host_wrong", request.word_id)
    if request.status == NOT_FOUND and request.asked_for == redirect.reference:
        await _apply_missing(act, mandate, redirect)
        return MandateWordDeposited(refused=None)
    word = words.read_word(request.body) if request.status == OK else None
    if word is None or word.reference != redirect.reference:
        return MandateWordDeposited(refused="word_unreadable")
    is_late = words.has_run_out(redirect.provider, act.now - redirect.doubt_at)
    verdict = words.judge(
        word, mandate.state, mandate.details, banks(), redirect.asked, is_late=is_late
    )
    await _apply(act, mandate, redirect, verdict)
    return MandateWordDeposited(refused=None)


async def _apply_missing(act: Act, mandate: Mandate, redirect: Redirect) -> None:
    """The bank knows nothing of it: nothing yet, the end when it says so again later.

    What it had taken on is not lost by that.
    """
    if mandate.state not in ON_THE_WAY or mandate.state == "pending_bank":
        return
    missing_at, verdict = words.missing(
        redirect.missing_at, redirect.doubt_at, act.now, redirect.asked
    )
    await _apply(act, mandate, redirect, verdict, missing_at)


async def _apply(
    act: Act,
    mandate: Mandate,
    redirect: Redirect,
    verdict: Verdict,
    missing_at: datetime | None = None,
) -> None:
    """Do what a verdict says: account, state, and the next question."""
    if verdict == Verdict():
        return
    if verdict.details is not None:
        fields = await act.fields()
        version = mandate.sealed_version + 1
        sealed = fields.seal(MANDATE_TABLE, "instrument", mandate.id, version, verdict.details)
        await act.db.execute(_CONFIRMED, act.merchant_id, mandate.id, sealed, version)
    if verdict.event is not None:
        edge = rules.advance(mandate.state, verdict.event)
        await move_mandate(act, mandate.id, edge, verdict.code)
    asked = replace(redirect, asked=redirect.asked + 1, missing_at=missing_at)
    await store_redirect(act, await ask_in(act, _due(act, asked), verdict.ask_in_s))


def _due(act: Act, redirect: Redirect) -> Redirect:
    """A question whose time has come plans no other by itself."""
    is_ahead = redirect.ask_at is not None and redirect.ask_at > act.now
    return redirect if is_ahead else replace(redirect, ask_at=None)


@operation(
    RECORD_MANDATE_ASKING,
    callers=frozenset({"web", "work"}),
    kinds=frozenset({"payer", "lease"}),
    audit="effect",
)
async def record_mandate_asking(act: Act, request: RecordMandateAsking) -> MandateNow:
    """Take note that the bank was asked, and see to it that it is asked again; ends the task.

    What came of it the relay has put here; what the caller says of that moves nothing. So no
    caller ends a mandate, nor the questions about it.

    Raises: NotFound for a mandate that this authority is not about.
    """
    is_payer = act.capability.kind == "payer"
    if is_payer:
        mandate = await lock_own(act, request.mandate_id)
    else:
        act.require_scope(request.mandate_id)
        mandate = await lock_mandate(act, request.mandate_id)
    redirect = await read_redirect(act, mandate.id)
    if mandate.state in ON_THE_WAY and _due(act, redirect).ask_at is None:
        asked = replace(redirect, asked=redirect.asked + 1)
        wait_s = words.ask_again_s(redirect.asked)
        await store_redirect(act, await ask_in(act, _due(act, asked), wait_s))
    if not is_payer:
        await act.close_task()
    return now_of(mandate.id, mandate.state, redirect)


async def _find(act: Act, word_id: UUID) -> tuple[UUID, UUID] | None:
    """Whose it is. Only this look-up crosses merchants, and it reads ids alone."""
    await act.db.execute(_CROSSING, DEPOSIT_MANDATE_WORD.name)
    await act.db.execute("select set_config('harai.merchant', $1, true)", str(UUID(int=0)))
    row = await act.db.fetchrow(_WHOSE, word_id)
    await act.db.execute(_CROSSING, "")
    return None if row is None else (row["merchant_id"], row["mandate_id"])


def _refuse(act: Act, code: str, subject: UUID) -> MandateWordDeposited:
    act.note_incident("delivery_host" if code == "host_wrong" else code, subject)
    return MandateWordDeposited(refused=code)
