"""What the sandbox's telephone company tells reads as Twilio's. Application zone."""

from portal.application.providers.twilio.calls import CALLS
from portal.application.providers.twilio.notices import NOTICES

__all__ = ["CALLS", "NOTICES"]
