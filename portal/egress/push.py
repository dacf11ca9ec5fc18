"""Notifications by the push services: what is sent for a redeemed delivery, and what came of it.

Zone: egress. A caller names a delivery and nothing else; where it goes, what it says and under
whose name are the vault's and the rule's to say. So no worker sees a browser's address or a
device's token, and none can have the relay dial a host: a browser's address is held to the rule's
own list once more, whatever the vault took it for. What a service answers stays here, too: the
caller gets a word of our own.
Sources: RFC 8030 §5 (Web Push); Firebase Cloud Messaging HTTP v1, projects.messages.send and
FcmError; Apple, "Sending notification requests to APNs", "Handling notification responses".
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from uuid import UUID

import msgspec

from portal.domain.errors import InvalidInput
from portal.domain.push import TTL_S, URGENCY, read_device_token, read_endpoint, read_web_keys
from portal.egress.denial import Denied
from portal.egress.pushing import Pushing
from portal.egress.rule import Rule
from portal.egress.webpush import SALT_BYTES, Browser, encrypt, new_key, vapid_header
from portal.kit.outbound.wire import OutboundAnswer, PushReason, PushWord

_FCM_ERROR: Final = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_CALM: Final = "5"
"""Apple's priority that spares the battery: a bill is no alarm."""

_GONE_STATUSES: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_GONE_REASONS: Final = frozenset({"UNREGISTERED", "BadDeviceToken", "Unregistered"})


@dataclass(frozen=True, slots=True)
class Push:
    """One notification as it goes out: ``rule`` has the host dialled, and one app's terms alone.

    ``is_own``: the app is one merchant's own.
    """

    rule: Rule
    path: str
    headers: dict[str, str]
    body: bytes
    is_own: bool = False


def pushing_of(rule: Rule) -> Pushing:
    """The rule's terms. Raises: Denied ``method_not_allowed`` for a rule of another mode."""
    if rule.pushing is None:
        raise Denied("method_not_allowed")
    return rule.pushing


def make_push(
    rule: Rule,
    values: Mapping[str, str],
    now: datetime,
    credentials: Mapping[str, str],
    delivery_id: UUID,
) -> Push:
    """The notification of one redeemed delivery; each try of it has the same ``apns-id``.

    Raises: Denied ``push_host_not_listed`` for a browser's address that the rule does not list,
        ``push_app_not_listed`` for a device of an app that it does not list, ``value_unfit`` for
        any other value that can't be what it stands for, ``credential_missing``.
    """
    app = values["delivery:push_app"]
    pushing = pushing_of(rule).of_app(app)
    if pushing is None:
        raise Denied("push_app_not_listed")
    rule = msgspec.structs.replace(rule, pushing=pushing)
    try:
        match pushing.service:
            case "web":
                return _web(rule, pushing, values, now, credentials.get(pushing.key, ""))
            case "fcm":
                push = _fcm(rule, pushing, values, now)
            case "apns":
                push = _apns(rule, pushing, values, now, delivery_id)
    except InvalidInput as error:
        code = "push_host_not_listed" if error.code == "push_host" else "value_unfit"
        raise Denied(code) from error
    return replace(push, is_own=app != "")


def _web(rule: Rule, pushing: Pushing, values: Mapping[str, str], now: datetime, pem: str) -> Push:
    endpoint = read_endpoint(values["delivery:to"], pushing.hosts, port=rule.port)
    p256dh, _, auth = values["delivery:push_keys"].partition(" ")
    shown = {
        "title": values["delivery:subject"],
        "body": values["delivery:body"],
        "url": values["delivery:link"],
        "tag": values["delivery:topic"],
    }
    browser = Browser(*read_web_keys(p256dh, auth))
    plain = json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "authorization": vapid_header(endpoint.origin, pem, subject=pushing.subject, now=now),
        "content-type": "application/octet-stream",
        "content-encoding": "aes128gcm",
        "ttl": str(TTL_S),
        "urgency": URGENCY,
        "topic": values["delivery:topic"],
    }
    body = encrypt(plain, browser, salt=os.urandom(SALT_BYTES), key=new_key())
    return Push(msgspec.structs.replace(rule, host=endpoint.host), endpoint.path, headers, body)


