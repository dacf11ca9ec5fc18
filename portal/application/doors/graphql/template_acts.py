"""Merchant schema, templates: what is done about them: stored, tried, asked for, decided.

Zone: application. Whether a text may be stored, and who may decide what, is the vault's to say.
"""

import strawberry

from portal.application.doors.graphql import template_enums as enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import VAULT_CALL, Info, by, optional, plain
from portal.application.doors.graphql.templates import Template
from portal.contract.envelope import Done
from portal.contract.template import (
    ASK_TEMPLATE,
    DECIDE_TEMPLATE,
    SAVE_TEMPLATE,
    TRY_TEMPLATE,
    AskTemplate,
    DecideTemplate,
    SaveTemplate,
    TemplateChanged,
    TemplateVersion,
    TryTemplate,
)
from portal.domain.ids import TemplateId, from_public


def _changed(outcome: strawberry.Parent[Outcome[TemplateChanged]]) -> TemplateVersion | None:
    return outcome.entity.template if outcome.entity else None


@strawberry.input(description="Store a draft: a new version, or the new text of a draft.")
class TemplateSaveInput:
    """portal.contract.template.SaveTemplate."""

    id: strawberry.ID | None = optional("The draft, `tpl_…`; none: a new version.")
    version: int = optional("The draft's own `version`, as it was seen.", default=0)
    channel: enums.TemplateChannel = plain("By what it goes.")
    language: enums.TemplateLanguage = plain("For payers of which language.")
    occasion: enums.TemplateOccasion = plain("About what.")
    subject: str = optional(
        "The subject of a mail, the title of a notification, the greeting of a call.", default=""
    )
    body: str = plain("The words, with variables in braces.")
    idempotency_key: str = plain("Yours; the same key and arguments store once.")


@strawberry.type(description="The draft as it was stored, or why it was not.")
class TemplateSavePayload:
    """Outcome of templateSave."""

    template: Template | None = by(_changed, "The version.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def save_template(info: Info, input: TemplateSaveInput) -> Outcome[TemplateChanged]:  # noqa: A002 - the argument's name in the schema
    """Store; whether the text may be stored is the vault's to say."""

    async def act() -> TemplateChanged:
        known = None if input.id is None else TemplateId(from_public("template", input.id))
        request = SaveTemplate(
            template_id=known,
            version=input.version,
            channel=input.channel.value,
            language=input.language.value,
            occasion=input.occasion.value,
            body=input.body,
            subject=input.subject,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(SAVE_TEMPLATE, request)

    return await outcome_of(info, act())


@strawberry.input(description="Ask for the approval of a draft.")
class TemplateAskInput:
    """portal.contract.template.AskTemplate."""

    id: strawberry.ID = plain("`tpl_…`")
    version: int = plain("The draft's own `version`, as it was seen.")
    idempotency_key: str = plain("Yours; the same key and arguments ask once.")


@strawberry.type(description="The version that approval was asked for, or why it was not.")
class TemplateAskPayload:
    """Outcome of templateAsk."""

    template: Template | None = by(_changed, "The version.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def ask_template(info: Info, input: TemplateAskInput) -> Outcome[TemplateChanged]:  # noqa: A002 - the argument's name in the schema
    """Ask; from then on the words stand still."""

    async def act() -> TemplateChanged:
        request = AskTemplate(
            template_id=TemplateId(from_public("template", input.id)),
            version=input.version,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(ASK_TEMPLATE, request)

    return await outcome_of(info, act())


@strawberry.input(description="Approve, refuse, withdraw or retire a version.")
class TemplateDecideInput:
    """portal.contract.template.DecideTemplate."""

    id: strawberry.ID = plain("`tpl_…`")
    decision: enums.TemplateDecision = plain("What to do with it.")
    totp: str = optional(
        "To approve or retire: a code of the viewer's authenticator that was not used before.",
        default="",
    )
    idempotency_key: str = plain("Yours; the same key and arguments decide once.")


@strawberry.type(description="The version as it was decided, or why it was not.")
class TemplateDecidePayload:
    """Outcome of templateDecide."""

    template: Template | None = by(_changed, "The version.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def decide_template(info: Info, input: TemplateDecideInput) -> Outcome[TemplateChanged]:  # noqa: A002 - the argument's name in the schema
    """Decide; who may is the vault's to say."""

    async def act() -> TemplateChanged:
        request = DecideTemplate(
            template_id=TemplateId(from_public("template", input.id)),
            decision=input.decision.value,
            totp=input.totp,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(DECIDE_TEMPLATE, request)

    return await outcome_of(info, act())


def _is_sent(outcome: strawberry.Parent[Outcome[Done]]) -> bool:
    return outcome.entity is not None


@strawberry.input(description="Send a text to somebody of the staff, marked as a test.")
class TemplateTryInput:
    """portal.contract.template.TryTemplate."""

    channel: enums.TemplateChannel = plain("By what it goes.")
    language: enums.TemplateLanguage = plain("For payers of which language.")
    occasion: enums.TemplateOccasion = plain("About what.")
    subject: str = optional("The subject of a mail, the greeting of a call.", default="")
    body: str = plain("The words, with variables in braces.")
    phone: str = optional(
        "For an SMS or a call: a number of the staff; never one of a payer.", default=""
    )
    email: str = optional("For a mail: an address of the staff; never one of a payer.", default="")
    idempotency_key: str = plain("Yours; the same key and arguments send once.")


@strawberry.type(description="Whether the test was sent off, or why it was not.")
class TemplateTryPayload:
    """Outcome of templateTry."""

    is_sent: bool = by(_is_sent, "Whether it is on its way.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def try_template(info: Info, input: TemplateTryInput) -> Outcome[Done]:  # noqa: A002 - the argument's name in the schema
    """Send; whether that may be is the vault's to say."""

    async def act() -> Done:
        request = TryTemplate(
            channel=input.channel.value,
            language=input.language.value,
            occasion=input.occasion.value,
            body=input.body,
            subject=input.subject,
            phone=input.phone,
            email=input.email,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(TRY_TEMPLATE, request)

    return await outcome_of(info, act())


@strawberry.type
class TemplatesMutation:
    """What is done about templates."""

    template_save: TemplateSavePayload = by(
        save_template, "Store a draft; staff only.", cost=4 * VAULT_CALL
    )
    template_try: TemplateTryPayload = by(
        try_template, "Send a test to somebody of the staff; staff only.", cost=4 * VAULT_CALL
    )
    template_ask: TemplateAskPayload = by(
        ask_template, "Ask for a draft's approval; staff only.", cost=4 * VAULT_CALL
    )
    template_decide: TemplateDecidePayload = by(
        decide_template, "Approve, refuse, withdraw or retire; staff only.", cost=4 * VAULT_CALL
    )
