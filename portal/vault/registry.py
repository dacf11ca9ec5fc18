"""The one table of all operations of the data zone: who may call which, with what authority.

There is no other way to the data: the server looks an operation up here, checks caller, kind, role
and scope, and runs the function registered. ``docs/data-api.md`` is made from it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from portal.contract.envelope import Operation, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from portal.vault.act import Act
    from portal.vault.standing import Standing

AuditClass = Literal["effect", "reveal", "none"]
"""``effect``: every success is recorded; ``reveal``: the same, with the rows revealed; ``none``:
not recorded, for acts that show no row and change nothing that anyone could miss."""

CALLERS: Final = frozenset({"web", "work", "egress", "operator"})
KINDS: Final = frozenset({"caller", "staff", "api_key", "payer", "lease"})

Q = TypeVar("Q", bound=Request)
R = TypeVar("R", bound=Reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One operation with its rules. Exactly one of ``run`` and ``stand`` is set."""

    op: Operation[Any, Any]
    callers: frozenset[str]
    kinds: frozenset[str]
    reveals: tuple[str, ...]
    rows_max: int
    cost: int
    audit: AuditClass
    roles: frozenset[str] | None
    scope: str | None
    summary: str
    is_heavy: bool = False
    run: "Callable[[Act, Any], Awaitable[Reply]] | None" = None
    stand: "Callable[[Standing, Any], Awaitable[Reply]] | None" = None


REGISTRY: Final[dict[str, Registered]] = {}
"""Operation by name; filled when portal.vault.operations is imported, never after."""


def operation(  # noqa: PLR0913  # one registry row: each argument is a column of it
    op: Operation[Q, R],
    *,
    callers: frozenset[str],
    kinds: frozenset[str],
    audit: AuditClass,
    reveals: tuple[str, ...] = (),
    rows_max: int = 1,
    cost: int = 0,
    roles: frozenset[str] | None = None,
    scope: str | None = None,
    is_heavy: bool = False,
) -> "Callable[[Callable[[Act, Q], Awaitable[R]]], Callable[[Act, Q], Awaitable[R]]]":
    """Register ``async def name(act, request) -> reply`` as one transaction.

    ``callers`` and ``kinds`` are both needed; ``roles`` narrows staff (None: all), ``scope`` is
    what an API key must have (None: keys are refused, ``*``: any key will do); ``reveals`` names
    the personal fields that leave; ``rows_max`` bounds the rows revealed by one call; ``cost`` is
    charged to the budgets of every call on top of what the function reveals; ``is_heavy`` says that
    one call moves hundreds of rows or more, so that only a few such run at a time.

    Raises: ValueError for a rule that contradicts itself or a name taken, at import.
    """

    def register(run: "Callable[[Act, Q], Awaitable[R]]") -> "Callable[[Act, Q], Awaitable[R]]":
        _add(
            Registered(
                op=op,
                callers=callers,
                kinds=kinds,
                reveals=reveals,
                rows_max=rows_max,
                cost=cost,
                audit=audit,
                roles=roles,
                scope=scope,
                summary=(run.__doc__ or "").strip().partition("\n")[0],
                is_heavy=is_heavy,
                run=run,
            )
        )
        return run

    return register


def standing_operation(
    op: Operation[Q, R],
    *,
    callers: frozenset[str],
    kinds: frozenset[str],
    audit: AuditClass,
) -> "Callable[[Callable[[Standing, Q], Awaitable[R]]], Callable[[Standing, Q], Awaitable[R]]]":
    """Register an operation that holds no transaction while it waits or computes.

    For the few acts where one transaction from end to end would hold a connection for seconds
    (waiting for work) or keep a refusal's own trace from being committed (counting a failed
    log-in). The function opens its short transactions through what it is given.
    """

    def register(
        stand: "Callable[[Standing, Q], Awaitable[R]]",
    ) -> "Callable[[Standing, Q], Awaitable[R]]":
        _add(
            Registered(
                op=op,
                callers=callers,
                kinds=kinds,
                reveals=(),
                rows_max=1,
                cost=0,
                audit=audit,
                roles=None,
                scope=None,
                summary=(stand.__doc__ or "").strip().partition("\n")[0],
                stand=stand,
            )
        )
        return stand

    return register


def _add(entry: Registered) -> None:
    name = entry.op.name
    if name in REGISTRY:
        msg = f"operation {name} is registered twice"
        raise ValueError(msg)
    if not entry.callers or not entry.callers <= CALLERS or not entry.kinds <= KINDS:
        msg = f"operation {name} names an unknown caller or kind"
        raise ValueError(msg)
    if not entry.kinds:
        msg = f"operation {name} can be called by nobody"
        raise ValueError(msg)
    if entry.scope is not None and "api_key" not in entry.kinds:
        msg = f"operation {name} asks keys for a scope but takes no keys"
        raise ValueError(msg)
    REGISTRY[name] = entry


def caller_operations(caller: str) -> tuple[str, ...]:
    """The operations that a caller's own small authority covers, by the registry."""
    return tuple(
        sorted(
            name
            for name, entry in REGISTRY.items()
            if caller in entry.callers and "caller" in entry.kinds
        )
    )
