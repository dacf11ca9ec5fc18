"""The trusted documents of both audiences, read and checked when the process starts.

Zone: application. A document that does not fit its schema keeps the process from starting.
"""

from collections.abc import Mapping
from typing import Final

from portal.application.doors.context import Audience
from portal.application.doors.graphql.documents import FOLDER, TrustedDocuments
from portal.application.doors.graphql.merchant import MERCHANT
from portal.application.doors.graphql.payer import PAYER

TRUSTED: Final[Mapping[Audience, TrustedDocuments]] = {
    "merchant": TrustedDocuments(MERCHANT, FOLDER / "merchant"),
    "payer": TrustedDocuments(PAYER, FOLDER / "payer"),
}
"""Audience → the documents of our own pages; nothing else runs for a browser."""
