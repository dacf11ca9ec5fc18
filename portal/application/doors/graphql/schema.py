"""What both schemas are built with: the schema class, scalars, money, pages and field helpers.

Zone: application. Values are the contract's Structs: a field without a resolver reads the
attribute of its name, a field with one takes the Struct as its parent. Every field says what it
is; one that costs a call of the data API says so by ``cost``, which the cost rule reads.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, Generic, NewType, TypeVar

import msgspec
import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from portal.application.doors.context import RequestContext
from portal.application.doors.render import formats
from portal.domain.errors import InvalidInput
from portal.domain.money import AMOUNT_MINOR_MAX, Currency

Info = strawberry.Info[RequestContext, None]

T = TypeVar("T")

FIRST_MAX: Final = 100
"""Most nodes of one page."""

COST: Final = "harai.cost"
"""Key of a field's metadata: what the field costs besides the fields below it."""

ROWS: Final = "harai.rows"
"""Key of a field's metadata: most nodes of a list that has no ``first``."""

VAULT_CALL: Final = 20
"""Cost of one call of the data API, in fields (about 4 µs each)."""

Int64 = NewType("Int64", int)
DateTime = NewType("DateTime", datetime)
Date = NewType("Date", date)
JSON = NewType("JSON", Mapping[str, str | int])

_RFC3339_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def _int64(value: object) -> int:
    if type(value) is not int or abs(value) > AMOUNT_MINOR_MAX:
        msg = "a whole number within ±(2^53-1) is wanted"
        raise ValueError(msg)
    return value


def _show_moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_moment(value: object) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    if moment is None or moment.tzinfo is None:
        msg = "an RFC 3339 date-time with its offset is wanted"
        raise ValueError(msg)
    return moment.astimezone(UTC)


def _read_date(value: object) -> date:
    if not isinstance(value, str) or not _RFC3339_DATE.fullmatch(value):
        msg = "a date as YYYY-MM-DD is wanted"
        raise ValueError(msg)
    return date.fromisoformat(value)


def _refuse_json(_value: object) -> Mapping[str, str | int]:
    msg = "JSON is for answers only"
    raise ValueError(msg)


_SCALARS: Final[Mapping[object, ScalarDefinition]] = {
    Int64: strawberry.scalar(
        name="Int64",
        description="A whole number within ±(2^53-1), which JSON carries without loss.",
        serialize=_int64,
        parse_value=_int64,
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259#section-6",
    ),
    DateTime: strawberry.scalar(
        name="DateTime",
        description="A moment in UTC as RFC 3339, e.g. `2026-11-22T10:00:00.000Z`.",
        serialize=_show_moment,
        parse_value=_read_moment,
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    ),
    Date: strawberry.scalar(
        name="Date",
        description="A calendar day of the merchant's zone, e.g. `2026-12-10`.",
        serialize=date.isoformat,
        parse_value=_read_date,
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="An object of strings and whole numbers. In answers only.",
        serialize=dict,
        parse_value=_refuse_json,
    ),
}


class HaraiSchema(strawberry.Schema):
    """A schema of ours: the built graphql-core schema is part of its public face."""

    def __init__(self, *, query: type, mutation: type, types: tuple[type, ...] = ()) -> None:
        """Build it with our scalars and without suggestions in errors."""
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - its other arguments are typed loosely
            query=query,
            mutation=mutation,
            types=types,
            config=StrawberryConfig(scalar_map=dict(_SCALARS), disable_field_suggestions=True),
        )

    @property
    def core(self) -> GraphQLSchema:
        """The schema that documents are validated against and executed on."""
        return self._schema


def plain(description: str, /) -> Any:  # noqa: ANN401 - a dataclass field stands where its type is declared
    """A field that is the attribute of the same name."""
    return strawberry.field(description=description)


def optional(description: str, /, *, default: object = None) -> Any:  # noqa: ANN401 - a dataclass field stands where its type is declared
    """A field of an input that need not be given."""
    return strawberry.field(description=description, default=default)


def optional_list(description: str, /) -> Any:  # noqa: ANN401 - a dataclass field stands where its type is declared
    """A list in an input that need not be given: then it is empty."""
    return strawberry.field(description=description, default_factory=list)


def by(
    resolver: object,
    description: str,
    /,
    *,
    name: str | None = None,
    cost: int = 0,
    rows: int = 0,
) -> Any:  # noqa: ANN401 - a dataclass field stands where its type is declared
    """A field made by a function from the parent Struct; its declared type is the GraphQL one.

    Units: ``cost`` in fields, see VAULT_CALL; ``rows`` a list without ``first`` may hold.
    """
    taken: Any = resolver
    return strawberry.field(
        resolver=taken, description=description, name=name, metadata={COST: cost, ROWS: rows}
    )


class MoneyValue(msgspec.Struct, frozen=True):
    """An amount on its way out."""

    amount: int
    currency: Currency = "JPY"


def _formatted(money: strawberry.Parent[MoneyValue], info: Info) -> str:
    return formats(info.context.language).yen(money.amount)


@strawberry.type(description="An amount of money in whole minor units; yen has none but itself.")
class Money:
    """Money as clients see it."""

    amount: Int64 = plain("Whole minor units of the currency; 1 is one yen.")
    currency: str = plain("ISO 4217 code.")
    formatted: str = by(_formatted, "As people of the viewer's language write it.")


class PageEnd(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page ends."""

    has_next_page: bool
    end_cursor: str | None


@strawberry.type(description="Where a page ends and whether another follows.")
class PageInfo:
    """Relay's PageInfo, forward only."""

    has_next_page: bool = plain("Whether asking again with `after: endCursor` finds more.")
    end_cursor: str | None = plain("Give this as `after` for the next page.")


class EdgeValue(msgspec.Struct, Generic[T], frozen=True):
    """A node and, for the last of a page, where it stands."""

    node: T
    cursor: str | None


class Paged(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page on its way out."""

    nodes: tuple[T, ...]
    page_info: PageEnd
    count: int = 0
    count_exact: bool = True


def edges_of(page: strawberry.Parent[Paged[object]]) -> list[EdgeValue[object]]:
    """The nodes with the one cursor that the data API gives: that of the page's end."""
    last = len(page.nodes) - 1
    return [
        EdgeValue(node, page.page_info.end_cursor if place == last else None)
        for place, node in enumerate(page.nodes)
    ]


CURSOR_DESCRIPTION: Final = "Where the node stands; only the last of a page has one."


def page_size(first: int) -> int:
    """The size asked for; raises InvalidInput ``first_out_of_range`` outside 1..100."""
    if not 1 <= first <= FIRST_MAX:
        raise InvalidInput("first_out_of_range", params={"field": "first", "most": FIRST_MAX})
    return first
