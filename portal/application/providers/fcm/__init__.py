"""Google's push service (Firebase Cloud Messaging HTTP v1): devices with the merchant's own app."""

from portal.application.providers.fcm.adapter import ADAPTER, NOTICES
from portal.application.providers.fcm.capabilities import CAPABILITIES

__all__ = ["ADAPTER", "CAPABILITIES", "NOTICES"]
