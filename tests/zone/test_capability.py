import asyncio

import pytest

from portal.contract.client import VaultClient
from portal.contract.envelope import Nothing
from portal.contract.login import (
    CREATE_API_KEY,
    LIST_API_KEYS,
    REVOKE_API_KEY,
    VIEW_VIEWER,
    ApiKeyCreated,
    CreateApiKey,
    RevokeApiKey,
    Scope,
    SignedIn,
)
from portal.domain.errors import Conflict, Expired, InvalidInput, LimitReached, NotAllowed, NotFound
from portal.vault.registry import REGISTRY
from portal.vault.server import VaultServer
from tests.make.vault import ClientFor, Ground, add_staff, found_merchant, signed_in


@pytest.fixture
async def web(client_for: ClientFor) -> VaultClient:
    operator = await client_for("operator")
    await found_merchant(operator)
    await add_staff(operator)
    await add_staff(operator, email="clerk@minato.example", role="clerk")
    return await client_for("web")


@pytest.fixture
async def owner(client_for: ClientFor, web: VaultClient) -> SignedIn:
    return await signed_in(await client_for("operator"), web)


def a_key(key: str = "k1", scopes: tuple[Scope, ...] = ("bills:read",)) -> CreateApiKey:
    return CreateApiKey(name="ERP", scopes=scopes, idempotency_key=key)


async def made(web: VaultClient, owner: SignedIn, **about: object) -> ApiKeyCreated:
    return await web.call(CREATE_API_KEY, a_key(**about), owner.authority)  # type: ignore[arg-type]


async def test_an_api_key_acts_within_its_scopes_only(web: VaultClient, owner: SignedIn) -> None:
    created = await made(web, owner)

    viewer = await web.call(VIEW_VIEWER, Nothing(), created.authority)

    assert (viewer.name, viewer.role, viewer.scopes) == ("ERP", None, ("bills:read",))
    with pytest.raises(NotAllowed):
        await web.call(LIST_API_KEYS, Nothing(), created.authority)


async def test_every_operation_for_keys_asks_for_a_scope() -> None:
    for entry in REGISTRY.values():
        assert ("api_key" in entry.kinds) == (entry.scope is not None), entry.op.name


async def test_a_revoked_key_is_refused_at_once_and_the_list_says_so(
    web: VaultClient, owner: SignedIn
) -> None:
    created, kept = await made(web, owner), await made(web, owner, key="k2")

    await web.call(REVOKE_API_KEY, RevokeApiKey(id=created.key.id), owner.authority)
    await web.call(REVOKE_API_KEY, RevokeApiKey(id=created.key.id), owner.authority)

    with pytest.raises(Expired, match="authority_revoked"):
        await web.call(VIEW_VIEWER, Nothing(), created.authority)
    assert (await web.call(VIEW_VIEWER, Nothing(), kept.authority)).name == "ERP"
    listed = await web.call(LIST_API_KEYS, Nothing(), owner.authority)
    assert [(one.id, one.revoked_at is None) for one in listed.keys] == [
        (kept.key.id, True),
        (created.key.id, False),
    ]


async def test_a_key_revoked_at_one_instance_is_refused_at_another_within_seconds(
    ground: Ground, web: VaultClient, owner: SignedIn
) -> None:
    created = await made(web, owner)
    async with ground.vault(instance="vault-two", socket=ground.folder / "two.sock"):
        second = await ground.client("web", ground.folder / "two.sock")
        assert (await second.call(VIEW_VIEWER, Nothing(), created.authority)).name == "ERP"

        await web.call(REVOKE_API_KEY, RevokeApiKey(id=created.key.id), owner.authority)

        for _ in range(40):
            await asyncio.sleep(0.1)
            try:
                await second.call(VIEW_VIEWER, Nothing(), created.authority)
            except Expired:
                return
        pytest.fail("the second instance never heard of it")


async def test_creating_a_key_twice_with_one_idempotency_key_makes_one_key(
    web: VaultClient, owner: SignedIn
) -> None:
    first, again = await made(web, owner), await made(web, owner)

    assert first.key.id == again.key.id
    assert (await web.call(VIEW_VIEWER, Nothing(), again.authority)).name == "ERP"
    assert len((await web.call(LIST_API_KEYS, Nothing(), owner.authority)).keys) == 1
    with pytest.raises(Conflict, match="idempotency_mismatch"):
        await made(web, owner, scopes=("bills:write",))


async def test_a_clerk_makes_no_keys_and_a_key_needs_a_scope_and_a_name(
    client_for: ClientFor, web: VaultClient, owner: SignedIn
) -> None:
    clerk = await signed_in(await client_for("operator"), web, email="clerk@minato.example")

    with pytest.raises(NotAllowed, match="role_missing"):
        await web.call(CREATE_API_KEY, a_key(), clerk.authority)
    with pytest.raises(InvalidInput, match="scopes_empty"):
        await made(web, owner, scopes=())
    assert (await web.call(LIST_API_KEYS, Nothing(), clerk.authority)).keys == ()


async def test_a_key_of_another_merchant_is_not_found(
    client_for: ClientFor, web: VaultClient, owner: SignedIn
) -> None:
    operator = await client_for("operator")
    await found_merchant(operator, "kansai")
    await add_staff(operator, "kansai")
    stranger = await signed_in(operator, web, "kansai")
    created = await made(web, owner)

    with pytest.raises(NotFound):
        await web.call(REVOKE_API_KEY, RevokeApiKey(id=created.key.id), stranger.authority)
    assert (await web.call(LIST_API_KEYS, Nothing(), stranger.authority)).keys == ()
    assert (await web.call(VIEW_VIEWER, Nothing(), created.authority)).name == "ERP"


async def test_the_use_of_a_key_is_written_soon_after(
    vault: VaultServer, web: VaultClient, owner: SignedIn
) -> None:
    created = await made(web, owner)
    await web.call(VIEW_VIEWER, Nothing(), created.authority)

    await vault.data.upkeep.flush_used_keys()

    listed = await web.call(LIST_API_KEYS, Nothing(), owner.authority)
    assert listed.keys[0].last_used_at is not None


async def test_rows_revealed_are_charged_to_the_authority_and_to_the_caller(
    ground: Ground,
) -> None:
    from portal.vault.capability import Budget  # noqa: PLC0415
    from tests.make.acts import a_call, a_capability, with_keys  # noqa: PLC0415

    async with ground.vault(budget_staff_rows_per_minute=100) as vault:
        await with_keys(vault, a_capability().merchant)  # type: ignore[arg-type]

        async def reveal(rows: int, **about: object) -> None:
            call = a_call(a_capability(**about))
            async with vault.data.transactions.begin(call) as act:
                act.reveal(rows)

        few = Budget(30)
        from uuid import UUID  # noqa: PLC0415

        for _ in range(3):
            await reveal(10, budget=few, jti=UUID(int=1))
        with pytest.raises(LimitReached) as own:
            await reveal(1, budget=few, jti=UUID(int=1))
        await reveal(70, budget=Budget(1000), jti=UUID(int=2))
        with pytest.raises(LimitReached) as callers:
            await reveal(1, budget=Budget(1000), jti=UUID(int=3))

    assert (own.value.code, own.value.params["of"]) == ("budget_spent", "authority")
    assert (callers.value.code, callers.value.params["of"]) == ("budget_spent", "caller")
