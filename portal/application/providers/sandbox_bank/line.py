"""The sandbox's bank: handing a file over, and asking what became of it.

Application zone; pure. The file and the collector's code are placeholders: no account passes here,
and of the answer to a file the relay hands back the status alone.
"""

from typing import Final, Literal

import msgspec

from portal.application.providers.exchange import Endpoint, Exchange, ResultFetched, read_json
from portal.domain.handover import LineKind, LineOutcome
from portal.domain.ids import DeliveryId
from portal.kit.outbound.wire import Kept, OutboundAnswer, OutboundRequest

_HEADERS: Final = {
    "authorization": "Bearer {{credential:sandbox_bank}}",
    "accept": "application/json",
}
_SEND_TIMEOUT_S: Final = 45.0
_ASK_TIMEOUT_S: Final = 5.0
_FETCH_TIMEOUT_S: Final = 60.0
_OK: Final = 200
_TAKEN: Final = 202
_NOT_FOUND: Final = 404
_REFUSED: Final = frozenset({400, 413, 422})
_NOT_NOW: Final = frozenset({401, 403, 429})
"""The bank holds nothing, and the file itself is not why."""


class _File(msgspec.Struct, frozen=True):
    reference: str
    status: Literal["accepted", "rejected"]


class _Refusal(msgspec.Struct, frozen=True):
    code: str


class SandboxBank:
    """See :class:`portal.application.methods.debit_line.DebitLine`."""

    def hand_over(
        self, endpoint: Endpoint, handover_id: DeliveryId, kind: LineKind = "debit"
    ) -> Exchange[tuple[LineOutcome, str]]:
        """The whole file; one whose reference is known already reads as unknown.

        Reference, collector and bytes are the vault's to say: a worker that chose the reference
        could have one file taken twice.
        """
        body = {
            "reference": "{{delivery:reference}}",
            "collector": "{{delivery:collector}}",
            "file": "{{delivery:file}}",
        }
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="POST",
            path=f"/v1/{kind}-files",
            headers={**_HEADERS, "content-type": "application/json"},
            body=msgspec.json.encode(body).decode(),
            body_kind="json",
            delivery_id=handover_id,
            timeout_s=_SEND_TIMEOUT_S,
        )
        return Exchange(request, _read_taken)

    def ask(
        self, endpoint: Endpoint, reference: str, kind: LineKind = "debit"
    ) -> Exchange[tuple[LineOutcome, str]]:
        """Whether the bank has a file under our reference, and took it."""
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="GET",
            path=f"/v1/{kind}-files/{reference}",
            headers=_HEADERS,
            timeout_s=_ASK_TIMEOUT_S,
        )
        return Exchange(request, lambda answer: _read_status(answer, reference))

    def fetch(
        self, endpoint: Endpoint, reference: str, fetch_id: DeliveryId
    ) -> Exchange[ResultFetched]:
        """The answer to the file under our reference; of it the relay hands back the size alone."""
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="GET",
            path=f"/v1/debit-results/{reference}",
            headers={"authorization": _HEADERS["authorization"]},
            delivery_id=fetch_id,
            timeout_s=_FETCH_TIMEOUT_S,
        )
        return Exchange(request, _read_fetched)


LINE: Final = SandboxBank()


def _read_taken(answer: OutboundAnswer) -> tuple[LineOutcome, str]:
    if answer.fate == "not_sent":
        return "not_sent", answer.code or "relay_away"
    if answer.fate == "unclear":
        return "unknown", answer.code or "provider_unclear"
    if answer.status == _TAKEN:
        return "accepted", ""
    if answer.status in _REFUSED:
        return "rejected", "provider_refused"
    if answer.status in _NOT_NOW:
        return "not_sent", "provider_busy"
    return "unknown", "provider_unclear"


def _read_status(answer: OutboundAnswer, reference: str) -> tuple[LineOutcome, str]:
    if answer.fate != "answered":
        return "unknown", answer.code or "provider_unclear"
    if answer.status == _NOT_FOUND:
        refusal = read_json(answer, _Refusal)
        if refusal is not None and refusal.code == "not_found":
            return "not_found", "not_found"
    found = read_json(answer, _File) if answer.status == _OK else None
    if found is None or found.reference != reference:
        return "unknown", "answer_unreadable"
    return found.status, ""


def _read_fetched(answer: OutboundAnswer) -> ResultFetched:
    if answer.fate != "answered":
        return ResultFetched("not_read", answer.code or "provider_unclear")
    if answer.status == _NOT_FOUND:
        return ResultFetched("not_yet", "not_found")
    kept = read_json(answer, Kept) if answer.status == _OK else None
    if kept is None:
        return ResultFetched("not_read", "answer_unreadable")
    return ResultFetched("stored", "", kept.parts, bytes.fromhex(kept.sha256))
