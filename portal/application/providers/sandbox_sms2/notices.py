"""What the second SMS company says in its notices: receipts of deliveries. Application zone."""

from typing import Final

from portal.application.providers.sandbox_notices import SandboxNotices

NOTICES: Final = SandboxNotices("message")
