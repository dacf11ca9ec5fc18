"""Errors as data: what a mutation answers when it could not do what was asked.

Zone: application. One interface with one type for each way a caller should react, taken from the
leaves of portal.domain.errors. Our own faults are not among them: they stay top-level and masked.
"""

from collections.abc import Awaitable
from typing import Final, Generic, TypeVar

import msgspec
import strawberry

from portal.application.doors.errors import SESSION_CODES, type_of
from portal.application.doors.graphql.schema import Info, plain
from portal.application.doors.locales import TEXTS
from portal.domain.errors import (
    Conflict,
    Expired,
    InvalidInput,
    InvariantBroken,
    LimitReached,
    NotAllowed,
    NotFound,
    PortalError,
    Refused,
    TryLater,
    Unknown,
)

T = TypeVar("T")


@strawberry.interface(description="Why something that was asked for was not done.")
class UserError:
    """What all have in common."""

    code: str = plain("Stable, lower_snake; programs decide by it.")
    message: str = plain("For people, in the viewer's language.")
    path: list[str] = plain("Where in the input the cause stands, or empty.")


@strawberry.type(description="A value of the input breaks a rule; mend it and send again.")
class ValidationError(UserError):
    """From InvalidInput."""


@strawberry.type(description="There is no such thing, or it is not yours.")
class NotFoundError(UserError):
    """From NotFound."""


@strawberry.type(description="This member of staff or key may not do this.")
class NotAllowedError(UserError):
    """From NotAllowed."""


@strawberry.type(
    description="The state moved on, or the idempotency key came back with other arguments."
)
class StateError(UserError):
    """From Conflict and Expired."""


@strawberry.type(description="A budget or a cap is used up.")
class LimitError(UserError):
    """From LimitReached."""


@strawberry.type(description="Nothing happened; send the same again after a while.")
class TryLaterError(UserError):
    """From TryLater."""

    retry_after_s: float = plain("How long to wait, in seconds.")


@strawberry.type(
    description="Something may have happened: look at the state, do not send it again as new."
)
class OutcomeUnknownError(UserError):
    """From Unknown."""


USER_ERRORS: Final[dict[type[PortalError], type[UserError]]] = {
    InvalidInput: ValidationError,
    NotFound: NotFoundError,
    NotAllowed: NotAllowedError,
    Conflict: StateError,
    Expired: StateError,
    LimitReached: LimitError,
    TryLater: TryLaterError,
    Unknown: OutcomeUnknownError,
    Refused: ValidationError,
}
"""Leaf of the tree → the type that clients see."""


class Outcome(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A mutation's payload: the thing after the act, or why not. Never both."""

    entity: T | None = None
    errors: tuple[UserError, ...] = ()


def user_error(error: PortalError, language: str) -> UserError:
    """The error as clients see it; raises it again when it is our own fault."""
    if isinstance(error, InvariantBroken):
        raise error
    field = error.params.get("field")
    text = TEXTS[language].code(error.code, error.params)
    path = ["input", str(field)] if field is not None else []
    if isinstance(error, TryLater):
        return TryLaterError(
            code=error.code, message=text, path=path, retry_after_s=error.retry_after_s
        )
    return USER_ERRORS[type_of(error)](code=error.code, message=text, path=path)


async def outcome_of(info: Info, act: Awaitable[T]) -> Outcome[T]:
    """Wait for a stage; what it refuses becomes data, what is our fault or no standing does not."""
    try:
        return Outcome(entity=await act)
    except PortalError as error:
        if error.code in SESSION_CODES:
            raise
        return Outcome(errors=(user_error(error, info.context.language),))
