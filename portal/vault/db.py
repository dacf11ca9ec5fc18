"""The part of the driver that operations may use, as a type; no connection is made here.

Data zone. There is no ``commit`` in it: portal.vault.transaction alone begins and ends.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

Row = Mapping[str, Any]
"""One row as the driver gives it: values by column name. Parsed at once into domain types."""


class Db(Protocol):
    """The part of an asyncpg connection that operations use, inside an open transaction.

    Statements are constants with ``$1`` parameters; nothing is ever pasted into them.
    """

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement; returns its command tag."""
        ...

    async def executemany(self, command: str, args: Iterable[Sequence[object]]) -> None:
        """Run one statement for many parameter rows."""
        ...

    async def fetch(self, query: str, *args: object) -> list[Row]:
        """All rows."""
        ...

    async def fetchrow(self, query: str, *args: object) -> Row | None:
        """The first row or None."""
        ...

    async def fetchval(self, query: str, *args: object, column: int = 0) -> Any:  # noqa: ANN401  # one value of whatever type its column has
        """One value or None."""
        ...

    async def copy_records_to_table(
        self,
        table_name: str,
        *,
        records: Iterable[Sequence[object]],
        columns: Sequence[str] | None = None,
    ) -> str:
        """Append rows by COPY; returns the command tag."""
        ...
