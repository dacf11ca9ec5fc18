"""Acts of a vault in tests: a transaction as an operation would have it, under any authority."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

from portal.contract.envelope import Nothing, Operation
from portal.vault.act import Act
from portal.vault.capability import VERSION, Budget, Capability, Kind
from portal.vault.registry import Registered
from portal.vault.server import VaultServer
from portal.vault.transaction import Call

SUBJECT = UUID(int=7)
MERCHANT = UUID(int=0xA)
OTHER_MERCHANT = UUID(int=0xB)

ActAs = Callable[..., AbstractAsyncContextManager[Act]]


def a_capability(merchant: UUID | None = MERCHANT, **changes: object) -> Capability:
    """A capability of a merchant that reveals as much as it likes."""
    values: dict[str, object] = {
        "v": VERSION, "kid": 1, "kind": "staff", "merchant": merchant, "subject": SUBJECT,
        "ops": ("*",), "scope_id": None, "role": "owner", "scopes": (), "budget": Budget(10**9),
        "not_before": 0, "expires_at": 2**33, "jti": UUID(int=99),
    }  # fmt: skip
    return Capability(**(values | changes))  # type: ignore[arg-type]


def a_call(
    capability: Capability, *, caller: str = "web", audit: str = "effect", cost: int = 0
) -> Call:
    """A call of an operation that tests write into the act themselves."""
    entry = Registered(
        op=Operation("test", Nothing, Nothing),  # type: ignore[type-var]
        callers=frozenset({caller}), kinds=frozenset({capability.kind}), reveals=(),
        rows_max=10**6, cost=cost, audit=audit, roles=None, scope=None, summary="",  # type: ignore[arg-type]
    )  # fmt: skip
    return Call(
        entry=entry, capability=capability, caller=caller, request=Nothing(), digest=b"d" * 32
    )


@asynccontextmanager
async def acting(
    vault: VaultServer,
    merchant: UUID | None = MERCHANT,
    *,
    kind: Kind = "staff",
    subject: UUID = SUBJECT,
    caller: str = "web",
    **rules: object,
) -> AsyncGenerator[Act]:
    """One committed act; rolled back when the block raises."""
    capability = a_capability(merchant, kind=kind, subject=subject)
    async with vault.data.transactions.begin(a_call(capability, caller=caller, **rules)) as act:  # type: ignore[arg-type]
        yield act


async def with_keys(vault: VaultServer, *merchants: UUID) -> None:
    """Give merchants keys, as founding them would."""
    for merchant in merchants:
        async with acting(vault, merchant) as act:
            await act.found_keys()
