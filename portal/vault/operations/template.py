"""Data zone: templates as staff write them, ask for them, and bring them into force.

What is in force was approved word for word, by an owner who did not ask for it. Every one of these
acts locks the merchant, so they come one after the other.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.template import (
    ASK_TEMPLATE,
    DECIDE_TEMPLATE,
    SAVE_TEMPLATE,
    SET_MESSAGE_PRICES,
    AskTemplate,
    DecideTemplate,
    MessagePricesSet,
    SaveTemplate,
    SetMessagePrices,
    TemplateChanged,
)
from portal.domain import template_state as rules
from portal.domain.card_number import looks_like_card_number
from portal.domain.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound
from portal.domain.template import tidy
from portal.vault import approval, staff
from portal.vault.act import Act
from portal.vault.by_code import by_code
from portal.vault.message_price import store_prices
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation, standing_operation
from portal.vault.standing import Standing
from portal.vault.template import (
    TemplateWords,
    Version,
    insert_version,
    lock_merchant,
    read_in_force,
    read_version,
    store_version,
)
from portal.vault.template_view import (
    Written,
    check_length,
    check_words,
    read_sender,
    refuse_faulty,
    to_view,
)

APPROVAL: Final = "message_template"
"""The kind of these approvals."""

DRAFTS_MAX: Final = 50
"""Versions of one merchant that are drafts or wait for approval."""

_WEB: Final = frozenset({"web"})
_STAFF: Final = frozenset({"staff"})
_COUNT: Final = """
select count(*) from message_template where merchant_id = $1 and state in ('draft', 'asked')
"""
_NUMBER: Final = """
select coalesce(max(number), 0) + 1 from message_template
where merchant_id = $1 and channel = $2 and language = $3 and occasion = $4
"""


@operation(SAVE_TEMPLATE, callers=_WEB, kinds=_STAFF, audit="effect")
async def save_template(act: Act, request: SaveTemplate) -> TemplateChanged:
    """Store a draft: a new version, or the new text of one that nobody asked for yet.

    Raises: InvalidInput ``template_faulty``, ``text_too_long``, ``subject_unknown``,
    ``card_number_refused``; Conflict ``template_state``, ``template_changed``,
    ``idempotency_mismatch``; LimitReached ``template_drafts`` (param ``max``); NotFound
    ``not_found``.
    """
    use = (request.channel, request.language, request.occasion)
    arguments = msgspec.msgpack.encode(
        [request.template_id, request.version, use, request.subject, request.body]
    )
    known = await act.once("save_template", request.idempotency_key, arguments)
    if known is not None:
        return await _now(act, UUID(bytes=known))
    check_length(request)
    words = TemplateWords(body=tidy(request.body), subject=tidy(request.subject))
    for field, text in (("body", words.body), ("subject", words.subject)):
        if looks_like_card_number(text):
            raise InvalidInput("card_number_refused", params={"field": field})
    await _refuse_faulty(
        act, msgspec.structs.replace(request, subject=words.subject, body=words.body)
    )
    await lock_merchant(act)
    if request.template_id is None:
        saved = await _add(act, request, words)
    else:
        saved = await _change(act, request, words)
    await act.answer_once("save_template", request.idempotency_key, saved.id.bytes)
    return TemplateChanged(template=to_view(act, saved))


async def _refuse_faulty(act: Act, written: Written) -> None:
    refuse_faulty(check_words(await read_sender(act, written.channel), written))


async def _add(act: Act, request: SaveTemplate, words: TemplateWords) -> Version:
    if await act.db.fetchval(_COUNT, act.merchant_id) >= DRAFTS_MAX:
        raise LimitReached("template_drafts", params={"max": DRAFTS_MAX})
    number = await act.db.fetchval(
        _NUMBER, act.merchant_id, request.channel, request.language, request.occasion
    )
    draft = Version(
        id=act.new_id(),
        channel=request.channel,
        language=request.language,
        occasion=request.occasion,
        number=number,
        state="draft",
        version=1,
        words=words,
        written_by=act.actor,
        written_at=act.business,
        asked_by=None,
        asked_at=None,
        approval_id=None,
        approve_until=None,
        decided_by=None,
        decided_at=None,
    )
    await insert_version(act, draft)
    return draft


async def _change(act: Act, request: SaveTemplate, words: TemplateWords) -> Version:
    draft = await _read_seen(act, request)
    if (draft.channel, draft.language, draft.occasion) != (
        request.channel, request.language, request.occasion
    ):  # fmt: skip
        raise Conflict("template_changed")
    if draft.state != "draft":
        raise Conflict("template_state", params={"state": draft.state, "event": "edit"})
    changed = replace(draft, words=words, written_by=act.actor, written_at=act.business)
    return await store_version(act, changed)


async def _read_seen(act: Act, request: SaveTemplate | AskTemplate) -> Version:
    """The version, if it is still what its reader saw."""
    if request.template_id is None:
        raise NotFound("not_found", params={"kind": "template"})
    found = await read_version(act, request.template_id)
    if found.version != request.version:
        raise Conflict("template_changed")
    return found


async def _now(act: Act, template_id: UUID) -> TemplateChanged:
    return TemplateChanged(template=to_view(act, await read_version(act, template_id)))


@operation(ASK_TEMPLATE, callers=_WEB, kinds=_STAFF, audit="effect")
async def ask_template(act: Act, request: AskTemplate) -> TemplateChanged:
    """Ask for a draft's approval; from now on its words stand still.

    Raises: Conflict ``template_state``, ``template_changed``, ``idempotency_mismatch``;
    InvalidInput ``template_faulty``; NotFound ``not_found``.
    """
    arguments = msgspec.msgpack.encode([request.template_id, request.version])
    known = await act.once("ask_template", request.idempotency_key, arguments)
    if known is not None:
        return await _now(act, request.template_id)
    await lock_merchant(act)
    draft = await _read_seen(act, request)
    edge = rules.advance(draft.state, "ask")
    await _refuse_faulty(act, draft)
    approval_id = await approval.ask(act, APPROVAL, draft.content, rules.APPROVAL_LIFE_S)
    asked = replace(
        draft,
        state=edge.state,
        asked_by=act.actor,
        asked_at=act.business,
        approval_id=approval_id,
        approve_until=act.now + timedelta(seconds=rules.APPROVAL_LIFE_S),
    )
    stored = await store_version(act, asked)
    await act.answer_once("ask_template", request.idempotency_key, stored.id.bytes)
    return TemplateChanged(template=to_view(act, stored))


@standing_operation(DECIDE_TEMPLATE, callers=_WEB, kinds=_STAFF, audit="effect")
async def decide_template(standing: Standing, request: DecideTemplate) -> TemplateChanged:
    """Approve by a fresh code what someone else asked for, or take a version out of the way.

    What is approved is in force at once and takes the place of the version before. The same key
    decides once and needs no new code; refusing and withdrawing need none.

    Raises: NotAllowed ``not_allowed``, ``approver_is_asker``, ``totp_refused``; LimitReached
    ``login_locked``; Expired ``approval_expired``; InvalidInput ``template_faulty``; Conflict
    ``template_state``, ``idempotency_mismatch``; NotFound ``not_found``.
    """
    return await by_code(standing, lambda act: _decide(act, request))


async def _decide(act: Act, request: DecideTemplate) -> TemplateChanged:
    arguments = msgspec.msgpack.encode([request.template_id, request.decision])
    known = await act.once("decide_template", request.idempotency_key, arguments)
    if known is not None:
        return await _now(act, request.template_id)
    await lock_merchant(act)
    version = await read_version(act, request.template_id)
    _check_right(act, version, request)
    edge = rules.advance(version.state, rules.EVENTS[request.decision])
    moved = replace(version, state=edge.state)
    if request.decision == "retire":
        await staff.step_up(act, request.totp)
    else:
        moved = replace(moved, decided_by=act.actor, decided_at=act.business)
    if request.decision == "approve":
        await _approve(act, version, request.totp)
    stored = await store_version(act, moved)
    await act.answer_once("decide_template", request.idempotency_key, stored.id.bytes)
    return TemplateChanged(template=to_view(act, stored))


def _check_right(act: Act, version: Version, request: DecideTemplate) -> None:
    """Who may: taking back what was asked for its asker too, a draft anyone, all else an owner."""
    if act.capability.role == "owner":
        return
    is_own = version.state == "draft" or version.asked_by == act.actor
    if request.decision != "withdraw" or not is_own:
        raise NotAllowed("not_allowed")


async def _approve(act: Act, version: Version, code: str) -> None:
    """Use the approval up and put the version before out of force."""
    await staff.step_up(act, code)
    if version.approval_id is None:
        raise Conflict("template_state", params={"state": version.state, "event": "approve"})
    await approval.approve(act, version.approval_id, version.content)
    await approval.use(act, version.approval_id, APPROVAL, version.content)
    await _refuse_faulty(act, version)
    before = await read_in_force(act, version)
    if before is not None:
        edge = rules.advance(before.state, "supersede")
        await store_version(act, replace(before, state=edge.state))


@operation(
    SET_MESSAGE_PRICES,
    callers=frozenset({"operator"}),
    kinds=frozenset({"caller"}),
    audit="effect",
)
async def set_message_prices(act: Act, request: SetMessagePrices) -> MessagePricesSet:
    """Set what a company takes for a message by its number of parts; no prices: nothing is known.

    Raises: InvalidInput ``message_prices`` (params ``field``, ``max``); NotFound
    ``merchant_unknown``.
    """
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    await store_prices(act, request.channel, request.provider, request.prices)
    return MessagePricesSet(prices=request.prices)
