"""What a payer chose on the bill's page: other bills beside it, or a part of it.

Zone: application. The choice is made by a form that leads back to the page (GET), which then says
the sum before anything can be pressed; the button's form repeats it. The vault judges it both
times. In addresses stand public names of pages and an amount, nothing of anybody.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import QueryParams

from portal.application.doors.forms import read_whole

if TYPE_CHECKING:
    from portal.domain.errors import Param

NAMES_MAX: Final = 20
"""More names than any page offers are not looked at; the vault refuses fewer."""

_NAME: Final = re.compile(r"(?=.*[a-z])[a-z2-7]{1,32}")
"""As pages are named; whatever else stands in an address was put there by nobody's form."""

_BETWEEN: Final = "."
"""Between the names in one field of a form: no name holds it."""


def read_choice(query: QueryParams) -> dict[str, object]:
    """Variables of the operation Page from the page's own address."""
    chosen: dict[str, object] = {}
    named = [ref for ref in query.getlist("with") if _NAME.fullmatch(ref)][:NAMES_MAX]
    if named:
        chosen["also"] = named
    part = _amount(query.get("part", ""))
    if part is not None and not named:
        chosen["part"] = part
    return chosen


def read_intent(form: Mapping[str, str]) -> dict[str, object]:
    """What of the operation PaymentStart's input stands in the button's form."""
    named = [ref for ref in form.get("also", "").split(_BETWEEN) if ref][:NAMES_MAX]
    return {"also": named, "part": _amount(form.get("part", ""))}


def refusal_of(bill: Mapping[str, Any]) -> dict[str, object] | None:
    """Why what was chosen can't be paid, for the page; None where it can, or nothing was."""
    code = bill["choiceRefused"]
    if code is None:
        return None
    params: dict[str, Param] = {}
    if bill["part"]:
        params = {name: bill["part"][name]["amount"] for name in ("least", "most")}
    return {"code": code, "params": params}


def _amount(text: str) -> int | None:
    """Yen as people write them, full-width digits and commas too; 0, refused, for words."""
    written = unicodedata.normalize("NFKC", text).replace(",", "").strip()
    if not written:
        return None
    return read_whole(written) or 0
