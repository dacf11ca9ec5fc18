"""The sandbox's second SMS company speaks as the first one does; only its key is another.

Application zone; pure.
"""

from typing import Final

from portal.application.providers.sandbox_sms.adapter import SandboxSms

ADAPTER: Final = SandboxSms("sandbox_sms2")
