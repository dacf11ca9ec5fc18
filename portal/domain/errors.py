"""Every error of the product, sorted by what the caller should do about it.

    PortalError
    ├── Refused            the request is wrong: do not repeat it
    │   ├── NotFound       no such thing, or not yours: the two look alike on purpose
    │   ├── NotAllowed     the authority does not cover this
    │   ├── Conflict       the state moved on, or the key was used with other arguments
    │   ├── InvalidInput   a value breaks a rule that the sender can mend
    │   ├── Expired        it was right once
    │   └── LimitReached   a budget or a cap is used up
    ├── TryLater           nothing happened: safe to repeat
    ├── Unknown            something may have happened: ask, never repeat
    └── InvariantBroken    our own fault: roll back, wake someone, show nothing

Each carries a stable ``code`` (translated for people by the doors), ``params`` that are safe to
show and to send over the channel, and a ``context`` for our logs that never leaves the process.
"""

from collections.abc import Mapping
from typing import ClassVar

Param = str | int


class PortalError(Exception):
    """Root of the tree; raised only as one of its leaves.

    ``code`` is stable, lower_snake and documented; ``params`` fill its public text; ``context``
    explains the failure to whoever reads our logs and holds ids, never names or secrets.
    """

    kind: ClassVar[str] = "invariant"

    def __init__(
        self, code: str, /, *, params: Mapping[str, Param] | None = None, context: str = ""
    ) -> None:
        """Keep the stable code, what may be shown and what only we may read."""
        super().__init__(code)
        self.code = code
        self.params: dict[str, Param] = dict(params or {})
        self.context = context


class Refused(PortalError):
    """The request is wrong; repeating it unchanged can't succeed."""

    kind = "refused"


class NotFound(Refused):
    """There is no such thing, or it belongs to someone else."""

    kind = "not_found"


class NotAllowed(Refused):
    """The authority presented does not cover this act."""

    kind = "not_allowed"


class Conflict(Refused):
    """The state has moved on, or an idempotency key came back with other arguments."""

    kind = "conflict"


class InvalidInput(Refused):
    """A value breaks a rule that the sender can mend."""

    kind = "invalid"


class Expired(Refused):
    """The thing asked for was valid once and is not any more."""

    kind = "expired"


class LimitReached(Refused):
    """A budget, a rate or a cap is used up."""

    kind = "limit"


class TryLater(PortalError):
    """Nothing happened; the same request may be repeated after ``retry_after_s`` seconds."""

    kind = "try_later"

    def __init__(
        self,
        code: str,
        /,
        *,
        params: Mapping[str, Param] | None = None,
        context: str = "",
        retry_after_s: float = 1.0,
    ) -> None:
        """Add how long to wait, in seconds."""
        super().__init__(code, params=params, context=context)
        self.retry_after_s = retry_after_s


class Unknown(PortalError):
    """Something may have happened outside; only an inquiry can tell, a repeat could double it."""

    kind = "unknown"


class InvariantBroken(PortalError):
    """We are wrong: the caller sees a masked error, the effect is rolled back, someone is woken."""

    kind = "invariant"


KINDS: dict[str, type[PortalError]] = {
    leaf.kind: leaf
    for leaf in (
        Refused,
        NotFound,
        NotAllowed,
        Conflict,
        InvalidInput,
        Expired,
        LimitReached,
        TryLater,
        Unknown,
        InvariantBroken,
    )
}
