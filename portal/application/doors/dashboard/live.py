"""What screens show while they are open: the figures again, with the viewer's own authority.

Zone: application. portal.application.doors.events asks at most once a second and sends changes.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from portal.application.doors.context import RequestContext
from portal.application.doors.dashboard.figures import (
    ImportData,
    SummaryData,
    as_event,
    home_figures,
    import_figures,
)
from portal.application.doors.graphql.execute import run_operation
from portal.domain.errors import NotFound

News = Mapping[str, object]


async def follow_home(context: RequestContext, _subject: str) -> News:
    """The first screen's figures."""
    data = await run_operation(context, "Summary")
    summary = msgspec.convert(data["summary"], SummaryData)
    zone: str = data["viewer"]["merchant"]["zone"]
    return as_event(home_figures(summary, context.language, zone))


async def follow_import(context: RequestContext, subject: str) -> News:
    """One import's figures; raises NotFound ``not_found``."""
    data = await run_operation(context, "ImportProgress", {"id": subject})
    if data["import"] is None:
        raise NotFound("not_found")
    item = msgspec.convert(data["import"], ImportData)
    return as_event(import_figures(item, context.language))


SCREENS: Final = {"home": follow_home, "import": follow_import}
"""Screens that can be followed, by the name that their pages ask for."""
