"""The sandbox's mail company: composing one mail and reading what became of it.

Application zone; pure. Recipient, subject and both texts are placeholders: no address or name
passes here.
"""

from typing import Final

import msgspec

from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    MessageAnswer,
    MessageWanted,
    read_json,
    read_retry_after,
)
from portal.application.providers.refusal import busy, read_way, unreadable
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

_HEADERS: Final = {
    "authorization": "Bearer {{credential:sandbox_mail}}",
    "accept": "application/json",
    "content-type": "application/json",
}
_TIMEOUT_S: Final = 8.0
_TAKEN: Final = frozenset({200, 201})
_BUSY: Final = {
    401: "credential_refused",
    403: "credential_refused",
    429: "provider_busy",
    503: "provider_busy",
}
"""Answers after which the company holds nothing and the same mail may go again."""
_REFUSALS: Final = frozenset({400, 404, 409, 413, 415, 422})


class _Taken(msgspec.Struct, frozen=True):
    id: str
    status: str


class _Refusal(msgspec.Struct, frozen=True):
    code: str


class SandboxMail:
    """E-mail: see :class:`portal.application.channels.email.SendsMail`."""

    def compose(self, endpoint: Endpoint, wanted: MessageWanted) -> Exchange[MessageAnswer]:
        """One mail; the delivery's key as reference makes a repeat harmless."""
        body = {
            "to": "{{delivery:to}}",
            "from": wanted.sender,
            "subject": "{{delivery:subject}}",
            "text": "{{delivery:body}}",
            "html": "{{delivery:html}}",
            "reference": wanted.key,
            "account": wanted.account,
        }
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="POST",
            path="/v1/mails",
            headers=_HEADERS,
            body=msgspec.json.encode(body).decode(),
            body_kind="json",
            delivery_id=wanted.delivery_id,
            timeout_s=_TIMEOUT_S,
        )
        return Exchange(request, _read)


ADAPTER: Final = SandboxMail()


def _read(answer: OutboundAnswer) -> MessageAnswer:
    return read_way(answer) or _read_answered(answer)


def _read_answered(answer: OutboundAnswer) -> MessageAnswer:
    if answer.status in _BUSY:
        return busy(_BUSY[answer.status], retry_after_s=read_retry_after(answer))
    if answer.status in _REFUSALS:
        refusal = read_json(answer, _Refusal)
        known = refusal is not None and refusal.code == "invalid_address"
        return MessageAnswer("rejected", code="invalid_address" if known else "provider_refused")
    taken = read_json(answer, _Taken) if answer.status in _TAKEN else None
    if taken is None:
        return unreadable()
    return MessageAnswer("accepted", provider_ref=taken.id)
