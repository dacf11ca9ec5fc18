"""Capabilities: who may do what, made in the data zone and carried by whoever they were made for.

A capability is msgpack that only the vault reads; its key is HMAC-SHA256(mint key, capability).
Whoever holds both may act within it, so the vault stores neither: it makes the key again from the
bytes that a call brings. No call's authority ever rests on what the application says of itself.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal
from uuid import UUID

import msgspec

from portal.contract.envelope import Authority
from portal.contract.login import Role, Scope
from portal.domain.errors import Expired, NotAllowed
from portal.kit.crypto import hmac_sha256

Kind = Literal["caller", "staff", "api_key", "payer", "lease"]

VERSION: Final = 1
CAPABILITY_BYTES_MAX: Final = 2048


class Budget(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Rows that may be revealed: in all, or in any ``window_s`` when that is not 0."""

    rows: int
    window_s: int = 0


class Capability(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What one authority covers. Times in unix seconds.

    ``subject`` is the member of staff, the API key, the link, the task (lease) or the caller's
    certificate. ``scope_id`` narrows to one thing: a payer's bill, a lease's subject. ``number``
    and ``fence`` belong to leases: the second part of the subject and the attempt that fences.
    ``ops`` lists operations by name; ``*`` stands for all that the registry grants to ``kind``,
    ``role`` and ``scopes``.
    """

    v: int
    kid: int
    kind: Kind
    merchant: UUID | None
    subject: UUID
    ops: tuple[str, ...]
    scope_id: UUID | None
    role: Role | None
    scopes: tuple[Scope, ...]
    budget: Budget
    not_before: int
    expires_at: int
    jti: UUID
    number: int = 0
    fence: int = 0

    def covers(self, operation: str) -> bool:
        """Whether the operation is among those this capability was made for."""
        return operation in self.ops or self.ops == ALL_OPERATIONS


ALL_OPERATIONS: Final = ("*",)
"""``ops`` of staff and API keys: the registry's kinds, roles and scopes decide alone."""


class Mint:
    """Makes and knows again capabilities. Holds the mint keys by number; the highest one mints."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        """Keys of 32 bytes by their number (kid); at least one."""
        self._keys = dict(keys)
        self.kid = max(self._keys)

    def authority(self, capability: Capability) -> Authority:
        """The capability in bytes with its key, for whoever it was made for."""
        body = msgspec.msgpack.encode(capability)
        return Authority(
            capability=body,
            key=hmac_sha256(self._keys[capability.kid], body),
            expires_at=capability.expires_at,
        )

    def read(self, body: bytes) -> tuple[Capability, bytes]:
        """A presented capability and the key that its holder must have.

        Proves nothing yet: anyone can write bytes. The caller checks the call's one-time
        parameter with this key before it believes a word of the capability.

        Raises: NotAllowed ``authority_unknown`` for bytes no vault of ours made.
        """
        try:
            if len(body) > CAPABILITY_BYTES_MAX:
                raise NotAllowed("authority_unknown")
            capability = _DECODER.decode(body)
            mint_key = self._keys[capability.kid]
        except (msgspec.MsgspecError, KeyError, UnicodeDecodeError) as fault:
            raise NotAllowed("authority_unknown") from fault
        if capability.v != VERSION:
            raise NotAllowed("authority_unknown")
        return capability, hmac_sha256(mint_key, body)


_DECODER: Final = msgspec.msgpack.Decoder(Capability)


def check_times(capability: Capability, now_s: float) -> None:
    """Refuse a capability before or after its time.

    Raises: Expired ``authority_expired``.
    """
    if not capability.not_before <= now_s < capability.expires_at:
        raise Expired("authority_expired")


def as_scopes(scopes: Sequence[str]) -> tuple[Scope, ...]:
    """Read scopes, refusing unknown ones with ValidationError (our own mistake when it happens)."""
    return msgspec.convert(list(scopes), type=tuple[Scope, ...])
