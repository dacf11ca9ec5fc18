"""A merchant's own system at the public GraphQL API: hands files in, decides, watches.

Stack only, and outside: an API key, HTTP through the DMZ, documents of its own, as an integrator
would write them. The one thing done as a person is making that key, by a one-click log-in.
"""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from portal.stack.layout import SOURCE

_DOCUMENTS: Final = SOURCE / "portal/application/doors/graphql/documents/merchant"
_REQUEST_S: Final = 120.0
_UPLOAD_S: Final = 3600.0
_TAKEN: Final = frozenset({200, 201})
_SCOPES: Final = ("BILLS_READ", "BILLS_WRITE", "IMPORTS_WRITE", "SCHEMA_READ")

_CREATE: Final = """
mutation Create($input: ImportCreateInput!) {
  importCreate(input: $input) { import { id } uploadUrl errors { code message } }
}"""
_DECIDE: Final = """
mutation Decide($input: ImportDecideInput!) {
  importDecide(input: $input) { import { id state } errors { code message } }
}"""
_IMPORT: Final = """
query Import($id: ID!) {
  import(id: $id) { state rowsSeen rowsGood rowsFaulty rowsKnown rowsIssued refusedCode }
}"""
_BILL_IDS: Final = """
query Ids($first: Int!, $after: String, $settlement: [Settlement!]) {
  bills(first: $first, after: $after, filter: {settlement: $settlement}, order: CREATED_DESC) {
    nodes { id }
    pageInfo { hasNextPage endCursor }
  }
}"""
_BILL: Final = """
query Shown($id: ID!) {
  bill(id: $id) {
    id number settlement amount { amount }
    attempts { id provider reference state amount { amount } }
    refunds { attemptId provider reference state way note amount { amount } }
  }
}"""
_REFUNDABLE: Final = """
query Refundable($id: ID!) {
  bill(id: $id) { refundable { payments { attemptId amount { amount } } } }
}"""
_MESSAGES: Final = """
query Messages($first: Int!, $after: String, $importId: ID!) {
  bills(first: $first, after: $after, filter: {importId: $importId}, order: CREATED_DESC) {
    nodes { number message }
    pageInfo { hasNextPage endCursor }
  }
}"""
_PAGE: Final = 100
_SUMMARY: Final = """
query Totals {
  summary {
    requestedBills paidBills unpaidBills openCases
    funnel { requested accepted delivered opened paid }
  }
}"""
_FAILED_REFUNDS: Final = """
query FailedRefunds($first: Int!) {
  refunds(first: $first, states: [FAILED]) { nodes { id } }
}"""
_LOST: Final = """
query Lost($first: Int!) {
  cases(first: $first, filter: {isOpen: true, kinds: [CHARGEBACK_LOST]}) {
    nodes { id bill { id } attempt { reference } }
  }
}"""
_ASK_TO_PAY: Final = """
mutation AskToPay($input: CaseSettleInput!) {
  caseSettle(input: $input) { case { id } errors { code message } }
}"""
_RESEND: Final = """
mutation Resend($input: BillResendInput!) {
  billResend(input: $input) { bill { id } errors { code message } }
}"""


@dataclass(frozen=True, slots=True)
class LostDispute:
    """An open case of money that a company took back for good: ids, and the payment's reference."""

    case: str
    bill: str
    reference: str


class PortalRefusedError(Exception):
    """The portal said no, or something that no integrator expects."""


