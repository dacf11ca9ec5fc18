"""Enums of notifications, for both schemas. Zone: application."""

from enum import Enum

import strawberry


@strawberry.enum(description="What takes notifications: a browser, or a device with your app.")
class PushKind(Enum):
    """portal.domain.push.PushKind."""

    WEB = "web"
    FCM = "fcm"
    APNS = "apns"


@strawberry.enum(description="Whose device token it is: Google's (FCM) or Apple's (APNs).")
class PushApp(Enum):
    """Of portal.domain.push.PushKind what a merchant's server registers."""

    FCM = "fcm"
    APNS = "apns"
