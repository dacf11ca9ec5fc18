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
from portal.application.providers.refusal import busy, read_way, unreadable
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
_OF_ITS_APP: Final[Mapping[str, str]] = {
    "credential_refused": "app_refused",
    "quota_spent": "app_busy",
}
"""What a service says of who asks → what it is where that is one merchant's own app: its credential
or its project's quota, and no other merchant's."""
_ANOTHER_APPS: Final[frozenset[PushReason]] = frozenset(
    {"SENDER_ID_MISMATCH", "DeviceTokenNotForTopic"}
)
"""The device is another app's. It ends this notification; said of one device after another it means
that a merchant's own app is set up as somebody else's."""

Meaning = tuple[SendOutcome, str, bool]
"""Outcome, code, and whether the next notification would fare the same."""

_REASONS: Final[Mapping[PushReason, Meaning]] = {
    "INVALID_ARGUMENT": ("rejected", "provider_refused", False),
    "SENDER_ID_MISMATCH": ("rejected", "invalid_recipient", False),
    "QUOTA_EXCEEDED": ("busy", "quota_spent", True),
    "RESOURCE_EXHAUSTED": ("busy", "quota_spent", True),
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
    "TooManyProviderTokenUpdates": ("busy", "quota_spent", True),
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
    if (on_the_way := read_way(answer)) is not None:
        return on_the_way
    word = read_json(answer, PushWord)
    if word is None:
        return unreadable()
    if word.is_gone:
        # The vault has heard it from the relay and forgot it: the payer's next browser or device
        # has its turn, and where there is none the delivery is left out.
        return MessageAnswer("busy", code="contact_gone")
    if word.status in _TAKEN:
        return MessageAnswer("accepted")
    outcome, code, is_theirs = _REASONS.get(word.reason) or _by_status(word.status)
    if word.is_own and code in _OF_ITS_APP:
        return busy(_OF_ITS_APP[code])
    if code == "quota_spent":
        code = "provider_busy"
    wait_s = read_retry_after(answer) if outcome == "busy" else 0.0
    return MessageAnswer(
        outcome,
        code=code,
        retry_after_s=wait_s,
        is_provider_fault=is_theirs,
        is_sender_fault=word.is_own and word.reason in _ANOTHER_APPS,
    )


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
