"""The sandbox's company of store numbers. It speaks GMO-PG's protocol type, as its adapter does."""

from portal.application.providers.sandbox_counter.adapter import COUNTER
from portal.application.providers.sandbox_counter.capabilities import CAPABILITIES
from portal.application.providers.sandbox_counter.notices import NOTICES

__all__ = ["CAPABILITIES", "COUNTER", "NOTICES"]
