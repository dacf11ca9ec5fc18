"""Data zone: cases of a merchant: the queue of what needs a person, and settling one.

Clerks see them and start again what stands still; what ends something for good or says that money
was moved by hand takes an owner. The table is portal.domain.case.
"""

from typing import Final

import msgspec

from portal.contract.case import (
    LIST_CASES,
    SETTLE_CASE,
    VIEW_CASE,
    CasePage,
    CaseSettled,
    CaseShown,
    ListCases,
    SettleCase,
    ViewCase,
)
from portal.vault.act import Act
from portal.vault.case_settle import settle
from portal.vault.case_view import CASES, to_views, view_case
from portal.vault.cursor import Place, read_cursor, write_cursor
from portal.vault.operations.intake_view import check_page_size
from portal.vault.registry import operation

PAGE_MAX: Final = 100
COUNT_MAX: Final = 10_000

_WEB: Final = frozenset({"web"})
_MERCHANT: Final = frozenset({"staff", "api_key"})
_REVEALS: Final = ("note of staff",)

_KINDS: Final = " and ($2::text[] = '{}' or c.kind = any($2::text[]))"
_IS_OPEN: Final[dict[bool | None, str]] = {
    None: "",
    True: " and c.closed_at is null",
    False: " and c.closed_at is not null",
}
"""Constant texts, so that the open ones are found by the index that has only them."""

_AFTER: Final = " and ($3::uuid is null or c.id < $3) order by c.id desc limit $4"
_PAGE: Final = {
    is_open: CASES + _KINDS + condition + _AFTER for is_open, condition in _IS_OPEN.items()
}
_COUNT: Final = {
    is_open: "select count(*) from (select from case_ c where c.merchant_id = $1"  # noqa: S608  # constants
    f"{_KINDS}{condition} limit $3) found"
    for is_open, condition in _IS_OPEN.items()
}


@operation(
    LIST_CASES,
    callers=_WEB,
    kinds=_MERCHANT,
    scope="bills:read",
    reveals=_REVEALS,
    rows_max=PAGE_MAX,
    audit="reveal",
)
async def list_cases(act: Act, request: ListCases) -> CasePage:
    """One page of the merchant's cases, newest first.

    Raises: InvalidInput ``page_size`` (param ``max``), ``cursor_invalid``.
    """
    check_page_size(request.first, PAGE_MAX)
    fields = await act.fields()
    scope = msgspec.msgpack.encode(["cases", request.is_open, request.kinds])
    after = None if request.after is None else read_cursor(fields, scope, request.after).id
    wanted = (act.merchant_id, list(request.kinds))
    count: int = await act.db.fetchval(_COUNT[request.is_open], *wanted, COUNT_MAX + 1)
    page = _PAGE[request.is_open]
    rows = await act.db.fetch(page, *wanted, after, request.first + 1) if count else []
    shown = rows[: request.first]
    return CasePage(
        cases=tuple(await to_views(act, shown)),
        end_cursor=write_cursor(fields, scope, Place(id=shown[-1]["id"])) if shown else None,
        has_next=len(rows) > len(shown),
        count=min(count, COUNT_MAX),
        count_exact=count <= COUNT_MAX,
    )


@operation(
    VIEW_CASE, callers=_WEB, kinds=_MERCHANT, scope="bills:read", reveals=_REVEALS, audit="reveal"
)
async def show_case(act: Act, request: ViewCase) -> CaseShown:
    """One case of the merchant. Raises: NotFound ``not_found``."""
    return CaseShown(case=await view_case(act, request.case_id))


@operation(
    SETTLE_CASE,
    callers=_WEB,
    kinds=_MERCHANT,
    scope="bills:write",
    reveals=_REVEALS,
    audit="effect",
)
async def settle_case(act: Act, request: SettleCase) -> CaseSettled:
    """Do one of a case's choices and close it; the same key settles once.

    Raises: what portal.vault.case_settle.settle raises; Conflict ``idempotency_mismatch``.
    """
    arguments = msgspec.msgpack.encode([request.case_id, request.action, request.note])
    known = await act.once("settle_case", request.idempotency_key, arguments)
    if known is not None:
        planned = int.from_bytes(known, "big")
    else:
        planned = await settle(act, request.case_id, request.action, request.note, act.actor)
        await act.answer_once("settle_case", request.idempotency_key, planned.to_bytes(4, "big"))
    return CaseSettled(case=await view_case(act, request.case_id), tasks_planned=planned)
