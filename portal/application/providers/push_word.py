"""Notifications: naming one delivery, and reading the relay's word about what a service said.

Application zone; pure. The request holds the delivery's id and nothing else: where it goes and what
it says the vault gives to the relay. No push service takes a key for the message it has: the same
topic sent twice takes the place of the first, but a telephone that showed it may buzz once more, so
nothing in doubt goes again by itself (decision 0005, ``repeat_is_safe`` False everywhere here).
That a service took a notification is no delivery: no service tells of one.
"""

from collections.abc import Mapping
from typing import Final

from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    MessageAnswer,
    MessageWanted,
    read_json,
    read_retry_after,
)
from portal.application.providers.silent import SaysNothing
from portal.contract.message import SendOutcome
from portal.kit.outbound.wire import (
    PUSH,
    OutboundAnswer,
    OutboundRequest,
    PushReason,
    PushWord,
)

TIMEOUT_S: Final = 20.0
_TAKEN: Final = range(200, 300)
_BUSY_STATUSES: Final = frozenset({429, 503})
_UNCLEAR_STATUSES: Final = range(500, 600)
_TOO_LARGE: Final = 413
_NOT_LET_IN: Final = 401
_NO_FAULT_OF_THEIRS: Final = frozenset(
    {
        "delivery_refused",
        "value_unfit",
        "push_host_not_listed",
        "push_app_not_listed",
        "push_app_refused",
    }
)
"""Codes of the relay that say nothing bad of the service: they are about one notification, or one
merchant's app. Else an app that nobody has set up would keep the service from all other merchants.
A service that ends a connection (``going_away``) may do so at any time, but where it does nothing
else messages have to wait, and not to run out of tries."""

_OWN: Final = "credential_refused"
"""What says nothing bad of the service where the credential is one merchant's own app's."""

Meaning = tuple[SendOutcome, str, bool]
"""Outcome, code, and whether the next notification would fare the same."""

_REASONS: Final[Mapping[PushReason, Meaning]] = {
    "INVALID_ARGUMENT": ("rejected", "provider_refused", False),
    "SENDER_ID_MISMATCH": ("rejected", "invalid_recipient", False),
    "QUOTA_EXCEEDED": ("busy", "provider_busy", True),
    "RESOURCE_EXHAUSTED": ("busy", "provider_busy", True),
    "UNAVAILABLE": ("busy", "provider_busy", True),
    "INTERNAL": ("unknown", "provider_error", True),
    "THIRD_PARTY_AUTH_ERROR": ("busy", "credential_refused", True),
    "UNAUTHENTICATED": ("busy", "credential_refused", True),
    "PERMISSION_DENIED": ("busy", "credential_refused", True),
    "BadDeviceToken": ("rejected", "invalid_recipient", False),
    "DeviceTokenNotForTopic": ("rejected", "invalid_recipient", False),
    "TopicDisallowed": ("busy", "credential_refused", True),
    "BadTopic": ("busy", "credential_refused", True),
    "PayloadTooLarge": ("rejected", "provider_refused", False),
    "TooManyRequests": ("busy", "provider_busy", False),
    "TooManyProviderTokenUpdates": ("busy", "provider_busy", True),
    "ExpiredProviderToken": ("busy", "credential_refused", True),
    "InvalidProviderToken": ("busy", "credential_refused", True),
    "MissingProviderToken": ("busy", "credential_refused", True),
    "Forbidden": ("busy", "credential_refused", True),
    "InternalServerError": ("unknown", "provider_error", True),
    "ServiceUnavailable": ("busy", "provider_busy", True),
    "Shutdown": ("busy", "provider_busy", True),
}
"""What Google and Apple call a refusal → what it means. Apple's TooManyRequests is about one
device. BadDeviceToken stands here for what the relay does not believe: a device of another of
Apple's environments. Source: FCM HTTP v1 ErrorCode; Apple, "Handling notification responses from
APNs"."""


class PushCompany:
    """Notifications: see :class:`portal.application.channels.push.SendsPush`."""

    def compose(self, endpoint: Endpoint, wanted: MessageWanted) -> Exchange[MessageAnswer]:
        """One notification: which delivery, and by which road."""
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method=PUSH,
            path="/",
            delivery_id=wanted.delivery_id,
            timeout_s=TIMEOUT_S,
        )
        return Exchange(request, read_push)


def read_push(answer: OutboundAnswer) -> MessageAnswer:
    """What became of one notification."""
    if answer.fate == "unclear":
        return MessageAnswer("unknown", code=answer.code, is_provider_fault=True)
    if answer.fate == "not_sent":
        is_theirs = answer.code not in _NO_FAULT_OF_THEIRS
        return MessageAnswer("busy", code=answer.code, is_provider_fault=is_theirs)
    word = read_json(answer, PushWord)
    if word is None:
        return MessageAnswer("unknown", code="answer_unreadable", is_provider_fault=True)
    if word.is_gone:
        # The vault has heard it from the relay and forgot it: the payer's next browser or device
        # has its turn, and where there is none the delivery is left out.
        return MessageAnswer("busy", code="contact_gone")
    if word.status in _TAKEN:
        return MessageAnswer("accepted")
    outcome, code, is_theirs = _REASONS.get(word.reason) or _by_status(word.status)
    is_theirs = is_theirs and not (word.is_own and code == _OWN)
    wait_s = read_retry_after(answer) if outcome == "busy" else 0.0
    return MessageAnswer(outcome, code=code, retry_after_s=wait_s, is_provider_fault=is_theirs)


def _by_status(status: int) -> Meaning:
    """A status without a reason that we know. 403 may be about one browser, whose key is another's.

    Source: RFC 8030 §5 and §8.4, RFC 8292 §4.2.
    """
    if status in _BUSY_STATUSES:
        return "busy", "provider_busy", True
    if status in _UNCLEAR_STATUSES:
        return "unknown", "provider_error", True
    if status == _NOT_LET_IN:
        return "busy", "credential_refused", True
    if status == _TOO_LARGE or status in range(400, 500):
        return "rejected", "provider_refused", False
    return "unknown", "answer_unreadable", True


ADAPTER: Final = PushCompany()
NOTICES: Final = SaysNothing()
"""No push service tells us anything by itself."""
