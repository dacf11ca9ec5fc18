"""What the sandbox's card company says in its notices: hints about attempts. Application zone."""

from typing import Final

from portal.application.providers.sandbox_notices import SandboxNotices

NOTICES: Final = SandboxNotices("payment")
