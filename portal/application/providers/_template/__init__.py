"""To copy for the next provider: everything a card company or a carrier needs, nothing filled in.

Never registered. Copy the folder, keep the halves that apply, follow docs/adding-a-provider.md.
"""

from portal.application.providers._template.adapter import ADAPTER
from portal.application.providers._template.capabilities import CAPABILITIES
from portal.application.providers._template.notices import NOTICES

__all__ = ["ADAPTER", "CAPABILITIES", "NOTICES"]
