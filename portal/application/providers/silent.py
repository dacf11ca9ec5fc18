"""Companies that tell us nothing by themselves: what is posted in their name is nobody's.

Application zone; pure.
"""

from collections.abc import Mapping

from portal.contract.payment import NoticeClaim
from portal.domain.errors import InvalidInput


class SaysNothing:
    """Notice reader that takes nothing; see portal.application.providers.registry."""

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> tuple[NoticeClaim, ...]:
        """Raises: InvalidInput ``notice_malformed``, whatever it is."""
        del raw, headers
        raise InvalidInput("notice_malformed")
