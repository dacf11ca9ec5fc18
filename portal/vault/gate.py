"""The gate: from a call's bytes to a verified call, or a refusal. Pure: no database, no waiting.

Every check of authority stands here, in the order that gives away least: the one-time parameter
first (nothing that the caller wrote is believed before it), then time, revocation and channel, then
what the registry says about the operation, then the request's own form.
"""

from dataclasses import dataclass
from uuid import UUID

import msgspec

from portal.contract.envelope import Call as CallFrame
from portal.domain.errors import Expired, InvalidInput, NotAllowed, Refused
from portal.kit.crypto import sha256
from portal.vault.capability import Capability, Mint, check_times
from portal.vault.onetime import check_parameter
from portal.vault.registry import REGISTRY, Registered
from portal.vault.signals import Signals
from portal.vault.transaction import Call


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is on the other end of a channel: caller, its certificate's id, the channel's nonce."""

    caller: str
    certificate: UUID
    nonce: bytes


class Gate:
    """Verifies calls with one mint and one view of revocations."""

    def __init__(self, mint: Mint, signals: Signals) -> None:
        """Keep what is needed to judge."""
        self._mint = mint
        self._signals = signals

    def admit(self, frame: CallFrame, peer: Peer, now_s: float) -> Call:
        """A call that may run.

        Raises: Expired ``parameter_expired``, ``authority_expired``, ``authority_revoked``;
        NotAllowed ``authority_unknown``, ``not_allowed``, ``scope_missing``; Refused
        ``version_unknown``; InvalidInput ``request_malformed``.
        """
        capability, key = self._mint.read(frame.capability)
        check_parameter(frame, key, peer.nonce, now_s)
        check_times(capability, now_s)
        if self._signals.is_revoked(capability.jti):
            raise Expired("authority_revoked")
        if capability.kind == "caller" and capability.scope_id != peer.certificate:
            raise NotAllowed("authority_unknown")
        entry = _entry_for(frame, capability, peer.caller)
        try:
            request = msgspec.msgpack.decode(frame.body, type=entry.op.request)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
            raise InvalidInput("request_malformed") from fault
        return Call(
            entry=entry,
            capability=capability,
            caller=peer.caller,
            request=request,
            digest=sha256(frame.body),
        )


def _entry_for(frame: CallFrame, capability: Capability, caller: str) -> Registered:
    """The registry's row, if it lets this capability through this caller."""
    entry = REGISTRY.get(frame.operation)
    if entry is None or caller not in entry.callers or capability.kind not in entry.kinds:
        raise NotAllowed("not_allowed")
    if not capability.covers(frame.operation):
        raise NotAllowed("not_allowed")
    newest = entry.op.version  # and the one before: two releases run side by side in a roll-out
    if not max(1, newest - 1) <= frame.version <= newest:
        raise Refused("version_unknown", params={"version": newest})
    if (
        capability.kind == "staff"
        and entry.roles is not None
        and capability.role not in entry.roles
    ):
        raise NotAllowed("role_missing")
    if capability.kind == "api_key" and entry.scope not in {"*", *capability.scopes}:
        raise NotAllowed("scope_missing", params={"scope": entry.scope or "-"})
    return entry