def _fcm(rule: Rule, pushing: Pushing, values: Mapping[str, str], now: datetime) -> Push:
    title, text, link = (values[f"delivery:{name}"] for name in ("subject", "body", "link"))
    topic = values["delivery:topic"]
    message = {
        "token": read_device_token("fcm", values["delivery:to"]),
        "notification": {"title": title, "body": text},
        "data": {"link": link},
        "android": {
            "ttl": f"{TTL_S}s",
            "priority": "NORMAL",
            "collapse_key": topic,
            "notification": {"tag": topic},
        },
        "apns": {"headers": _apple_headers(topic, now)},
        "webpush": {
            "headers": {"TTL": str(TTL_S), "Urgency": URGENCY, "Topic": topic},
            "notification": {"tag": topic},
            "fcm_options": {"link": link},
        },
    }
    body = json.dumps({"message": message}, ensure_ascii=False).encode()
    headers = {"content-type": "application/json"}
    return Push(rule, f"/v1/projects/{pushing.project}/messages:send", headers, body)


def _apns(
    rule: Rule, pushing: Pushing, values: Mapping[str, str], now: datetime, delivery_id: UUID
) -> Push:
    token = read_device_token("apns", values["delivery:to"])
    alert = {"title": values["delivery:subject"], "body": values["delivery:body"]}
    shown = {"aps": {"alert": alert, "sound": "default"}, "link": values["delivery:link"]}
    headers = {
        **_apple_headers(values["delivery:topic"], now),
        "apns-id": str(delivery_id),
        "apns-topic": pushing.app,
        "apns-push-type": "alert",
        "content-type": "application/json",
    }
    return Push(rule, f"/3/device/{token}", headers, json.dumps(shown, ensure_ascii=False).encode())


def _apple_headers(topic: str, now: datetime) -> dict[str, str]:
    return {
        "apns-expiration": str(int(now.timestamp()) + TTL_S),
        "apns-collapse-id": topic,
        "apns-priority": _CALM,
    }


def word_of(pushing: Pushing, answer: OutboundAnswer) -> PushWord:
    """What a service's complete answer says, in our own words.

    ``is_gone``: there is no such browser or device any more, and never will be again. A bare 404 of
    an app's service is none: it may be about the address that we wrote.
    """
    reason = _reason(pushing, answer.body)
    if pushing.service == "web":
        is_gone = answer.status in _GONE_STATUSES
    else:
        is_gone = reason in _GONE_REASONS or (
            pushing.service == "apns" and answer.status == HTTPStatus.GONE
        )
    return PushWord(status=answer.status, reason=reason, is_gone=is_gone)


def gone_since(pushing: Pushing, answer: OutboundAnswer) -> datetime | None:
    """Since when Apple knows that a device is gone; None where nothing of the kind is said.

    Who has registered later than that has the app again. Units: Apple says milliseconds, UTC.
    """
    if pushing.service != "apns" or answer.status != HTTPStatus.GONE:
        return None
    refusal = _refusal(answer.body)
    try:
        return datetime.fromtimestamp(refusal.timestamp / 1_000, UTC) if refusal.timestamp else None
    except (OverflowError, ValueError, OSError):
        return None


def is_let_in_no_more(pushing: Pushing, answer: OutboundAnswer) -> bool:
    """Whether the service surely did nothing because the token that let us in has ended."""
    if answer.fate != "answered":
        return False
    if pushing.service == "fcm":
        return answer.status == HTTPStatus.UNAUTHORIZED
    is_expired = _reason(pushing, answer.body) == "ExpiredProviderToken"
    return answer.status == HTTPStatus.FORBIDDEN and is_expired


class _Detail(msgspec.Struct, frozen=True, rename="camel"):
    type: str = msgspec.field(default="", name="@type")
    error_code: str = ""


class _Error(msgspec.Struct, frozen=True):
    status: str = ""
    details: tuple[_Detail, ...] = ()


class _Refusal(msgspec.Struct, frozen=True):
    """Google's ``error`` and Apple's ``reason``; each says its own."""

    error: _Error = _Error()
    reason: str = ""
    timestamp: int = 0


def _reason(pushing: Pushing, body: bytes) -> PushReason:
    """The reason that a service names, if it is one that we know; nothing else leaves the relay."""
    if pushing.service == "web":
        return ""
    refusal = _refusal(body)
    said = refusal.reason
    if pushing.service == "fcm":
        told = (one.error_code for one in refusal.error.details if one.type == _FCM_ERROR)
        said = next(told, refusal.error.status)
    try:
        return msgspec.convert(said, PushReason)
    except msgspec.ValidationError:
        return ""


def _refusal(body: bytes) -> _Refusal:
    """What a service says of its refusal; nothing for what can't be read."""
    try:
        return msgspec.json.decode(body, type=_Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Refusal()
