"""The sandbox's bank: opening its page for a mandate, and asking what became of it.

Application zone; pure. What is read of the bank's word here is that there is one: the relay puts
it into the vault and hands back the status alone.
"""

from typing import Final

import msgspec

from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    MandateWanted,
    SessionAnswer,
    read_json,
)
from portal.domain.ids import DeliveryId
from portal.domain.mandate_word import Asked
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

_HEADERS: Final = {
    "authorization": "Bearer {{credential:sandbox_bank}}",
    "accept": "application/json",
}
_TIMEOUT_S: Final = 5.0
_OK: Final = 200
_CREATED: Final = 201
_NOT_FOUND: Final = 404
_REFUSED: Final = frozenset({400, 401, 403, 422, 429})


class _Opened(msgspec.Struct, frozen=True):
    url: str


class SandboxMandates:
    """See :class:`portal.application.methods.mandate.MandatePage`."""

    def open_mandate(self, endpoint: Endpoint, wanted: MandateWanted) -> Exchange[SessionAnswer]:
        """One page for one reference; a reference that is known already reads as unknown."""
        body = {
            "reference": wanted.reference,
            "collector": wanted.collector,
            "bank": wanted.bank_code,
            "branch": wanted.branch_code,
            "returnUrl": wanted.return_url,
        }
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="POST",
            path="/v1/mandates",
            headers={**_HEADERS, "content-type": "application/json"},
            body=msgspec.json.encode(body).decode(),
            body_kind="json",
            timeout_s=_TIMEOUT_S,
        )
        return Exchange(request, _read_opened)

    def ask_mandate(
        self, endpoint: Endpoint, reference: str, word_id: DeliveryId
    ) -> Exchange[Asked]:
        """Whether the bank has a word about it; what it says is the vault's to read."""
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="GET",
            path=f"/v1/mandates/{reference}",
            headers=_HEADERS,
            deposit_id=word_id,
            timeout_s=_TIMEOUT_S,
        )
        return Exchange(request, _read_asked)


MANDATES: Final = SandboxMandates()


def _read_opened(answer: OutboundAnswer) -> SessionAnswer:
    if answer.fate == "not_sent":
        return SessionAnswer("refused", code=answer.code or "relay_away")
    if answer.fate == "answered" and answer.status == _CREATED:
        opened = read_json(answer, _Opened)
        if opened is not None and opened.url:
            return SessionAnswer("accepted", redirect_url=opened.url)
    if answer.fate == "answered" and answer.status in _REFUSED:
        return SessionAnswer("refused", code="provider_refused")
    return SessionAnswer("unknown", code=answer.code or "provider_unclear")


def _read_asked(answer: OutboundAnswer) -> Asked:
    if answer.fate == "answered" and answer.status == _OK:
        return "told"
    if answer.fate == "answered" and answer.status == _NOT_FOUND:
        return "not_found"
    return "unknown"
