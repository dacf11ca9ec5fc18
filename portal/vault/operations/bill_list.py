"""Data zone: the merchant's list of bills, by keyset, filter and exact search.

Statements are put together from the constant pieces below and nothing else; values go in as
parameters. A search reads a bounded set of candidates by a blind index and each candidate costs
budget, as does the asking itself, so enumerating telephones ends at the budget.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from portal.contract.bills import (
    LIST_BILLS,
    BillFilter,
    BillOrder,
    BillPage,
    BillSearch,
    ListBills,
    SearchField,
)
from portal.domain.bill import ODD
from portal.domain.contact import (
    normalise_customer_no,
    normalise_email,
    normalise_number,
    normalise_phone,
    read_check_code,
)
from portal.domain.pause import PAUSABLE, PauseShown
from portal.vault.act import Act
from portal.vault.bills import BILLS, ROW_COLUMNS, to_bill_row
from portal.vault.cursor import Place, read_cursor, write_cursor
from portal.vault.db import Row
from portal.vault.fields import Fields
from portal.vault.operations.intake_view import check_page_size
from portal.vault.registry import operation
from portal.vault.tallies import count_bills

PAGE_MAX: Final = 100
CANDIDATES_MAX: Final = 200
"""Bills that a search looks at; more with one telephone or number is not a search any more."""

COUNT_MAX: Final = 10_000

ORDERS: Final[dict[BillOrder, tuple[str, bool]]] = {
    "created_desc": ("", True),
    "created_asc": ("", False),
    "due_asc": ("due_on", False),
    "due_desc": ("due_on", True),
    "amount_asc": ("amount_minor", False),
    "amount_desc": ("amount_minor", True),
}
"""Order → its column beside the id ('': ids alone are in the order of time), and whether down."""

_SEARCHED: Final[dict[SearchField, str]] = {
    "number": "b.number = {}",
    "customer_no": "b.customer_blind = {}",
    "phone": "b.phone_blind = {}",
    "email": "b.email_blind = {}",
    "check_code": "b.check_code = {}",
}

_PAUSE: Final = (
    "b.id in (select p.bill_id from pause p"
    " where p.merchant_id = $1 and p.ended_at is null and p.kind = "
)
_PAUSED: Final[dict[PauseShown, str]] = {
    "hold": _PAUSE + "'hold' and (p.until is null or p.until >= {0}))",
    "promise": _PAUSE + "'promise' and p.until >= {0})",
    "missed": _PAUSE + "'promise' and p.until < {0})",
    "extended": _PAUSE + "'extension' and p.until >= {0})",
}
"""What is shown of a pause → its condition on a business day, as portal.domain.pause.shown_of."""

_OWED: Final = "b.settlement = 'unpaid' and b.lifecycle = any({}::text[])"
_ZONE: Final = "select zone from merchant where id = $1"


@dataclass(slots=True)
class _Conditions:
    """Conditions and their parameters; ``$1`` is the merchant."""

    texts: list[str]
    values: list[object]

    def add(self, text: str, *values: object) -> None:
        """Add a constant condition whose ``{}`` become the places of ``values``."""
        first = len(self.values) + 1
        self.texts.append(text.format(*(f"${first + place}" for place in range(len(values)))))
        self.values += values


@operation(
    LIST_BILLS,
    callers=frozenset({"web"}),
    kinds=frozenset({"staff", "api_key"}),
    scope="bills:read",
    reveals=("payer name", "customer number", "phone hint"),
    rows_max=max(PAGE_MAX, CANDIDATES_MAX) + 1,
    cost=1,
    audit="reveal",
)
async def list_bills(act: Act, request: ListBills) -> BillPage:
    """One page of the merchant's bills.

    Raises: InvalidInput ``page_size`` (param ``max``), ``cursor_invalid``, or what is wrong with
        the text searched for.
    """
    check_page_size(request.first, PAGE_MAX)
    fields = await act.fields()
    scope = msgspec.msgpack.encode([request.order, request.filter, request.search])
    place = None if request.after is None else read_cursor(fields, scope, request.after)
    conditions = _Conditions(["b.merchant_id = $1"], [act.merchant_id])
    _add_filter(conditions, request.filter)
    if request.filter.pause:
        zone: str = await act.db.fetchval(_ZONE, act.merchant_id)
        today = act.clock.business_today(zone)
        wanted = [_PAUSED[shown] for shown in dict.fromkeys(request.filter.pause)]
        conditions.add(f"({' or '.join(wanted)})", today)
        conditions.add(_OWED, sorted(PAUSABLE))
    if request.search is None:
        rows, count = await _browse(act, conditions, request, place)
    else:
        _add_search(conditions, fields, request.search)
        rows, count = await _search(act, conditions, request, place)
    shown = rows[: request.first]
    column, _ = ORDERS[request.order]
    return BillPage(
        bills=tuple(to_bill_row(fields, row, act.clock) for row in shown),
        end_cursor=write_cursor(fields, scope, _place_of(shown[-1], column)) if shown else None,
        has_next=len(rows) > len(shown),
        count=min(count, COUNT_MAX),
        count_exact=count <= (COUNT_MAX if request.search is None else CANDIDATES_MAX),
    )


def _add_filter(conditions: _Conditions, wanted: BillFilter) -> None:
    for column, states in (
        ("b.lifecycle", wanted.lifecycle),
        ("b.settlement", wanted.settlement),
        ("b.message", wanted.message),
    ):
        if states:
            conditions.add(column + " = any({}::text[])", list(states))
    if wanted.settlement and ODD.issuperset(wanted.settlement):
        conditions.add("b.is_odd")  # the mark by which an index finds them; see migration 0024
    if wanted.due_from is not None:
        conditions.add("b.due_on >= {}", wanted.due_from)
    if wanted.due_to is not None:
        conditions.add("b.due_on <= {}", wanted.due_to)
    if wanted.import_id is not None:
        conditions.add("b.import_id = {}", wanted.import_id)
    if wanted.never_opened:
        conditions.add("b.opened_at is null and b.lifecycle <> 'scheduled'")


def _add_search(conditions: _Conditions, fields: Fields, search: BillSearch) -> None:
    """The exact match, on the canonical form of what was typed. Raises: InvalidInput."""
    wanted: object
    match search.field:
        case "number":
            wanted = normalise_number(search.text)
        case "customer_no":
            wanted = fields.blind("customer_no", normalise_customer_no(search.text))
        case "phone":
            wanted = fields.blind("phone", normalise_phone(search.text))
        case "email":
            wanted = fields.blind("email", normalise_email(search.text))
        case "check_code":
            wanted = read_check_code(search.text)
    conditions.add(_SEARCHED[search.field], wanted)


async def _browse(
    act: Act, conditions: _Conditions, request: ListBills, place: Place | None
) -> tuple[list[Row], int]:
    """A page by an index that has the list's order, and the count of the filter."""
    count = await _count(act, conditions, request.filter)
    column, is_down = ORDERS[request.order]
    if place is not None:
        sign = "<" if is_down else ">"
        if column:
            conditions.add(f"(b.{column}, b.id) {sign} ({{}}, {{}})", place.value, place.id)
        else:
            conditions.add(f"b.id {sign} {{}}", place.id)
    direction = "desc" if is_down else "asc"
    by = f"b.{column} {direction}, b.id {direction}" if column else f"b.id {direction}"
    where = " and ".join(conditions.texts)
    statement = (
        f"select {ROW_COLUMNS} from {BILLS} where {where} order by {by} limit {request.first + 1}"  # noqa: S608  # constant pieces and a checked number
    )
    rows = await act.db.fetch(statement, *conditions.values) if count else []
    act.reveal(min(len(rows), request.first))
    return rows, count


