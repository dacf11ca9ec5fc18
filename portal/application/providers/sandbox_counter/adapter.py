"""The sandbox's company of store numbers: GMO-PG's adapter at another host, under other rules.

Application zone; pure. What the demo drives is the adapter that goes to GMO-PG in production.
"""

from typing import Final

from portal.application.providers.gmopg.counter import GmoPgCounter

COUNTER: Final = GmoPgCounter("sandbox_counter")
