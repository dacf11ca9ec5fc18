"""What the sandbox's company of store numbers says in its notices: GMO-PG's form."""

from typing import Final

from portal.application.providers.gmopg.notices import GmoPgNotices

NOTICES: Final = GmoPgNotices()
