"""GraphQL over HTTP: ``/graphql`` for merchants, ``/pay/graphql`` for payers.

Zone: application. POST with a JSON body of at most 64 KiB, one operation a request. Browsers name
a trusted document; an API key may also send a document of its own, within its cost bucket. There
is no page to explore it, no batching and no GET.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic
from typing import Final, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.context import (
    RequestContext,
    merchant_context,
    payer_context,
)
from portal.application.doors.encoding import GRAPHQL_TYPE, JsonResponse
from portal.application.doors.errors import describe, trouble_headers
from portal.application.doors.forms import read_body
from portal.application.doors.graphql.documents import (
    DocumentInvalid,
    FreeDocuments,
    Prepared,
)
from portal.application.doors.graphql.execute import Answer, masked, run
from portal.application.doors.graphql.login import view_scopes
from portal.application.doors.graphql.merchant import MERCHANT
from portal.application.doors.graphql.trusted import TRUSTED
from portal.application.doors.session import ApiKeySession
from portal.domain.errors import InvalidInput, LimitReached, NotAllowed, PortalError

BODY_BYTES_MAX: Final = 64 * 1024
BUCKET_SIZE: Final = 200_000
BUCKET_PER_S: Final = 100_000
"""Cost that one key may spend on free documents in one process: about 0.4 of a core."""

BUCKETS_MAX: Final = 4096


class GraphQLRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of a request. Source: GraphQL over HTTP (draft), with persisted documents."""

    query: str | None = None
    document_id: str | None = None
    operation_name: str | None = None
    variables: dict[str, object] | None = None
    extensions: dict[str, object] | None = None


_BODY: Final = msgspec.json.Decoder(GraphQLRequest)


@dataclass(slots=True)
class Bucket:
    """What one key may still spend. Units: fields; ``at`` in seconds of the monotonic clock."""

    left: float
    at: float


class Buckets:
    """Leaky buckets of this process, by key; the least used are forgotten first."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        """All are full; they fill again as ``now`` goes on (seconds)."""
        self._now = now
        self._kept: OrderedDict[bytes, Bucket] = OrderedDict()

    def spend(self, context: RequestContext, cost: int) -> int:
        """Take the cost; what is left. Raises LimitReached ``cost_spent`` with when to return."""
        key = sha256(context.authority.capability).digest()
        now = self._now()
        bucket = self._kept.pop(key, None) or Bucket(BUCKET_SIZE, now)
        left = min(BUCKET_SIZE, bucket.left + (now - bucket.at) * BUCKET_PER_S)
        enough = left >= cost
        self._kept[key] = Bucket(left - cost if enough else left, now)
        if len(self._kept) > BUCKETS_MAX:
            self._kept.popitem(last=False)
        if not enough:
            raise LimitReached("cost_spent", params={"retry_after_s": 1})
        return int(left - cost)


class GraphQLDoor:
    """Free documents and what their keys spent on them; one a process."""

    def __init__(self) -> None:
        """Nothing was prepared or spent yet."""
        self._free = FreeDocuments(MERCHANT)
        self._buckets = Buckets()

    async def answer(self, request: Request, context: RequestContext) -> Response:
        """Run what the body asks for; errors before anything ran are answered without ``data``."""
        accepts = request.headers.get("accept", "")
        media_type = GRAPHQL_TYPE if GRAPHQL_TYPE in accepts else "application/json"
        try:
            asked = await read_request(request)
            answer, extensions = await self._run(asked, context)
        except PortalError as error:
            return _refusal(error, context, media_type)
        body: dict[str, object] = {"data": answer.data}
        if answer.errors:
            body["errors"] = [masked(error, context) for error in answer.errors]
        if extensions:
            body["extensions"] = extensions
        response = JsonResponse(body, media_type=media_type)
        if context.signed_out:
            context.doors.sessions.sign_out(response)
        return response

    async def _run(
        self, asked: GraphQLRequest, context: RequestContext
    ) -> tuple[Answer, dict[str, object]]:
        variables = asked.variables or {}
        documents = TRUSTED[context.audience]
        if asked.document_id is not None:
            trusted = documents.identified(asked.document_id)
            return await run(documents.schema, trusted.prepared, variables, context), {}
        if asked.query is None:
            raise InvalidInput("query_missing")
        if not isinstance(context.session, ApiKeySession):
            raise NotAllowed("document_untrusted")
        prepared, cost, left = await self._prepare(asked, asked.query, variables, context)
        answer = await run(
            MERCHANT, prepared, variables, context, operation_name=asked.operation_name
        )
        return answer, {"cost": {"asked": cost, "left": left}}

    async def _prepare(
        self,
        asked: GraphQLRequest,
        text: str,
        variables: Mapping[str, object],
        context: RequestContext,
    ) -> tuple[Prepared, int, int]:
        """A free document, within its limits and its key's bucket."""
        introspects = "__schema" in text or "__type" in text.replace("__typename", "")
        allowed = introspects and "schema:read" in await view_scopes(context)
        prepared = self._free.prepare(text, allows_introspection=allowed)
        operation = prepared.operation(asked.operation_name)
        cost = self._free.weigh(prepared, operation, variables)
        return prepared, cost, self._buckets.spend(context, cost)


async def read_request(request: Request) -> GraphQLRequest:
    """The body of a GraphQL request.

    Raises InvalidInput ``media_type_refused``, ``json_malformed``, ``batching_off``; LimitReached
    ``body_too_large``.
    """
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise InvalidInput("media_type_refused")
    body = await read_body(request, BODY_BYTES_MAX)
    if body.lstrip()[:1] == b"[":
        raise InvalidInput("batching_off")
    try:
        return _BODY.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise InvalidInput("json_malformed") from error


def _refusal(error: PortalError, context: RequestContext, media_type: str) -> Response:
    """A request error: nothing ran, so there is no ``data``. Source: GraphQL over HTTP."""
    trouble = describe(error, context.language, context.request_id)
    extensions = {
        "code": trouble.code,
        "params": trouble.params,
        "requestId": context.request_id,
    }
    errors: list[dict[str, object]] = [{"message": trouble.text, "extensions": extensions}]
    if isinstance(error, DocumentInvalid):
        errors = [
            {
                "message": finding.message,
                "locations": [place.formatted for place in finding.locations or ()],
                "extensions": extensions,
            }
            for finding in error.findings
        ] or errors
    status = 400 if trouble.status == 422 else trouble.status  # noqa: PLR2004 - a document's fault is 400 here
    return JsonResponse(
        {"errors": errors},
        status_code=status,
        headers=trouble_headers(trouble),
        media_type=media_type,
    )


def _door_of(request: Request) -> GraphQLDoor:
    return cast("GraphQLDoor", request.app.state.graphql)


async def answer_merchant(request: Request) -> Response:
    """``POST /graphql``."""
    context = merchant_context(request)
    return await _door_of(request).answer(request, context)


async def answer_payer(request: Request) -> Response:
    """``POST /pay/graphql?page=REF``: the page's public name says which cookie is meant."""
    context = payer_context(request, request.query_params.get("page", ""))
    context.doors.sessions.check_origin(request, opaque=True)
    return await _door_of(request).answer(request, context)
