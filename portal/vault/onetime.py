"""Checking one-time parameters: what makes a call good once, on one channel, for a few seconds.

No store of used parameters is needed: the channel's nonce dies with the channel, and within it
the sequence only ever grows.
"""

from portal.contract.envelope import PARAMETER_LIFE_S, Call
from portal.contract.onetime import one_time_parameter
from portal.domain.errors import Expired, NotAllowed
from portal.kit.crypto import same


class ReplayError(Exception):
    """A sequence did not grow: the frame was sent before, or someone else speaks on the channel."""


class Sequence:
    """The last sequence seen on one channel."""

    def __init__(self) -> None:
        """Nothing was seen yet; the first call has at least 1."""
        self._last = 0

    def advance(self, sequence: int) -> None:
        """Accept a sequence greater than all before. Raises: ReplayError."""
        if sequence <= self._last:
            raise ReplayError
        self._last = sequence


def check_parameter(call: Call, key: bytes, nonce: bytes, now_s: float) -> None:
    """Refuse a call whose parameter its capability's key did not make for this very call.

    Raises: NotAllowed ``authority_unknown`` for a wrong parameter; Expired ``parameter_expired``
    when it is past its end or was given more than PARAMETER_LIFE_S.
    """
    expected = one_time_parameter(
        key, nonce, call.sequence, call.operation, call.version, call.expires_at, call.body
    )
    if not same(expected, call.parameter):
        raise NotAllowed("authority_unknown")
    if not now_s < call.expires_at <= now_s + PARAMETER_LIFE_S + 1:
        raise Expired("parameter_expired")
