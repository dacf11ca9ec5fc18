"""What SMBC GMO PAYMENT can do, as data. Application zone; no behaviour here."""

from dataclasses import replace
from typing import Final

from portal.application.providers.exchange import Capabilities
from portal.application.providers.gmopg.capabilities import CAPABILITIES as GMOPG

CAPABILITIES: Final[Capabilities] = replace(GMOPG, provider="smbc_gp")
