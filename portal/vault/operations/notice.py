"""Data zone: providers' notices, one way in for all of them; hints that are kept and followed up.

A notice is never believed: a claim about an attempt only plans an inquiry, a claim about a
delivery moves it forward only. The same notice again changes nothing.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.payment import RECORD_NOTICE, NoticeClaim, NoticeRecorded, RecordNotice
from portal.domain.errors import InvalidInput, NotFound
from portal.domain.payment import NOTICE_PAUSE_S, ask_after_notice_s, notice_says_news
from portal.vault.act import Act
from portal.vault.operations.delivery import apply_receipts
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation
from portal.vault.texts import check_tokens

CLAIMS_MAX: Final = 500
RAW_BYTES_MAX: Final = 256 * 1024
BODY_TABLE: Final = "notice_body"

_INSERT: Final = """
insert into notice (merchant_id, provider, notice_id, body_id, subject, reference, claim,
                    claimed_at, received_at)
select $1, $2, t.notice_id, $3, t.subject, t.reference, t.claim, t.claimed_at, $4
from unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])
     as t (notice_id, subject, reference, claim, claimed_at)
on conflict (merchant_id, provider, notice_id) do nothing
returning notice_id
"""
_ATTEMPTS: Final = """
select id, reference, state, asked, ask_at, heard_at from attempt
where merchant_id = $1 and provider = $2 and reference = any($3::text[]) order by id
for no key update
"""
_TOLD: Final = """
select reference, claim, max(received_at) as told_at from notice
where merchant_id = $1 and provider = $2 and reference = any($3::text[]) and subject = 'attempt'
      and received_at < $4 and received_at > $4 - make_interval(secs => $5)
group by reference, claim
"""
_NAMED: Final = """
select provider_ref, reference from attempt
where merchant_id = $1 and provider = $2 and provider_ref = any($3::text[]) and provider_ref <> ''
"""
_ASK: Final = "update attempt set ask_at = $3 where merchant_id = $1 and id = $2"


@operation(RECORD_NOTICE, callers=frozenset({"web"}), kinds=frozenset({"caller"}), audit="effect")
async def record_notice(act: Act, request: RecordNotice) -> NoticeRecorded:
    """Keep a provider's notice as it came, once, and see to it that the provider is asked.

    Raises: NotFound ``merchant_unknown``, or ``provider_unknown`` for a provider that the merchant
    does not use; InvalidInput for a notice too large or with texts that may not be stored.
    """
    if len(request.claims) > CLAIMS_MAX or len(request.raw) > RAW_BYTES_MAX:
        raise InvalidInput("notice_too_large")
    for claim in request.claims:
        check_tokens(
            notice_id=claim.notice_id,
            reference=claim.reference,
            claim=claim.claim,
            provider_ref=claim.provider_ref,
        )
    await _enter(act, request)
    fresh = await _store(act, await _with_references(act, request))
    attempts = [claim for claim in fresh if claim.subject == "attempt"]
    if attempts:
        await _follow_up(act, request.provider, attempts)
    receipts = [claim for claim in fresh if claim.subject == "delivery"]
    if receipts:
        await apply_receipts(act, request.provider, receipts)
    return NoticeRecorded(fresh=len(fresh))


async def _enter(act: Act, request: RecordNotice) -> None:
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    uses = await act.db.fetchval(
        "select true from merchant where id = $1 and"
        " ($2 in (sms_provider, card_provider, wallet_provider, number_provider)"
        " or exists (select from merchant_channel where merchant_id = $1 and provider = $2)"
        " or exists (select from delivery_chunk where merchant_id = $1 and provider = $2)"
        " or exists (select from attempt where merchant_id = $1 and provider = $2))",
        act.merchant_id,
        request.provider,
    )
    if not uses:
        raise NotFound("provider_unknown")


async def _with_references(act: Act, request: RecordNotice) -> RecordNotice:
    """The notice with our references where its claims have only the provider's own names.

    A claim about a payment that we have nothing of keeps the provider's name, and asks nobody.
    """
    names = [claim.provider_ref for claim in request.claims if not claim.reference]
    if not names:
        return request
    rows = await act.db.fetch(_NAMED, act.merchant_id, request.provider, names)
    ours: dict[str, str] = {row["provider_ref"]: row["reference"] for row in rows}
    claims = tuple(
        msgspec.structs.replace(
            claim, reference=claim.reference or ours.get(claim.provider_ref, claim.provider_ref)
        )
        for claim in request.claims
    )
    return msgspec.structs.replace(request, claims=claims)


async def _store(act: Act, request: RecordNotice) -> list[NoticeClaim]:
    """The claims that were new, in their order; the body is kept if there is one."""
    claims = list({claim.notice_id: claim for claim in reversed(request.claims)}.values())[::-1]
    body_id = act.new_id()
    rows = await act.db.fetch(
        _INSERT,
        act.merchant_id,
        request.provider,
        body_id,
        act.now,
        [claim.notice_id for claim in claims],
        [claim.subject for claim in claims],
        [claim.reference for claim in claims],
        [claim.claim for claim in claims],
        [claim.at for claim in claims],
    )
    new = {row["notice_id"] for row in rows}
    if new:
        await _store_body(act, request, body_id)
    return [claim for claim in claims if claim.notice_id in new]


async def _store_body(act: Act, request: RecordNotice, body_id: UUID) -> None:
    fields = await act.fields()
    await act.db.execute(
        "insert into notice_body (merchant_id, id, provider, received_at, body)"
        " values ($1, $2, $3, $4, $5)",
        act.merchant_id,
        body_id,
        request.provider,
        act.now,
        fields.seal_bytes(BODY_TABLE, "document", body_id, 1, request.raw),
    )


async def _follow_up(act: Act, provider: str, claims: Sequence[NoticeClaim]) -> None:
    """Plan an urgent inquiry for every attempt of ours that is said to be in another state.

    The attempts are locked, their bills are not: a finding that is being booked just now is waited
    for, so that a notice behind it is judged by what it left and never passed over.
    """
    said: dict[str, set[str]] = {}
    for claim in claims:
        said.setdefault(claim.reference, set()).add(claim.claim)
    rows = await act.db.fetch(_ATTEMPTS, act.merchant_id, provider, list(said))
    told = await act.db.fetch(
        _TOLD, act.merchant_id, provider, list(said), act.now, 2 * NOTICE_PAUSE_S
    )
    for row in rows:
        if not any(notice_says_news(row["state"], claim) for claim in said[row["reference"]]):
            continue
        news = [
            earlier["told_at"]
            for earlier in told
            if earlier["reference"] == row["reference"]
            and notice_says_news(row["state"], earlier["claim"])
        ]
        wait_s = ask_after_notice_s(
            row["ask_at"], act.now, told_at=max(news, default=None), heard_at=row["heard_at"]
        )
        if wait_s is None:
            continue
        ask_at = act.now + timedelta(seconds=wait_s)
        await act.db.execute(_ASK, act.merchant_id, row["id"], ask_at)
        await act.plan_task("payment.inquire", row["id"], row["asked"], due_in_s=wait_s)
