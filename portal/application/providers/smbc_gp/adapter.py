"""SMBC GMO PAYMENT's registration of the adapter for GMO Payment Gateway. Application zone; pure.

Source: public clients of pt01.smbc-gp.co.jp use the same calls and fields (docs/decisions/0004).
"""

from typing import Final

from portal.application.providers.gmopg.adapter import GmoPg
from portal.application.providers.gmopg.counter import GmoPgCounter

ADAPTER: Final = GmoPg("smbc_gp")
COUNTER: Final = GmoPgCounter("smbc_gp")
