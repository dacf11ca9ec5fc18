"""The sandbox's telephone company is asked as Twilio is; only its credential is another.

Application zone; pure.
"""

from typing import Final

from portal.application.providers.twilio.adapter import sms_at, voice_at

SMS: Final = sms_at("sandbox_tel")
VOICE: Final = voice_at("sandbox_tel")
