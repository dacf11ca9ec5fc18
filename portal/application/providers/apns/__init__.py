"""Apple's push service (APNs): devices with the merchant's own app."""

from portal.application.providers.apns.adapter import ADAPTER, NOTICES
from portal.application.providers.apns.capabilities import CAPABILITIES

__all__ = ["ADAPTER", "CAPABILITIES", "NOTICES"]