class MerchantSystem:
    """One merchant's billing system with its API key."""

    def __init__(self, origin: str, api_key: str) -> None:
        """``origin`` is the portal's public one."""
        self._origin = origin
        self._client = httpx.AsyncClient(
            timeout=_REQUEST_S, trust_env=False, headers={"authorization": f"Bearer {api_key}"}
        )

    async def close(self) -> None:
        """End its connections."""
        await self._client.aclose()

    async def hand_in(self, csv: bytes, filename: str) -> str:
        """Open an import and PUT the file; gives the import's id. Raises PortalRefusedError."""
        return await self.hand_in_pieces(csv, len(csv), filename)

    async def hand_in_pieces(
        self, body: bytes | AsyncIterable[bytes], size_bytes: int, filename: str
    ) -> str:
        """The same for a file that is never in memory as a whole."""
        import_id, address = await self.open_import(filename, size_bytes)
        answer = await self._client.put(
            address,
            content=body,
            headers={"content-type": "text/csv", "content-length": str(size_bytes)},
            timeout=_UPLOAD_S,
        )
        if answer.status_code not in _TAKEN:
            msg = f"the upload was answered with {answer.status_code}: {answer.text[:300]}"
            raise PortalRefusedError(msg)
        return import_id

    async def open_import(
        self, filename: str, size_bytes: int, key: str | None = None
    ) -> tuple[str, str]:
        """Open an import; gives its id and the address to PUT the file to.

        A ``key`` that is repeated opens nothing new. Raises PortalRefusedError.
        """
        wanted = {"filename": filename, "sizeBytes": size_bytes, "idempotencyKey": key or _key()}
        opened = await self._mutate(_CREATE, "importCreate", wanted)
        return str(opened["import"]["id"]), str(opened["uploadUrl"])

    async def decide(self, import_id: str, key: str | None = None) -> None:
        """Send the good rows; once for a ``key``."""
        wanted = {"id": import_id, "decision": "SEND", "idempotencyKey": key or _key()}
        await self._mutate(_DECIDE, "importDecide", wanted)

    async def wait_for_import(
        self,
        import_id: str,
        states: frozenset[str],
        *,
        timeout_s: float,
        told: Callable[[Mapping[str, Any]], None] = lambda _now: None,
    ) -> Mapping[str, Any]:
        """Look until the import is in one of the states. Raises TimeoutError after timeout_s."""
        async with asyncio.timeout(timeout_s):
            while True:
                now = (await self._ask(_IMPORT, {"id": import_id}))["import"]
                told(now)
                if now["state"] in states:
                    return now
                await asyncio.sleep(0.2)

    async def bill_ids(self, settlement: Sequence[str] | None = None) -> list[str]:
        """Every bill's id, the newest first; or of those alone with a settlement listed."""
        found: list[str] = []
        after: str | None = None
        while True:
            wanted = {"first": _PAGE, "after": after, "settlement": settlement}
            page = (await self._ask(_BILL_IDS, wanted))["bills"]
            found += [str(node["id"]) for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    async def messages(self, import_id: str) -> dict[str, str]:
        """What the portal shows of an import's messages: bill's number → state, in lower case."""
        found: dict[str, str] = {}
        after: str | None = None
        while True:
            wanted = {"first": _PAGE, "after": after, "importId": import_id}
            page = (await self._ask(_MESSAGES, wanted))["bills"]
            found |= {str(node["number"]): str(node["message"]).lower() for node in page["nodes"]}
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    async def bill(self, bill_id: str) -> Mapping[str, Any]:
        """One bill with its attempts and refunds, as the schema shows them."""
        return (await self._ask(_BILL, {"id": bill_id}))["bill"]

    async def refundable(self, bill_id: str) -> list[tuple[str, int]]:
        """Payments of a bill of which something can go back: the attempt's id, and how much."""
        bill = (await self._ask(_REFUNDABLE, {"id": bill_id}))["bill"]
        payments = bill["refundable"]["payments"]
        return [(str(one["attemptId"]), int(one["amount"]["amount"])) for one in payments]

    async def totals(self) -> Mapping[str, Any]:
        """The dashboard's figures."""
        return (await self._ask(_SUMMARY, {}))["summary"]

    async def failed_refunds(self) -> int:
        """Refunds that did not come about, at most a page of them."""
        return len((await self._ask(_FAILED_REFUNDS, {"first": _PAGE}))["refunds"]["nodes"])

    async def lost_disputes(self) -> list[LostDispute]:
        """Open cases of lost disputes, at most a page of them."""
        found = (await self._ask(_LOST, {"first": _PAGE}))["cases"]["nodes"]
        return [
            LostDispute(str(one["id"]), str(one["bill"]["id"]), str(one["attempt"]["reference"]))
            for one in found
        ]

    async def ask_to_pay(self, case_id: str, key: str) -> None:
        """Ask for the money of a lost dispute again; once for a ``key``."""
        wanted = {"id": case_id, "action": "ASK_TO_PAY", "idempotencyKey": key}
        await self._mutate(_ASK_TO_PAY, "caseSettle", wanted)

    async def resend(self, bill_id: str, key: str, channel: str = "SMS") -> None:
        """Send a bill's message once more, or have its payer called; once for a ``key``."""
        wanted = {"id": bill_id, "idempotencyKey": key, "channel": channel}
        await self._mutate(_RESEND, "billResend", wanted)

    async def _mutate(self, document: str, field: str, wanted: Mapping[str, object]) -> Any:  # noqa: ANN401 - parsed JSON
        done = (await self._ask(document, {"input": wanted}))[field]
        if done["errors"]:
            msg = f"{field}: {done['errors'][0]['code']}: {done['errors'][0]['message']}"
            raise PortalRefusedError(msg)
        return done

    async def _ask(self, document: str, variables: Mapping[str, object]) -> Any:  # noqa: ANN401 - parsed JSON
        answer = await self._client.post(
            f"{self._origin}/graphql", json={"query": document, "variables": variables}
        )
        return _data(answer)


class StaffSession:
    """One member of staff at their browser, who runs the portal's own documents.

    Raises PortalRefusedError when the portal says no, httpx.HTTPError when it is not there.
    """

    def __init__(self, origin: str) -> None:
        """Nobody is logged in."""
        self._origin = origin
        self._browser = httpx.AsyncClient(timeout=_REQUEST_S, trust_env=False)

    async def enter(self, ticket: str) -> None:
        """Log in by a one-click ticket."""
        entered = await self._browser.get(f"{self._origin}/login/ticket/{ticket}")
        if not self._browser.cookies:
            why = entered.headers.get("location", "").partition("code=")[2]
            msg = f"the log-in ticket was refused ({entered.status_code} {why})"
            raise PortalRefusedError(msg)

    async def run(self, document: str, variables: Mapping[str, object]) -> Any:  # noqa: ANN401 - parsed JSON
        """Run a document by its name; gives the answer's data."""
        asked = {"documentId": _trusted(document), "variables": variables}
        return _data(await self._browser.post(f"{self._origin}/graphql", json=asked))

    async def put(self, address: str, body: AsyncIterable[bytes]) -> Mapping[str, Any]:
        """Put a file up at an address of this session; gives what the portal says of it."""
        headers = {"origin": self._origin, "content-type": "text/plain"}
        answer = await self._browser.put(address, content=body, headers=headers, timeout=_UPLOAD_S)
        if answer.status_code not in _TAKEN:
            msg = f"the file was answered with {answer.status_code}: {answer.text[:300]}"
            raise PortalRefusedError(msg)
        return answer.json()

    async def close(self) -> None:
        """Leave; the session ends by itself."""
        await self._browser.aclose()


async def make_api_key(origin: str, ticket: str, name: str) -> str:
    """Log in by a one-click ticket as a person would, and make an API key. Units: none.

    Raises PortalRefusedError when the ticket or the key is refused.
    """
    session = StaffSession(origin)
    try:
        await session.enter(ticket)
        wanted = {"name": name, "scopes": list(_SCOPES), "idempotencyKey": _key()}
        made = (await session.run("api_key_create", {"input": wanted}))["apiKeyCreate"]
        if made["errors"]:
            msg = f"no API key: {made['errors'][0]['message']}"
            raise PortalRefusedError(msg)
        return str(made["secret"])
    finally:
        await session.close()


def _trusted(name: str) -> str:
    """The id under which a browser may run one of the portal's own documents."""
    text = (_DOCUMENTS / f"{name}.graphql").read_bytes()
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def _data(answer: httpx.Response) -> Any:  # noqa: ANN401 - parsed JSON
    try:
        body = answer.json()
    except ValueError as error:
        msg = f"the portal answered {answer.status_code} without JSON"
        raise PortalRefusedError(msg) from error
    if body.get("errors"):
        first = body["errors"][0]
        facts = first.get("extensions", {})
        msg = f"{answer.status_code} {facts.get('code')} {facts.get('params')}: {first['message']}"
        raise PortalRefusedError(msg)
    return body["data"]


def _key() -> str:
    return str(uuid.uuid4())
