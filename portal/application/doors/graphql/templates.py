"""Merchant schema, templates: what messages say, what is wrong with a text, who agreed to it.

Zone: application. Texts are judged, stored and filled in the vault; what the viewer may do comes
with each version. Staff only: a system sends what people agreed on.
"""

import strawberry

from portal.application.doors.graphql import template_enums as enums
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    DateTime,
    Info,
    Int64,
    by,
    optional,
    plain,
)
from portal.application.doors.locales import TEXTS
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
    TemplateRecord,
    TemplateVersion,
    ViewTemplate,
)
from portal.contract.template import TemplateFinding as FindingPart
from portal.domain.errors import NotFound
from portal.domain.ids import TemplateId, from_public, to_public
from portal.domain.template_lint import FINDINGS_MAX

# A version


def _id(version: strawberry.Parent[TemplateVersion]) -> strawberry.ID:
    return strawberry.ID(to_public("template", version.id))


@strawberry.type(description="One version of what messages say, by channel, language, occasion.")
class Template:
    """portal.contract.template.TemplateVersion."""

    id: strawberry.ID = by(_id, "`tpl_…`")
    channel: enums.TemplateChannel = plain("By what it goes.")
    language: enums.TemplateLanguage = plain("For payers of which language.")
    occasion: enums.TemplateOccasion = plain("About what.")
    number: int = plain("Which version of its channel, language and occasion, from 1.")
    state: enums.TemplateState = plain("How far it has come.")
    version: int = plain("Count of its changes; comes back with the next one.")
    subject: str = plain(
        "A mail's subject, a notification's title or a call's greeting; an SMS has none."
    )
    body: str = plain("The words, with variables in braces.")
    written_by: str = plain("Who wrote it last.")
    written_at: DateTime = plain("When that was.")
    asked_by: str | None = plain("Who asked for its approval.")
    asked_at: DateTime | None = plain("When that was.")
    approve_until: DateTime | None = plain("Until when it may be approved.")
    decided_by: str | None = plain("Who approved, refused or withdrew it.")
    decided_at: DateTime | None = plain("When that was.")
    choices: list[enums.TemplateChoice] = plain("What the viewer may do about it now.")
    told: int = plain("Messages of the last 31 days that were to have these words.")
    unfit: int = plain("Of those, sent in the built-in words, because these did not fit.")


# What is wrong with a text


def _message(finding: strawberry.Parent[FindingPart], info: Info) -> str:
    texts = TEXTS[info.context.language]
    params = dict(finding.params)
    if "fact" in params:
        params["fact"] = texts.say(f"templates.facts.{params['fact']}")
    return texts.say(f"templates.findings.{finding.code}", **params)


@strawberry.type(description="One thing that is wrong with a text.")
class TemplateFinding:
    """portal.contract.template.TemplateFinding."""

    code: str = plain("Stable, lower_snake; programs decide by it.")
    severity: enums.TemplateSeverity = plain("Whether the text can be stored like this.")
    message: str = by(_message, "For people, in the viewer's language.")
    part: enums.TemplatePart = plain("Of which part it speaks.")
    start: int = plain("Where it begins, in characters of that part.")
    end: int = plain("Where it ends; both 0 when it is about all of that part.")


@strawberry.type(description="What one message costs.")
class TemplateSize:
    """portal.contract.template.TemplateSize."""

    encoding: str = plain(
        "`gsm7` or `ucs2`, as carriers encode an SMS; `speech` for a call; `utf8` for other text."
    )
    units: int = plain("Septets, UTF-16 units, seconds of a call or, of other text, bytes.")
    segments: int = plain("Parts that the carriers charge; 1 for what is no SMS.")
    price: Int64 | None = plain("What the company takes for it, in hundredths of a yen, if known.")


def _findings(checked: strawberry.Parent[TemplateChecked]) -> tuple[FindingPart, ...]:
    return checked.findings


