"""The sandbox's card company: payments on its own page, inquiries, unsigned notices."""

from portal.application.providers.sandbox_card.adapter import ADAPTER
from portal.application.providers.sandbox_card.capabilities import CAPABILITIES
from portal.application.providers.sandbox_card.notices import NOTICES

__all__ = ["ADAPTER", "CAPABILITIES", "NOTICES"]
