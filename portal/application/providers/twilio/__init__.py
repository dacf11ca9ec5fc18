"""Twilio: text messages and calls; what became of them it tells at an address given with each."""

from portal.application.providers.twilio.adapter import SMS, VOICE
from portal.application.providers.twilio.calls import CALLS
from portal.application.providers.twilio.capabilities import CAPABILITIES
from portal.application.providers.twilio.notices import NOTICES

__all__ = ["CALLS", "CAPABILITIES", "NOTICES", "SMS", "VOICE"]
