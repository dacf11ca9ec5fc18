"""SMBC GMO PAYMENT: the same protocol as GMO Payment Gateway, at its own host and password."""

from portal.application.providers.gmopg import NOTICES
from portal.application.providers.smbc_gp.adapter import ADAPTER, COUNTER
from portal.application.providers.smbc_gp.capabilities import CAPABILITIES

__all__ = ["ADAPTER", "CAPABILITIES", "COUNTER", "NOTICES"]
