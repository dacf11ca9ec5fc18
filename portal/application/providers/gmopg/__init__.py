"""GMO Payment Gateway: cards on its link type Plus page, all else by protocol type."""

from portal.application.providers.gmopg.adapter import ADAPTER
from portal.application.providers.gmopg.capabilities import CAPABILITIES
from portal.application.providers.gmopg.counter import COUNTER
from portal.application.providers.gmopg.notices import NOTICES

__all__ = ["ADAPTER", "CAPABILITIES", "COUNTER", "NOTICES"]
