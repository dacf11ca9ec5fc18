"""The sandbox's telephone company: calls and text messages in Twilio's form."""

from portal.application.providers.sandbox_tel.adapter import SMS, VOICE
from portal.application.providers.sandbox_tel.capabilities import CAPABILITIES
from portal.application.providers.sandbox_tel.notices import CALLS, NOTICES

__all__ = ["CALLS", "CAPABILITIES", "NOTICES", "SMS", "VOICE"]
