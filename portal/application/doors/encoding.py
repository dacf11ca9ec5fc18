"""JSON answers by orjson. Zone: application."""

from collections.abc import Mapping
from typing import Final

import orjson
from starlette.responses import Response

GRAPHQL_TYPE: Final = "application/graphql-response+json"


class JsonResponse(Response):
    """An answer in JSON that no cache keeps."""

    media_type = "application/json"

    def __init__(
        self,
        content: object,
        *,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        """Encode it; ``media_type`` replaces ``application/json``."""
        super().__init__(
            content,
            status_code=status_code,
            headers={"cache-control": "no-store", **(headers or {})},
            media_type=media_type,
        )

    def render(self, content: object) -> bytes:
        """Compact UTF-8."""
        return orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS)
