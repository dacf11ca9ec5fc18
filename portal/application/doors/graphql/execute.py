"""Running a document with a viewer's own authority, and saying what went wrong without leaking.

Zone: application. The same :func:`run_operation` serves our page routes in-process and the GraphQL
doors over HTTP, so a page can show nothing that its viewer could not ask for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import ExecutionResult, GraphQLError
from graphql import execute as _execute  # pyright: ignore[reportUnknownVariableType] - its middleware argument is typed loosely

from portal.application.doors.context import RequestContext
from portal.application.doors.errors import INTERNAL, describe
from portal.application.doors.graphql.cost import check_variables
from portal.application.doors.graphql.documents import Prepared
from portal.application.doors.graphql.schema import HaraiSchema
from portal.application.doors.graphql.trusted import TRUSTED
from portal.domain.errors import InvalidInput, InvariantBroken, PortalError

Data = dict[str, Any]
"""The ``data`` of an answer: a tree of JSON values in the shape that the document asks for."""

_VARIABLE: Final = re.compile(r"\$[_A-Za-z][_0-9A-Za-z]*")


@dataclass(frozen=True, slots=True)
class Answer:
    """``data`` is None when nothing could be run or a non-null root field failed."""

    data: Data | None
    errors: tuple[GraphQLError, ...]


async def run(
    schema: HaraiSchema,
    prepared: Prepared,
    variables: Mapping[str, object],
    context: RequestContext,
    *,
    operation_name: str | None = None,
) -> Answer:
    """Execute a prepared document.

    Raises InvalidInput ``variables_invalid``, ``card_number_refused``, ``operation_unclear``.
    """
    prepared.operation(operation_name)
    check_variables(dict(variables))
    running = _execute(
        schema.core,
        prepared.document,
        context_value=context,
        variable_values=dict(variables),
        operation_name=operation_name,
    )
    result = running if isinstance(running, ExecutionResult) else await running
    errors = tuple(result.errors or ())
    for error in errors:
        if error.path is None:
            # Nothing was executed: a variable could not be read.
            raise _variable_refused(error) from None
    return Answer(result.data, errors)


async def run_operation(
    context: RequestContext, name: str, variables: Mapping[str, object] | None = None
) -> Data:
    """Run a trusted document of the viewer's audience by its operation name; the answer's data.

    Raises the error of the first field that failed: pages show all of a screen or an error.
    """
    documents = TRUSTED[context.audience]
    trusted = documents.named(name)
    answer = await run(documents.schema, trusted.prepared, variables or {}, context)
    for error in answer.errors:
        raise _cause_of(error)
    if answer.data is None:
        raise InvariantBroken("answer_empty", context=name)
    return answer.data


def masked(error: GraphQLError, context: RequestContext) -> dict[str, object]:
    """A top-level error as clients see it: place, text and code; nothing of our own faults."""
    trouble = describe(_cause_of(error), context.language, context.request_id)
    shown: dict[str, object] = {
        "message": trouble.text,
        "path": error.path,
        "extensions": {
            "code": trouble.code,
            "params": trouble.params,
            "requestId": context.request_id,
        },
    }
    if error.locations:
        shown["locations"] = [place.formatted for place in error.locations]
    return shown


def _cause_of(error: GraphQLError) -> PortalError:
    """What a resolver raised; anything but a PortalError is a fault of ours."""
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, PortalError):
        return cause
    fault = InvariantBroken(INTERNAL, context=type(cause).__name__)
    fault.__cause__ = cause or error
    return fault


def _variable_refused(error: GraphQLError) -> InvalidInput:
    """Which variable is wrong, without repeating its value."""
    found = _VARIABLE.search(error.message)
    return InvalidInput("variables_invalid", params={"field": found[0] if found else ""})