async def _count(act: Act, conditions: _Conditions, wanted: BillFilter) -> int:
    """Exact from the tally; what that does not know is counted, no further than is shown."""
    if wanted.import_id is None and not wanted.pause:
        return await count_bills(act, wanted)
    where = " and ".join(conditions.texts)
    count: int = await act.db.fetchval(
        f"select count(*) from (select from bill b where {where} limit {COUNT_MAX + 1}) c",  # noqa: S608  # constant pieces
        *conditions.values,
    )
    return count


async def _search(
    act: Act, conditions: _Conditions, request: ListBills, place: Place | None
) -> tuple[list[Row], int]:
    """All candidates at once (they are few), ordered and cut here; each costs budget."""
    where = " and ".join(conditions.texts)
    candidates = await act.db.fetch(
        f"select {ROW_COLUMNS} from {BILLS} where {where} limit {CANDIDATES_MAX + 1}",  # noqa: S608  # constant pieces
        *conditions.values,
    )
    act.reveal(len(candidates))
    column, is_down = ORDERS[request.order]
    candidates.sort(key=lambda row: _sort_key(_place_of(row, column)), reverse=is_down)
    if place is None:
        return candidates, len(candidates)
    end = _sort_key(place)
    rest = [
        row
        for row in candidates
        if (_sort_key(_place_of(row, column)) < end) == is_down
        and _sort_key(_place_of(row, column)) != end
    ]
    return rest, len(candidates)


def _place_of(row: Row, column: str) -> Place:
    return Place(id=row["id"], value=row[column] if column else None)


def _sort_key(place: Place) -> tuple[str, bytes]:
    """Comparable within one order: amounts by digits, days by ISO, then the id."""
    value = place.value
    text = f"{value:020d}" if isinstance(value, int) else str(value or "")
    return text, place.id.bytes
