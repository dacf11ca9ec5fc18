"""The query of the list of bills: read leniently from the address, given strictly to GraphQL.

Zone: application. Pure. An address that somebody mangled shows more bills rather than an error.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final
from urllib.parse import urlencode

ORDERS: Final = (
    "CREATED_DESC", "CREATED_ASC", "DUE_ASC", "DUE_DESC", "AMOUNT_DESC", "AMOUNT_ASC",
)  # fmt: skip
STATES: Final = ("open", "overdue", "lapsed", "canceled", "superseded", "scheduled", "canceling")
SETTLEMENTS: Final = ("unpaid", "provisional", "settled", "over", "reversed")
MESSAGES: Final = (
    "none", "planned", "sending", "accepted", "delivered", "undelivered", "failed", "ambiguous",
)  # fmt: skip
PAUSES: Final = ("hold", "promise", "missed", "extended")
TEXT_MAX: Final = 100
PATH: Final = "/d/bills"
SEALED: Final = "find"
"""The address' name for a sealed search text: a telephone number has no place in an address,
where histories, logs and people beside the screen would read it."""

_IMPORT: Final = re.compile(r"imp_[0-9A-Z]{26}")


def read_query(query: Mapping[str, str], text: str = "") -> dict[str, str]:
    """Every condition by name; an empty text where the address says nothing that we know.

    ``text`` is what was typed into the search box, which no address says in clear.
    """
    order = query.get("order", "").upper()
    source = query.get("import", "")
    return {
        "q": text.strip()[:TEXT_MAX],
        "state": _one_of(query.get("state", ""), STATES),
        "settlement": _one_of(query.get("settlement", ""), SETTLEMENTS),
        "message": _one_of(query.get("message", ""), MESSAGES),
        "pause": _one_of(query.get("pause", ""), PAUSES),
        "due_from": _a_day(query.get("due_from", "")),
        "due_to": _a_day(query.get("due_to", "")),
        "never_opened": "1" if query.get("never_opened") == "1" else "",
        "import": source if _IMPORT.fullmatch(source) else "",
        "order": order if order in ORDERS else ORDERS[0],
    }


def address_of(wanted: Mapping[str, str], sealed: str) -> str:
    """The list's address for these conditions; the text goes in sealed, or not at all."""
    said = {name: value for name, value in wanted.items() if value and name != "q"}
    if sealed:
        said[SEALED] = sealed
    return f"{PATH}?{urlencode(said)}"


def is_filtered(wanted: Mapping[str, str]) -> bool:
    """Whether anything narrows the list."""
    return any(value for name, value in wanted.items() if name != "order")


def variables(
    wanted: Mapping[str, str],
    search: Mapping[str, str] | None,
    *,
    first: int,
    after: str | None,
) -> dict[str, object]:
    """The variables of the operation Bills."""
    return {
        "first": first,
        "after": after,
        "order": wanted["order"],
        "search": search,
        "filter": {
            "lifecycle": _words(wanted["state"]),
            "settlement": _words(wanted["settlement"]),
            "message": _words(wanted["message"]),
            "pause": _words(wanted["pause"]),
            "dueFrom": wanted["due_from"] or None,
            "dueTo": wanted["due_to"] or None,
            "importId": wanted["import"] or None,
            "neverOpened": bool(wanted["never_opened"]),
        },
    }


def _words(word: str) -> list[str] | None:
    return [word.upper()] if word else None


def _one_of(text: str, words: tuple[str, ...]) -> str:
    return text if text in words else ""


def _a_day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""