@strawberry.type(description="What was found in a text, and how it comes out.")
class TemplateCheck:
    """portal.contract.template.TemplateChecked."""

    findings: list[TemplateFinding] = by(_findings, "Errors first.", rows=FINDINGS_MAX)
    is_fit: bool = plain("Whether it can be stored and approved.")
    sample: str = plain("The text of an ordinary bill, or empty where it can't be filled.")
    sample_subject: str = plain("Its subject or title, what a call says first, or empty.")
    sample_html: str = plain("What a mail says as HTML; empty for other channels.")
    sender: str = plain("The number or name that it comes from.")
    size: TemplateSize = plain("The size of that text.")
    longest: TemplateSize = plain("The size of the longest that it gets.")


def _others(record: strawberry.Parent[TemplateRecord]) -> tuple[TemplateVersion, ...]:
    return record.others


@strawberry.type(description="A version with its findings and the latest others of its kind.")
class TemplateDetail:
    """portal.contract.template.TemplateRecord."""

    template: Template = plain("The version.")
    checked: TemplateCheck = plain("What is wrong with it now.")
    others: list[Template] = by(_others, "Other versions of its kind, the newest first.", rows=20)


def _bill_id(text: strawberry.Parent[PreviewText]) -> strawberry.ID:
    return strawberry.ID(to_public("bill", text.bill_id))


@strawberry.type(description="What one payer would read, with a link that leads nowhere.")
class TemplatePreviewText:
    """portal.contract.template.PreviewText."""

    bill_id: strawberry.ID = by(_bill_id, "`bill_…`")
    bill_number: str = plain("The merchant's number of the bill.")
    subject: str = plain("Its subject or title, or empty.")
    text: str = plain("The whole message.")
    html: str = plain("The same as a mail says it in HTML; empty for other channels.")
    segments: int = plain("Its parts.")
    is_own: bool = plain("False where the text would not fit and the built-in one is sent.")


@strawberry.input(description="A text that is being written.")
class TemplateTextInput:
    """portal.contract.template.CheckTemplate."""

    channel: enums.TemplateChannel = plain("By what it goes.")
    language: enums.TemplateLanguage = plain("For payers of which language.")
    occasion: enums.TemplateOccasion = plain("About what.")
    subject: str = optional(
        "The subject of a mail, the title of a notification, the greeting of a call.", default=""
    )
    body: str = plain("The words, with variables in braces.")


async def list_templates(info: Info) -> tuple[TemplateVersion, ...]:
    """What is drafted, asked for and in force."""
    return (await info.context.call(LIST_TEMPLATES, Nothing())).templates


async def view_template(info: Info, id: strawberry.ID) -> TemplateRecord | None:  # noqa: A002 - the argument's name in the schema
    """One version; None for one that is not ours."""
    try:
        request = ViewTemplate(template_id=TemplateId(from_public("template", id)))
        return await info.context.call(VIEW_TEMPLATE, request)
    except NotFound:
        return None


async def check_template(info: Info, input: TemplateTextInput) -> TemplateChecked:  # noqa: A002 - the argument's name in the schema
    """Look at a text; nothing is stored."""
    request = CheckTemplate(
        channel=input.channel.value,
        language=input.language.value,
        occasion=input.occasion.value,
        body=input.body,
        subject=input.subject,
    )
    return await info.context.call(CHECK_TEMPLATE, request)


async def preview_template(
    info: Info,
    input: TemplateTextInput,  # noqa: A002 - the argument's name in the schema
    first: int,
) -> tuple[PreviewText, ...]:
    """The text with real bills, which count as revealed."""
    request = PreviewTemplate(
        channel=input.channel.value,
        language=input.language.value,
        occasion=input.occasion.value,
        body=input.body,
        subject=input.subject,
        first=first,
    )
    return (await info.context.call(PREVIEW_TEMPLATE, request)).texts


@strawberry.type
class TemplatesQuery:
    """Templates."""

    templates: list[Template] = by(
        list_templates,
        "What is drafted, asked for and in force, the newest first; staff only.",
        cost=VAULT_CALL,
        rows=100,
    )
    template: TemplateDetail | None = by(
        view_template, "One version, or null; staff only.", cost=VAULT_CALL
    )
    template_check: TemplateCheck = by(
        check_template, "What is wrong with a text; staff only.", cost=4 * VAULT_CALL
    )
    template_preview: list[TemplatePreviewText] = by(
        preview_template,
        "A text with the latest bills of its language, 5 at most; staff only.",
        cost=4 * VAULT_CALL,
    )
