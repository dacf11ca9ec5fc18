"""Writes the committed snapshots of both schemas: ``python -m …doors.graphql.snapshot``.

Zone: application, for developers. A test holds the snapshots against the code, so a change of the
schema is seen in review as a change of these files.
"""

from pathlib import Path
from typing import Final

from portal.application.doors.graphql.merchant import MERCHANT
from portal.application.doors.graphql.payer import PAYER
from portal.application.doors.graphql.schema import HaraiSchema

SNAPSHOTS: Final[dict[str, HaraiSchema]] = {"merchant.graphql": MERCHANT, "payer.graphql": PAYER}


def write_snapshots() -> None:
    """Write both beside this module."""
    for name, schema in SNAPSHOTS.items():
        (Path(__file__).parent / name).write_text(schema.as_str() + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_snapshots()
