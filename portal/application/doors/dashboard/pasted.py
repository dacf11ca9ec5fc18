"""A file that staff paste or choose in a form, and that is answered on the same screen.

Zone: application. The merchant's system sends the same file by GraphQL; this puts a form's text
back into the bytes that it was.
"""

from base64 import b64encode
from dataclasses import dataclass

from starlette.requests import Request

from portal.application.doors.context import RequestContext, staff_context
from portal.application.doors.dashboard.acts import read_paste
from portal.application.doors.dashboard.flash import Flash
from portal.application.doors.graphql.execute import Data, run_operation
from portal.application.doors.locales import TEXTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """The form's field, the file's charset and what stands for a letter that it lacks, the act."""

    field: str
    charset: str
    lacking: str
    operation: str
    root: str


async def take_pasted(
    request: Request, pasted: Pasted
) -> tuple[RequestContext, Data, Flash | None]:
    """Who sent the file, what became of it, and what the screen says if it was refused whole.

    Raises LimitReached ``body_too_large``; InvalidInput ``form_malformed``; NotAllowed
    ``form_foreign``, ``form_stale``.
    """
    context = staff_context(request)
    form = await read_paste(request)
    context.check_form(request, form)
    raw = form.get(pasted.field, "").encode(pasted.charset, pasted.lacking)
    wanted = {"content": b64encode(raw).decode()}
    taken: Data = (await run_operation(context, pasted.operation, {"input": wanted}))[pasted.root]
    if not taken["errors"]:
        return context, taken, None
    first = taken["errors"][0]
    remedy = TEXTS[context.language].remedy(first["code"])
    return context, taken, Flash(kind="error", text=first["message"], remedy=remedy)
