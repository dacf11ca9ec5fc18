"""moto: somebody else's Amazon (SES, SNS, IAM), in a process of its own.

It takes no request whose signature its own copy of AWS' library does not compute alike, and none
that the key's user may not make. Its packages stand apart from ours (tests/make/aws_mock).
"""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import Parser
from email.policy import default
from pathlib import Path
from typing import Any

import httpx

from tests.make.companies import Drop
from tests.make.foreign import folder_of
from tests.make.provider import Behaviour, Provider, Seen, answer

REGION = "ap-northeast-1"
DOMAINS = ("bill.merchant.example", "bounce.example.net")
_SERVE = (
    "import sys; from werkzeug.serving import make_server; "
    "from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app; "
    "make_server('127.0.0.1', 0, DomainDispatcherApplication(create_backend_app), threaded=True, "
    "fd=int(sys.argv[1])).serve_forever()"
)
_POLICY = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
    '"Action":["ses:SendEmail","sns:Publish"],"Resource":"*"}]}'
)


@dataclass
class Amazon:
    """The mock, two users' keys, and what it keeps. ``lost``: its next answer does not arrive."""

    address: str
    client: httpx.Client
    sender: dict[str, str] = field(default_factory=dict[str, str])
    """Credentials of a user who may send, and do nothing else."""
    stranger: dict[str, str] = field(default_factory=dict[str, str])
    """Of one who may do nothing at all."""
    lost: Drop = field(default_factory=Drop)

    def texts(self) -> list[tuple[str, str]]:
        """Number and text of all that telephones got."""
        kept = self._kept("sns", "SMS")
        return [(one["phone_number"], one["message"]) for one in kept]

    def mails(self) -> list[Message]:
        """All mails that it took, as they came."""
        return [
            Parser(policy=default).parsestr(one["raw_data"])
            for one in self._kept("ses", "RawMessage")
        ]

    def _kept(self, service: str, kind: str) -> list[dict[str, Any]]:
        return list(self.client.get("/moto-api/data.json").json().get(service, {}).get(kind, []))

    def prepare(self) -> None:
        """Users and identities; from here on signatures and leave are checked."""
        self.sender, self.stranger = self._new_user("relay"), self._new_user("stranger")
        leave = {"UserName": "relay", "PolicyName": "send", "PolicyDocument": _POLICY}
        self._ask("iam", {"Action": "PutUserPolicy", **leave})
        for domain in DOMAINS:
            said = self.client.post(
                "/v2/email/identities",
                headers=_scope("ses"),
                json={"EmailIdentity": domain},
            )
            said.raise_for_status()
        self.client.post("/moto-api/reset-auth", content=b"0").raise_for_status()

    def _new_user(self, name: str) -> dict[str, str]:
        self._ask("iam", {"Action": "CreateUser", "UserName": name})
        made = self._ask("iam", {"Action": "CreateAccessKey", "UserName": name})
        key, secret = (
            made.partition(f"<{part}>")[2].partition("<")[0]
            for part in ("AccessKeyId", "SecretAccessKey")
        )
        return {"aws.key": key, "aws.secret": secret}

    def _ask(self, service: str, fields: dict[str, str]) -> str:
        said = self.client.post(
            "/", headers=_scope(service), data={"Version": "2010-05-08", **fields}
        )
        return said.raise_for_status().text

    def behind_tls(self) -> Behaviour:
        """Hand requests on as they came, with the host that was signed; answers back, or none."""

        async def pass_on(_provider: Provider, seen: Seen, writer: asyncio.StreamWriter) -> None:
            method, path, _ = seen.line.split(" ")
            async with httpx.AsyncClient(timeout=30.0) as client:
                said = await client.request(
                    method, f"{self.address}{path}", headers=seen.headers, content=seen.body
                )
            if self.lost.next:
                self.lost.next = False
                writer.transport.abort()
                return
            told = [
                f"{name}: {said.headers[name]}"
                for name in ("content-type", "x-amzn-errortype")
                if name in said.headers
            ]
            writer.write(answer(said.status_code, said.content, *told))

        return pass_on


def _scope(service: str) -> dict[str, str]:
    """By this alone the mock tells services and regions apart while it checks nothing."""
    where = f"Credential=setup/20261128/{REGION}/{service}/aws4_request"
    return {"authorization": f"AWS4-HMAC-SHA256 {where}, SignedHeaders=host, Signature=0"}


@contextmanager
def running_amazon() -> Generator[Amazon]:
    """The mock while it runs; it keeps all in memory."""
    packages = folder_of("aws_mock", "moto") / "packages"
    with socket.create_server(("127.0.0.1", 0)) as door:
        address = f"http://127.0.0.1:{door.getsockname()[1]}"
        process = subprocess.Popen(  # noqa: S603 - our own words, and this Python
            [sys.executable, "-S", "-c", _SERVE, str(door.fileno())],
            pass_fds=(door.fileno(),), env={"PYTHONPATH": str(packages)}, cwd=Path("/"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        with httpx.Client(base_url=address, timeout=60.0) as client:
            amazon = Amazon(address, client)
            _wait(process, client)
            amazon.prepare()
            yield amazon
    finally:
        process.kill()
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", client: httpx.Client) -> None:
    while process.poll() is None:
        try:
            client.get("/moto-api/data.json")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    msg = f"it ended with {process.returncode}"
    raise AssertionError(msg)
