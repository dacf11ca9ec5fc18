"""Data zone: the refunds of a bill, and those of a merchant by state: what waits for whom."""

from typing import Final

import msgspec

from portal.contract.refund import (
    LIST_BILL_REFUNDS,
    LIST_REFUNDS,
    BillRefunds,
    ListBillRefunds,
    ListRefunds,
    RefundPage,
)
from portal.vault.act import Act
from portal.vault.cursor import Place, read_cursor, write_cursor
from portal.vault.operations.intake_view import check_page_size
from portal.vault.refund_view import (
    REFUNDS,
    REFUNDS_MAX,
    limit_of,
    to_views,
    view_bill_refunds,
)
from portal.vault.registry import operation

PAGE_MAX: Final = 100

_WEB: Final = frozenset({"web"})
_MERCHANT: Final = frozenset({"staff", "api_key"})
_REVEALS: Final = ("note of staff", "account (last 3)", "account holder (masked)")
_PAGE: Final = (
    REFUNDS + " and ($2::text[] = '{}' or r.state = any($2::text[]))"
    " and (not $5 or r.state = 'by_bank_transfer' and not exists ("
    "select from refund_account a where a.merchant_id = $1 and a.refund_id = r.id))"
    " and ($3::uuid is null or r.id < $3) order by r.id desc limit $4"
)


@operation(
    LIST_BILL_REFUNDS,
    callers=_WEB,
    kinds=_MERCHANT,
    scope="bills:read",
    reveals=_REVEALS,
    rows_max=REFUNDS_MAX,
    audit="reveal",
)
async def list_bill_refunds(act: Act, request: ListBillRefunds) -> BillRefunds:
    """The refunds of one bill, and what can still go back. Raises: NotFound ``not_found``."""
    return await view_bill_refunds(act, request.bill_id)


@operation(
    LIST_REFUNDS,
    callers=_WEB,
    kinds=_MERCHANT,
    scope="bills:read",
    reveals=_REVEALS,
    rows_max=PAGE_MAX,
    audit="reveal",
)
async def list_refunds(act: Act, request: ListRefunds) -> RefundPage:
    """One page of the merchant's refunds, newest first.

    Raises: InvalidInput ``page_size`` (param ``max``), ``cursor_invalid``.
    """
    check_page_size(request.first, PAGE_MAX)
    fields = await act.fields()
    scope = msgspec.msgpack.encode(["refunds", request.states, request.lacks_account])
    after = None if request.after is None else read_cursor(fields, scope, request.after).id
    wanted = list(request.states)
    rows = await act.db.fetch(
        _PAGE, act.merchant_id, wanted, after, request.first + 1, request.lacks_account
    )
    shown = rows[: request.first]
    return RefundPage(
        refunds=await to_views(act, shown),
        end_cursor=write_cursor(fields, scope, Place(id=shown[-1]["id"])) if shown else None,
        has_next=len(rows) > len(shown),
        limit_minor=await limit_of(act),
    )
