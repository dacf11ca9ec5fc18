"""Data zone: a merchant's API keys. The key itself is a capability and is stored nowhere."""

from datetime import timedelta
from typing import Final, cast
from uuid import UUID

import msgspec

from portal.contract.envelope import Authority, Done, Nothing
from portal.contract.login import (
    CREATE_API_KEY,
    LIST_API_KEYS,
    REVOKE_API_KEY,
    ApiKeyCreated,
    ApiKeys,
    ApiKeyView,
    CreateApiKey,
    RevokeApiKey,
    Scope,
)
from portal.domain.card_number import refuse_card_number
from portal.domain.errors import InvalidInput, NotFound
from portal.domain.ids import ApiKeyId
from portal.kit import limits
from portal.vault.act import Act
from portal.vault.capability import ALL_OPERATIONS
from portal.vault.db import Row
from portal.vault.registry import operation

_WEB: Final = frozenset({"web"})
_STAFF: Final = frozenset({"staff"})
_OWNERS: Final = frozenset({"owner"})
NAME_CHARACTERS_MAX: Final = 100
KEYS_SHOWN_MAX: Final = 100
_COLUMNS: Final = "id, name, scopes, created_at, revoked_at, last_used_at, expires_at"


@operation(CREATE_API_KEY, callers=_WEB, kinds=_STAFF, roles=_OWNERS, audit="effect")
async def create_api_key(act: Act, request: CreateApiKey) -> ApiKeyCreated:
    """Make an API key; a repeat with the same idempotency key hands out the same key again.

    Raises: InvalidInput ``scopes_empty``, ``name_length``, ``card_number_refused``; Conflict
    ``idempotency_mismatch``.
    """
    if not request.scopes:
        raise InvalidInput("scopes_empty")
    name = request.name.strip()
    if not 0 < len(name) <= NAME_CHARACTERS_MAX:
        raise InvalidInput("name_length", params={"most": NAME_CHARACTERS_MAX})
    refuse_card_number(name)
    scopes = tuple(dict.fromkeys(request.scopes))
    arguments = msgspec.msgpack.encode((name, scopes))
    known = await act.once("create_api_key", request.idempotency_key, arguments)
    if known is not None:
        return await _created(act, UUID(bytes=known))
    key_id = act.new_id()
    await act.db.execute(
        "insert into api_key"
        " (merchant_id, id, name, scopes, created_by, created_at, expires_at)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        act.merchant_id,
        key_id,
        name,
        list(scopes),
        act.actor,
        act.now,
        act.now + timedelta(seconds=limits.API_KEY_LIFE_S),
    )
    await act.answer_once("create_api_key", request.idempotency_key, key_id.bytes)
    return await _created(act, key_id)


async def _created(act: Act, key_id: UUID) -> ApiKeyCreated:
    row = await act.db.fetchrow(
        f"select {_COLUMNS} from api_key where merchant_id = $1 and id = $2",  # noqa: S608  # a constant
        act.merchant_id,
        key_id,
    )
    if row is None:
        raise NotFound("not_found", params={"kind": "api_key"})
    return ApiKeyCreated(key=_view(row), authority=await _authority(act, row))


async def _authority(act: Act, row: Row) -> Authority:
    """The key of a row: its jti is the row's id, so revoking the row's id revokes every copy."""
    return await act.mint(
        kind="api_key",
        subject=row["id"],
        jti=row["id"],
        ops=ALL_OPERATIONS,
        scopes=row["scopes"],
        life_s=int((row["expires_at"] - act.now).total_seconds()),
        budget_rows=act.settings.budget_api_key_rows_per_hour,
        budget_window_s=3600,
    )


def _view(row: Row) -> ApiKeyView:
    return ApiKeyView(
        id=ApiKeyId(row["id"]),
        name=row["name"],
        scopes=cast("tuple[Scope, ...]", tuple(row["scopes"])),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )


@operation(LIST_API_KEYS, callers=_WEB, kinds=_STAFF, audit="none")
async def list_api_keys(act: Act, request: Nothing) -> ApiKeys:
    """List the merchant's keys, newest first, without what makes them work."""
    del request
    rows = await act.db.fetch(
        f"select {_COLUMNS} from api_key where merchant_id = $1 order by id desc limit $2",  # noqa: S608  # a constant
        act.merchant_id,
        KEYS_SHOWN_MAX,
    )
    return ApiKeys(keys=tuple(_view(row) for row in rows))


@operation(REVOKE_API_KEY, callers=_WEB, kinds=_STAFF, roles=_OWNERS, audit="effect")
async def revoke_api_key(act: Act, request: RevokeApiKey) -> Done:
    """Make a key void from now on; doing it again changes nothing. Raises: NotFound."""
    row = await act.db.fetchrow(
        "update api_key set revoked_at = coalesce(revoked_at, $3)"
        " where merchant_id = $1 and id = $2 returning expires_at",
        act.merchant_id,
        request.id,
        act.now,
    )
    if row is None:
        raise NotFound("not_found", params={"kind": "api_key"})
    await act.revoke(request.id, row["expires_at"])
    return Done()
