"""Data zone: templates looked at: the list, one with its findings, a text being written, real rows.

A preview opens real bills for staff who may see them anyway, and counts them as revealed; the link
in it leads nowhere.
"""

from typing import Final

from portal.contract.envelope import Nothing
from portal.contract.template import (
    CHECK_TEMPLATE,
    LIST_TEMPLATES,
    PREVIEW_TEMPLATE,
    VIEW_TEMPLATE,
    CheckTemplate,
    PreviewTemplate,
    PreviewText,
    TemplateChecked,
    TemplateList,
    TemplatePreview,
    TemplateRecord,
    ViewTemplate,
)
from portal.domain.contact import customer_hint
from portal.domain.ids import BillId
from portal.domain.sms import BillText
from portal.domain.template import tidy
from portal.domain.template_form import FORMS, OwnWords, read_words
from portal.domain.template_state import OPEN
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.fields import Fields
from portal.vault.operations.intake_view import check_page_size
from portal.vault.registry import operation
from portal.vault.sealed import open_contact
from portal.vault.template import VERSIONS, open_row, read_version
from portal.vault.template_view import (
    Sender,
    check_words,
    read_sender,
    refuse_faulty,
    to_checked,
    to_views,
)

TEMPLATES_MAX: Final = 100
OTHERS_MAX: Final = 20
PREVIEWS_MAX: Final = 5

_WEB: Final = frozenset({"web"})
_STAFF: Final = frozenset({"staff"})
_OPEN: Final = VERSIONS + " and state = any($2::text[]) order by id desc limit $3"
_OTHERS: Final = VERSIONS + (
    " and channel = $2 and language = $3 and occasion = $4 and id <> $5"
    " order by number desc limit $6"
)
_LATEST: Final = """
select * from (
    select id, number, period, amount_minor, due_on, language, sealed_version, contact
    from bill where merchant_id = $1 order by id desc limit 500
) latest where language = $2 order by id desc limit $3
"""
"""Of the newest 500, so that a rare language does not read them all."""


@operation(LIST_TEMPLATES, callers=_WEB, kinds=_STAFF, audit="none")
async def list_templates(act: Act, _request: Nothing) -> TemplateList:
    """What is drafted, asked for and in force, the newest first."""
    rows = await act.db.fetch(_OPEN, act.merchant_id, list(OPEN), TEMPLATES_MAX)
    fields = await act.fields()
    found = await to_views(act, [open_row(fields, row) for row in rows])
    return TemplateList(templates=tuple(found))


@operation(VIEW_TEMPLATE, callers=_WEB, kinds=_STAFF, audit="none")
async def view_template(act: Act, request: ViewTemplate) -> TemplateRecord:
    """One version, what is wrong with it now, and others of its kind. Raises: NotFound."""
    version = await read_version(act, request.template_id)
    sender = await read_sender(act, version.channel)
    checked = check_words(sender, version)
    use = (version.channel, version.language, version.occasion)
    rows = await act.db.fetch(_OTHERS, act.merchant_id, *use, version.id, OTHERS_MAX)
    fields = await act.fields()
    mine, *others = await to_views(act, [version, *(open_row(fields, row) for row in rows)])
    return TemplateRecord(template=mine, checked=to_checked(sender, checked), others=tuple(others))


@operation(CHECK_TEMPLATE, callers=_WEB, kinds=_STAFF, audit="none")
async def check_template(act: Act, request: CheckTemplate) -> TemplateChecked:
    """Look at a text that is being written.

    Raises: InvalidInput ``text_too_long``, ``subject_unknown``.
    """
    sender = await read_sender(act, request.channel)
    return to_checked(sender, check_words(sender, request))


@operation(
    PREVIEW_TEMPLATE,
    callers=_WEB,
    kinds=_STAFF,
    reveals=("customer number (last 4)",),
    rows_max=PREVIEWS_MAX,
    audit="reveal",
)
async def preview_template(act: Act, request: PreviewTemplate) -> TemplatePreview:
    """A text as the payers of the latest bills would read it, with a link that leads nowhere.

    Raises: InvalidInput ``page_size``, ``text_too_long``, ``subject_unknown``,
    ``template_faulty``.
    """
    check_page_size(request.first, PREVIEWS_MAX)
    sender = await read_sender(act, request.channel)
    refuse_faulty(check_words(sender, request))
    own = read_words(request.channel, tidy(request.subject), tidy(request.body))
    rows = await act.db.fetch(_LATEST, act.merchant_id, request.language, request.first)
    fields = await act.fields()
    act.reveal(len(rows))
    return TemplatePreview(texts=tuple(_preview(fields, sender, request, own, row) for row in rows))


def _preview(
    fields: Fields, sender: Sender, request: PreviewTemplate, own: OwnWords, row: Row
) -> PreviewText:
    contact = open_contact(fields, row["id"], row["sealed_version"], row["contact"])
    bill = BillText(
        merchant_name=sender.merchant_name,
        period=row["period"],
        amount_minor=row["amount_minor"],
        customer_hint=customer_hint(contact.customer_no),
        due_on=row["due_on"],
        link=sender.sample_link,
        stop_link=sender.sample_stop,
        phone=sender.phone,
        website=sender.website,
    )
    read = FORMS[request.channel].compose(row["language"], request.occasion, own.of(bill))
    return PreviewText(
        bill_id=BillId(row["id"]),
        bill_number=row["number"],
        text=read.text,
        segments=read.size.segments,
        is_own=read.is_own,
        subject=read.subject,
        html=read.html,
    )
