"""Data zone, stage "intake": imports and their faults, as staff and merchants' systems see them.

What stood in a faulty cell may name a payer: it counts as a revealed row.
"""

from typing import Final

import msgspec

from portal.contract.intake import (
    LIST_IMPORTS,
    LIST_ROW_FAULTS,
    VIEW_IMPORT,
    ImportPage,
    ImportView,
    ListImports,
    ListRowFaults,
    RowFault,
    RowFaultPage,
    ViewImport,
)
from portal.domain.errors import InvalidInput
from portal.domain.intake.row import FAULTS_MAX
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.imports import read_import, view, view_newest
from portal.vault.registry import operation
from portal.vault.sealed import ROW_FAULT_TABLE, FaultValue

PAGE_MAX: Final = 100
FAULT_PAGE_MAX: Final = 500
"""Faults on one page, before the last line's are completed."""

_WEB: Final = frozenset({"web"})
_MERCHANT: Final = frozenset({"staff", "api_key"})

_FAULTS: Final = """
select line, id, column_name, code, params, value from row_fault
where merchant_id = $1 and import_id = $2 and line > $3 and ($5::text is null or code = $5)
order by line, id limit $4
"""


@operation(VIEW_IMPORT, callers=_WEB, kinds=_MERCHANT, scope="imports:write", audit="none")
async def view_import(act: Act, request: ViewImport) -> ImportView:
    """One import of the merchant. Raises: NotFound ``not_found``."""
    return await view(act, request.import_id)


@operation(LIST_IMPORTS, callers=_WEB, kinds=_MERCHANT, scope="imports:write", audit="none")
async def list_imports(act: Act, request: ListImports) -> ImportPage:
    """Imports, newest first. Raises: InvalidInput ``page_size`` (param ``max``)."""
    check_page_size(request.first, PAGE_MAX)
    views, has_next = await view_newest(act, request.first, request.after)
    return ImportPage(imports=tuple(views), has_next=has_next)


@operation(
    LIST_ROW_FAULTS,
    callers=_WEB,
    kinds=_MERCHANT,
    scope="imports:write",
    reveals=("faulty cell",),
    rows_max=FAULT_PAGE_MAX + FAULTS_MAX,
    audit="reveal",
)
async def list_row_faults(act: Act, request: ListRowFaults) -> RowFaultPage:
    """Faults in order of lines; all faults of a line are on one page.

    Raises: InvalidInput ``page_size`` (param ``max``); NotFound ``not_found``.
    """
    check_page_size(request.first, FAULT_PAGE_MAX)
    await read_import(act, request.import_id)
    rows = await act.db.fetch(
        _FAULTS,
        act.merchant_id,
        request.import_id,
        request.after_line,
        request.first + FAULTS_MAX + 1,
        request.code,
    )
    shown, has_next = _cut(rows, request.first)
    act.reveal(len({row["line"] for row in shown}))
    fields = await act.fields()
    return RowFaultPage(
        faults=tuple(
            RowFault(
                line=row["line"],
                column=row["column_name"],
                code=row["code"],
                params=msgspec.json.decode(row["params"], type=dict[str, str | int]),
                value=fields.open(
                    ROW_FAULT_TABLE, "document", row["id"], 1, row["value"], FaultValue
                ).text,
            )
            for row in shown
        ),
        has_next=has_next,
    )


def _cut(rows: list[Row], first: int) -> tuple[list[Row], bool]:
    """``first`` rows and the rest of the last one's line; whether lines follow."""
    if len(rows) <= first:
        return rows, False
    end = first
    while end < len(rows) and rows[end]["line"] == rows[end - 1]["line"]:
        end += 1
    return rows[:end], end < len(rows)


def check_page_size(first: int, most: int) -> None:
    """Refuse an empty or a too large page. Raises: InvalidInput ``page_size`` (param ``max``)."""
    if not 1 <= first <= most:
        raise InvalidInput("page_size", params={"max": most})
