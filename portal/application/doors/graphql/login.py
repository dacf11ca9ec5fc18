"""Merchant schema, log-in: who is asking, the merchant, and its API keys.

Zone: application. Signing in itself is a form (doors/login.py); signing out is here.
"""

import msgspec
import strawberry

from portal.application.doors.context import RequestContext
from portal.application.doors.graphql import enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import VAULT_CALL, DateTime, Info, by, plain
from portal.application.doors.session import print_api_key
from portal.contract.envelope import Done, Nothing
from portal.contract.login import (
    CREATE_API_KEY,
    LIST_API_KEYS,
    LOG_OUT,
    REVOKE_API_KEY,
    VIEW_VIEWER,
    ApiKeyView,
    CreateApiKey,
    MerchantFacts,
    RevokeApiKey,
    Scope,
)
from portal.contract.login import (
    Viewer as ViewerReply,
)
from portal.domain.ids import ApiKeyId, from_public, to_public


def _merchant_id(facts: strawberry.Parent[MerchantFacts]) -> strawberry.ID:
    return strawberry.ID(to_public("merchant", facts.id))


@strawberry.type(description="The merchant, as every screen and page may say it.")
class Merchant:
    """portal.contract.login.MerchantFacts; the payer schema has its own smaller view."""

    id: strawberry.ID = by(_merchant_id, "`mer_…`")
    code: str = plain("Short public code, part of links and API keys.")
    name: str = plain("The merchant's name.")
    zone: str = plain("IANA time zone of its dates.")
    sms_sender: str = plain("Number that its text messages come from.")
    phone: str = plain("Call centre.")
    website: str = plain("Own website.")


@strawberry.type(description="Who the request stands for.")
class Viewer:
    """portal.contract.login.Viewer."""

    name: str = plain("Name of the member of staff or of the API key.")
    email: str = plain("Mail address of the member of staff; empty for an API key.")
    role: enums.Role | None = plain("Null for an API key.")
    scopes: list[enums.Scope] = plain("What an API key may do; empty for staff.")
    merchant: Merchant = plain("The merchant it belongs to.")
    open_cases: int = plain("Cases that wait for someone; 0 for an API key.")


async def view_viewer(info: Info) -> ViewerReply:
    """Who is asking."""
    return await info.context.look(VIEW_VIEWER, Nothing())


async def view_scopes(context: RequestContext) -> tuple[Scope, ...]:
    """What the presented key may do, as the vault says; empty for staff."""
    return (await context.look(VIEW_VIEWER, Nothing())).scopes


def _key_id(key: strawberry.Parent[ApiKeyView]) -> strawberry.ID:
    return strawberry.ID(to_public("api_key", key.id))


@strawberry.type(description="An API key; its secret was shown once, at creation.")
class ApiKey:
    """portal.contract.login.ApiKeyView."""

    id: strawberry.ID = by(_key_id, "`key_…`")
    name: str = plain("What the merchant calls it.")
    scopes: list[enums.Scope] = plain("What it may do.")
    created_at: DateTime = plain("When it was made.")
    revoked_at: DateTime | None = plain("When it was revoked, if it was.")
    last_used_at: DateTime | None = plain("When it was last used, if ever.")


async def list_api_keys(info: Info) -> tuple[ApiKeyView, ...]:
    """All keys of the merchant, newest first."""
    return (await info.context.look(LIST_API_KEYS, Nothing())).keys


class MadeKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new key and, this once, its secret."""

    key: ApiKeyView
    secret: str


@strawberry.input(description="A new API key.")
class ApiKeyCreateInput:
    """portal.contract.login.CreateApiKey."""

    name: str = plain("What to call it, at most 80 characters.")
    scopes: list[enums.Scope] = plain("What it may do; at least one.")
    idempotency_key: str = plain("Yours; the same key and arguments get the same answer.")


def _made_key(outcome: strawberry.Parent[Outcome[MadeKey]]) -> ApiKeyView | None:
    return outcome.entity.key if outcome.entity else None


def _made_secret(outcome: strawberry.Parent[Outcome[MadeKey]]) -> str | None:
    return outcome.entity.secret if outcome.entity else None


@strawberry.type(description="The new key, or why there is none.")
class ApiKeyCreatePayload:
    """Outcome of apiKeyCreate."""

    api_key: ApiKey | None = by(_made_key, "The key.")
    secret: str | None = by(_made_secret, "`harai_…`, shown this once; store it.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def create_api_key(info: Info, input: ApiKeyCreateInput) -> Outcome[MadeKey]:  # noqa: A002 - the argument's name in the schema
    """Make a key; only owners may."""
    request = CreateApiKey(
        name=input.name,
        scopes=tuple(scope.value for scope in input.scopes),
        idempotency_key=input.idempotency_key,
    )

    async def act() -> MadeKey:
        made = await info.context.call(CREATE_API_KEY, request)
        code = info.context.session.merchant_code
        return MadeKey(key=made.key, secret=print_api_key(code, made.authority))

    return await outcome_of(info, act())


@strawberry.input(description="Which key to revoke.")
class ApiKeyRevokeInput:
    """portal.contract.login.RevokeApiKey."""

    id: strawberry.ID = plain("`key_…`")


def _was_done(outcome: strawberry.Parent[Outcome[Done]]) -> bool:
    return outcome.entity is not None


@strawberry.type(description="Whether the key is revoked, or why not.")
class ApiKeyRevokePayload:
    """Outcome of apiKeyRevoke."""

    revoked: bool = by(_was_done, "True when the key no longer works.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def revoke_api_key(info: Info, input: ApiKeyRevokeInput) -> Outcome[Done]:  # noqa: A002 - the argument's name in the schema
    """End a key now; ending it again changes nothing."""

    async def act() -> Done:
        key_id = ApiKeyId(from_public("api_key", input.id))
        return await info.context.call(REVOKE_API_KEY, RevokeApiKey(id=key_id))

    return await outcome_of(info, act())


@strawberry.type(description="Whether the session has ended, or why not.")
class LogOutPayload:
    """Outcome of logOut."""

    signed_out: bool = by(_was_done, "True when the session has ended.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def log_out(info: Info) -> Outcome[Done]:
    """End the session at the vault; the door makes the browser forget its cookie."""
    outcome = await outcome_of(info, info.context.call(LOG_OUT, Nothing()))
    info.context.signed_out = outcome.entity is not None
    return outcome


@strawberry.type
class LoginQuery:
    """Who is asking and what keys there are."""

    viewer: Viewer = by(view_viewer, "Who the request stands for.", cost=VAULT_CALL)
    api_keys: list[ApiKey] = by(
        list_api_keys,
        "All keys of the merchant, newest first, at most 100.",
        cost=VAULT_CALL,
        rows=100,
    )


@strawberry.type
class LoginMutation:
    """Keys and leaving."""

    api_key_create: ApiKeyCreatePayload = by(create_api_key, "Make an API key.", cost=VAULT_CALL)
    api_key_revoke: ApiKeyRevokePayload = by(revoke_api_key, "End an API key.", cost=VAULT_CALL)
    log_out: LogOutPayload = by(log_out, "End this session.", cost=VAULT_CALL)
